//! Use case: find overdue pairings and bring them on.
//! No pairing is forgotten, even if a message, a callback or a process was lost.
//!
//! Reads only the index by attention, so a run costs what is overdue and not what is stored.
//! Each run begins with the longest overdue.
//! The rest is left to the next run.

use std::sync::Arc;
use std::time::Duration;

use crate::identifiers::{Digest256, ScanRef};
use crate::observation::Observation;
use crate::pairing::question::SecondNews;
use crate::pairing::reason::{DeclineReason, ParkReason};
use crate::pairing::{Pairing, State};
use crate::policy::{ComparisonPolicy, Judgement};
use crate::ports::{ProviderError, StatusSource, StoreUnavailable, SubmissionQueue};
use crate::result::{Overall, StepLinks, Tag};
use crate::time::Timestamp;
use crate::transition::{Event, FirstResult, SecondResult};
use crate::upload::Upload;
use crate::use_cases::change::{ChangeOutcome, PairingChanger};
use crate::use_cases::erase::EraseVerification;

pub struct Reconcile {
    pub changer: PairingChanger,
    pub queue: Arc<dyn SubmissionQueue>,
    pub status: Arc<dyn StatusSource>,
    pub erase: EraseVerification,
}

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Overdue pairings that were found, at most the run's limit.
    pub overdue: u64,
    /// How long the longest has been overdue.
    pub oldest: Duration,
    /// The processor was told.
    pub enqueued: u64,
    /// The provider was asked, and its answer moved the pairing.
    pub moved: u64,
    /// The provider was asked, and is still at it.
    pub postponed: u64,
    /// Needed the provider while the circuit is open.
    /// Still overdue for the next run.
    pub waiting: u64,
    /// Erasures that went on.
    pub erased: u64,
    /// Could not be helped now; still overdue for the next run.
    pub failed: u64,
}

/// How many pairings one run handles: with two calls each, well within a function's time.
const LIMIT: u16 = 200;

/// The shortest pause between two questions about one verification.
/// The provider dislikes polling ("Data retrieval").
const SHORTEST_PAUSE: Duration = Duration::from_secs(30 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * 60 * 60);

/// After this long in one phase the reconciler gives up.
/// Workers give up earlier, unless each of them crashes.
const LAST_TRY_AFTER: Duration = Pairing::WORK_PATIENCE.saturating_mul(2);

/// After this long without a result, a person must ask the provider.
const GIVE_UP_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

enum Done {
    Enqueued,
    Moved,
    Postponed,
    CircuitOpen,
    Erased,
    /// Another process was faster, or the index lagged behind.
    Nothing,
}

impl Reconcile {
    /// One run, until `until` at most.
    ///
    /// # Errors
    /// The index cannot be read.
    /// A failure of one pairing is counted and does not delay the others.
    pub async fn run(&self, until: Timestamp) -> Result<Reconciled, StoreUnavailable> {
        let started = self.changer.clock.now();
        let overdue = self.changer.pairings.overdue(started, LIMIT).await?;
        let mut run = Reconciled {
            overdue: overdue.len() as u64,
            ..Reconciled::default()
        };
        run.oldest = overdue
            .first()
            .map_or(Duration::ZERO, |oldest| started.since(oldest.attention_at));
        self.changer.observer.observe(Observation::Reconciled {
            overdue: run.overdue,
            oldest: run.oldest,
        });
        for overdue in overdue {
            if self.changer.clock.now() >= until {
                break;
            }
            match self.bring_on(&overdue.first).await {
                Ok(Done::Enqueued) => run.enqueued += 1,
                Ok(Done::Moved) => run.moved += 1,
                Ok(Done::Postponed) => run.postponed += 1,
                Ok(Done::CircuitOpen) => run.waiting += 1,
                Ok(Done::Erased) => run.erased += 1,
                Ok(Done::Nothing) => {}
                Err(_) => run.failed += 1,
            }
        }
        Ok(run)
    }

