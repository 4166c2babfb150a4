//! Checks the stores and their backlogs.

use std::time::Duration;

use adapters::{PROBE_SCAN_REF, queue_depth};
use verification::identifiers::ScanRef;
use verification::ports::Pairings;

use super::Check;
use crate::commands::Context;
use crate::failure::Failure;

/// The name of a verification that does not exist.
pub fn nobody() -> Result<ScanRef, Failure> {
    PROBE_SCAN_REF
        .parse()
        .map_err(|error| Failure::new("the name of the self-test is none").because(error))
}

pub async fn table(context: &Context<'_>) -> Check {
    let checked = async {
        let nobody = nobody()?;
        let found = context.pairings()?.find(&nobody).await?;
        Ok(match found {
            None => Check::ok("table", "PairingTable is readable"),
            Some(_) => Check::warning(
                "table",
                "a verification has the name of the self-test",
                "erase it: dvctl erase dvctl-self-test",
            ),
        })
    };
    Check::from("table", checked.await)
}

pub async fn bucket(context: &Context<'_>) -> Check {
    let checked = async {
        context.archive()?.list(Some(&nobody()?), None).await?;
        Ok(Check::ok("bucket", "DocumentBucket can be listed"))
    };
    Check::from("bucket", checked.await)
}

pub async fn dead_letters(context: &Context<'_>) -> Check {
    let checked = async {
        let url = context.stack.output("SubmissionDeadLetterQueueUrl")?;
        let depth = queue_depth(context.aws.sdk(), url).await?;
        Ok(match depth.waiting.saturating_add(depth.in_flight) {
            0 => Check::ok("dead letters", "none"),
            letters => Check::warning(
                "dead letters",
                format!("{letters} messages were given up on"),
                "`dvctl redrive` shows why, and moves them back",
            ),
        })
    };
    Check::from("dead letters", checked.await)
}

/// `None`: this stack pushes no outcomes.
pub async fn outcome_push(context: &Context<'_>) -> Option<Check> {
    let url = context.stack.output("OutcomePushDeadLetterQueueUrl").ok()?;
    let checked = async {
        let depth = queue_depth(context.aws.sdk(), url).await?;
        Ok(match depth.waiting.saturating_add(depth.in_flight) {
            0 => Check::ok("outcome push", "no dead letters"),
            letters => Check::warning(
                "outcome push",
                format!("the application did not take {letters} outcomes"),
                "`dvctl redrive --outcomes` shows them, and has them pushed again",
            ),
        })
    };
    Some(Check::from("outcome push", checked.await))
}

/// The reconciler runs every five minutes, plus a message's time.
const TOLERANCE: Duration = Duration::from_secs(15 * 60);
const MOST: u16 = 100;

pub async fn overdue(context: &Context<'_>) -> Check {
    let checked = async {
        let now = context.now();
        let overdue = context.pairings()?.overdue(now, MOST).await?;
        let late = overdue
            .iter()
            .filter(|overdue| now.since(overdue.attention_at) > TOLERANCE)
            .count();
        Ok(match late {
            0 => Check::ok("overdue", "nothing for more than 15 minutes"),
            late => Check::warning(
                "overdue",
                format!("{late} verifications for more than 15 minutes"),
                "see the log of ReconcilerFunction, and that its schedule is on",
            ),
        })
    };
    Check::from("overdue", checked.await)
}
