//! What the provider would refuse is found out before a token is spent on it, and where that can be, something is made of it that it takes.

use super::{Advance, Advanced, Next};
use crate::change::Attempted;
use crate::document::{MAXIMUM_TOTAL_BYTES, Plan, StoredDocument};
use crate::pairing::Pairing;
use crate::ports::{PreparationError, Unavailable};
use crate::reason::ParkReason;
use crate::time::Timestamp;
use crate::transition::Event;

pub(super) enum Prepared {
    /// The documents may go as the pairing says.
    Ready(Box<Pairing>),
    Not(Next),
}

impl Advance {
    /// The preparation is recorded before anything is spent. A crash before that leaves a copy that nobody refers to, and the next run makes
    /// the same one.
    pub(super) async fn prepare(&self, pairing: Pairing, plan: &Plan, until: Timestamp) -> Result<Prepared, Unavailable> {
        let Some(documents) = pairing.planned_documents(plan) else {
            return Ok(Prepared::Ready(Box::new(pairing)));
        };
        let reason = match self.preparation.prepare(&pairing.first, &documents, until).await {
            Ok(preparations) if preparations.is_empty() => match total_bytes(&documents) {
                0..=MAXIMUM_TOTAL_BYTES => return Ok(Prepared::Ready(Box::new(pairing))),
                _ => ParkReason::DocumentsTooLarge,
            },
            // Looked at once more as they are now: somebody else may have changed the pairing.
            Ok(preparations) => {
                return self
                    .follow(
                        pairing,
                        Event::DocumentsPrepared {
                            upload: plan.upload.clone(),
                            preparations,
                        },
                    )
                    .await
                    .map(Prepared::Not);
            }
            Err(PreparationError::Refused(reason)) => reason,
            Err(PreparationError::Unavailable(unavailable)) => return Err(unavailable),
        };
        let event = Event::CaptureRefused {
            upload: plan.upload.clone(),
            documents: Vec::new(),
            reason,
        };
        Ok(Prepared::Not(match self.change(pairing, event).await? {
            Attempted::HeldUntil { until, .. } => Next::Stop(Advanced::HeldUntil(until)),
            attempted => Next::Continue(attempted.into_pairing()),
        }))
    }
}

fn total_bytes(documents: &[StoredDocument]) -> u64 {
    documents
        .iter()
        .fold(0, |sum, document| sum.saturating_add(document.submitted_bytes()))
}
