//! Which first results qualify, which file shows which side, and which country is named.
//!
//! Pure: a callback goes in, a judgement comes out.

mod step_images;
mod step_warnings;

use crate::comparison::{Comparison, DocumentIdentity, Person};
use crate::identifiers::{CountryCode, Side, StepName, UploadId};
use crate::pairing::ExpectedDocument;
use crate::pairing::document::{Plan, StepImage, planned_files};
use crate::pairing::reason::{DeclineReason, ParkReason, SettledReason, WaitingReason};
use crate::result::{CallbackContent, Overall, StepsVerdict};
pub use step_images::{InvalidStepImages, StepImages};
pub use step_warnings::StepWarning;

/// What a first result means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Qualifies(Plan),
    NotYet(WaitingReason),
    Declines(DeclineReason),
    /// Neither yes nor no can be said: a person must look.
    Unclear(ParkReason),
    /// The customer never finished.
    Lapsed,
    /// The provider removed the data. Says nothing about the result.
    Removed,
}

/// Whether a step must have been judged by the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StepVerdictPolicy {
    /// Only `VALID` qualifies.
    #[default]
    RequireValid,
    /// A final result without a verdict qualifies too, if it names the step.
    /// For accounts with steps of the kind UPLOAD, which the provider stores and does not judge.
    /// `INVALID` and `NOT_FOUND` still decline.
    AcceptUnjudged,
}

/// What the comparison of both results is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ComparisonPolicy {
    /// Nothing is compared.
    Off,
    /// The two words are in the answer and in the event.
    #[default]
    Report,
    /// An approval becomes `Suspected` unless the results show one person and two documents.
    Require,
}

impl ComparisonPolicy {
    /// Why an approval cannot stand; `None`: it stands.
    pub fn objection(self, comparison: Option<Comparison>) -> Option<SettledReason> {
        if self != Self::Require {
            return None;
        }
        match comparison.unwrap_or(Comparison::UNKNOWN) {
            Comparison {
                person: Person::Different,
                ..
            } => Some(SettledReason::PersonDiffers),
            Comparison {
                document: DocumentIdentity::Same,
                ..
            } => Some(SettledReason::SameDocument),
            Comparison {
                person: Person::Same,
                document: DocumentIdentity::Different,
            } => None,
            _ => Some(SettledReason::NotComparable),
        }
    }
}

/// The team's choices, from the template's parameters.
#[derive(Clone, Debug)]
pub struct Policy {
    pub step_verdict: StepVerdictPolicy,
    pub step_images: StepImages,
    /// Named to the provider if set. Otherwise the first document's country is.
    pub default_country: Option<CountryCode>,
    /// Ask the provider before a result reverses a decision, spends a token or settles.
    pub confirm_results: bool,
    pub comparison: ComparisonPolicy,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            step_verdict: StepVerdictPolicy::default(),
            step_images: StepImages::default(),
            default_country: None,
            confirm_results: true,
            comparison: ComparisonPolicy::default(),
        }
    }
}

