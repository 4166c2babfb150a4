//! The pairing of Token 1 and Token 2: its state and its data.

pub mod document;
pub mod file_number;
pub mod prepared;
pub mod question;
pub mod reason;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::comparison::Comparison;
use crate::identifiers::{ClientId, CountryCode, Digest256, ScanRef, StepName, UploadId};
use crate::pairing::document::{DocumentType, FileType, Plan, PlannedDocument, StoredDocument};
use crate::pairing::question::{FirstNews, Question, SecondNews};
use crate::pairing::reason::{DeclineReason, ParkReason, SettledReason, WaitingReason};
use crate::result::{Overall, Tag};
use crate::secret::AuthToken;
use crate::session::SessionStep;
use crate::time::Timestamp;
use crate::upload::Upload;

/// One customer's two verifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// Token 1's `scanRef`: the pairing's name.
    pub first: ScanRef,
    pub client_id: Option<ClientId>,
    /// What the session's creator said about the second document.
    #[serde(default)]
    pub expected: ExpectedDocument,
    /// The session's additional steps, at most [`MAXIMUM_STEPS`](crate::session::MAXIMUM_STEPS).
    /// `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<SessionStep>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Counts the writes. 0: not stored yet.
    pub version: u64,
    /// When the present state began. Renewed leases and checks do not count.
    pub since: Timestamp,
    /// The newest result of the first verification that is believed.
    pub first_overall: Option<Overall>,
    /// Why it is as it is, in the provider's words.
    #[serde(default)]
    pub first_tags: Vec<Tag>,
    /// A first result that the provider has not confirmed yet.
    #[serde(default)]
    pub first_question: Option<Question<FirstNews>>,
    /// The archived body whose data are compared with the second result's.
    #[serde(default)]
    pub first_callback: Option<Digest256>,
    /// The bodies that have had their effect, newest last, at most [`Pairing::MAXIMUM_HEARD`].
    #[serde(default)]
    pub heard: Vec<UploadId>,
    /// The customer's uploads, the newest last.
    #[serde(default)]
    pub uploads: Vec<Upload>,
    /// A newer upload.
    /// It waits for the outcome of the documents that are with the provider.
    #[serde(default)]
    pub next_upload: Option<Plan>,
    /// The newest Token 2. Earlier ones, if any, are dead.
    pub second: Option<Second>,
    /// Token 2s that came before the newest.
    #[serde(default)]
    pub superseded: Vec<ScanRef>,
    /// The files in the bucket, of every captured upload, newest last.
    pub documents: Vec<StoredDocument>,
    /// What the results say about the person and the documents.
    /// `None`: not compared.
    #[serde(default)]
    pub comparison: Option<Comparison>,
    /// How many times creating a Token 2 was begun.
    pub attempts: u32,
    /// A negative first result that came after the documents were submitted.
    pub revoked: Option<DeclineReason>,
    /// The key of the session's stored answer, which is erased with the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key: Option<Digest256>,
    pub state: State,
}

/// What is known of the second document in advance.
/// Overrides the installation's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedDocument {
    pub country: Option<CountryCode>,
    /// Sent to direct processing.
    /// Otherwise the provider detects the type from the front.
    pub document_type: Option<DocumentType>,
}

/// What is known of Token 2.
/// The states that need its secret hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    pub scan_ref: ScanRef,
    /// The upload whose documents are verified with it.
    pub upload: UploadId,
    pub overall: Option<Overall>,
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// A result that the provider has not confirmed yet.
    #[serde(default)]
    pub question: Option<Question<SecondNews>>,
}

impl Second {
    /// A Token 2 that nothing is known of yet.
    pub const fn new(scan_ref: ScanRef, upload: UploadId) -> Self {
        Self {
            scan_ref,
            upload,
            overall: None,
            tags: Vec::new(),
            question: None,
        }
    }
}

/// An attempt to convert documents that the provider would refuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preparing {
    pub lease_until: Timestamp,
    /// How many attempts were begun and not reported, this one included.
    /// At most [`MAXIMUM_PREPARATIONS`](crate::transition::MAXIMUM_PREPARATIONS).
    pub tries: u32,
}

