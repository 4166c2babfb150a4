//! Use case: a verified callback arrives.
//!
//! `Ok` means durable: the body is archived, and the pairing (or the queue) knows its content.
//! Idempotent: repeated callbacks have no further effect.
//! Files are copied by `capture`, which can follow the answer.

use std::sync::Arc;
use std::time::Duration;

use crate::identifiers::{Digest256, ScanRef, SecondReference};
use crate::observation::Observation;
use crate::pairing::document::Plan;
use crate::pairing::question::SecondNews;
use crate::pairing::{Pairing, State};
use crate::policy::{ComparisonPolicy, Policy};
use crate::ports::{CallbackArchive, Documents, StoreUnavailable, SubmissionQueue};
use crate::result::{CallbackContent, Overall, StepLinks};
use crate::time::Timestamp;
use crate::transition::{ERASED_WORD, Effect, Event, FirstResult, SecondResult};
use crate::use_cases::capture::{Captured, capture_documents};
use crate::use_cases::change::{ChangeOutcome, PairingChanger};

/// What came of a callback, a stable word for logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The pairing moved: the history word says how.
    Changed(&'static str),
    /// Repeated, out of date or not ours: the reason word.
    Ignored(&'static str),
}

/// Files to copy, of a pairing that this caller has claimed.
///
/// If it is dropped or fails, the processor copies them when the lease is over.
/// A message for that is on its way.
#[derive(Debug)]
pub struct CaptureTask {
    pairing: Pairing,
    plan: Plan,
    links: StepLinks,
    until: Timestamp,
}

impl CaptureTask {
    /// The first verification's.
    pub fn scan_ref(&self) -> &ScanRef {
        &self.pairing.first
    }
}

pub struct AcceptCallback {
    pub changer: PairingChanger,
    pub archive: Arc<dyn CallbackArchive>,
    pub documents: Arc<dyn Documents>,
    pub queue: Arc<dyn SubmissionQueue>,
    pub policy: Policy,
}

/// How much longer than the copying its lease lasts: time for the writes after it.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

impl AcceptCallback {
    /// Keeps a verified body that cannot be read, to be replayed later.
    pub async fn keep_unreadable(
        &self,
        digest: &Digest256,
        body: &[u8],
    ) -> Result<(), StoreUnavailable> {
        self.changer
            .observer
            .observe(Observation::CallbackUnreadable);
        self.archive.keep(None, digest, body).await
    }

    /// Archives the body, decides, and claims the pairing.
    /// Returns the files to copy, if any, which must end by `capture_until`.
    ///
    /// # Errors
    /// Something is not durable: the provider must send again.
    pub async fn accept(
        &self,
        content: CallbackContent,
        body: &[u8],
        capture_until: Timestamp,
    ) -> Result<(Accepted, Option<CaptureTask>), StoreUnavailable> {
        self.changer.observer.observe(Observation::CallbackReceived);
        let known = self.changer.pairings.find(&content.scan_ref).await?;
        let is_erased = match &known {
            Some(pairing) => matches!(pairing.state, State::Erasing { .. }),
            None => self.is_forgotten(&content).await?,
        };
        if is_erased {
            // Acknowledged, so that the provider stops. Not kept, as the customer was promised.
            return Ok((self.ignored(ERASED_WORD), None));
        }
        self.archive
            .keep(Some(&content.scan_ref), &content.digest, body)
            .await?;
        let Some(overall) = content.overall else {
            return Ok((self.ignored("NotAVerificationResult"), None));
        };
        let second_reference = second_reference(&content);
        let (accepted, task) = match known {
            Some(pairing) if pairing.first != content.scan_ref => {
                (self.accept_second(pairing, &content, overall).await?, None)
            }
            // Token 2's creation was not recorded.
            // Its callback must not open a pairing, or a third verification would start.
            _ if second_reference.is_some() => (Accepted::Ignored("SecondTokenUnknown"), None),
            known => {
                self.accept_first(known, content, overall, capture_until)
                    .await?
            }
        };
        if let Accepted::Ignored(_) = accepted {
            self.changer.observer.observe(Observation::CallbackIgnored);
        }
        Ok((accepted, task))
    }

    /// The reference of an unrecorded Token 2 leads to the customer.
    async fn is_forgotten(&self, content: &CallbackContent) -> Result<bool, StoreUnavailable> {
        if self
            .changer
            .pairings
            .is_forgotten(&content.scan_ref)
            .await?
        {
            return Ok(true);
        }
        match second_reference(content).and_then(|reference| reference.first()) {
            Some(first) => self.changer.pairings.is_forgotten(&first).await,
            None => Ok(false),
        }
    }

    fn ignored(&self, why: &'static str) -> Accepted {
        self.changer.observer.observe(Observation::CallbackIgnored);
        Accepted::Ignored(why)
    }

    async fn accept_second(
        &self,
        pairing: Pairing,
        content: &CallbackContent,
        overall: Overall,
    ) -> Result<Accepted, StoreUnavailable> {
        let event = |_: &Pairing| {
            Event::SecondResult(SecondResult {
                scan_ref: content.scan_ref.clone(),
                news: SecondNews {
                    overall,
                    tags: content.tags.clone(),
                    callback: Some(content.digest.clone()),
                },
                provisional: content.is_provisional(),
                // The processor reads what is compared.
                confirm: self.policy.confirm_results
                    || self.policy.comparison != ComparisonPolicy::Off,
                comparison: None,
                comparison_policy: self.policy.comparison,
            })
        };
        Ok(
            match self
                .changer
                .change_and_enqueue(self.queue.as_ref(), pairing, Some(&content.digest), event)
                .await?
            {
                ChangeOutcome::Changed { what, .. } => Accepted::Changed(what),
                ChangeOutcome::Nothing { pairing, why } => self.repeated(&pairing, why).await?,
                ChangeOutcome::HeldUntil { .. } => Accepted::Ignored("Held"),
            },
        )
    }

    async fn accept_first(
        &self,
        known: Option<Pairing>,
        content: CallbackContent,
        overall: Overall,
        capture_until: Timestamp,
    ) -> Result<(Accepted, Option<CaptureTask>), StoreUnavailable> {
        let now = self.changer.clock.now();
        let opened = || {
            Pairing::opened(
                content.scan_ref.clone(),
                content.client_id.clone(),
                now,
                now.plus(Pairing::REVIEW_PATIENCE),
            )
        };
        let pairing = known.unwrap_or_else(opened);
        let event = |pairing: &Pairing| {
            Event::FirstResult(FirstResult {
                overall,
                tags: content.tags.clone(),
                judgement: self.policy.judge(&content, &pairing.expected),
                upload: content.upload(),
                callback: Some(content.digest.clone()),
                lease_until: capture_until.plus(LEASE_MARGIN),
                confirm: self.policy.confirm_results,
                is_retry: false,
            })
        };
        match self
            .changer
            .change_and_enqueue(self.queue.as_ref(), pairing, Some(&content.digest), event)
            .await?
        {
            ChangeOutcome::Nothing { pairing, why } => {
                Ok((self.repeated(&pairing, why).await?, None))
            }
            // Another copy of this callback is at work. The pairing knows its lease.
            ChangeOutcome::HeldUntil { .. } => Ok((Accepted::Ignored("Held"), None)),
            ChangeOutcome::Changed {
                pairing,
                what,
                effects,
            } => {
                let task = match &pairing.state {
                    State::Capturing { plan, .. }
                        if effects.contains(&Effect::CaptureDocuments) =>
                    {
                        let plan = plan.clone();
                        Some(CaptureTask {
                            links: plan.usable(content.links.clone()),
                            plan,
                            pairing: *pairing,
                            until: capture_until,
                        })
                    }
                    _ => None,
                };
                Ok((Accepted::Changed(what), task))
            }
        }
    }

    /// Sends the message again that makes the processor ask the provider.
    /// The process that raised the question may have ended before sending it.
    /// The provider repeats a callback that was not acknowledged.
    async fn repeated(
        &self,
        pairing: &Pairing,
        why: &'static str,
    ) -> Result<Accepted, StoreUnavailable> {
        if pairing.has_unasked_question(self.changer.clock.now()) {
            self.queue.enqueue(&pairing.first).await?;
        }
        Ok(Accepted::Ignored(why))
    }

    /// Copies what is possible in time, then hands the pairing over to the processor.
    ///
    /// # Errors
    /// The result could not be recorded. The processor goes on when the lease is over.
    pub async fn capture(&self, task: CaptureTask) -> Result<(), StoreUnavailable> {
        let CaptureTask {
            pairing,
            plan,
            links,
            until,
        } = task;
        let first = pairing.first.clone();
        let Captured {
            documents,
            refused,
            unfinished,
        } = capture_documents(
            self.documents.as_ref(),
            &first,
            &plan,
            &pairing.documents,
            &links,
            until,
        )
        .await;
        let upload = plan.upload.clone();
        let event = match refused {
            Some(reason) => Event::CaptureRefused {
                upload,
                documents,
                reason,
            },
            None => Event::CaptureEnded {
                upload,
                documents,
                waiting: None,
            },
        };
        if !unfinished.is_empty() && matches!(event, Event::CaptureEnded { .. }) {
            self.changer.observer.observe(Observation::CaptureDeferred);
        }
        self.changer
            .change_and_enqueue(self.queue.as_ref(), pairing, None, |_| event.clone())
            .await
            .map(drop)
    }
}

fn second_reference(content: &CallbackContent) -> Option<SecondReference> {
    content
        .external_ref
        .as_deref()
        .and_then(SecondReference::parse)
}