impl Policy {
    /// Judges a first result.
    /// Order matters: a negative word counts even if something else is unclear.
    pub fn judge(&self, content: &CallbackContent, expected: &ExpectedDocument) -> Judgement {
        match content.overall {
            Some(Overall::Expired) => return Judgement::Lapsed,
            Some(Overall::Deleted | Overall::Archived | Overall::ExpiredDeleted) => {
                return Judgement::Removed;
            }
            _ if content.is_provisional() => {
                return Judgement::NotYet(WaitingReason::ResultNotFinal);
            }
            Some(Overall::Denied) => return Judgement::Declines(DeclineReason::FirstDenied),
            Some(Overall::Suspected) => return Judgement::Declines(DeclineReason::FirstSuspected),
            Some(Overall::Approved) => {}
            Some(Overall::Unknown | Overall::Reviewing | Overall::Active) | None => {
                return Judgement::Unclear(ParkReason::OverallUnknown);
            }
        }
        match content.steps_verdict {
            StepsVerdict::Invalid => return Judgement::Declines(DeclineReason::StepInvalid),
            StepsVerdict::NotFound => return Judgement::Declines(DeclineReason::StepNotFound),
            StepsVerdict::Unknown => return Judgement::Unclear(ParkReason::StepVerdictUnknown),
            StepsVerdict::Valid | StepsVerdict::NotJudged => {}
        }
        let images = match self.sides(&content.steps, content.has_unusable_steps) {
            Ok(images) => images,
            Err(NoSides::NoSteps) if content.steps_verdict == StepsVerdict::Valid => {
                return Judgement::Unclear(ParkReason::StepsNotNamed);
            }
            Err(NoSides::NoSteps) => return Judgement::Declines(DeclineReason::NoAdditionalStep),
            Err(NoSides::Unclear) => return Judgement::Unclear(ParkReason::SidesUnclear),
        };
        // Without a verdict, only an explicit `final: true` shows that no judgement is to come.
        let unjudged_is_enough = self.step_verdict == StepVerdictPolicy::AcceptUnjudged
            && content.is_final == Some(true);
        if content.steps_verdict == StepsVerdict::NotJudged && !unjudged_is_enough {
            return Judgement::Unclear(ParkReason::StepNotJudged);
        }
        let client_id = match &content.client_id {
            Some(client_id) => client_id.clone(),
            None if content.has_unusable_client => {
                return Judgement::Unclear(ParkReason::ClientUnusable);
            }
            None => return Judgement::Unclear(ParkReason::ClientUnknown),
        };
        let country = [&expected.country, &self.default_country, &content.country]
            .into_iter()
            .find_map(Clone::clone);
        let Some(country) = country else {
            return Judgement::Unclear(ParkReason::CountryUnknown);
        };
        Judgement::Qualifies(Plan {
            callback: content.digest.clone(),
            upload: UploadId::of(&content.digest),
            fingerprint: content.upload().fingerprint,
            are_links_replaced: false,
            client_id,
            documents: planned_files(&images, |step| content.links.get(step).map_or(0, Vec::len)),
            images,
            country,
            document_type: expected.document_type,
        })
    }

    /// The needed steps among those that the callback names. Front first.
    ///
    /// A mapping decides alone.
    /// Without one, utility bills are left aside, and a single step is the front.
    /// Among several, exactly one name must end in `_FRONT` and at most one in `_BACK`.
    /// A step whose name cannot be used may be either.
    fn sides(
        &self,
        steps: &[StepName],
        has_unusable_steps: bool,
    ) -> Result<Vec<StepImage>, NoSides> {
        let steps: Vec<&StepName> = steps
            .iter()
            .filter(|step| !step.is_first_document())
            .collect();
        if !self.step_images.0.is_empty() {
            let mapped: Vec<StepImage> = self
                .step_images
                .0
                .iter()
                .filter(|image| steps.contains(&&image.step))
                .cloned()
                .collect();
            return match mapped.first() {
                None if has_unusable_steps => Err(NoSides::Unclear),
                None => Err(NoSides::NoSteps),
                Some(image) if image.side == Side::Front => Ok(mapped),
                Some(_) => Err(NoSides::Unclear),
            };
        }
        if has_unusable_steps {
            return Err(NoSides::Unclear);
        }
        let candidates: Vec<&StepName> = steps
            .into_iter()
            .filter(|step| !step.is_utility_bill())
            .collect();
        let ending = |suffix: &str| -> Vec<StepName> {
            candidates
                .iter()
                .filter(|step| step.as_str().to_ascii_uppercase().ends_with(suffix))
                .map(|&step| step.clone())
                .collect()
        };
        let planned = |step: &StepName, side| StepImage {
            step: step.clone(),
            side,
        };
        match (
            candidates.as_slice(),
            ending("_FRONT").as_slice(),
            ending("_BACK").as_slice(),
        ) {
            ([], ..) => Err(NoSides::NoSteps),
            ([single], _, []) => Ok(vec![planned(single, Side::Front)]),
            (_, [front], []) => Ok(vec![planned(front, Side::Front)]),
            (_, [front], [back]) => {
                Ok(vec![planned(front, Side::Front), planned(back, Side::Back)])
            }
            _ => Err(NoSides::Unclear),
        }
    }
}

enum NoSides {
    NoSteps,
    Unclear,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::Digest256;
    use crate::pairing::document::DocumentType;
    use crate::testing::fixtures::approved;

