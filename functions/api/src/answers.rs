//! The answers, member by member. A change here changes the contract.

use serde::Serialize;
use verification::comparison::Comparison;
use verification::file_number::FileNumber;
use verification::identifiers::Side;
use verification::policy::StepWarning;
use verification::ports::{HistoryEntry, Page, PairingSummary};
use verification::result::Tag;
use verification::{Opened, Pairing, Receipt, Remaining, RemainingKind, Timestamp};

use crate::query;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionAnswer {
    scan_ref: String,
    auth_token: String,
    redirect_url: String,
    expires_at: Timestamp,
    /// Why no customer of this session can settle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<WarningAnswer>,
}

#[derive(Serialize)]
struct WarningAnswer {
    code: &'static str,
    message: String,
}

impl SessionAnswer {
    pub fn new(opened: &Opened, warnings: &[StepWarning]) -> Self {
        Self {
            scan_ref: opened.session.scan_ref.to_string(),
            auth_token: opened.session.auth_token.expose().to_owned(),
            redirect_url: opened.session.redirect_url.expose().to_owned(),
            expires_at: opened.expires_at,
            warnings: warnings
                .iter()
                .map(|warning| WarningAnswer {
                    code: warning.code(),
                    message: warning.to_string(),
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationAnswer {
    scan_ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What to change before a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    /// Why the first result was revoked after the submission.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<&'static str>,
    first: ResultAnswer,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<ResultAnswer>,
    documents: Vec<DocumentAnswer>,
    /// Absent if the results were not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
    created_at: Timestamp,
    updated_at: Timestamp,
    history: Vec<HistoryAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultAnswer {
    scan_ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    overall: Option<&'static str>,
    /// iDenfy's words for fraud and mismatches.
    tags: Vec<Tag>,
}

#[derive(Serialize)]
struct DocumentAnswer {
    /// The upload that it is from. Only the newest upload's files are submitted.
    upload: String,
    step: String,
    /// Number of the step's file. Absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<u8>,
    /// Absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    /// As it was received.
    bytes: u64,
    sha256: String,
    /// The converted copy that is submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    submitted: Option<SubmittedAnswer>,
}

#[derive(Serialize)]
struct SubmittedAnswer {
    bytes: u64,
    sha256: String,
    width: u16,
    height: u16,
    quality: u8,
    changes: Vec<&'static str>,
}

#[derive(Serialize)]
struct HistoryAnswer {
    at: Timestamp,
    what: String,
}

impl VerificationAnswer {
    pub fn new(pairing: &Pairing, history: Vec<HistoryEntry>, remedy: Option<String>) -> Self {
        let documents = pairing.documents.iter().map(|document| DocumentAnswer {
            upload: document.upload.to_string(),
            step: document.step.to_string(),
            file: (document.file != FileNumber::FIRST).then(|| document.file.get()),
            side: document.side.map(Side::as_str),
            bytes: document.bytes,
            sha256: document.sha256.to_string(),
            submitted: document.prepared.as_ref().map(|prepared| SubmittedAnswer {
                bytes: prepared.bytes,
                sha256: prepared.sha256.to_string(),
                width: prepared.width,
                height: prepared.height,
                quality: prepared.quality,
                changes: prepared
                    .changes
                    .iter()
                    .map(|change| change.as_str())
                    .collect(),
            }),
        });
        Self {
            scan_ref: pairing.first.to_string(),
            client_id: pairing.client_id.as_ref().map(ToString::to_string),
            state: pairing.state.name(),
            reason: pairing.reason(),
            remedy,
            verdict: pairing.state.verdict().map(|verdict| verdict.as_str()),
            revoked: pairing.revoked.map(|reason| reason.as_str()),
            first: ResultAnswer {
                scan_ref: pairing.first.to_string(),
                overall: pairing.first_overall.map(|overall| overall.as_str()),
                tags: pairing.first_tags.clone(),
            },
            second: pairing.second.as_ref().map(|second| ResultAnswer {
                scan_ref: second.scan_ref.to_string(),
                overall: second.overall.map(|overall| overall.as_str()),
                tags: second.tags.clone(),
            }),
            documents: documents.collect(),
            comparison: pairing.comparison,
            created_at: pairing.created_at,
            updated_at: pairing.updated_at,
            history: history
                .into_iter()
                .map(|entry| HistoryAnswer {
                    at: entry.at,
                    what: entry.what,
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
pub struct ListAnswer {
    items: Vec<ItemAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemAnswer {
    scan_ref: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Page> for ListAnswer {
    fn from(page: Page) -> Self {
        let item = |summary: PairingSummary| ItemAnswer {
            scan_ref: summary.first.to_string(),
            state: summary.state,
            reason: summary.reason,
            verdict: summary.verdict,
            created_at: summary.created_at,
            updated_at: summary.updated_at,
        };
        Self {
            next: page.next.as_ref().map(query::encode),
            items: page.pairings.into_iter().map(item).collect(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateAnswer {
    pub scan_ref: String,
    pub state: &'static str,
}

/// What was removed, and what remains where and why.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptAnswer {
    scan_ref: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_scan_ref: Option<String>,
    erased_at: Timestamp,
    /// Asking again removes nothing more.
    complete: bool,
    removed: Vec<RemovedAnswer>,
    remaining: Vec<RemainingAnswer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemovedAnswer {
    #[serde(rename = "where")]
    place: &'static str,
    what: String,
    count: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemainingAnswer {
    #[serde(rename = "where")]
    place: &'static str,
    what: String,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ask_again_at: Option<Timestamp>,
}

impl ReceiptAnswer {
    pub fn now(receipt: &Receipt) -> Self {
        let removed = |place, what: &str, count| RemovedAnswer {
            place,
            what: what.to_owned(),
            count,
        };
        let mut list = vec![
            removed(
                "DocumentBucket",
                "documents, all versions",
                receipt.files.documents,
            ),
            removed(
                "DocumentBucket",
                "archived callbacks, all versions",
                receipt.files.callbacks,
            ),
            removed("PairingTable", "records", receipt.records),
        ];
        list.extend(
            receipt
                .deleted_at_provider
                .iter()
                .map(|scan_ref| removed("iDenfy", &format!("verification {scan_ref}"), 1)),
        );
        let remaining: Vec<RemainingAnswer> = receipt.remaining.iter().map(remaining).collect();
        Self {
            scan_ref: receipt.first.to_string(),
            second_scan_ref: receipt.second.as_ref().map(ToString::to_string),
            erased_at: receipt.at,
            complete: remaining
                .iter()
                .all(|remaining| remaining.ask_again_at.is_none()),
            removed: list,
            remaining: remaining.into_iter().chain(always_remaining()).collect(),
        }
    }

    /// For a verification that an earlier request has erased.
    pub fn before(scan_ref: String, at: Timestamp) -> Self {
        Self {
            scan_ref,
            second_scan_ref: None,
            erased_at: at,
            complete: true,
            removed: Vec::new(),
            remaining: always_remaining().into_iter().collect(),
        }
    }
}

fn remaining(remaining: &Remaining) -> RemainingAnswer {
    let (place, why) = match &remaining.kind {
        RemainingKind::SessionStillLive(_) => (
            "iDenfy",
            "the session can still be used; iDenfy deletes only finished ones".to_owned(),
        ),
        RemainingKind::ProviderUnavailable(_) => ("iDenfy", "iDenfy did not answer".to_owned()),
        RemainingKind::ProviderRefused { kind, identifier } => {
            let identifier = identifier.as_deref().unwrap_or(kind);
            (
                "iDenfy",
                format!(
                    "iDenfy refused to delete it ({identifier}); it may have none of it any \
                     more, or its support must act"
                ),
            )
        }
        RemainingKind::WorkerBusy(_) => (
            "DocumentBucket",
            "a file was being stored at that moment".to_owned(),
        ),
    };
    RemainingAnswer {
        place,
        what: format!("verification {}", remaining.scan_ref),
        why,
        ask_again_at: remaining.kind.again_at(),
    }
}

/// What no request can remove.
fn always_remaining() -> [RemainingAnswer; 2] {
    let fixed = |place, what: &str, why: &str| RemainingAnswer {
        place,
        what: what.to_owned(),
        why: why.to_owned(),
        ask_again_at: None,
    };
    [
        fixed(
            "PairingTable",
            "continuous backups",
            "they end after 35 days by themselves, and DynamoDB cannot edit them",
        ),
        fixed(
            "EventBus",
            "events already delivered",
            "they are with their consumers; they name scanRef and clientId and nothing else of \
             the customer",
        ),
    ]
}
