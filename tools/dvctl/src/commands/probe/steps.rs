//! The account's additional steps, and the parameters that they need.

use serde::Serialize;
use serde_json::Value;
use verification::Policy;
use verification::identifiers::StepName;
use verification::policy::{StepVerdictPolicy, StepWarning};
use verification::session::{SessionStep, StepKind};

use super::account::Parameters;
use crate::commands::check::Check;

/// One step as the answer shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShownStep {
    pub name: String,
    pub kind: &'static str,
    /// The customers who get it: country and type of the first document.
    pub customers: String,
    /// Its title and text in English, or in the first language that there is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
}

/// A terminal's line has room for this.
const LONGEST_TEXT: usize = 80;

/// The steps of an echo: country, document type, step.
pub fn shown(echo: Option<&Value>) -> Vec<ShownStep> {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut steps = Vec::new();
    for (country, types) in echo.map(members).unwrap_or_default() {
        for (document, named) in members(&types) {
            for (name, step) in members(&named) {
                steps.push(ShownStep {
                    name: printable(&name),
                    kind: kind_of(&step),
                    customers: format!("{}/{}", printable(&country), printable(&document)),
                    text: text_of(&step),
                });
            }
        }
    }
    steps
}

fn kind_of(step: &Value) -> &'static str {
    match step.get("type").and_then(Value::as_str) {
        Some("UPLOAD") => "UPLOAD",
        Some("EXTRACT") => "EXTRACT",
        Some("COMPARE") => "COMPARE",
        _ => "of no known kind",
    }
}

fn text_of(step: &Value) -> String {
    let texts = step.get("texts").and_then(Value::as_object);
    let text = texts.and_then(|texts| texts.get("en").or_else(|| texts.values().next()));
    let part = |name| text.and_then(|text| text.get(name)).and_then(Value::as_str);
    let parts: Vec<&str> = [part("name"), part("description")]
        .into_iter()
        .flatten()
        .collect();
    printable(&parts.join(", "))
}

/// Text of the account's, without what could reach into a terminal.
fn printable(text: &str) -> String {
    let is_plain = |sign: &char| sign.is_alphanumeric() || sign.is_ascii_graphic() || *sign == ' ';
    text.chars().filter(is_plain).take(LONGEST_TEXT).collect()
}

/// Values for the template's parameters about steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    pub step_verdict: &'static str,
    /// Empty: the names tell.
    pub step_images: String,
    /// The sides are a guess.
    pub is_guess: bool,
}

impl Proposal {
    fn policy(&self) -> Option<Policy> {
        Some(Policy {
            step_verdict: match self.step_verdict {
                "AcceptUnjudged" => StepVerdictPolicy::AcceptUnjudged,
                _ => StepVerdictPolicy::RequireValid,
            },
            step_images: self.step_images.parse().ok()?,
            ..Policy::default()
        })
    }
}

/// What would make these steps work. `None`: nothing that the steps tell.
pub fn propose(steps: &[SessionStep], shown: &[ShownStep]) -> Option<Proposal> {
    let works = |proposal: &Proposal| {
        let policy = proposal.policy();
        policy.is_some_and(|policy| policy.warnings(Some(steps)).is_empty())
    };
    let mut images = vec![(String::new(), false)];
    images.extend(guessed_sides(steps, shown));
    images
        .into_iter()
        .flat_map(|(step_images, is_guess)| {
            ["RequireValid", "AcceptUnjudged"].map(|step_verdict| Proposal {
                step_verdict,
                step_images: step_images.clone(),
                is_guess,
            })
        })
        .find(works)
}

/// A mapping for two steps whose names do not end in `_FRONT` and `_BACK`.
fn guessed_sides(steps: &[SessionStep], shown: &[ShownStep]) -> Option<(String, bool)> {
    let mut names: Vec<&StepName> = steps
        .iter()
        .map(|step| &step.name)
        .filter(|name| !name.is_first_document() && !name.is_utility_bill())
        .collect();
    names.sort();
    names.dedup();
    let [one, other] = names.as_slice() else {
        return None;
    };
    let says = |name: &StepName, side: &str| {
        let texts = shown.iter().filter(|step| step.name == name.as_str());
        let mut texts = texts.map(|step| step.text.to_ascii_lowercase());
        name.as_str().to_ascii_lowercase().contains(side) || texts.any(|text| text.contains(side))
    };
    let is_front = |name: &StepName| says(name, "front") && !says(name, "back");
    let is_back = |name: &StepName| says(name, "back") && !says(name, "front");
    let is_swapped = is_front(other) || is_back(one);
    let is_told = is_swapped || is_front(one) || is_back(other);
    let (front, back) = if is_swapped {
        (other, one)
    } else {
        (one, other)
    };
    let mapping = format!("{}=FRONT,{}=BACK", encoded(front), encoded(back));
    Some((mapping, !is_told))
}