    #[test]
    fn required_is_one_person_with_two_documents() {
        let objection = |policy: ComparisonPolicy, person, document| {
            policy.objection(Some(Comparison { person, document }))
        };
        let required = |person, document| objection(ComparisonPolicy::Require, person, document);
        assert_eq!(required(Person::Same, DocumentIdentity::Different), None);
        assert_eq!(
            required(Person::Different, DocumentIdentity::Different),
            Some(SettledReason::PersonDiffers)
        );
        assert_eq!(
            required(Person::Same, DocumentIdentity::Same),
            Some(SettledReason::SameDocument)
        );
        for (person, document) in [
            (Person::Same, DocumentIdentity::Unknown),
            (Person::Unknown, DocumentIdentity::Different),
            (Person::Unknown, DocumentIdentity::Unknown),
        ] {
            assert_eq!(
                required(person, document),
                Some(SettledReason::NotComparable)
            );
        }
        assert_eq!(
            ComparisonPolicy::Require.objection(None),
            Some(SettledReason::NotComparable)
        );
        for policy in [ComparisonPolicy::Off, ComparisonPolicy::Report] {
            assert_eq!(
                objection(policy, Person::Different, DocumentIdentity::Same),
                None
            );
        }
    }

    fn planned(judgement: &Judgement) -> Vec<(String, &'static str)> {
        match judgement {
            Judgement::Qualifies(plan) => plan
                .documents
                .iter()
                .map(|document| (document.step.to_string(), document.side.unwrap().as_str()))
                .collect(),
            other => panic!("should qualify, but {other:?}"),
        }
    }

    fn with_steps(steps: &[&str]) -> CallbackContent {
        CallbackContent {
            steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
            ..approved("s1", "c1")
        }
    }

    #[test]
    fn approved_with_valid_steps_qualifies() {
        let judgement =
            Policy::default().judge(&approved("s1", "c1"), &ExpectedDocument::default());
        assert_eq!(
            planned(&judgement),
            [
                ("SECOND_DOC_FRONT".to_owned(), "FRONT"),
                ("SECOND_DOC_BACK".to_owned(), "BACK")
            ]
        );
        let Judgement::Qualifies(plan) = judgement else {
            unreachable!()
        };
        assert_eq!(plan.country.as_str(), "LT");
        assert_eq!(plan.callback, Digest256::of(b"s1"));
    }

    #[test]
    fn a_result_that_is_not_final_waits_even_if_approved_or_denied() {
        for overall in [
            Overall::Approved,
            Overall::Denied,
            Overall::Suspected,
            Overall::Reviewing,
        ] {
            let content = CallbackContent {
                is_final: Some(false),
                overall: Some(overall),
                ..approved("s1", "c1")
            };
            assert_eq!(
                Policy::default().judge(&content, &ExpectedDocument::default()),
                Judgement::NotYet(WaitingReason::ResultNotFinal),
                "{overall}"
            );
        }
    }

    #[test]
    fn a_body_without_final_is_taken_for_a_result() {
        let content = CallbackContent {
            is_final: None,
            ..approved("s1", "c1")
        };
        assert!(matches!(
            Policy::default().judge(&content, &ExpectedDocument::default()),
            Judgement::Qualifies(_)
        ));
    }

    #[test]
    fn every_other_overall_is_never_submitted() {
        let judge = |overall| {
            Policy::default().judge(
                &CallbackContent {
                    overall,
                    ..approved("s1", "c1")
                },
                &ExpectedDocument::default(),
            )
        };
        assert_eq!(
            judge(Some(Overall::Denied)),
            Judgement::Declines(DeclineReason::FirstDenied)
        );
        assert_eq!(
            judge(Some(Overall::Suspected)),
            Judgement::Declines(DeclineReason::FirstSuspected)
        );
        assert_eq!(judge(Some(Overall::Expired)), Judgement::Lapsed);
        assert_eq!(judge(Some(Overall::Deleted)), Judgement::Removed);
        assert_eq!(judge(Some(Overall::Archived)), Judgement::Removed);
        assert_eq!(judge(Some(Overall::ExpiredDeleted)), Judgement::Removed);
        assert_eq!(
            judge(Some(Overall::Reviewing)),
            Judgement::NotYet(WaitingReason::ResultNotFinal)
        );
        assert_eq!(
            judge(Some(Overall::Active)),
            Judgement::NotYet(WaitingReason::ResultNotFinal)
        );
        assert_eq!(
            judge(Some(Overall::Unknown)),
            Judgement::Unclear(ParkReason::OverallUnknown)
        );
        assert_eq!(judge(None), Judgement::Unclear(ParkReason::OverallUnknown));
    }

