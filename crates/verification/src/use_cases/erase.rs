//! Use case: erase a customer, here and at the provider.
//!
//! May end at any point and be run again.
//! What is done stays done, and what remains stays known.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::identifiers::ScanRef;
use crate::pairing::{Pairing, State};
use crate::ports::{
    DeletedAtProvider, FileRemoval, ProviderError, RemovedFiles, SessionKeys, Sessions,
    StoreUnavailable,
};
use crate::time::Timestamp;
use crate::transition::Event;
use crate::use_cases::change::PairingChanger;

pub struct EraseVerification {
    pub changer: PairingChanger,
    pub keys: Arc<dyn SessionKeys>,
    pub files: Arc<dyn FileRemoval>,
    pub sessions: Arc<dyn Sessions>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    /// No record and no file has this name.
    Unknown,
    /// All of it is gone since an earlier request.
    Before,
    Now(Box<Receipt>),
}

/// What was removed where, and what remains with whom and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub first: ScanRef,
    pub second: Option<ScanRef>,
    pub at: Timestamp,
    pub files: RemovedFiles,
    /// Removed table records. The pairing's own stay while the erasure needs them.
    pub records: u64,
    pub deleted_at_provider: Vec<ScanRef>,
    pub remaining: Vec<Remaining>,
}

/// What could not be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remaining {
    pub scan_ref: ScanRef,
    pub kind: RemainingKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemainingKind {
    /// The session can still be used.
    /// The provider deletes only finished ones.
    /// Ask again after this time.
    SessionStillLive(Timestamp),
    /// The provider is unavailable. Ask again after this time.
    ProviderUnavailable(Timestamp),
    /// The provider will not delete it: for its support.
    ProviderRefused {
        kind: &'static str,
        identifier: Option<String>,
    },
    /// A worker was storing a file. Ask again after this time.
    WorkerBusy(Timestamp),
}

impl RemainingKind {
    /// When asking again may help; `None`: it does not.
    pub const fn again_at(&self) -> Option<Timestamp> {
        match self {
            Self::SessionStillLive(at) | Self::ProviderUnavailable(at) | Self::WorkerBusy(at) => {
                Some(*at)
            }
            Self::ProviderRefused { .. } => None,
        }
    }
}

/// The pause for a live session.
/// An opened session lasts up to an hour.
const LIVE_SESSION_PAUSE: Duration = Duration::from_secs(60 * 60);

/// When to ask again at a provider that did not answer.
const UNAVAILABLE_PAUSE: Duration = Duration::from_secs(5 * 60);

impl EraseVerification {
    /// # Errors
    /// Our own stores are unavailable. Ask again: the erasure continues.
    pub async fn erase(&self, scan_ref: &ScanRef) -> Result<Erased, StoreUnavailable> {
        let now = self.changer.clock.now();
        let mut files = RemovedFiles::default();
        let pairing = match self.changer.pairings.find(scan_ref).await? {
            Some(pairing) => pairing,
            // Other events are archived without a pairing, and late files outlive it.
            None => {
                files.add(&self.files.remove(scan_ref).await?);
                if files == RemovedFiles::default() {
                    return Ok(if self.changer.pairings.is_forgotten(scan_ref).await? {
                        Erased::Before
                    } else {
                        Erased::Unknown
                    });
                }
                Pairing::opened(scan_ref.clone(), None, now, now)
            }
        };
        // The end of the lease in the pairing that is replaced, which may be newer than the one
        // read.
        let replaced = Mutex::new(None);
        let event = |pairing: &Pairing| {
            let busy_until = pairing
                .state
                .lease_until()
                .filter(|lease_until| *lease_until > now);
            *replaced.lock().unwrap_or_else(PoisonError::into_inner) = busy_until;
            Event::ErasureStarted {
                again_at: busy_until.unwrap_or(now).plus(UNAVAILABLE_PAUSE),
            }
        };
        // From here on nothing is accepted or sent for this customer.
        let pairing = *self.changer.change(pairing, event).await?.into_pairing();
        let busy_until = *replaced.lock().unwrap_or_else(PoisonError::into_inner);
        // The session's link goes first, because it can still be used.
        let records = match &pairing.session_key {
            Some(key) => self.keys.forget_answer(key, &pairing.first).await?,
            None => 0,
        };
        for scan_ref in pairing.scan_refs() {
            files.add(&self.files.remove(&scan_ref).await?);
        }
        let mut receipt = Receipt {
            first: pairing.first.clone(),
            second: pairing
                .second
                .as_ref()
                .map(|second| second.scan_ref.clone()),
            at: now,
            files,
            records,
            deleted_at_provider: Vec::new(),
            remaining: Vec::new(),
        };
        if let Some(busy_until) = busy_until {
            receipt.remaining.push(Remaining {
                scan_ref: pairing.first.clone(),
                kind: RemainingKind::WorkerBusy(busy_until),
            });
        }
        self.delete_at_provider(&pairing, &mut receipt).await;
        match receipt
            .remaining
            .iter()
            .filter_map(|remaining| remaining.kind.again_at())
            .min()
        {
            None => receipt.records += self.changer.pairings.forget(&pairing).await?,
            Some(again_at) => {
                let deleted = receipt.deleted_at_provider.clone();
                let event = |_: &Pairing| Event::ErasureDeferred {
                    deleted: deleted.clone(),
                    again_at,
                };
                self.changer.change(pairing, event).await?;
            }
        }
        Ok(Erased::Now(Box::new(receipt)))
    }

    async fn delete_at_provider(&self, pairing: &Pairing, receipt: &mut Receipt) {
        let known = match &pairing.state {
            State::Erasing { deleted, .. } => deleted.as_slice(),
            _ => &[],
        };
        for scan_ref in pairing.scan_refs() {
            if known.contains(&scan_ref) {
                receipt.deleted_at_provider.push(scan_ref);
                continue;
            }
            let now = self.changer.clock.now();
            let kind = match self.sessions.delete(&scan_ref).await {
                Ok(DeletedAtProvider::Deleted) => {
                    receipt.deleted_at_provider.push(scan_ref);
                    continue;
                }
                Ok(DeletedAtProvider::StillLive) => {
                    RemainingKind::SessionStillLive(now.plus(LIVE_SESSION_PAUSE))
                }
                Ok(DeletedAtProvider::Refused { kind, identifier }) => {
                    RemainingKind::ProviderRefused { kind, identifier }
                }
                Err(ProviderError::Unavailable { retry_after, .. }) => {
                    RemainingKind::ProviderUnavailable(
                        now.plus(retry_after.unwrap_or(UNAVAILABLE_PAUSE)),
                    )
                }
                Err(_) => RemainingKind::ProviderUnavailable(now.plus(UNAVAILABLE_PAUSE)),
            };
            receipt.remaining.push(Remaining { scan_ref, kind });
        }
    }
}
