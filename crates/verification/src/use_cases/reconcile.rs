//! Use case: find what is overdue and bring it on. No pairing is forgotten, whatever was lost: a
//! message, a callback, a process.
//!
//! Reads nothing but the index by attention, so a run costs what is overdue and not what is stored.
//! Each run begins with the longest overdue; what it does not get to is still there for the next
//! one.

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
    /// Need the provider, which is in trouble for everybody and is left alone; still overdue for
    /// the next run.
    pub waiting: u64,
    /// Erasures that went on.
    pub erased: u64,
    /// Could not be helped now; still overdue for the next run.
    pub failed: u64,
}

/// How many pairings one run looks at: with two calls each, well within a function's time.
const LIMIT: u16 = 200;

/// The shortest pause between two questions about the same verification. The provider dislikes
/// polling ("Data retrieval").
const SHORTEST_PAUSE: Duration = Duration::from_secs(30 * 60);
const LONGEST_PAUSE: Duration = Duration::from_secs(12 * 60 * 60);

/// After so long in one phase, work is given up here: workers give up by themselves, but none does
/// where each ends in the middle.
const LAST_TRY_AFTER: Duration = Pairing::WORK_PATIENCE.saturating_mul(2);

/// After so long without a result, a person must ask the provider.
const GIVE_UP_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);

enum Done {
    Enqueued,
    Moved,
    Postponed,
    CircuitOpen,
    Erased,
    /// Somebody was faster, or the index lagged behind.
    Nothing,
}

impl Reconcile {
    /// One run, until `until` at most.
    ///
    /// # Errors
    /// The index cannot be read. What fails for one pairing is counted and does not keep the others
    /// waiting.
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
            // Before a result is asked for that is here already and only waits to be confirmed.
            State::Submitted { .. } if has_question(&pairing) => {
                self.queue.enqueue(first).await?;
                Ok(Done::Enqueued)
            }
            // Its message waits in the queue until the provider is asked again. Another one at each
            // run would only pile up; should the first be lost, the run after that sends a new one.
            // After a day the processor has to give it up.
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

    /// Work that has come to nothing for so long gets one more try. If nothing is heard of that
    /// either, it is given up.
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

    /// The first callback has not come. The status cannot qualify the pairing, because it does not
    /// say how the step was judged.
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

    /// What the provider said when it was asked, where a callback should have said it.
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

    /// The second callback has not come. What the provider says after all this time is taken for
    /// the result; the processor asks once more and settles it, so that there is one way only to a
    /// verdict.
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
            // It will not tell, however often it is asked; the callback may still come.
            ProviderError::TokenNotValid
            | ProviderError::Refused { .. }
            | ProviderError::Documents(_) => self.postpone(pairing).await,
        }
    }

    /// Asks again after as long as it has been overdue, between half an hour and half a day; gives
    /// up after a week.
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
