//! Copies the files that a plan names into the bucket, all at once.

use futures_util::future::join_all;

use crate::document::{Plan, PlannedDocument, StoredDocument};
use crate::identifiers::ScanRef;
use crate::ports::{CaptureError, Documents};
use crate::reason::ParkReason;
use crate::result::StepLinks;
use crate::time::Timestamp;

/// What copying came to.
#[derive(Debug)]
pub(crate) struct Captured {
    /// In the bucket now, in addition to what was there.
    pub documents: Vec<StoredDocument>,
    /// A file that can never be captured. The first one found; the others are still copied.
    pub refused: Option<ParkReason>,
    /// Not in the bucket yet, and why.
    pub unfinished: Vec<(PlannedDocument, Unfinished)>,
}

#[derive(Debug)]
pub(crate) enum Unfinished {
    /// No link, or one that is expired or gone.
    NoLink,
    Truncated,
    /// Copying failed or ran out of time.
    Later,
}

/// Copies every planned file that is not in `known` yet. Copies that last beyond `until` are abandoned (nothing half-written stays: an
/// object appears whole or not at all).
pub(crate) async fn capture_documents(
    store: &dyn Documents,
    first: &ScanRef,
    plan: &Plan,
    known: &[StoredDocument],
    links: &StepLinks,
    until: Timestamp,
) -> Captured {
    let missing = plan
        .documents
        .iter()
        .filter(|planned| !known.iter().any(|stored| stored.step == planned.step));
    let copies = missing.map(|planned| async move {
        let copied = match links.get(&planned.step).map(Vec::as_slice) {
            None | Some([]) => return (planned, Err(Missed::Unfinished(Unfinished::NoLink))),
            Some([link]) => store.capture(first, planned, link, until).await,
            Some(_) => Err(CaptureError::Refused(ParkReason::SeveralFiles {
                step: planned.step.clone(),
            })),
        };
        let missed = |error| match error {
            CaptureError::Refused(reason) => Missed::Refused(reason),
            CaptureError::LinkDead => Missed::Unfinished(Unfinished::NoLink),
            CaptureError::Truncated => Missed::Unfinished(Unfinished::Truncated),
            CaptureError::Unavailable(_) => Missed::Unfinished(Unfinished::Later),
        };
        (planned, copied.map_err(missed))
    });
    let mut captured = Captured {
        documents: Vec::new(),
        refused: None,
        unfinished: Vec::new(),
    };
    for (planned, copied) in join_all(copies).await {
        match copied {
            Ok(document) => captured.documents.push(document),
            Err(Missed::Refused(reason)) => captured.refused = captured.refused.or(Some(reason)),
            Err(Missed::Unfinished(why)) => captured.unfinished.push((planned.clone(), why)),
        }
    }
    captured
}

enum Missed {
    Refused(ParkReason),
    Unfinished(Unfinished),
}