    async fn bring_on(&self, first: &ScanRef) -> Result<Done, StoreUnavailable> {
        let Some(pairing) = self.changer.pairings.find(first).await? else {
            return Ok(Done::Nothing);
        };
        let now = self.changer.clock.now();
        if pairing
            .attention_at()
            .is_none_or(|attention_at| attention_at > now)
        {
            return Ok(Done::Nothing);
        }
        match &pairing.state {
            // First of all: the result is here and only waits to be confirmed.
            State::Submitted { .. } if has_question(&pairing) => {
                self.queue.enqueue(first).await?;
                Ok(Done::Enqueued)
            }
            // Its message waits in the queue for the circuit. One more each run would pile up.
            // If the message is lost, the run after the pause sends a new one.
            // After a day the processor must give up.
            State::Captured { .. }
            | State::Authorizing { .. }
            | State::Authorized { .. }
            | State::Submitting { .. }
                if now < pairing.since.plus(Pairing::WORK_PATIENCE)
                    && self.status.circuit_open_until(first).await.is_some() =>
            {
                Ok(Done::CircuitOpen)
            }
            State::Capturing { .. }
            | State::Captured { .. }
            | State::Authorizing { .. }
            | State::Authorized { .. }
            | State::Submitting { .. } => self.bring_work_on(pairing).await,
            State::AwaitingCallback { .. } => self.ask_about_first(pairing).await,
            State::Submitted { .. } => self.ask_about_second(pairing).await,
            State::Erasing { .. } => {
                self.erase.erase(first).await?;
                Ok(Done::Erased)
            }
            // A result to be confirmed, or a newer upload to be verified.
            State::Settled { .. }
            | State::Declined { .. }
            | State::Expired
            | State::Parked { .. } => {
                self.queue.enqueue(first).await?;
                Ok(Done::Enqueued)
            }
        }
    }

    /// Work that failed for this long gets one more try.
    /// Without progress it is given up.
    async fn bring_work_on(&self, pairing: Pairing) -> Result<Done, StoreUnavailable> {
        let last_try_at = pairing.since.plus(LAST_TRY_AFTER);
        if pairing.updated_at >= last_try_at {
            return self.apply(pairing, Event::GivenUp).await;
        }
        self.queue.enqueue(&pairing.first).await?;
        let now = self.changer.clock.now();
        if now >= last_try_at {
            self.apply(pairing, Event::CheckPostponed { check_at: now })
                .await?;
        }
        Ok(Done::Enqueued)
    }

    /// The first callback is missing.
    /// The status cannot qualify the pairing, because it has no verdict on the step.
    async fn ask_about_first(&self, pairing: Pairing) -> Result<Done, StoreUnavailable> {
        let status = match self.status.status(&pairing.first).await {
            Ok(status) => status,
            Err(error) => return self.unanswered(pairing, &error).await,
        };
        let Some(overall) = status.settled() else {
            return self.postpone(pairing).await;
        };
        let judgement = match overall {
            Overall::Expired | Overall::ExpiredDeleted => Judgement::Lapsed,
            Overall::Denied => Judgement::Declines(DeclineReason::FirstDenied),
            Overall::Suspected => Judgement::Declines(DeclineReason::FirstSuspected),
            Overall::Deleted | Overall::Archived => Judgement::Removed,
            Overall::Approved => Judgement::Unclear(ParkReason::CallbackLost),
            Overall::Reviewing | Overall::Active | Overall::Unknown => {
                return self.postpone(pairing).await;
            }
        };
        let event = self.without_callback(overall, status.tags, judgement);
        self.apply(pairing, event).await
    }

    /// The provider's answer in place of a missing callback.
    fn without_callback(&self, overall: Overall, tags: Vec<Tag>, judgement: Judgement) -> Event {
        Event::FirstResult(FirstResult {
            overall,
            tags,
            judgement,
            upload: Upload::of(&StepLinks::new(), None, &Digest256::of(b"")),
            callback: None,
            lease_until: self.changer.clock.now(),
            confirm: false,
            is_retry: false,
        })
    }