/// The state machine's state, see `docs/ARCHITECTURE.md`.
/// Changed only by [`crate::transition::apply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(tag = "name")]
#[strum(const_into_str)]
pub enum State {
    /// Token 1 exists, the customer is busy or the provider is.
    AwaitingCallback {
        until: Timestamp,
        waiting: Option<WaitingReason>,
    },
    /// The first verification is good. The lease's holder copies files.
    Capturing {
        plan: Plan,
        lease_until: Timestamp,
        /// The state that a newer upload has displaced.
        /// Restored if the files turn out to be the same.
        #[serde(default)]
        displaced: Option<Box<State>>,
        /// Why the last try came to nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waiting: Option<WaitingReason>,
    },
    /// Every needed file is in the bucket.
    Captured {
        plan: Plan,
        /// *Doing:* converting a document that the provider would refuse.
        /// After a crash it means that a document stopped a worker, or took longer than one may.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        preparing: Option<Preparing>,
    },
    /// *Doing:* creating Token 2. After a crash a token may exist whose secret is lost.
    Authorizing { plan: Plan, lease_until: Timestamp },
    /// Token 2 exists and is stored.
    Authorized { plan: Plan, auth_token: AuthToken },
    /// *Doing:* posting the documents. After a crash or a lost answer, evidence decides the
    /// outcome.
    Submitting {
        plan: Plan,
        auth_token: AuthToken,
        lease_until: Timestamp,
    },
    /// Accepted.
    /// The second callback brings the result.
    /// Once it is overdue, the provider is asked at `check_at`, in growing pauses.
    Submitted {
        plan: Plan,
        since: Timestamp,
        check_at: Timestamp,
    },
    /// Both results are in.
    Settled {
        verdict: Verdict,
        /// Why an approved second verification is not the verdict.
        #[serde(default)]
        reason: Option<SettledReason>,
    },
    /// The first verification does not qualify.
    Declined { reason: DeclineReason },
    /// The customer never finished.
    Expired,
    /// A person must look.
    Parked { cause: ParkReason, resume: Resume },
    /// Being erased: nothing is accepted or sent any more.
    /// The record goes last.
    Erasing {
        /// When to continue.
        /// A worker was busy, or the provider holds a live session.
        again_at: Timestamp,
        /// The verifications that the provider has deleted.
        deleted: Vec<ScanRef>,
    },
}

/// Where a parked pairing continues when it is taken up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resume {
    /// The archived callback that could not be judged.
    Callback(Digest256),
    /// The first verification has qualified.
    Plan(Plan),
    /// What came to a standstill, to go on from there.
    Standing(Box<Standing>),
}

/// A state that came to a standstill, with its open questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    pub state: State,
    pub first_question: Option<Question<FirstNews>>,
    pub second_question: Option<Question<SecondNews>>,
}

/// Result of the second verification. (The first is always approved here.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[strum(const_into_str)]
pub enum Verdict {
    Approved,
    Denied,
    Suspected,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl State {
    /// The state's name in tables, answers and metrics.
    pub const fn name(&self) -> &'static str {
        self.into_str()
    }

    /// Every needed file is in the bucket. None was inspected yet.
    pub const fn captured(plan: Plan) -> Self {
        Self::Captured {
            plan,
            preparing: None,
        }
    }

    /// Nothing more happens unless something new arrives or a person acts.
    pub const fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Settled { .. } | Self::Declined { .. } | Self::Expired | Self::Parked { .. }
        )
    }

    /// Why the pairing stands where it stands, as a stable word.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::AwaitingCallback {
                waiting: Some(waiting),
                ..
            }
            | Self::Capturing {
                waiting: Some(waiting),
                ..
            } => Some(waiting.as_str()),
            Self::Settled {
                reason: Some(reason),
                ..
            } => Some(reason.as_str()),
            Self::Declined { reason } => Some(reason.as_str()),
            Self::Parked { cause, .. } => Some(cause.as_str()),
            _ => None,
        }
    }

    pub const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Settled { verdict, .. } => Some(*verdict),
            _ => None,
        }
    }

    /// The plan that the state works with.
    /// `None`: no plan yet, or none any more.
    pub const fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Capturing { plan, .. }
            | Self::Captured { plan, .. }
            | Self::Authorizing { plan, .. }
            | Self::Authorized { plan, .. }
            | Self::Submitting { plan, .. }
            | Self::Submitted { plan, .. }
            | Self::Parked {
                resume: Resume::Plan(plan),
                ..
            } => Some(plan),
            Self::Parked {
                resume: Resume::Standing(standing),
                ..
            } => standing.state.plan(),
            _ => None,
        }
    }

    /// The end of the lease of the worker on the pairing.
    pub const fn lease_until(&self) -> Option<Timestamp> {
        match self {
            Self::Capturing { lease_until, .. }
            | Self::Authorizing { lease_until, .. }
            | Self::Submitting { lease_until, .. } => Some(*lease_until),
            Self::Captured {
                preparing: Some(preparing),
                ..
            } => Some(preparing.lease_until),
            _ => None,
        }
    }
}

