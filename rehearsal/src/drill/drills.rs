//! The failure that each alarm exists for.

use super::exercise::Drill;
use super::{callbacks, customers, functions, outcomes, provider};

macro_rules! drill {
    ($alarm:literal, $failure:literal, $play:path) => {
        Drill {
            alarm: $alarm,
            failure: $failure,
            play: |exercise| Box::pin($play(exercise)),
        }
    };
}

/// In the order of the drills. Those that open the circuit come last: customers wait for its
/// pauses.
pub const DRILLS: [Drill; 27] = [
    drill!(
        "CustomersAffected",
        "the table takes no writes",
        callbacks::customers_affected
    ),
    drill!(
        "CallbacksNotAcknowledged",
        "the table takes no writes",
        callbacks::not_acknowledged
    ),
    drill!(
        "WebhookThrottled",
        "one callback at a time is allowed",
        callbacks::throttled
    ),
    drill!(
        "CallbackSignaturesRejected",
        "the signing key was changed at iDenfy",
        callbacks::signatures_rejected
    ),
    drill!(
        "CallbacksUnreadable",
        "iDenfy signs another format",
        callbacks::unreadable
    ),
    drill!(
        "CallbacksSlow",
        "table, bucket and queue are slow",
        callbacks::slow
    ),
    drill!(
        "NoCallbacks",
        "iDenfy sends callbacks elsewhere",
        callbacks::silent
    ),
    drill!(
        "LinkTimeLeftLow",
        "callbacks come late, their links soon die",
        customers::links_nearly_dead
    ),
    drill!("PairingsParked", "a file is not there", customers::parked),
    drill!(
        "PairingsOverdue",
        "a result does not come, and nobody tells it",
        customers::overdue
    ),
    drill!(
        "ReconcilerSilent",
        "the reconciler's rule is disabled",
        customers::nobody_looks
    ),
    drill!(
        "SubmissionDeadLetters",
        "a message was given up",
        customers::given_up
    ),
    drill!(
        "SubmissionsLate",
        "somebody has paused the processor",
        customers::late
    ),
    drill!(
        "OutcomesLate",
        "the publisher is not let in",
        outcomes::late
    ),
    drill!(
        "PublisherDeadLetters",
        "the bus takes no events",
        outcomes::given_up
    ),
    drill!(
        "PublisherErrors",
        "the publisher crashes",
        outcomes::crashed
    ),
    drill!(
        "OutcomePushLate",
        "the application answers 503",
        outcomes::not_taken
    ),
    drill!(
        "OutcomePushDeadLetters",
        "the application answers 410",
        outcomes::not_wanted
    ),
    drill!(
        "ProcessorErrors",
        "the processor crashes",
        functions::processor_crashed
    ),
    drill!(
        "ReconcilerErrors",
        "the index cannot be read",
        functions::reconciler_failed
    ),
    drill!(
        "AccountThrottled",
        "the account has no execution left",
        functions::throttled
    ),
    drill!(
        "AccountConcurrency",
        "many callbacks are in work at once",
        functions::crowded
    ),
    drill!(
        "ApiFailing",
        "iDenfy answers 503 to new sessions",
        provider::sessions_refused
    ),
    drill!(
        "ProviderKeyRefused",
        "the API key was changed at iDenfy",
        provider::key_refused
    ),
    drill!(
        "ProviderOutOfCredits",
        "the account has no credits",
        provider::out_of_credits
    ),
    drill!(
        "ProviderErrorRate",
        "iDenfy answers 503 now and then",
        provider::failing_now_and_then
    ),
    drill!(
        "ProviderCircuitOpened",
        "iDenfy answers 503 to everybody",
        provider::down
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use operations::Template;

    use super::*;

    #[test]
    fn every_alarm_has_a_drill_and_every_drill_an_alarm() {
        let template = Template::read().unwrap();
        let alarms: BTreeSet<&str> = template.alarms().into_keys().collect();
        let drilled: BTreeSet<&str> = DRILLS.iter().map(|drill| drill.alarm).collect();
        assert_eq!(drilled, alarms);
        assert_eq!(drilled.len(), DRILLS.len(), "none twice");
    }
}
