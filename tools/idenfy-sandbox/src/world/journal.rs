//! Records for tests: one per provider request and one per callback attempt. No record has a token,
//! key, image or body. Each list keeps its newest 100,000 records.

use std::collections::VecDeque;

use serde::Serialize;

use crate::world::faults::FaultKind;
use crate::world::route::{Route, Subject};

const KEPT: usize = 100_000;

/// One image of a submission, by what identifies it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ImageRecord {
    pub side: String,
    pub bytes: u64,
    pub sha256: String,
    pub format: &'static str,
}

/// What a submission to direct processing consisted of.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubmissionRecord {
    pub token_member: Option<&'static str>,
    pub country: Option<String>,
    pub document_type: Option<String>,
    pub skip_analysis: Option<bool>,
    pub images: Vec<ImageRecord>,
    pub request_bytes: u64,
}

/// One request. `status` is null while it is handled, and for good if the caller got no answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestRecord {
    pub sequence: u64,
    pub at: String,
    pub route: Route,
    #[serde(flatten)]
    pub subject: Subject,
    pub status: Option<u16>,
    pub fault: Option<FaultKind>,
    #[serde(flatten)]
    pub submission: Option<SubmissionRecord>,
}

/// One attempt at delivering a callback. `status` is null without an answer; `error` then says why.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryRecord {
    pub sequence: u64,
    pub at: String,
    pub scan_ref: String,
    pub client_id: String,
    pub event_type: String,
    /// Its number among the session's callbacks, from 0; null if it was sent with changes.
    pub callback: Option<usize>,
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    pub overall: Option<String>,
    pub body_sha256: String,
    pub attempt: u32,
    pub status: Option<u16>,
    pub error: Option<&'static str>,
    pub fault: Option<FaultKind>,
    pub milliseconds: u64,
}

/// The two lists. Their sequence numbers start at 1 and are common to both: they tell the order.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    sequence: u64,
    requests: VecDeque<RequestRecord>,
    deliveries: VecDeque<DeliveryRecord>,
}

impl Journal {
    fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Notes a request as it comes in and returns its number.
    pub(crate) fn begin(&mut self, at: String, route: Route, subject: Subject) -> u64 {
        let sequence = self.next();
        if self.requests.len() >= KEPT {
            self.requests.pop_front();
        }
        self.requests.push_back(RequestRecord {
            sequence,
            at,
            route,
            subject,
            status: None,
            fault: None,
            submission: None,
        });
        sequence
    }

    /// Changes the record of a request that is being handled.
    pub(crate) fn amend(&mut self, sequence: u64, change: impl FnOnce(&mut RequestRecord)) {
        // The list is sorted by number; requests in work stand near its end.
        if let Some(record) = self
            .requests
            .iter_mut()
            .rev()
            .find(|record| record.sequence <= sequence)
            && record.sequence == sequence
        {
            change(record);
        }
    }

    /// Notes an attempt, numbering it.
    pub(crate) fn deliver(&mut self, mut record: DeliveryRecord) -> DeliveryRecord {
        record.sequence = self.next();
        if self.deliveries.len() >= KEPT {
            self.deliveries.pop_front();
        }
        self.deliveries.push_back(record.clone());
        record
    }

    pub(crate) fn requests(&self) -> impl Iterator<Item = &RequestRecord> {
        self.requests.iter()
    }

    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &DeliveryRecord> {
        self.deliveries.iter()
    }
}