impl Pairing {
    /// How long a message may take before it is taken for lost.
    pub const MESSAGE_PATIENCE: Duration = Duration::from_secs(2 * 60);
    /// How long the second callback may take.
    /// Human review is documented as minutes, without a bound.
    pub const RESULT_PATIENCE: Duration = Duration::from_secs(30 * 60);
    /// How long a provisional first result may take to become final.
    pub const REVIEW_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
    /// How long work may fail in one state before a person must look.
    pub const WORK_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
    /// How many bodies that had an effect are remembered.
    /// Ordinary use needs far fewer.
    pub const MAXIMUM_HEARD: usize = 64;
    /// How many files the record lists.
    /// Older ones stay in the bucket until its lifecycle or an erasure removes them.
    pub const MAXIMUM_DOCUMENTS: usize = 64;

    /// A pairing that is not stored yet.
    /// It waits until `until` for its first result.
    pub fn opened(
        first: ScanRef,
        client_id: Option<ClientId>,
        now: Timestamp,
        until: Timestamp,
    ) -> Self {
        Self {
            first,
            client_id,
            expected: ExpectedDocument::default(),
            steps: None,
            created_at: now,
            updated_at: now,
            version: 0,
            since: now,
            first_overall: None,
            first_tags: Vec::new(),
            first_question: None,
            first_callback: None,
            heard: Vec::new(),
            uploads: Vec::new(),
            next_upload: None,
            second: None,
            superseded: Vec::new(),
            documents: Vec::new(),
            comparison: None,
            attempts: 0,
            revoked: None,
            session_key: None,
            state: State::AwaitingCallback {
                until,
                waiting: None,
            },
        }
    }

    /// The time by which the pairing must have changed.
    /// Every state that is not terminal has one.
    pub fn attention_at(&self) -> Option<Timestamp> {
        let first = self.first_question.as_ref();
        let second = self
            .second
            .as_ref()
            .and_then(|second| second.question.as_ref());
        let questions = [
            first.map(|question| question.attention_at(Self::MESSAGE_PATIENCE)),
            second.map(|question| question.attention_at(Self::MESSAGE_PATIENCE)),
        ];
        // While the approval is being confirmed, nothing else is to be done.
        let state = self
            .state_attention_at()
            .filter(|_| !self.is_waiting_for_confirmation());
        questions.into_iter().chain([state]).flatten().min()
    }

