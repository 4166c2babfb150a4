//! Changes a pairing: propose, write under a condition, start over after a lost race.

use std::sync::Arc;
use std::time::Duration;

use crate::announcement::Announcement;
use crate::identifiers::Digest256;
use crate::observation::Observation;
use crate::pairing::{Pairing, Resume, State};
use crate::ports::{
    Clock, HistoryEntry, Observer, PairingWrite, Pairings, Saved, StoreUnavailable, SubmissionQueue,
};
use crate::session_key::SessionKey;
use crate::time::Timestamp;
use crate::transition::{self, Change, Effect, Event, Transition};

/// The outcome of a change.
/// Each carries the pairing as it is now.
#[derive(Debug)]
pub(crate) enum ChangeOutcome {
    Changed {
        pairing: Box<Pairing>,
        what: &'static str,
        effects: Vec<Effect>,
    },
    Nothing {
        pairing: Box<Pairing>,
        why: &'static str,
    },
    HeldUntil {
        pairing: Box<Pairing>,
        until: Timestamp,
    },
}

impl ChangeOutcome {
    pub fn into_pairing(self) -> Box<Pairing> {
        match self {
            Self::Changed { pairing, .. }
            | Self::Nothing { pairing, .. }
            | Self::HeldUntil { pairing, .. } => pairing,
        }
    }
}

/// The type of [`transition::apply`].
pub type Apply = fn(&Pairing, Event, Timestamp) -> Transition;

/// Changes pairings, for all use cases.
#[derive(Clone)]
pub struct PairingChanger {
    pub pairings: Arc<dyn Pairings>,
    pub clock: Arc<dyn Clock>,
    pub observer: Arc<dyn Observer>,
    /// [`transition::apply`], except in tests of the tests.
    apply: Apply,
}

/// What goes with a change.
#[derive(Clone, Copy, Default)]
struct Extras<'a> {
    /// `None`: no message is sent.
    queue: Option<&'a dyn SubmissionQueue>,
    /// The archived callback that causes the change.
    callback: Option<&'a Digest256>,
    /// Stored in the same transaction.
    answer: Option<&'a SessionKey>,
}

/// How often a lost race is tried again.
/// Each loss means progress elsewhere, so more than a few mean a livelock.
const MAXIMUM_RACES: u32 = 8;

/// How long after a lease its message arrives, so that it never finds the lease still held.
const LEASE_SLACK: Duration = Duration::from_secs(1);

