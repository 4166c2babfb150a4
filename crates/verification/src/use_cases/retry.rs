//! Use case: a person takes a parked pairing up again.

use std::sync::Arc;

use crate::identifiers::ScanRef;
use crate::pairing::document::Plan;
use crate::pairing::{Pairing, Resume, State};
use crate::policy::{Judgement, Policy};
use crate::ports::{CallbackArchive, StoreUnavailable, SubmissionQueue};
use crate::transition::{Event, FirstResult};
use crate::use_cases::change::{ChangeOutcome, PairingChanger};

pub struct RetryVerification {
    pub changer: PairingChanger,
    pub archive: Arc<dyn CallbackArchive>,
    pub queue: Arc<dyn SubmissionQueue>,
    pub policy: Policy,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// The processor has been told.
    TakenUp(Box<Pairing>),
    /// Only parked pairings can be taken up; the state's name.
    NotParked(&'static str),
    /// The callback still does not qualify under the present policy.
    /// The reason's word.
    StillParked(&'static str),
    /// The callback that could not be judged is not in the archive any more.
    CallbackGone,
    Unknown,
}

impl RetryVerification {
    /// Continues from where the pairing was parked: with a new Token 2, or with the missing files.
    /// A callback that could not be judged is judged again under the present policy.
    ///
    /// # Errors
    /// Our own stores are unavailable.
    /// Nothing has changed, or there is one harmless message too many.
    pub async fn retry(&self, scan_ref: &ScanRef) -> Result<Retried, StoreUnavailable> {
        let Some(pairing) = self.changer.pairings.find(scan_ref).await? else {
            return Ok(Retried::Unknown);
        };
        let event = match &pairing.state {
            State::Parked {
                resume: Resume::Callback(callback),
                ..
            } => {
                let Some(content) = self.archive.read(&pairing.first, callback).await? else {
                    return Ok(Retried::CallbackGone);
                };
                let Some(overall) = content.overall else {
                    return Ok(Retried::CallbackGone);
                };
                // The processor copies the files: the lease taken here is already over.
                self.queue.enqueue(&pairing.first).await?;
                Event::FirstResult(FirstResult {
                    overall,
                    judgement: self.policy.judge(&content, &pairing.expected),
                    upload: content.upload(),
                    tags: content.tags,
                    callback: Some(callback.clone()),
                    lease_until: self.changer.clock.now(),
                    confirm: self.policy.confirm_results,
                    is_retry: true,
                })
            }
            // The policy reads from the callback what the files show.
            State::Parked {
                resume: Resume::Plan(Plan { callback, .. }),
                ..
            } => {
                let content = self.archive.read(&pairing.first, callback).await?;
                let plan =
                    match content.map(|content| self.policy.judge(&content, &pairing.expected)) {
                        Some(Judgement::Qualifies(plan)) => Some(plan),
                        Some(Judgement::Unclear(reason)) => {
                            return Ok(Retried::StillParked(reason.as_str()));
                        }
                        _ => None,
                    };
                Event::RetryRequested { plan }
            }
            State::Parked {
                resume: Resume::Standing(_),
                ..
            } => Event::RetryRequested { plan: None },
            state => return Ok(Retried::NotParked(state.name())),
        };
        let pairing = match self
            .changer
            .change_and_enqueue(self.queue.as_ref(), pairing, None, |_| event.clone())
            .await?
        {
            ChangeOutcome::Changed { pairing, .. }
            | ChangeOutcome::Nothing { pairing, .. }
            | ChangeOutcome::HeldUntil { pairing, .. } => pairing,
        };
        Ok(match &pairing.state {
            State::Parked { cause, .. } => Retried::StillParked(cause.as_str()),
            State::Declined { reason } => Retried::StillParked(reason.as_str()),
            _ => Retried::TakenUp(pairing),
        })
    }
}