    /// The second callback is missing.
    /// After this long, the status counts as the result.
    /// The processor confirms and settles it, so there is one way only to a verdict.
    async fn ask_about_second(&self, pairing: Pairing) -> Result<Done, StoreUnavailable> {
        let Some(second) = pairing.second.clone() else {
            return self.apply(pairing, Event::GivenUp).await;
        };
        let status = match self.status.status(&second.scan_ref).await {
            Ok(status) => status,
            Err(error) => return self.unanswered(pairing, &error).await,
        };
        match status.settled() {
            None | Some(Overall::Reviewing | Overall::Active | Overall::Unknown) => {
                self.postpone(pairing).await
            }
            Some(
                overall @ (Overall::Approved
                | Overall::Denied
                | Overall::Suspected
                | Overall::Expired),
            ) => {
                let news = SecondNews {
                    overall,
                    tags: status.tags,
                    callback: None,
                };
                self.apply(
                    pairing,
                    Event::SecondResult(SecondResult {
                        scan_ref: second.scan_ref,
                        news,
                        provisional: false,
                        confirm: true,
                        comparison: None,
                        comparison_policy: ComparisonPolicy::Off,
                    }),
                )
                .await
            }
            Some(Overall::Deleted | Overall::Archived | Overall::ExpiredDeleted) => {
                self.apply(pairing, Event::GivenUp).await
            }
        }
    }

    async fn unanswered(
        &self,
        pairing: Pairing,
        error: &ProviderError,
    ) -> Result<Done, StoreUnavailable> {
        match error {
            ProviderError::CircuitOpen { .. } => Ok(Done::CircuitOpen),
            // Silent for as long as a person should have asked.
            ProviderError::Unavailable { .. } | ProviderError::InDoubt { .. }
                if self.waited(&pairing) >= GIVE_UP_AFTER =>
            {
                self.apply(pairing, Event::GivenUp).await
            }
            ProviderError::Unavailable { .. } | ProviderError::InDoubt { .. } => {
                Err(StoreUnavailable {
                    what: "asking the provider for a status",
                    source: None,
                })
            }
            // It will never tell. The callback may still come.
            ProviderError::TokenNotValid
            | ProviderError::Refused { .. }
            | ProviderError::Documents(_) => self.postpone(pairing).await,
        }
    }

    /// Asks again after as long as it has been overdue, between 30 min and 12 h.
    /// Gives up after a week.
    async fn postpone(&self, pairing: Pairing) -> Result<Done, StoreUnavailable> {
        let now = self.changer.clock.now();
        let waited = self.waited(&pairing);
        if waited >= GIVE_UP_AFTER {
            let event = match &pairing.state {
                State::Submitted { .. } => Event::GivenUp,
                _ => self.without_callback(Overall::Expired, Vec::new(), Judgement::Lapsed),
            };
            return self.apply(pairing, event).await;
        }
        let check_at = now.plus(waited.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
        self.apply(pairing, Event::CheckPostponed { check_at })
            .await?;
        Ok(Done::Postponed)
    }

    /// For how long a result has not come.
    fn waited(&self, pairing: &Pairing) -> Duration {
        let since = match &pairing.state {
            State::Submitted { since, .. } => *since,
            _ => pairing.created_at,
        };
        self.changer.clock.now().since(since)
    }

    async fn apply(&self, pairing: Pairing, event: Event) -> Result<Done, StoreUnavailable> {
        match self
            .changer
            .change_and_enqueue(self.queue.as_ref(), pairing, None, |_| event.clone())
            .await?
        {
            ChangeOutcome::Changed { .. } => Ok(Done::Moved),
            ChangeOutcome::Nothing { .. } | ChangeOutcome::HeldUntil { .. } => Ok(Done::Nothing),
        }
    }
}

fn has_question(pairing: &Pairing) -> bool {
    pairing.first_question.is_some()
        || pairing
            .second
            .as_ref()
            .is_some_and(|second| second.question.is_some())
}
