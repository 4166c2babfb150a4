//! Copies the files that a plan names into the bucket, all at once.

use futures_util::future::join_all;

use crate::identifiers::ScanRef;
use crate::pairing::document::{Plan, PlannedDocument, StoredDocument};
use crate::pairing::file_number::FileNumber;
use crate::pairing::reason::ParkReason;
use crate::ports::{CaptureError, Documents};
use crate::result::StepLinks;
use crate::time::Timestamp;

/// What copying came to.
#[derive(Debug)]
pub(crate) struct Captured {
    /// In the bucket now, in addition to what was there.
    pub documents: Vec<StoredDocument>,
    /// The first file found that can never be captured.
    /// The others are still copied.
    pub refused: Option<ParkReason>,
    /// Not in the bucket yet, and why.
    pub unfinished: Vec<(PlannedDocument, Unfinished)>,
}

#[derive(Debug)]
pub(crate) enum Unfinished {
    /// No link, or one that is expired or gone.
    NoLink,
    Truncated,
    /// The link leads to neither a file nor an end.
    NotAFile,
    /// Copying failed or ran out of time.
    Later,
}

/// Copies every planned file of the plan's upload that is not in `known`, and any other listed file
/// of the planned steps.
/// All of a step's files are kept before it is parked for unclear sides.
/// Copies beyond `until` are abandoned.
/// An object appears whole or not at all.
pub(crate) async fn capture_documents(
    store: &dyn Documents,
    first: &ScanRef,
    plan: &Plan,
    known: &[StoredDocument],
    links: &StepLinks,
    until: Timestamp,
) -> Captured {
    let unplanned = unplanned(plan, links);
    let is_known = |planned: &PlannedDocument| {
        known.iter().any(|stored| {
            stored.upload == plan.upload
                && stored.step == planned.step
                && stored.file == planned.file
        })
    };
    let missing = plan
        .documents
        .iter()
        .chain(&unplanned)
        .filter(|planned| !is_known(planned));
    // A list shorter than the plan's does not tell which file is missing.
    let listed = |planned: &PlannedDocument| {
        let of_step = plan
            .documents
            .iter()
            .filter(|other| other.step == planned.step)
            .count();
        links
            .get(&planned.step)
            .filter(|links| links.len() >= of_step)?
            .get(planned.file.index())
    };
    let copies = missing.map(|planned| async move {
        let copied = match listed(planned) {
            None => return (planned, Err(Missed::Unfinished(Unfinished::NoLink))),
            Some(link) => {
                store
                    .capture(first, &plan.upload, planned, link, until)
                    .await
            }
        };
        let missed = |error| match error {
            CaptureError::Refused(reason) => Missed::Refused(reason),
            CaptureError::LinkDead => Missed::Unfinished(Unfinished::NoLink),
            CaptureError::Truncated => Missed::Unfinished(Unfinished::Truncated),
            CaptureError::NotAFile => Missed::Unfinished(Unfinished::NotAFile),
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
    // Not while a planned file is missing: it would be given up too.
    if let Some(more) = unplanned.first()
        && !captured
            .unfinished
            .iter()
            .any(|(missed, _)| plan.documents.contains(missed))
    {
        let step = more.step.clone();
        captured.refused = captured.refused.or(Some(ParkReason::SeveralFiles { step }));
    }
    captured
}

/// Listed files of the planned steps beyond the plan, which was made from another list.
fn unplanned(plan: &Plan, links: &StepLinks) -> Vec<PlannedDocument> {
    let steps = plan
        .documents
        .iter()
        .filter(|planned| planned.file == FileNumber::FIRST);
    let listed = steps.flat_map(|planned| {
        let count = links.get(&planned.step).map_or(0, Vec::len);
        FileNumber::up_to(count).map(|file| PlannedDocument {
            step: planned.step.clone(),
            file,
            side: None,
        })
    });
    let is_planned = |listed: &PlannedDocument| {
        plan.documents
            .iter()
            .any(|planned| planned.step == listed.step && planned.file == listed.file)
    };
    listed.filter(|listed| !is_planned(listed)).collect()
}

enum Missed {
    Refused(ParkReason),
    Unfinished(Unfinished),
}
