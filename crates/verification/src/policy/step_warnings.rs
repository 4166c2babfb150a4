//! Whether a session's steps can work under the policy, before a customer takes them.

use std::fmt;

use super::{NoSides, Policy, StepVerdictPolicy};
use crate::identifiers::StepName;
use crate::pairing::reason::ParkReason;
use crate::pairing::{Pairing, State};
use crate::session::{SessionStep, StepKind};

/// Why a session with these steps never leads to a second verification.
/// Prints what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepWarning {
    /// No step shows the second document.
    NoAdditionalStep,
    /// The policy waits for a verdict that the provider does not give.
    StepNeverJudged(StepName),
    /// Nothing says which step shows which side.
    SidesUnclear,
}

impl StepWarning {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAdditionalStep => "no_additional_step",
            Self::StepNeverJudged(_) => "step_never_judged",
            Self::SidesUnclear => "sides_unclear",
        }
    }
}

impl fmt::Display for StepWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAdditionalStep => f.write_str(
                "The session has no step for the second document: have iDenfy configure one, or \
                name the right steps in StepImages.",
            ),
            Self::StepNeverJudged(step) => write!(
                f,
                "The step {step} is of the kind UPLOAD, which iDenfy does not judge: set \
                StepVerdict to AcceptUnjudged, or have iDenfy change the step's kind."
            ),
            Self::SidesUnclear => f.write_str(
                "The names of the steps do not tell which shows the front: say in StepImages \
                    which step shows which side.",
            ),
        }
    }
}

impl Policy {
    /// What is wrong with a session's steps.
    /// `None`: they are not known.
    /// Empty: [`judge`](Self::judge) can make a plan.
    pub fn warnings(&self, steps: Option<&[SessionStep]>) -> Vec<StepWarning> {
        let Some(steps) = steps else {
            return Vec::new();
        };
        let sides = self.sides(&names(steps), false);
        if matches!(sides, Err(NoSides::NoSteps)) {
            return vec![StepWarning::NoAdditionalStep];
        }
        let unclear = sides.is_err().then_some(StepWarning::SidesUnclear);
        let never_judged = self.never_judged(steps).map(StepWarning::StepNeverJudged);
        unclear.into_iter().chain(never_judged).collect()
    }

    /// What to change, in one sentence, if the steps explain why the pairing is parked.
    pub fn remedy(&self, pairing: &Pairing) -> Option<String> {
        let State::Parked {
            cause: ParkReason::StepNotJudged,
            ..
        } = &pairing.state
        else {
            return None;
        };
        let step = self.never_judged(pairing.steps.as_deref()?)?;
        Some(StepWarning::StepNeverJudged(step).to_string())
    }

    /// A step to submit whose verdict never comes. The front first.
    fn never_judged(&self, steps: &[SessionStep]) -> Option<StepName> {
        if self.step_verdict == StepVerdictPolicy::AcceptUnjudged {
            return None;
        }
        let names = names(steps);
        let mut needed: Vec<StepName> = match self.sides(&names, false) {
            Ok(images) => images.into_iter().map(|image| image.step).collect(),
            // While the sides are unclear, any step may be needed.
            Err(_) => names,
        };
        needed.retain(|name| !name.is_first_document());
        let is_never_judged = |name: &StepName| {
            steps
                .iter()
                .any(|step| step.name == *name && step.kind == StepKind::Upload)
        };
        needed.into_iter().find(is_never_judged)
    }
}