    #[test]
    fn step_verdict_must_be_positive() {
        let judge = |steps_verdict| {
            Policy::default().judge(
                &CallbackContent {
                    steps_verdict,
                    ..approved("s1", "c1")
                },
                &ExpectedDocument::default(),
            )
        };
        assert_eq!(
            judge(StepsVerdict::Invalid),
            Judgement::Declines(DeclineReason::StepInvalid)
        );
        assert_eq!(
            judge(StepsVerdict::NotFound),
            Judgement::Declines(DeclineReason::StepNotFound)
        );
        assert_eq!(
            judge(StepsVerdict::Unknown),
            Judgement::Unclear(ParkReason::StepVerdictUnknown)
        );
        assert_eq!(
            judge(StepsVerdict::NotJudged),
            Judgement::Unclear(ParkReason::StepNotJudged)
        );
    }

    #[test]
    fn unjudged_steps_are_accepted_only_with_an_explicit_final() {
        let policy = Policy {
            step_verdict: StepVerdictPolicy::AcceptUnjudged,
            ..Policy::default()
        };
        let content = CallbackContent {
            steps_verdict: StepsVerdict::NotJudged,
            ..approved("s1", "c1")
        };
        assert!(matches!(
            policy.judge(&content, &ExpectedDocument::default()),
            Judgement::Qualifies(_)
        ));
        let content = CallbackContent {
            is_final: None,
            ..content
        };
        assert_eq!(
            policy.judge(&content, &ExpectedDocument::default()),
            Judgement::Unclear(ParkReason::StepNotJudged)
        );
    }

    #[test]
    fn an_ordinary_verification_is_declined_not_parked() {
        let content = CallbackContent {
            steps_verdict: StepsVerdict::NotJudged,
            ..with_steps(&[])
        };
        assert_eq!(
            Policy::default().judge(&content, &ExpectedDocument::default()),
            Judgement::Declines(DeclineReason::NoAdditionalStep)
        );
        let content = CallbackContent {
            steps_verdict: StepsVerdict::NotJudged,
            ..with_steps(&["UTILITY_BILL"])
        };
        assert_eq!(
            Policy::default().judge(&content, &ExpectedDocument::default()),
            Judgement::Declines(DeclineReason::NoAdditionalStep)
        );
    }

    #[test]
    fn a_valid_verdict_without_a_named_step_is_unclear() {
        assert_eq!(
            Policy::default().judge(&with_steps(&[]), &ExpectedDocument::default()),
            Judgement::Unclear(ParkReason::StepsNotNamed)
        );
    }

    #[test]
    fn names_tell_the_sides() {
        let judge = |steps: &[&str]| {
            Policy::default().judge(&with_steps(steps), &ExpectedDocument::default())
        };
        assert_eq!(
            planned(&judge(&["SECOND_DOC"])),
            [("SECOND_DOC".to_owned(), "FRONT")]
        );
        assert_eq!(
            planned(&judge(&["ID_BACK", "ID_FRONT", "SELFIE_NOTE"])),
            [
                ("ID_FRONT".to_owned(), "FRONT"),
                ("ID_BACK".to_owned(), "BACK")
            ]
        );
        assert_eq!(
            planned(&judge(&["UTILITY_BILL", "SECOND_DOC"])),
            [("SECOND_DOC".to_owned(), "FRONT")]
        );
        assert_eq!(
            planned(&judge(&["NOTE", "ID_FRONT"])),
            [("ID_FRONT".to_owned(), "FRONT")]
        );
        assert_eq!(
            planned(&judge(&["A_FRONT", "Ž_back"])),
            [
                ("A_FRONT".to_owned(), "FRONT"),
                ("Ž_back".to_owned(), "BACK")
            ]
        );
        assert_eq!(
            planned(&judge(&["Second doc.front"])),
            [("Second doc.front".to_owned(), "FRONT")]
        );
        for unclear in [
            &["A", "B"][..],
            &["A_FRONT", "B_FRONT"],
            &["A_FRONT", "B_BACK", "C_BACK"],
            &["A_BACK"],
            &["A_BACK", "B"],
        ] {
            assert_eq!(
                judge(unclear),
                Judgement::Unclear(ParkReason::SidesUnclear),
                "{unclear:?}"
            );
        }
    }