    fn state_attention_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::AwaitingCallback { until, .. } => Some(*until),
            State::Capturing { lease_until, .. }
            | State::Authorizing { lease_until, .. }
            | State::Submitting { lease_until, .. } => Some(*lease_until),
            State::Captured {
                preparing: Some(preparing),
                ..
            } => Some(preparing.lease_until),
            State::Captured { .. } | State::Authorized { .. } => {
                Some(self.updated_at.plus(Self::MESSAGE_PATIENCE))
            }
            State::Submitted { check_at, .. } => Some(*check_at),
            State::Erasing { again_at, .. } => Some(*again_at),
            State::Settled { .. } if self.is_next_attempt_due() => {
                Some(self.updated_at.plus(Self::MESSAGE_PATIENCE))
            }
            State::Settled { .. }
            | State::Declined { .. }
            | State::Expired
            | State::Parked { .. } => None,
        }
    }

    /// Whether nothing more happens without news or a person.
    pub fn is_at_rest(&self) -> bool {
        self.attention_at().is_none()
    }

    /// When to ask next about a result that blocks spending.
    /// `None`: nothing waits for an answer.
    /// The first verification may not be approved, or the second one may be over.
    pub fn waits_for_answer_until(&self) -> Option<Timestamp> {
        let plan = match &self.state {
            State::Captured { plan, .. }
            | State::Authorizing { plan, .. }
            | State::Authorized { plan, .. } => plan,
            _ => return None,
        };
        let first = self.first_question.as_ref();
        let first = first.filter(|question| !matches!(question.news, FirstNews::Reversal));
        let first = first.map(|question| question.ask_at);
        let second = self
            .second
            .as_ref()
            .filter(|second| second.upload == plan.upload);
        let second = second
            .and_then(|second| second.question.as_ref())
            .map(|question| question.ask_at);
        first.into_iter().chain(second).min()
    }

    /// Whether the provider's confirmation is needed before anything is spent.
    pub fn is_waiting_for_confirmation(&self) -> bool {
        self.waits_for_answer_until().is_some()
    }

    /// Whether a body contradicts the first approval and the provider has not decided yet.
    pub fn is_doubted(&self) -> bool {
        let question = self.first_question.as_ref();
        question.is_some_and(|question| {
            matches!(
                question.news,
                FirstNews::Qualifies { .. } | FirstNews::Declines { .. }
            )
        })
    }

    /// Whether a question that was never asked is due now.
    pub fn has_unasked_question(&self, now: Timestamp) -> bool {
        let first = self
            .first_question
            .as_ref()
            .is_some_and(|question| question.is_unasked(now));
        let second = self
            .second
            .as_ref()
            .and_then(|second| second.question.as_ref());
        first || second.is_some_and(|question| question.is_unasked(now))
    }

    /// Whether a result of the second verification waits to be confirmed.
    pub fn has_second_question(&self) -> bool {
        self.second
            .as_ref()
            .is_some_and(|second| second.question.is_some())
    }

    /// Whether a newer upload is due, because the older one was not approved.
    pub fn is_next_attempt_due(&self) -> bool {
        let was_not_approved = self
            .state
            .verdict()
            .is_some_and(|verdict| verdict != Verdict::Approved);
        let has_question = self.first_question.is_some() || self.has_second_question();
        was_not_approved && self.next_upload.is_some() && self.revoked.is_none() && !has_question
    }

    /// Whether no newer upload than the plan's is known.
    pub fn is_newest(&self, plan: &Plan) -> bool {
        self.uploads
            .last()
            .is_none_or(|newest| newest.fingerprint == plan.fingerprint)
    }

    /// Whether documents that were posted, and certainly not accepted, may be posted again.
    pub fn may_be_posted_again(&self, plan: &Plan) -> bool {
        self.revoked.is_none()
            && self.next_upload.is_none()
            && !self.is_doubted()
            && self.is_newest(plan)
    }

    /// Whether a body has had its effect.
    pub fn has_heard(&self, callback: &Digest256) -> bool {
        self.heard.contains(&UploadId::of(callback))
    }

    /// Why the pairing waits, was declined or is parked, a stable word.
    pub fn reason(&self) -> Option<&'static str> {
        if self.is_waiting_for_confirmation() {
            return Some(ParkReason::ResultUnconfirmed.as_str());
        }
        self.state.reason()
    }

    /// Every verification that belongs to the pairing, the first one first.
    pub fn scan_refs(&self) -> Vec<ScanRef> {
        let second = self.second.iter().map(|second| &second.scan_ref);
        std::iter::once(&self.first)
            .chain(&self.superseded)
            .chain(second)
            .cloned()
            .collect()
    }

    /// A planned file that is not in the bucket.
    pub fn missing<'a>(&self, plan: &'a Plan) -> Option<&'a PlannedDocument> {
        plan.documents
            .iter()
            .find(|planned| self.stored(plan, planned).is_none())
    }

    /// A step with several files whose sides are not certain.
    /// Nothing of the plan is submitted then.
    ///
    /// Only files of the plan's own upload count.
    /// Only pictures take their sides from the order of the list.
    /// A PDF may have both sides on its pages, and stands in a list of its own.
    /// A file that the plan does not know shows that the plan was made from an incomplete list.
    pub fn undecided_step<'a>(&'a self, plan: &'a Plan) -> Option<&'a StepName> {
        let planned = plan.documents.iter().find(|planned| planned.side.is_none());
        let of_planned_steps = |stored: &&StoredDocument| {
            stored.upload == plan.upload
                && plan
                    .documents
                    .iter()
                    .any(|planned| planned.step == stored.step)
        };
        let is_one_of_several = |step: &StepName| {
            plan.documents
                .iter()
                .filter(|planned| planned.step == *step)
                .count()
                > 1
        };
        // A planned file, or one that is in the bucket a second time.
        let is_planned = |stored: &StoredDocument| {
            let of_step = plan
                .documents
                .iter()
                .filter(|planned| planned.step == stored.step);
            let mut planned = of_step.filter_map(|planned| self.stored(plan, planned));
            planned.any(|planned| planned.sha256 == stored.sha256)
        };
        let stored = self
            .documents
            .iter()
            .filter(of_planned_steps)
            .find(|stored| {
                !is_planned(stored)
                    || (stored.file_type == FileType::Pdf && is_one_of_several(&stored.step))
            });
        planned
            .map(|planned| &planned.step)
            .or_else(|| stored.map(|stored| &stored.step))
    }

    /// The documents to submit, in the plan's order.
    /// `None`: one is missing, or what one shows is not decided.
    pub fn planned_documents(&self, plan: &Plan) -> Option<Vec<StoredDocument>> {
        if self.undecided_step(plan).is_some() {
            return None;
        }
        plan.documents
            .iter()
            .map(|planned| self.stored(plan, planned).cloned())
            .collect()
    }

    /// The files of the plan's upload.
    pub fn documents_of<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = &'a StoredDocument> {
        self.documents
            .iter()
            .filter(|stored| stored.upload == plan.upload)
    }

    fn stored(&self, plan: &Plan, planned: &PlannedDocument) -> Option<&StoredDocument> {
        self.documents.iter().find(|stored| {
            stored.upload == plan.upload
                && stored.step == planned.step
                && stored.file == planned.file
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::Side;
    use crate::pairing::file_number::FileNumber;

    const STEP: &str = "SECOND_DOC";

    fn planned(step: &str, file: FileNumber) -> PlannedDocument {
        PlannedDocument {
            step: step.parse().unwrap(),
            file,
            side: Some(Side::Front),
        }
    }

    fn plan(documents: Vec<PlannedDocument>) -> Plan {
        Plan {
            images: Vec::new(),
            callback: Digest256::of(b"callback"),
            upload: UploadId::of(&Digest256::of(b"callback")),
            fingerprint: Digest256::of(b"links"),
            are_links_replaced: false,
            client_id: "client".parse().unwrap(),
            documents,
            country: "LT".parse().unwrap(),
            document_type: None,
        }
    }

    fn stored(step: &str, file: FileNumber, file_type: FileType) -> StoredDocument {
        StoredDocument {
            upload: UploadId::of(&Digest256::of(b"callback")),
            step: step.parse().unwrap(),
            file,
            side: None,
            file_type,
            bytes: 1,
            sha256: Digest256::of(format!("{step} {file}").as_bytes()),
            prepared: None,
        }
    }

    /// The step that is undecided with these files in the bucket.
    fn undecided(plan: &Plan, documents: Vec<StoredDocument>) -> Option<String> {
        let now = Timestamp::from_milliseconds(0);
        let pairing = Pairing {
            documents,
            ..Pairing::opened("first".parse().unwrap(), None, now, now)
        };
        pairing.undecided_step(plan).map(StepName::to_string)
    }

    fn first_two() -> (FileNumber, FileNumber) {
        let mut numbers = FileNumber::up_to(2);
        (numbers.next().unwrap(), numbers.next().unwrap())
    }

    #[test]
    fn a_pdf_is_decided_alone_and_not_among_several() {
        let (first, next) = first_two();
        let alone = plan(vec![planned(STEP, first)]);
        assert_eq!(
            undecided(&alone, vec![stored(STEP, first, FileType::Pdf)]),
            None
        );
        let several = plan(vec![planned(STEP, first), planned(STEP, next)]);
        let pictures = vec![
            stored(STEP, first, FileType::Jpeg),
            stored(STEP, next, FileType::Jpeg),
        ];
        assert_eq!(undecided(&several, pictures), None);
        let with_pdf = vec![
            stored(STEP, first, FileType::Jpeg),
            stored(STEP, next, FileType::Pdf),
        ];
        assert_eq!(undecided(&several, with_pdf), Some(STEP.to_owned()));
    }

    #[test]
    fn a_pdf_for_each_side_is_decided() {
        let first = FileNumber::FIRST;
        let sides = plan(vec![planned("ID_FRONT", first), planned("ID_BACK", first)]);
        let documents = vec![
            stored("ID_FRONT", first, FileType::Pdf),
            stored("ID_BACK", first, FileType::Pdf),
        ];
        assert_eq!(undecided(&sides, documents), None);
    }

    #[test]
    fn a_file_in_excess_leaves_its_own_step_undecided() {
        let (first, next) = first_two();
        let alone = plan(vec![planned(STEP, first)]);
        let documents = vec![
            stored(STEP, first, FileType::Jpeg),
            stored(STEP, next, FileType::Jpeg),
        ];
        assert_eq!(undecided(&alone, documents), Some(STEP.to_owned()));
        let documents = vec![
            stored(STEP, first, FileType::Jpeg),
            stored("OTHER", next, FileType::Jpeg),
        ];
        assert_eq!(undecided(&alone, documents), None);
    }
}
