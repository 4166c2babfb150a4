//! Checks the account's additional steps against the stack's parameters.

use std::time::Duration;

use adapters::{Inspection, InspectionPlace};
use verification::policy::StepWarning;
use verification::ports::Pairings;
use verification::session::SessionStep;

use super::Check;
use crate::commands::Context;
use crate::failure::Failure;
use crate::when::When;

const NAME: &str = "steps";

/// Older sessions may have had other steps.
const RECENT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Sessions created elsewhere have no known steps.
const MOST: usize = 10;

/// Judges the newest session with known steps.
pub async fn check(context: &Context<'_>) -> Check {
    let checked = async {
        let warnings = match newest(context).await? {
            Some(steps) => Some(context.policy()?.warnings(Some(&steps))),
            None => None,
        };
        Ok(judge(warnings.as_deref()))
    };
    Check::from(NAME, checked.await)
}

/// One page of the index by client, at most 1 MB.
///
/// It has no order of time: a large table shows some recent sessions.
async fn newest(context: &Context<'_>) -> Result<Option<Vec<SessionStep>>, Failure> {
    let pairings = context.pairings()?;
    let recent = Inspection {
        place: InspectionPlace::ClientIndex,
        states: Vec::new(),
        changed_since: Some(When::Ago(RECENT).before(context.now())),
    };
    let mut found = pairings.inspect(&recent, None).await?.pairings;
    found.sort_by_key(|summary| std::cmp::Reverse(summary.created_at));
    for summary in found.iter().take(MOST) {
        let pairing = pairings.find(&summary.first).await?;
        if let Some(steps) = pairing.and_then(|pairing| pairing.steps) {
            return Ok(Some(steps));
        }
    }
    Ok(None)
}

/// `None`: no session has known steps.
fn judge(warnings: Option<&[StepWarning]>) -> Check {
    match warnings {
        None => Check::ok(
            NAME,
            "not known: no recent session was created through the API",
        ),
        Some([]) => Check::ok(
            NAME,
            "the newest session's steps fit StepVerdict and StepImages",
        ),
        Some(warnings) => {
            let codes: Vec<&str> = warnings.iter().map(StepWarning::code).collect();
            let advice: Vec<String> = warnings.iter().map(ToString::to_string).collect();
            let found = format!(
                "no customer of the newest session can settle ({})",
                codes.join(", ")
            );
            Check::warning(NAME, found, advice.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn steps_that_cannot_work_are_a_warning_with_what_to_change() {
        assert_eq!(judge(None).result, Health::Ok);
        assert_eq!(judge(Some(&[])).result, Health::Ok);
        let check = judge(Some(&[StepWarning::StepNeverJudged(
            "SECOND_DOC".parse().unwrap(),
        )]));
        assert_eq!(check.result, Health::Warning);
        assert!(check.found.contains("step_never_judged"), "{}", check.found);
        let advice = check.advice.unwrap();
        assert!(
            advice.contains("SECOND_DOC") && advice.contains("AcceptUnjudged"),
            "{advice}"
        );
    }
}
