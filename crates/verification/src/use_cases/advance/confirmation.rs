//! Confirms a result at the provider before it reverses, spends or settles anything.

use std::time::Duration;

use super::{Advance, Advanced, Next};
use crate::comparison::{Comparison, compare};
use crate::identifiers::ScanRef;
use crate::pairing::question::SecondNews;
use crate::pairing::{Pairing, Second, State};
use crate::policy::ComparisonPolicy;
use crate::ports::{ProviderError, StoreUnavailable};
use crate::result::Status;
use crate::time::Timestamp;
use crate::transition::{Confirmed, Event};

/// The longest pause between questions for which the message waits.
/// Later questions are the reconciler's.
const MESSAGE_WAITS: Duration = Duration::from_secs(60);

/// What asking before a token is spent came to.
pub(super) enum Approval {
    Confirmed(Confirmed),
    Not(Next),
}

/// An answer, or why there is none now.
enum Answer {
    Said(Option<Status>),
    CircuitOpen(Timestamp),
}

impl Advance {
    /// Asks what is due to be asked about; `None`: nothing is.
    pub(super) async fn confirm(
        &self,
        pairing: &Pairing,
    ) -> Result<Option<Next>, StoreUnavailable> {
        let now = self.changer.clock.now();
        let second = pairing.second.as_ref();
        let second_question = second.and_then(|second| Some((second, second.question.as_ref()?)));
        if let Some((second, question)) =
            second_question.filter(|(_, question)| question.is_due(now))
        {
            return self
                .confirm_second(pairing, second, &question.news, question.since)
                .await
                .map(Some);
        }
        if let Some(question) = pairing
            .first_question
            .as_ref()
            .filter(|question| question.is_due(now))
        {
            return self.confirm_first(pairing, question.since).await.map(Some);
        }
        Ok(None)
    }

    /// When the next question is due that blocks the pairing.
    pub(super) fn waits_for_confirmation(&self, pairing: &Pairing) -> Option<Advanced> {
        pairing
            .waits_for_answer_until()
            .map(|ask_at| self.wait_until(ask_at))
    }

    fn wait_until(&self, ask_at: Timestamp) -> Advanced {
        if ask_at <= self.changer.clock.now().plus(MESSAGE_WAITS) {
            Advanced::HeldUntil(ask_at)
        } else {
            Advanced::Resting("Unconfirmed")
        }
    }

    /// Before a token is spent: whether the provider still has the first verification as approved.
    pub(super) async fn confirm_approval(
        &self,
        pairing: Pairing,
    ) -> Result<Approval, StoreUnavailable> {
        if !self.policy.confirm_results {
            return Ok(Approval::Confirmed(Confirmed::not_required()));
        }
        let said = match self.ask(&pairing, &pairing.first, pairing.since).await {
            Answer::Said(said) => said,
            Answer::CircuitOpen(until) => {
                return Ok(Approval::Not(Next::Stop(Advanced::CircuitOpen { until })));
            }
        };
        match said.as_ref().and_then(Confirmed::by) {
            Some(confirmed) => Ok(Approval::Confirmed(confirmed)),
            None => self
                .after_first_status(pairing, said)
                .await
                .map(Approval::Not),
        }
    }

    async fn confirm_first(
        &self,
        pairing: &Pairing,
        since: Timestamp,
    ) -> Result<Next, StoreUnavailable> {
        match self.ask(pairing, &pairing.first, since).await {
            Answer::Said(said) => self.after_first_status(pairing.clone(), said).await,
            Answer::CircuitOpen(until) => Ok(Next::Stop(Advanced::CircuitOpen { until })),
        }
    }

    async fn after_first_status(
        &self,
        pairing: Pairing,
        said: Option<Status>,
    ) -> Result<Next, StoreUnavailable> {
        let next = self.follow(pairing, Event::FirstStatus(said)).await?;
        Ok(self.pause(next, |pairing| {
            pairing
                .first_question
                .as_ref()
                .map(|question| question.ask_at)
        }))
    }

    async fn confirm_second(
        &self,
        pairing: &Pairing,
        second: &Second,
        news: &SecondNews,
        since: Timestamp,
    ) -> Result<Next, StoreUnavailable> {
        let said = if self.policy.confirm_results || news.callback.is_none() {
            match self.ask(pairing, &second.scan_ref, since).await {
                Answer::Said(said) => said,
                Answer::CircuitOpen(until) => {
                    return Ok(Next::Stop(Advanced::CircuitOpen { until }));
                }
            }
        } else {
            // Believed as it is signed; only the comparison was missing.
            Some(Status::of(news.overall))
        };
        let is_confirmed = said.as_ref().and_then(Status::settled) == Some(news.overall);
        let comparison = if is_confirmed && self.policy.comparison != ComparisonPolicy::Off {
            Some(self.compare(pairing, second, news).await?)
        } else {
            None
        };
        let event = Event::SecondStatus {
            scan_ref: second.scan_ref.clone(),
            said,
            comparison,
            comparison_policy: self.policy.comparison,
        };
        let next = self.follow(pairing.clone(), event).await?;
        let ask_at = |pairing: &Pairing| Some(pairing.second.as_ref()?.question.as_ref()?.ask_at);
        Ok(self.pause(next, ask_at))
    }

    /// Reads both results from the archive. A missing one counts as unknown.
    async fn compare(
        &self,
        pairing: &Pairing,
        second: &Second,
        news: &SecondNews,
    ) -> Result<Comparison, StoreUnavailable> {
        let (Some(first_callback), Some(second_callback)) =
            (&pairing.first_callback, &news.callback)
        else {
            return Ok(Comparison::UNKNOWN);
        };
        let first = self.archive.subject(&pairing.first, first_callback).await?;
        let second = self
            .archive
            .subject(&second.scan_ref, second_callback)
            .await?;
        Ok(match (first, second) {
            (Some(first), Some(second)) => compare(&first, &second),
            _ => Comparison::UNKNOWN,
        })
    }

    /// With the circuit open nothing is asked, but not for ever.
    /// An unanswered question ends like any other.
    async fn ask(&self, pairing: &Pairing, scan_ref: &ScanRef, since: Timestamp) -> Answer {
        let is_exhausted = self.changer.clock.now() >= since.plus(Pairing::WORK_PATIENCE);
        if !is_exhausted && let Some(until) = self.provider.circuit_open_until(&pairing.first).await
        {
            return Answer::CircuitOpen(until);
        }
        match self.provider.status(scan_ref).await {
            Ok(said) => Answer::Said(Some(said)),
            Err(ProviderError::CircuitOpen { until }) if !is_exhausted => {
                Answer::CircuitOpen(until)
            }
            Err(_) => Answer::Said(None),
        }
    }

    /// Stops until the question is due again.
    /// Files are copied meanwhile, and posted documents are followed up.
    fn pause(&self, next: Next, ask_at: impl FnOnce(&Pairing) -> Option<Timestamp>) -> Next {
        let Next::Continue(pairing) = next else {
            return next;
        };
        let goes_on = match pairing.state {
            State::Capturing { .. } | State::Submitting { .. } => true,
            State::Captured { .. } | State::Authorizing { .. } | State::Authorized { .. } => {
                !pairing.is_waiting_for_confirmation()
            }
            _ => false,
        };
        if goes_on {
            return Next::Continue(pairing);
        }
        match ask_at(&pairing).filter(|ask_at| *ask_at > self.changer.clock.now()) {
            Some(ask_at) => Next::Stop(self.wait_until(ask_at)),
            None => Next::Continue(pairing),
        }
    }
}
