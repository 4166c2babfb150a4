//! The team's setting of the second document's steps, and the side that each file shows.

use std::str::FromStr;

use crate::identifiers::{Side, StepName};
use crate::pairing::document::StepImage;

/// The steps of the second document, front first.
/// Empty: their names decide (see [`super::Policy::judge`]).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct StepImages(pub(super) Vec<StepImage>);

/// What is wrong with a text for [`StepImages`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStepImages {
    #[error(
        "each entry is STEP=FRONT, STEP=BACK or STEP=FRONT+BACK, separated by commas; in a step, %2C is a comma, %3D is = and %25 is %"
    )]
    Entry,
    #[error("a step is named twice")]
    StepTwice,
    #[error("a side is named twice")]
    SideTwice,
    #[error("no step is the FRONT, which direct processing always needs")]
    NoFront,
    #[error("FRONT, BACK and FACE are the first document's own files and cannot be steps")]
    FirstDocument,
}

impl FromStr for StepImages {
    type Err = InvalidStepImages;

    /// Reads `SECOND_DOC_FRONT=FRONT,SECOND_DOC_BACK=BACK`, or `SECOND_DOC=FRONT+BACK` for a step
    /// with a file for each side.
    /// White space around entries is ignored.
    /// An empty text is no mapping.
    /// Steps are percent-encoded: `,`, `=` and `%` always, white space at either end.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut images: Vec<StepImage> = Vec::new();
        for entry in text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
        {
            let (step, sides) = entry.split_once('=').ok_or(InvalidStepImages::Entry)?;
            let step = decoded(step.trim()).ok_or(InvalidStepImages::Entry)?;
            let step: StepName = step.parse().map_err(|_| InvalidStepImages::Entry)?;
            let sides = match sides.trim() {
                "FRONT+BACK" => vec![Side::Front, Side::Back],
                side => vec![side.parse().map_err(|_| InvalidStepImages::Entry)?],
            };
            if step.is_first_document() {
                return Err(InvalidStepImages::FirstDocument);
            }
            if images.iter().any(|image| image.step == step) {
                return Err(InvalidStepImages::StepTwice);
            }
            for side in sides {
                if images.iter().any(|image| image.side == side) {
                    return Err(InvalidStepImages::SideTwice);
                }
                images.push(StepImage {
                    step: step.clone(),
                    side,
                });
            }
        }
        if !images.is_empty() && !images.iter().any(|image| image.side == Side::Front) {
            return Err(InvalidStepImages::NoFront);
        }
        images.sort_by_key(|image| image.side);
        Ok(Self(images))
    }
}

/// The text without its percent-encoding.
/// `None`: a `%` without two hexadecimal digits, or bytes that are no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.as_bytes().split_at_checked(2)?;
        bytes.extend(hex::decode(digits).ok()?);
        bytes.extend_from_slice(rest);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairing::document::planned_files;

    #[test]
    fn a_wrong_mapping_says_what_is_wrong() {
        let parse = |text: &str| text.parse::<StepImages>().unwrap_err();
        assert_eq!(parse("A"), InvalidStepImages::Entry);
        assert_eq!(parse("A=LEFT"), InvalidStepImages::Entry);
        assert_eq!(parse("A=BACK+FRONT"), InvalidStepImages::Entry);
        assert_eq!(parse("A=FRONT,A=BACK"), InvalidStepImages::StepTwice);
        assert_eq!(parse("A=FRONT,B=FRONT"), InvalidStepImages::SideTwice);
        assert_eq!(parse("A=FRONT+BACK,B=BACK"), InvalidStepImages::SideTwice);
        assert_eq!(parse("A=BACK"), InvalidStepImages::NoFront);
        assert_eq!(parse("FRONT=FRONT"), InvalidStepImages::FirstDocument);
        assert_eq!(" ".parse::<StepImages>().unwrap(), StepImages::default());
    }

    #[test]
    fn every_step_can_be_named() {
        let step = |text: &str| {
            let images: StepImages = text.parse().unwrap();
            images
                .0
                .into_iter()
                .map(|image| image.step.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            step("Ž_BACK=BACK, Second doc.front =FRONT"),
            ["Second doc.front", "Ž_BACK"]
        );
        assert_eq!(step("%C5%BD_BACK=FRONT"), ["Ž_BACK"]);
        assert_eq!(step("a%2Cb%3dc%25d+e=FRONT"), ["a,b=c%d+e"]);
        assert_eq!(step("%20a%20=FRONT+BACK"), [" a ", " a "]);
        for broken in [
            "%=FRONT",
            "%4=FRONT",
            "%GG=FRONT",
            "%+1=FRONT",
            "%FF=FRONT",
            "%00=FRONT",
            "a=b=FRONT",
            "%46RONT=FRONT",
        ] {
            assert!(broken.parse::<StepImages>().is_err(), "{broken}");
        }
    }

    fn planned(mapping: &str, links: &[(&str, usize)]) -> Vec<(String, u8, Option<Side>)> {
        let images: StepImages = mapping.parse().unwrap();
        let count = |step: &StepName| {
            links
                .iter()
                .find(|(name, _)| *name == step.as_str())
                .map_or(0, |(_, count)| *count)
        };
        let documents = planned_files(&images.0, count);
        documents
            .into_iter()
            .map(|document| {
                (
                    document.step.to_string(),
                    document.file.get(),
                    document.side,
                )
            })
            .collect()
    }

    #[test]
    fn two_files_of_a_step_of_both_sides_are_the_sides() {
        let one = ("A".to_owned(), 1, Some(Side::Front));
        assert_eq!(
            planned("A=FRONT+BACK", &[("A", 2)]),
            [one.clone(), ("A".to_owned(), 2, Some(Side::Back))]
        );
        assert_eq!(
            planned("A=FRONT+BACK", &[("A", 1)]),
            std::slice::from_ref(&one),
            "a document may have one side"
        );
        assert_eq!(
            planned("A=FRONT+BACK", &[]),
            [one],
            "its link is still asked for"
        );
    }

    #[test]
    fn of_any_other_number_of_files_four_are_taken() {
        let undecided = |count: u8| {
            (1..=count)
                .map(|number| ("A".to_owned(), number, None))
                .collect::<Vec<_>>()
        };
        assert_eq!(planned("A=FRONT", &[("A", 2)]), undecided(2));
        assert_eq!(planned("A=FRONT+BACK", &[("A", 3)]), undecided(3));
        assert_eq!(planned("A=FRONT+BACK", &[("A", 9)]), undecided(4));
    }

    #[test]
    fn several_files_of_one_step_say_nothing_about_another() {
        let documents = planned("A=FRONT,B=BACK", &[("A", 1), ("B", 2)]);
        assert_eq!(
            documents,
            [
                ("A".to_owned(), 1, Some(Side::Front)),
                ("B".to_owned(), 1, None),
                ("B".to_owned(), 2, None)
            ]
        );
    }
}