impl PairingChanger {
    pub fn new(
        pairings: Arc<dyn Pairings>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            pairings,
            clock,
            observer,
            apply: transition::apply,
        }
    }

    /// The same with another state machine.
    /// A wrong one shows whether checks notice it.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn with_state_machine(self, apply: Apply) -> Self {
        Self { apply, ..self }
    }

    /// Applies the event that `event` makes of the newest pairing.
    /// Sends no message.
    pub(crate) async fn change(
        &self,
        pairing: Pairing,
        event: impl Fn(&Pairing) -> Event + Send,
    ) -> Result<ChangeOutcome, StoreUnavailable> {
        self.write(pairing, Extras::default(), event).await
    }

    /// The same, and sends the message that the change calls for.
    pub(crate) async fn change_and_enqueue(
        &self,
        queue: &dyn SubmissionQueue,
        pairing: Pairing,
        callback: Option<&Digest256>,
        event: impl Fn(&Pairing) -> Event + Send,
    ) -> Result<ChangeOutcome, StoreUnavailable> {
        let extras = Extras {
            queue: Some(queue),
            callback,
            answer: None,
        };
        self.write(pairing, extras, event).await
    }

    /// Like [`change`](Self::change), with an answer stored in the same transaction.
    pub(crate) async fn change_and_answer(
        &self,
        pairing: Pairing,
        answer: Option<&SessionKey>,
        event: impl Fn(&Pairing) -> Event + Send,
    ) -> Result<ChangeOutcome, StoreUnavailable> {
        let extras = Extras {
            answer,
            ..Extras::default()
        };
        self.write(pairing, extras, event).await
    }

    async fn write(
        &self,
        mut pairing: Pairing,
        extras: Extras<'_>,
        event: impl Fn(&Pairing) -> Event + Send,
    ) -> Result<ChangeOutcome, StoreUnavailable> {
        for _ in 0..MAXIMUM_RACES {
            let now = self.clock.now();
            let proposed = (self.apply)(&pairing, event(&pairing), now);
            let Change {
                next,
                what,
                effects,
            } = match proposed {
                Transition::Change(change) => *change,
                Transition::Nothing(why) => {
                    return Ok(ChangeOutcome::Nothing {
                        pairing: Box::new(pairing),
                        why,
                    });
                }
                Transition::HeldUntil(until) => {
                    return Ok(ChangeOutcome::HeldUntil {
                        pairing: Box::new(pairing),
                        until,
                    });
                }
            };
            if let Some(queue) = extras.queue {
                if effects.contains(&Effect::Enqueue) {
                    queue.enqueue(&next.first).await?;
                }
                if effects.contains(&Effect::CaptureDocuments)
                    && let Some(lease_until) = next.state.lease_until()
                {
                    let delay = lease_until.since(now).saturating_add(LEASE_SLACK);
                    queue.enqueue_later(&next.first, delay).await?;
                }
            }
            let history = HistoryEntry::of(what, &next, now, extras.callback.cloned());
            let announcement = Announcement::of(&pairing, &next, now);
            let write = PairingWrite {
                pairing: next,
                history,
                announcement,
                answered: extras.answer.cloned(),
            };
            match self.pairings.save(&write).await? {
                Saved::Won => {
                    self.count(&pairing, &write.pairing, now);
                    if effects.contains(&Effect::EnqueueOnceStored)
                        && let Some(queue) = extras.queue
                    {
                        // Best effort: the pairing's `attention_at` brings it back.
                        drop(queue.enqueue(&write.pairing.first).await);
                    }
                    return Ok(ChangeOutcome::Changed {
                        pairing: Box::new(write.pairing),
                        what,
                        effects,
                    });
                }
                Saved::Lost => {
                    // A new pairing that lost against another opening is read like any other.
                    if let Some(newest) = self.pairings.find(&pairing.first).await? {
                        pairing = newest;
                    }
                }
            }
        }
        Err(StoreUnavailable {
            what: "changing the pairing (too many others at once)",
            source: None,
        })
    }

    fn count(&self, before: &Pairing, after: &Pairing, now: Timestamp) {
        if before.revoked != after.revoked
            && let Some(reason) = after.revoked
        {
            self.observer.observe(Observation::Revoked { reason });
        }
        if before.revoked.is_some()
            && after.revoked.is_none()
            && !matches!(after.state, State::Declined { .. } | State::Erasing { .. })
        {
            self.observer.observe(Observation::Reinstated);
        }
        if before.state == after.state {
            return;
        }
        match &after.state {
            State::Settled { verdict, .. } => {
                if let Some(comparison) = after.comparison {
                    self.observer.observe(Observation::Compared(comparison));
                }
                self.observer.observe(Observation::Settled {
                    verdict: *verdict,
                    took: now.since(after.created_at),
                });
            }
            State::Capturing { .. } if !has_qualified(&before.state) => {
                self.observer.observe(Observation::Qualified)
            }
            State::Declined { reason } => self
                .observer
                .observe(Observation::Declined { reason: *reason }),
            State::Expired => self.observer.observe(Observation::Expired),
            State::Parked { cause, .. } => self.observer.observe(Observation::Parked {
                reason: cause.clone(),
            }),
            _ => {}
        }
    }
}

/// Whether a pairing has had a plan.
/// Files copied again do not count twice.
fn has_qualified(state: &State) -> bool {
    match state {
        State::AwaitingCallback { .. }
        | State::Declined { .. }
        | State::Expired
        | State::Parked {
            resume: Resume::Callback(_),
            ..
        } => false,
        State::Capturing { .. }
        | State::Captured { .. }
        | State::Authorizing { .. }
        | State::Authorized { .. }
        | State::Submitting { .. }
        | State::Submitted { .. }
        | State::Settled { .. }
        | State::Parked { .. }
        | State::Erasing { .. } => true,
    }
}
