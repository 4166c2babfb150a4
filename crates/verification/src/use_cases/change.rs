//! How a pairing is changed: propose, write under a condition, and start over when somebody else
//! was faster.

use crate::announcement::Announcement;
use crate::identifiers::Digest256;
use crate::observation::Observation;
use crate::pairing::{Pairing, Resume, State};
use crate::ports::{
    Clock, HistoryEntry, Observer, PairingWrite, Pairings, Saved, SubmissionQueue, Unavailable,
};
use crate::session_key::SessionKey;
use crate::time::Timestamp;
#[cfg(not(any(test, feature = "testing")))]
use crate::transition::apply;
use crate::transition::{Change, Effect, Event, Transition};

/// Tests can put a wrong state machine in the place of the right one, to see that their checks
/// notice.
#[cfg(any(test, feature = "testing"))]
use crate::testing::altered::apply;

/// What came of an attempt to change a pairing. Each carries the pairing as it stands now.
#[derive(Debug)]
pub(crate) enum Attempted {
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

impl Attempted {
    pub fn into_pairing(self) -> Box<Pairing> {
        match self {
            Self::Changed { pairing, .. }
            | Self::Nothing { pairing, .. }
            | Self::HeldUntil { pairing, .. } => pairing,
        }
    }
}

pub(crate) struct Changes<'a> {
    pub pairings: &'a dyn Pairings,
    /// `None`: messages are not sent (when giving a lease back because sending failed).
    pub queue: Option<&'a dyn SubmissionQueue>,
    pub clock: &'a dyn Clock,
    pub observer: &'a dyn Observer,
}

/// How often a lost race is tried again. Each loss means that somebody else made progress, so more
/// than a few mean a livelock.
const MAXIMUM_RACES: u32 = 8;

impl Changes<'_> {
    /// Applies the event that `event` makes of the newest pairing.
    pub async fn attempt(
        &self,
        pairing: Pairing,
        callback: Option<&Digest256>,
        event: impl Fn(&Pairing) -> Event + Send,
    ) -> Result<Attempted, Unavailable> {
        self.attempt_answering(pairing, callback, None, event).await
    }

    /// The same, with an answer that is stored in the same transaction.
    pub async fn attempt_answering(
        &self,
        mut pairing: Pairing,
        callback: Option<&Digest256>,
        answered: Option<&SessionKey>,
        event: impl Fn(&Pairing) -> Event + Send,
    ) -> Result<Attempted, Unavailable> {
        for _ in 0..MAXIMUM_RACES {
            let now = self.clock.now();
            let proposed = apply(&pairing, event(&pairing), now);
            let Change {
                next,
                what,
                effects,
            } = match proposed {
                Transition::Change(change) => *change,
                Transition::Nothing(why) => {
                    return Ok(Attempted::Nothing {
                        pairing: Box::new(pairing),
                        why,
                    });
                }
                Transition::HeldUntil(until) => {
                    return Ok(Attempted::HeldUntil {
                        pairing: Box::new(pairing),
                        until,
                    });
                }
            };
            if effects.contains(&Effect::Enqueue)
                && let Some(queue) = self.queue
            {
                queue.enqueue(&next.first).await?;
            }
            let history = HistoryEntry::of(what, &next, now, callback.cloned());
            let announcement = Announcement::of(&pairing, &next, now);
            let write = PairingWrite {
                pairing: next,
                history,
                announcement,
                answered: answered.cloned(),
            };
            match self.pairings.save(&write).await? {
                Saved::Won => {
                    self.count(&pairing, &write.pairing, now);
                    if effects.contains(&Effect::EnqueueOnceStored)
                        && let Some(queue) = self.queue
                    {
                        // Best effort: the pairing says itself when somebody must look.
                        drop(queue.enqueue(&write.pairing.first).await);
                    }
                    return Ok(Attempted::Changed {
                        pairing: Box::new(write.pairing),
                        what,
                        effects,
                    });
                }
                Saved::Lost => {
                    // A new pairing that lost against another opening of itself is read like any
                    // other.
                    if let Some(newest) = self.pairings.find(&pairing.first).await? {
                        pairing = newest;
                    }
                }
            }
        }
        Err(Unavailable {
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

/// Whether a pairing has a plan already: one whose files are copied once more is not counted once
/// more.
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
