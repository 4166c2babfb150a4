//! Checks and converts documents before a token is created.

use super::{Advance, Advanced, Next};
use crate::pairing::Pairing;
use crate::pairing::document::{MAXIMUM_TOTAL_BYTES, Plan, StoredDocument};
use crate::pairing::reason::ParkReason;
use crate::ports::{PreparationError, StoreUnavailable};
use crate::time::Timestamp;
use crate::transition::Event;
use crate::use_cases::change::ChangeOutcome;

pub(super) enum Prepared {
    /// The documents may go as the pairing says.
    Ready(Box<Pairing>),
    Not(Next),
}

impl Advance {
    /// Records every conversion before anything is spent.
    /// Usual documents cost one look and no write.
    pub(super) async fn prepare(
        &self,
        pairing: Pairing,
        plan: &Plan,
        until: Timestamp,
    ) -> Result<Prepared, StoreUnavailable> {
        let Some(documents) = pairing.planned_documents(plan) else {
            return Ok(Prepared::Ready(Box::new(pairing)));
        };
        if let Some(lease_until) = pairing
            .state
            .lease_until()
            .filter(|lease_until| *lease_until > self.changer.clock.now())
        {
            return Ok(Prepared::Not(Next::Stop(Advanced::HeldUntil(lease_until))));
        }
        let must_change = match self
            .preparation
            .inspect(&pairing.first, &documents, until)
            .await
        {
            Ok(must_change) => must_change,
            Err(PreparationError::Refused(reason)) => {
                return self.refuse(pairing, plan, reason).await;
            }
            Err(PreparationError::Unavailable(unavailable)) => return Err(unavailable),
            Err(PreparationError::OutOfTime) => return Ok(Prepared::Not(Next::Stop(OUT_OF_TIME))),
        };
        if !must_change.contains(&true) && total_bytes(&documents) <= MAXIMUM_TOTAL_BYTES {
            return Ok(Prepared::Ready(Box::new(pairing)));
        }
        // A crash from here on leaves the lease, and perhaps an unrecorded copy. The next run makes
        // the same.
        let held = self.lease(until);
        let upload = plan.upload.clone();
        let started = Event::PreparationStarted {
            upload: upload.clone(),
            lease_until: held,
        };
        let pairing = match self.change(pairing, started).await? {
            ChangeOutcome::Changed { pairing, .. } if pairing.state.lease_until() == Some(held) => {
                *pairing
            }
            ChangeOutcome::HeldUntil { until, .. } => {
                return Ok(Prepared::Not(Next::Stop(Advanced::HeldUntil(until))));
            }
            changed => return Ok(Prepared::Not(Next::Continue(changed.into_pairing()))),
        };
        match self
            .preparation
            .prepare(&pairing.first, &documents, &must_change, until)
            .await
        {
            Ok(preparations)
                if preparations.is_empty() && total_bytes(&documents) > MAXIMUM_TOTAL_BYTES =>
            {
                self.refuse(pairing, plan, ParkReason::DocumentsTooLarge)
                    .await
            }
            // A closer look found them acceptable.
            Ok(preparations) if preparations.is_empty() => Ok(Prepared::Ready(Box::new(pairing))),
            // Re-read: another worker may have changed the pairing.
            Ok(preparations) => self
                .follow(
                    pairing,
                    Event::DocumentsPrepared {
                        upload,
                        preparations,
                    },
                )
                .await
                .map(Prepared::Not),
            Err(PreparationError::Refused(reason)) => self.refuse(pairing, plan, reason).await,
            Err(PreparationError::Unavailable(unavailable)) => {
                self.change(pairing, Event::PreparationFailed { held })
                    .await?;
                Err(unavailable)
            }
            // Stays begun: a document that takes too long will do so again.
            Err(PreparationError::OutOfTime) => Ok(Prepared::Not(Next::Stop(OUT_OF_TIME))),
        }
    }

    async fn refuse(
        &self,
        pairing: Pairing,
        plan: &Plan,
        reason: ParkReason,
    ) -> Result<Prepared, StoreUnavailable> {
        let event = Event::CaptureRefused {
            upload: plan.upload.clone(),
            documents: Vec::new(),
            reason,
        };
        self.follow(pairing, event).await.map(Prepared::Not)
    }
}

const OUT_OF_TIME: Advanced = Advanced::TryAgain {
    why: "PreparationOutOfTime",
    after: None,
};

fn total_bytes(documents: &[StoredDocument]) -> u64 {
    documents.iter().fold(0, |sum, document| {
        sum.saturating_add(document.submitted_bytes())
    })
}
