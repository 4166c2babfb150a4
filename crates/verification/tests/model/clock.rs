//! Time in three steps: now, past every lease, and past any lag of a status.

use std::time::Duration;

use verification::pairing::Pairing;
use verification::question::Question;
use verification::{State, Timestamp};

pub const NOW: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000);
const EARLIER: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000 - 660_000);
const LEASE: u64 = 60_000;

/// The end of the lease that this worker takes now.
/// No two workers have the same.
pub fn lease(worker: usize) -> Timestamp {
    NOW.plus(Duration::from_millis(LEASE + worker as u64))
}

/// The end of this worker's lease in the pairing, if it still holds it.
pub fn held(worker: usize, pairing: &Pairing) -> Option<Timestamp> {
    let of_worker = |until: &Timestamp| {
        (until.milliseconds() - NOW.milliseconds()).rem_euclid(1_000) == worker as i64
    };
    pairing.state.lease_until().filter(of_worker)
}

/// Leaves out what makes no difference.
pub fn simplified(mut pairing: Pairing) -> Pairing {
    pairing.version = 1;
    (pairing.created_at, pairing.updated_at, pairing.since) = (NOW, NOW, NOW);
    if let State::Submitted {
        since, check_at, ..
    } = &mut pairing.state
    {
        (*since, *check_at) = (NOW, NOW);
    }
    if let Some(question) = &mut pairing.first_question {
        simplify(question);
    }
    if let Some(question) = pairing
        .second
        .as_mut()
        .and_then(|second| second.question.as_mut())
    {
        simplify(question);
    }
    pairing
}

fn simplify<News>(question: &mut Question<News>) {
    question.asked = question.asked.min(1);
    question.ask_at = if question.ask_at > NOW { lease(0) } else { NOW };
}

/// Every lease is over. A worker may continue for some seconds.
pub fn lapsed(mut pairing: Pairing) -> Pairing {
    if let State::Capturing { lease_until, .. }
    | State::Authorizing { lease_until, .. }
    | State::Submitting { lease_until, .. } = &mut pairing.state
        && *lease_until > NOW
    {
        *lease_until = Timestamp::from_milliseconds(lease_until.milliseconds() - 2 * LEASE as i64);
    }
    pairing
}

/// Eleven minutes go by, and no invocation lasts so long.
pub fn later(pairing: Pairing) -> Pairing {
    let mut pairing = lapsed(pairing);
    if let Some(question) = &mut pairing.first_question {
        (question.since, question.ask_at) = (EARLIER, NOW);
    }
    if let Some(question) = pairing
        .second
        .as_mut()
        .and_then(|second| second.question.as_mut())
    {
        (question.since, question.ask_at) = (EARLIER, NOW);
    }
    pairing
}