/// The step as `StepImages` wants it: percent-encoded.
fn encoded(step: &StepName) -> String {
    let mut text = String::new();
    for sign in step.as_str().chars() {
        match sign {
            ',' => text.push_str("%2C"),
            '=' => text.push_str("%3D"),
            '%' => text.push_str("%25"),
            ' ' => text.push_str("%20"),
            sign => text.push(sign),
        }
    }
    text
}

/// Judges the steps against the parameters. With a stack, what does not work is a failure.
pub fn judge(
    steps: Option<&[SessionStep]>,
    shown: &[ShownStep],
    parameters: &Parameters,
    is_deployed: bool,
) -> (Vec<Check>, Option<Proposal>) {
    const NAME: &str = "steps";
    let Some(steps) = steps else {
        let check = Check::unknown(
            NAME,
            "the answer does not name the token's steps",
            "ask iDenfy's support for their names and kinds, and set StepImages and StepVerdict",
        );
        return (vec![check], None);
    };
    let proposal = propose(steps, shown);
    let mut checks = Vec::new();
    for warning in parameters.warnings(steps) {
        checks.push(match (warning, &proposal) {
            // The names speak, so the mapping is wrong.
            (StepWarning::NoAdditionalStep, Some(proposal)) => change(
                is_deployed,
                "step names",
                "StepImages names none of the account's steps".to_owned(),
                format!("set StepImages={}", shown_images(&proposal.step_images)),
            ),
            (StepWarning::NoAdditionalStep, None) => Check::failed(
                NAME,
                "the account has no additional step for the second document",
                "have iDenfy's support add steps as the account's default, best SECOND_DOC_FRONT \
                 and SECOND_DOC_BACK",
            ),
            (StepWarning::StepNeverJudged(step), _) => change(
                is_deployed,
                "step kinds",
                format!("{step} is of the kind UPLOAD, which iDenfy does not judge"),
                "set StepVerdict=AcceptUnjudged, or have iDenfy change the step's kind".to_owned(),
            ),
            (StepWarning::SidesUnclear, Some(proposal)) => {
                let check = if proposal.is_guess {
                    "; which shows the front is a guess: look at the steps"
                } else {
                    ""
                };
                change(
                    is_deployed,
                    "step names",
                    "the names do not tell which step shows the front".to_owned(),
                    format!("set StepImages={}{check}", proposal.step_images),
                )
            }
            (StepWarning::SidesUnclear, None) => change(
                is_deployed,
                "step names",
                "the names do not tell which step shows the front".to_owned(),
                "say in StepImages which step shows which side, such as PAGE_ONE=FRONT,PAGE_TWO=BACK"
                    .to_owned(),
            ),
        });
    }
    if steps.iter().any(|step| step.kind == StepKind::Unknown) {
        checks.push(Check::unknown(
            "step kinds",
            "a step's kind is none that is documented",
            "ask iDenfy's support whether its reviewers judge it; if not, set \
             StepVerdict=AcceptUnjudged",
        ));
    }
    checks.extend(judge_scope(shown));
    let named: Vec<String> = shown
        .iter()
        .map(|step| format!("{} ({})", step.name, step.kind))
        .collect();
    if checks.is_empty() {
        let single = if named.len() == 1 {
            "; its one picture is submitted as the FRONT"
        } else {
            ""
        };
        checks.push(Check::ok(NAME, format!("{}{single}", named.join(", "))));
    }
    (checks, proposal)
}

fn shown_images(step_images: &str) -> &str {
    if step_images.is_empty() {
        "\"\" (empty: the names tell)"
    } else {
        step_images
    }
}

/// Steps that some customers do not get.
fn judge_scope(shown: &[ShownStep]) -> Option<Check> {
    let mut limited: Vec<&str> = shown
        .iter()
        .filter(|step| step.customers != "ALL/ALL")
        .map(|step| step.customers.as_str())
        .collect();
    limited.sort_unstable();
    limited.dedup();
    let is_for_all = shown.iter().any(|step| step.customers == "ALL/ALL");
    (!is_for_all && !limited.is_empty()).then(|| {
        Check::warning(
            "step customers",
            format!("only customers with {} get a step", limited.join(", ")),
            "have iDenfy set the steps for ALL countries and documents, unless that is meant",
        )
    })
}

