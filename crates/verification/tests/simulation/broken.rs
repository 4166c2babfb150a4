//! Tests of the test: systems that are wrong in one way each, and the invariant that notices.

use verification::testing::altered::Apply;
use verification::transition::{Event, FirstResult, Transition, apply};
use verification::{Pairing, State, Timestamp};

use super::invariants::Invariant;
use super::run::run;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The store writes whatever it is given.
    VersionIgnored,
    /// Whoever finds a lease takes it.
    LeaseIgnored,
    /// The bucket overwrites what it has.
    WriteOnceIgnored,
    /// Token 2 does not lead back to its pairing.
    AliasMissing,
    ReconcilerOff,
    /// A lost answer to creating Token 2 is taken for "there is none".
    TokenRepeatedBlindly,
    /// A lost answer to posting the documents is taken for "not accepted", and a new token is made.
    SubmissionRepeatedBlindly,
    /// The message is deleted when it is received.
    AcknowledgedFirst,
    /// A denial of the first verification is answered and forgotten.
    DenialOverlooked,
    /// Every attempt is taken for the first.
    AttemptsUncounted,
    /// Documents that were not accepted are posted again although the first verification was denied meanwhile.
    RevocationOverlooked,
    /// A settled pairing is declined by a late denial.
    SettledDeclined,
    /// Files are not removed when they should be.
    NothingRemoved,
}

impl Broken {
    /// The wrong state machine, where that is what is wrong.
    pub fn state_machine(self) -> Option<Apply> {
        match self {
            Self::LeaseIgnored => Some(lease_ignored),
            Self::TokenRepeatedBlindly => Some(token_repeated_blindly),
            Self::SubmissionRepeatedBlindly => Some(submission_repeated_blindly),
            Self::DenialOverlooked => Some(denial_overlooked),
            Self::AttemptsUncounted => Some(attempts_uncounted),
            Self::RevocationOverlooked => Some(revocation_overlooked),
            Self::SettledDeclined => Some(settled_declined),
            _ => None,
        }
    }
}

/// Whoever asks for the lease finds it over.
fn lease_ignored(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    let proposed = apply(pairing, event.clone(), now);
    let Transition::HeldUntil(_) = proposed else {
        return proposed;
    };
    let mut lapsed = pairing.clone();
    if let State::Capturing { lease_until, .. } | State::Authorizing { lease_until, .. } | State::Submitting { lease_until, .. } =
        &mut lapsed.state
    {
        *lease_until = now;
    }
    apply(&lapsed, event, now)
}

fn token_repeated_blindly(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    match event {
        Event::AnswerLost { held, .. } if matches!(pairing.state, State::Authorizing { .. }) => {
            apply(pairing, Event::AuthorizationFailed { held }, now)
        }
        event => apply(pairing, event, now),
    }
}

fn submission_repeated_blindly(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    match event {
        Event::AnswerLost { .. } if matches!(pairing.state, State::Submitting { .. }) => apply(pairing, Event::SecondTokenDied, now),
        event => apply(pairing, event, now),
    }
}

/// A denial is acknowledged and forgotten.
fn denial_overlooked(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    match event {
        Event::FirstResult(FirstResult {
            judgement: verification::policy::Judgement::Declines(_),
            ..
        }) => Transition::Nothing("OutOfPlace"),
        event => apply(pairing, event, now),
    }
}

fn attempts_uncounted(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    let mut forgetful = pairing.clone();
    if matches!(event, Event::AuthorizationStarted { .. }) {
        forgetful.attempts = 0;
    }
    apply(&forgetful, event, now)
}

fn revocation_overlooked(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    if !matches!(
        event,
        Event::SubmissionFailed { .. } | Event::SubmissionStarted { .. } | Event::SecondTokenDied
    ) {
        return apply(pairing, event, now);
    }
    let mut overlooked = pairing.clone();
    overlooked.revoked = None;
    let mut transition = apply(&overlooked, event, now);
    if let Transition::Change(change) = &mut transition {
        change.next.revoked = pairing.revoked;
    }
    transition
}

fn settled_declined(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    let is_settled = matches!(pairing.state, State::Settled { .. });
    let mut transition = apply(pairing, event, now);
    if let Transition::Change(change) = &mut transition
        && let Some(reason) = change.next.revoked.filter(|_| is_settled)
    {
        change.next.state = State::Declined { reason };
    }
    transition
}

/// Runs until the first violation, and says which it was.
fn caught_as(broken: Broken, most_seeds: u64) -> Invariant {
    for seed in 0..most_seeds {
        if let Some(violation) = run(seed, Some(broken), false).violation {
            println!("{broken:?}: seed {seed}: {:?}: {}", violation.invariant, violation.detail);
            return violation.invariant;
        }
    }
    panic!("{broken:?} was not noticed in {most_seeds} runs");
}

#[test]
fn a_store_that_ignores_the_version_is_caught() {
    assert_eq!(caught_as(Broken::VersionIgnored, 2_000), Invariant::VersionsGrowByOne);
}

#[test]
fn a_lease_that_is_ignored_is_caught() {
    assert_eq!(caught_as(Broken::LeaseIgnored, 2_000), Invariant::LeasesAreRespected);
}

#[test]
fn a_bucket_that_overwrites_is_caught() {
    assert_eq!(caught_as(Broken::WriteOnceIgnored, 2_000), Invariant::StoredFilesStayAsTheyAre);
}

#[test]
fn a_missing_alias_is_caught() {
    assert_eq!(caught_as(Broken::AliasMissing, 2_000), Invariant::AnsweredMeansKnown);
}

#[test]
fn a_reconciler_that_is_switched_off_is_caught() {
    assert_eq!(caught_as(Broken::ReconcilerOff, 2_000), Invariant::EverythingEnds);
}

#[test]
fn a_token_2_created_again_blindly_is_caught() {
    assert_eq!(caught_as(Broken::TokenRepeatedBlindly, 2_000), Invariant::OneTokenPerAttempt);
}

#[test]
fn documents_submitted_again_blindly_are_caught() {
    assert_eq!(
        caught_as(Broken::SubmissionRepeatedBlindly, 2_000),
        Invariant::OneAcceptedSubmission
    );
}

#[test]
fn a_message_deleted_before_the_work_is_done_is_caught() {
    assert_eq!(caught_as(Broken::AcknowledgedFirst, 2_000), Invariant::AcknowledgedMeansFinished);
}

#[test]
fn a_denial_that_is_answered_and_forgotten_is_caught() {
    assert_eq!(caught_as(Broken::DenialOverlooked, 2_000), Invariant::AnsweredMeansKnown);
}

#[test]
fn attempts_that_are_not_counted_are_caught() {
    assert_eq!(caught_as(Broken::AttemptsUncounted, 2_000), Invariant::AttemptsAreCapped);
}

#[test]
fn documents_posted_again_in_spite_of_a_denial_are_caught() {
    assert_eq!(
        caught_as(Broken::RevocationOverlooked, 5_000),
        Invariant::NothingUnapprovedIsSubmitted
    );
}

#[test]
fn a_settled_pairing_that_is_declined_is_caught() {
    assert_eq!(caught_as(Broken::SettledDeclined, 2_000), Invariant::OnlyDocumentedChangesOfState);
}

#[test]
fn files_that_outlive_their_customer_are_caught() {
    assert_eq!(caught_as(Broken::NothingRemoved, 2_000), Invariant::ErasedMeansGone);
}