    #[test]
    fn the_first_documents_files_are_never_steps() {
        let content = CallbackContent {
            steps_verdict: StepsVerdict::NotJudged,
            ..with_steps(&["FRONT", "BACK", "FACE"])
        };
        assert_eq!(
            Policy::default().judge(&content, &ExpectedDocument::default()),
            Judgement::Declines(DeclineReason::NoAdditionalStep)
        );
    }

    #[test]
    fn a_mapping_decides_alone() {
        let policy = Policy {
            step_images: "UTILITY_BILL=BACK, POA2=FRONT".parse().unwrap(),
            ..Policy::default()
        };
        let judge = |steps: &[&str]| policy.judge(&with_steps(steps), &ExpectedDocument::default());
        assert_eq!(
            planned(&judge(&["UTILITY_BILL", "POA2", "OTHER"])),
            [
                ("POA2".to_owned(), "FRONT"),
                ("UTILITY_BILL".to_owned(), "BACK")
            ]
        );
        assert_eq!(planned(&judge(&["POA2"])), [("POA2".to_owned(), "FRONT")]);
        assert_eq!(
            judge(&["UTILITY_BILL"]),
            Judgement::Unclear(ParkReason::SidesUnclear)
        );
        assert_eq!(
            judge(&["OTHER"]),
            Judgement::Unclear(ParkReason::StepsNotNamed)
        );
    }

    #[test]
    fn a_step_that_cannot_be_named_is_never_left_out_in_silence() {
        let judge = |policy: &Policy, steps: &[&str]| {
            let content = CallbackContent {
                has_unusable_steps: true,
                ..with_steps(steps)
            };
            policy.judge(&content, &ExpectedDocument::default())
        };
        let unclear = Judgement::Unclear(ParkReason::SidesUnclear);
        for steps in [
            &["A_FRONT"][..],
            &["A_FRONT", "A_BACK"],
            &["UTILITY_BILL"],
            &[],
        ] {
            assert_eq!(judge(&Policy::default(), steps), unclear, "{steps:?}");
        }
        let mapped = Policy {
            step_images: "A=FRONT,B=BACK".parse().unwrap(),
            ..Policy::default()
        };
        assert_eq!(
            planned(&judge(&mapped, &["A", "B"])).len(),
            2,
            "the mapping says which steps matter"
        );
        assert_eq!(judge(&mapped, &["OTHER"]), unclear);
    }

    #[test]
    fn the_sessions_country_goes_first() {
        let policy = Policy {
            default_country: Some("EE".parse().unwrap()),
            ..Policy::default()
        };
        let Judgement::Qualifies(plan) =
            policy.judge(&approved("s1", "c1"), &ExpectedDocument::default())
        else {
            panic!()
        };
        assert_eq!(plan.country.as_str(), "EE");
        let expected = ExpectedDocument {
            country: Some("LV".parse().unwrap()),
            document_type: Some(DocumentType::Passport),
        };
        let Judgement::Qualifies(plan) = policy.judge(&approved("s1", "c1"), &expected) else {
            panic!()
        };
        assert_eq!(
            (plan.country.as_str(), plan.document_type),
            ("LV", Some(DocumentType::Passport))
        );
        let content = CallbackContent {
            country: None,
            ..approved("s1", "c1")
        };
        assert_eq!(
            Policy::default().judge(&content, &ExpectedDocument::default()),
            Judgement::Unclear(ParkReason::CountryUnknown)
        );
    }

    #[test]
    fn without_a_client_nothing_is_submitted() {
        for (has_unusable_client, reason) in [
            (false, ParkReason::ClientUnknown),
            (true, ParkReason::ClientUnusable),
        ] {
            let content = CallbackContent {
                client_id: None,
                has_unusable_client,
                ..approved("s1", "c1")
            };
            assert_eq!(
                Policy::default().judge(&content, &ExpectedDocument::default()),
                Judgement::Unclear(reason)
            );
        }
    }
}