/// A parameter that must change: a failure where it is deployed.
pub fn change(is_deployed: bool, name: &'static str, found: String, advice: String) -> Check {
    if is_deployed {
        Check::failed(name, found, advice)
    } else {
        Check::warning(name, found, advice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn steps(named: &[(&str, StepKind)]) -> Vec<SessionStep> {
        let step = |&(name, kind): &(&str, StepKind)| SessionStep {
            name: name.parse().unwrap(),
            kind,
        };
        named.iter().map(step).collect()
    }

    fn proposed(named: &[(&str, StepKind)], texts: &[(&str, &str)]) -> Option<(String, String)> {
        let shown: Vec<ShownStep> = texts
            .iter()
            .map(|(name, text)| ShownStep {
                name: (*name).to_owned(),
                kind: "UPLOAD",
                customers: "ALL/ALL".to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let proposal = propose(&steps(named), &shown)?;
        Some((proposal.step_verdict.to_owned(), proposal.step_images))
    }

    fn values(verdict: &str, images: &str) -> Option<(String, String)> {
        Some((verdict.to_owned(), images.to_owned()))
    }

    #[test]
    fn names_that_speak_need_no_mapping() {
        use StepKind::{Extract, Upload};
        assert_eq!(
            proposed(&[("ID_FRONT", Extract), ("ID_BACK", Extract)], &[]),
            values("RequireValid", "")
        );
        assert_eq!(
            proposed(&[("SECOND_DOC", Upload)], &[]),
            values("AcceptUnjudged", "")
        );
        assert_eq!(proposed(&[], &[]), None);
        assert_eq!(proposed(&[("UTILITY_BILL", Upload)], &[]), None);
    }

    #[test]
    fn unexpected_names_are_mapped_by_what_they_or_their_texts_say() {
        use StepKind::{Extract, Upload};
        assert_eq!(
            proposed(&[("BACK_OF_ID", Upload), ("FACE_OF_ID", Upload)], &[]),
            values("AcceptUnjudged", "FACE_OF_ID=FRONT,BACK_OF_ID=BACK")
        );
        assert_eq!(
            proposed(
                &[("PAGE 1", Extract), ("PAGE=2", Extract)],
                &[("PAGE 1", "Back side"), ("PAGE=2", "Front side")]
            ),
            values("RequireValid", "PAGE%3D2=FRONT,PAGE%201=BACK")
        );
        assert_eq!(
            proposed(&[("A", Extract), ("B", Extract)], &[]),
            values("RequireValid", "A=FRONT,B=BACK")
        );
        let three = [("A", Extract), ("B", Extract), ("C", Extract)];
        assert_eq!(proposed(&three, &[]), None, "three steps tell nothing");
    }

    #[test]
    fn a_mapping_of_other_steps_is_replaced() {
        let deployed = Parameters {
            policy: Policy {
                step_images: "PAGE_ONE=FRONT".parse().unwrap(),
                ..Policy::default()
            },
            token_field: idenfy::TokenField::Token,
        };
        let steps = steps(&[("ID_FRONT", StepKind::Extract)]);
        let (checks, _) = judge(Some(&steps), &[], &deployed, true);
        let [check] = checks.as_slice() else {
            panic!("one thing is wrong: {checks:?}")
        };
        assert_eq!(check.result, crate::commands::check::Health::Failed);
        assert!(
            check.advice.as_deref().unwrap().contains("StepImages=\"\""),
            "{check}"
        );
    }

    #[test]
    fn the_steps_are_shown_without_what_could_reach_a_terminal() {
        let echo = json!({"LT": {"PASSPORT": {
            "A\u{1b}[31m": {"type": "UPLOAD", "texts": {"en": {"name": "Second\n", "description": "Front"}}},
            "B": {"type": "NEW"},
        }}});
        let shown = shown(Some(&echo));
        assert_eq!(shown[0].name, "A[31m");
        assert_eq!(shown[0].text, "Second, Front");
        assert_eq!(shown[0].customers, "LT/PASSPORT");
        assert_eq!(shown[1].kind, "of no known kind");
        let check = judge_scope(&shown).expect("some customers get none");
        assert!(check.found.contains("LT/PASSPORT"), "{check}");
    }
}
