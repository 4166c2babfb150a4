//! What happens next with a verification, in words.

use verification::reason::{ParkReason, Stage};
use verification::{Pairing, State, Timestamp};

use crate::when::relative;

/// One sentence or two.
pub fn next_step(pairing: &Pairing, now: Timestamp) -> String {
    let due = pairing
        .attention_at()
        .map(|at| relative(at, now))
        .unwrap_or_default();
    let is_asked = pairing.first_question.is_some()
        || pairing
            .second
            .as_ref()
            .is_some_and(|second| second.question.is_some());
    match &pairing.state {
        _ if is_asked && !matches!(pairing.state, State::Erasing { .. }) => {
            format!(
                "A result is not confirmed: iDenfy is asked for the verification's status \
                 {due}. Until then what is shown stands."
            )
        }
        State::Settled { .. } if pairing.is_next_attempt_due() => {
            format!(
                "A newer upload is verified next. If nothing has moved, the processor is told \
                 again {due}."
            )
        }
        State::AwaitingCallback { waiting: None, .. } => {
            format!(
                "The customer is busy; the first callback is awaited. If none has come, iDenfy \
                 is asked {due}."
            )
        }
        State::AwaitingCallback {
            waiting: Some(_), ..
        } => {
            format!(
                "iDenfy's staff is looking at the first verification; a final result is \
                 awaited. If none has come, iDenfy is asked {due}."
            )
        }
        State::Capturing { .. } => format!(
            "Files are being copied. If that ends without a word, the processor takes over {due}."
        ),
        State::Captured { .. } => {
            format!("The processor creates Token 2. If nothing has moved, it is told again {due}.")
        }
        State::Authorizing { .. } => format!(
            "Token 2 is being created. If the answer is lost, another attempt is made {due}."
        ),
        State::Authorized { .. } => format!(
            "The processor submits the documents. If nothing has moved, it is told again {due}."
        ),
        State::Submitting { .. } => {
            format!(
                "The documents are being posted. If the answer is lost, iDenfy is asked what \
                 became of them {due}."
            )
        }
        State::Submitted { .. } => {
            format!(
                "iDenfy is looking at the second document; its callback is awaited. If none has \
                 come, iDenfy is asked {due}."
            )
        }
        State::Settled { .. } => "Nothing; both results are in.".to_owned(),
        State::Declined { .. } => {
            "Nothing, unless iDenfy sends a better result of the first verification.".to_owned()
        }
        State::Expired => "Nothing, unless iDenfy sends a result after all.".to_owned(),
        State::Parked { .. } if pairing.revoked.is_some() => {
            "Nothing: the first verification has turned negative since, so it cannot be retried."
                .to_owned()
        }
        State::Parked {
            cause: ParkReason::SetAside { note },
            ..
        } => format!(
            "Nothing: somebody has set it aside ({note}). Once that is cleared: dvctl retry {}",
            pairing.first
        ),
        State::Parked { cause, .. } => format!(
            "A person must act. {} Then: dvctl retry {}",
            remedy(cause),
            pairing.first
        ),
        State::Erasing { .. } => format!("It is being erased; what remains is tried again {due}."),
    }
}