/// Each name once.
fn names(steps: &[SessionStep]) -> Vec<StepName> {
    let mut names: Vec<StepName> = steps.iter().map(|step| step.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::Digest256;
    use crate::pairing::Resume;
    use crate::time::Timestamp;

    fn steps(steps: &[(&str, StepKind)]) -> Vec<SessionStep> {
        let step = |&(name, kind): &(&str, StepKind)| SessionStep {
            name: name.parse().unwrap(),
            kind,
        };
        steps.iter().map(step).collect()
    }

    fn accepting() -> Policy {
        Policy {
            step_verdict: StepVerdictPolicy::AcceptUnjudged,
            ..Policy::default()
        }
    }

    fn codes(policy: &Policy, of: &[(&str, StepKind)]) -> Vec<&'static str> {
        policy
            .warnings(Some(&steps(of)))
            .iter()
            .map(StepWarning::code)
            .collect()
    }

    #[test]
    fn a_step_that_is_never_judged_warns_unless_accepted() {
        let upload = [
            ("ID_FRONT", StepKind::Upload),
            ("ID_BACK", StepKind::Upload),
        ];
        assert_eq!(codes(&Policy::default(), &upload), ["step_never_judged"]);
        assert!(codes(&accepting(), &upload).is_empty());
        for judged in [StepKind::Extract, StepKind::Compare, StepKind::Unknown] {
            assert!(
                codes(&Policy::default(), &[("ID", judged)]).is_empty(),
                "{judged:?}"
            );
        }
    }

    #[test]
    fn only_steps_that_would_be_submitted_warn() {
        let with = |name| [("ID_FRONT", StepKind::Extract), (name, StepKind::Upload)];
        assert!(codes(&Policy::default(), &with("UTILITY_BILL")).is_empty());
        assert!(codes(&Policy::default(), &with("NOTE")).is_empty());
        let mapped = Policy {
            step_images: "ID_FRONT=FRONT, NOTE=BACK".parse().unwrap(),
            ..Policy::default()
        };
        let warnings = mapped.warnings(Some(&steps(&with("NOTE"))));
        assert_eq!(
            warnings,
            [StepWarning::StepNeverJudged("NOTE".parse().unwrap())]
        );
    }

    #[test]
    fn a_session_without_a_step_for_the_document_warns() {
        for none in [
            &[][..],
            &[("UTILITY_BILL", StepKind::Upload)],
            &[("FACE", StepKind::Upload)],
        ] {
            assert_eq!(
                codes(&Policy::default(), none),
                ["no_additional_step"],
                "{none:?}"
            );
        }
        let mapped = Policy {
            step_images: "SECOND_DOC=FRONT".parse().unwrap(),
            ..Policy::default()
        };
        assert_eq!(
            codes(&mapped, &[("POA2", StepKind::Extract)]),
            ["no_additional_step"]
        );
    }

    #[test]
    fn sides_that_no_name_tells_warn() {
        let unclear = |kind| [("A", kind), ("B", kind)];
        assert_eq!(
            codes(&Policy::default(), &unclear(StepKind::Extract)),
            ["sides_unclear"]
        );
        let both = ["sides_unclear", "step_never_judged"];
        assert_eq!(codes(&Policy::default(), &unclear(StepKind::Upload)), both);
        assert_eq!(
            codes(&accepting(), &unclear(StepKind::Upload)),
            ["sides_unclear"]
        );
    }

    #[test]
    fn one_step_of_two_kinds_is_one_step() {
        let two_kinds = [("ID", StepKind::Extract), ("ID", StepKind::Upload)];
        assert_eq!(codes(&Policy::default(), &two_kinds), ["step_never_judged"]);
    }

    #[test]
    fn a_remedy_is_given_only_where_the_steps_tell_it() {
        let now = Timestamp::from_milliseconds(0);
        let parked = |cause, kind| Pairing {
            steps: Some(steps(&[("SECOND_DOC", kind)])),
            state: State::Parked {
                cause,
                resume: Resume::Callback(Digest256::of(b"body")),
            },
            ..Pairing::opened("first".parse().unwrap(), None, now, now)
        };
        let remedy = |pairing: &Pairing| Policy::default().remedy(pairing);
        let upload = parked(ParkReason::StepNotJudged, StepKind::Upload);
        assert_eq!(
            remedy(&upload).as_deref(),
            Some(
                "The step SECOND_DOC is of the kind UPLOAD, which iDenfy does not judge: set StepVerdict to AcceptUnjudged, or have \
                 iDenfy change the step's kind."
            )
        );
        assert_eq!(accepting().remedy(&upload), None, "a retry is enough");
        assert_eq!(
            remedy(&parked(ParkReason::StepNotJudged, StepKind::Extract)),
            None
        );
        assert_eq!(
            remedy(&parked(ParkReason::CountryUnknown, StepKind::Upload)),
            None
        );
        assert_eq!(
            remedy(&Pairing {
                steps: None,
                ..upload
            }),
            None
        );
    }
}