/// What an operator does before a retry.
fn remedy(cause: &ParkReason) -> &'static str {
    match cause {
        ParkReason::StepNotJudged => {
            "iDenfy did not judge the step: set StepVerdict to AcceptUnjudged if its kind is \
             UPLOAD, which iDenfy never judges."
        }
        ParkReason::SidesUnclear | ParkReason::SeveralFiles { .. } => {
            "Say in the parameter StepImages which step shows which side."
        }
        ParkReason::ClientMismatch => {
            "The callback names another clientId than the session: find out who sent it, and \
             whether a signing key has leaked."
        }
        ParkReason::NewerUploadNotApproved => {
            "Look at the newest upload in iDenfy's dashboard, and have its callback sent again."
        }
        ParkReason::LinkUnusable { .. } => {
            "iDenfy's link leads to no file: look at the step's file in its dashboard. A retry \
             asks for fresh links."
        }
        ParkReason::PreparationUnfinished => {
            "Making a copy of a document did not come back, twice: see the log of \
             ProcessorFunction. A retry tries twice more."
        }
        ParkReason::ResultUnconfirmed => {
            "iDenfy did not confirm a result for a day: compare with its dashboard. \
             ConfirmResults=false believes callbacks without asking."
        }
        ParkReason::ProviderUnavailable => {
            "iDenfy gave no usable answer for a day: see ProviderErrors, and whether it works \
             again."
        }
        ParkReason::CountryUnknown => "Set the parameter DefaultCountry.",
        ParkReason::CallbackLost | ParkReason::ClientUnknown => {
            "Have iDenfy send the callback again, from the verification's page in its dashboard."
        }
        ParkReason::ClientUnusable => {
            "Its clientId cannot be used, and no repetition changes that: see ClientUnusable \
             under PairingsParked in docs/OPERATIONS.md."
        }
        ParkReason::LinkOriginNotAllowed { .. } => {
            "Add the files' origin to the parameter FileOrigins if it is iDenfy's."
        }
        ParkReason::SecondTokenRefused { kind, .. }
        | ParkReason::SubmissionRefused { kind, .. } => match kind.as_str() {
            "unauthorized" => {
                "iDenfy refuses the API key: see ProviderKeyRefused in docs/OPERATIONS.md, and \
                 wait a minute once it is mended."
            }
            "out_of_funds" => {
                "The account at iDenfy has no credits: see ProviderOutOfCredits in \
                 docs/OPERATIONS.md."
            }
            _ => {
                "iDenfy refused; its own word for why is the identifier or the kind above. It \
                 is often the contract or the account."
            }
        },
        ParkReason::AttemptsExhausted | ParkReason::SecondExpired | ParkReason::ResultOverdue => {
            "Look at the second verification in iDenfy's dashboard first: another attempt costs \
             another credit."
        }
        other => match other.stage() {
            Stage::Judging => "Look at the first verification in iDenfy's dashboard.",
            Stage::Capturing => {
                "Look at the step's file in iDenfy's dashboard; a retry asks for fresh links."
            }
            Stage::Submitting => "Look at the documents; a retry submits the same ones again.",
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use verification::pairing::Resume;

    use super::*;

    #[test]
    fn who_waits_reads_for_what_and_until_when() {
        let now = Timestamp::from_milliseconds(1_800_000_000_000);
        let mut pairing = Pairing::opened(
            "scan-1".parse().unwrap(),
            None,
            now,
            now.plus(Duration::from_secs(900)),
        );
        assert_eq!(
            next_step(&pairing, now),
            "The customer is busy; the first callback is awaited. If none has come, iDenfy is \
             asked in 15 min."
        );
        let digest = verification::identifiers::Digest256::of(b"body");
        pairing.state = State::Parked {
            cause: ParkReason::CountryUnknown,
            resume: Resume::Callback(digest),
        };
        assert_eq!(
            next_step(&pairing, now),
            "A person must act. Set the parameter DefaultCountry. Then: dvctl retry scan-1"
        );
        let refused = |kind: &str| ParkReason::SecondTokenRefused {
            kind: kind.to_owned(),
            identifier: None,
        };
        for (kind, entry) in [
            ("unauthorized", "ProviderKeyRefused"),
            ("out_of_funds", "ProviderOutOfCredits"),
        ] {
            assert!(
                remedy(&refused(kind)).contains(entry),
                "the alarm's entry is named for {kind}"
            );
        }
        assert!(remedy(&refused("rejected")).contains("identifier"));
        pairing.revoked = Some(verification::reason::DeclineReason::FirstDenied);
        assert!(
            next_step(&pairing, now).starts_with("Nothing"),
            "no retry is offered that would be refused"
        );
    }
}
