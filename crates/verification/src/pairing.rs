//! The pairing of Token 1 and Token 2: where it stands, and what it has learned.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::document::{DocumentType, FileType, Plan, PlannedDocument, StoredDocument};
use crate::identifiers::{ClientId, CountryCode, Digest256, ScanRef, StepName};
use crate::reason::{DeclineReason, ParkReason, WaitingReason};
use crate::result::Overall;
use crate::secret::AuthToken;
use crate::time::Timestamp;

/// One customer's two verifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// Token 1's `scanRef`: the pairing's name.
    pub first: ScanRef,
    pub client_id: Option<ClientId>,
    /// What the session's creator said about the second document.
    #[serde(default)]
    pub expected: ExpectedDocument,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Counts the writes. 0: not stored yet.
    pub version: u64,
    /// The newest result of the first verification.
    pub first_overall: Option<Overall>,
    /// The newest Token 2. Earlier ones, if any, are dead.
    pub second: Option<Second>,
    /// Token 2s that came before the newest.
    #[serde(default)]
    pub superseded: Vec<ScanRef>,
    /// The files in the bucket.
    pub documents: Vec<StoredDocument>,
    /// How many times creating a Token 2 was begun.
    pub attempts: u32,
    /// A negative result of the first verification that came when the documents were already with the provider.
    pub revoked: Option<DeclineReason>,
    pub state: State,
}

/// What is known of the second document before it is there. Goes before the installation's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedDocument {
    pub country: Option<CountryCode>,
    /// Sent to direct processing; otherwise the provider detects the type from the front.
    pub document_type: Option<DocumentType>,
}

/// What is known of Token 2. Its secret half is in the states that need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    pub scan_ref: ScanRef,
    pub overall: Option<Overall>,
}

/// The state machine's state, see `docs/ARCHITECTURE.md`. Changed only by [`crate::transition::apply`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name")]
pub enum State {
    /// Token 1 exists, the customer is busy or the provider is.
    AwaitingCallback { until: Timestamp, waiting: Option<WaitingReason> },
    /// The first verification is good; files are being copied by whoever holds the lease.
    Capturing { plan: Plan, lease_until: Timestamp },
    /// Every needed file is in the bucket.
    Captured { plan: Plan },
    /// *Doing:* creating Token 2. Left by a crash, it means that a token may exist whose secret nobody knows.
    Authorizing { plan: Plan, lease_until: Timestamp },
    /// Token 2 exists and is stored.
    Authorized { plan: Plan, auth_token: AuthToken },
    /// *Doing:* posting the documents. Left by a crash or a lost answer, it is in doubt and is resolved by evidence.
    Submitting {
        plan: Plan,
        auth_token: AuthToken,
        lease_until: Timestamp,
    },
    /// Accepted; the second callback brings the result. While it is overdue, the provider is asked at `check_at`, in growing pauses.
    Submitted { plan: Plan, since: Timestamp, check_at: Timestamp },
    /// Both results are in.
    Settled { verdict: Verdict },
    /// The first verification does not qualify.
    Declined { reason: DeclineReason },
    /// The customer never finished.
    Expired,
    /// A person must look.
    Parked { cause: ParkReason, resume: Resume },
    /// Being forgotten: nothing is taken in or sent out any more. When all is gone, so is the record.
    Erasing {
        /// When to go on: somebody was at work, or the provider holds a session that is still live.
        again_at: Timestamp,
        /// The verifications that the provider has deleted.
        deleted: Vec<ScanRef>,
    },
}

/// From where a parked pairing goes on when it is taken up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resume {
    /// The archived callback that could not be judged.
    Callback(Digest256),
    /// The first verification has qualified.
    Plan(Plan),
}

/// The outcome of the pairing: the second verification's, because the first one's was positive before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Approved,
    Denied,
    Suspected,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "Approved",
            Self::Denied => "Denied",
            Self::Suspected => "Suspected",
        }
    }
}

impl State {
    /// The state's name in tables, answers and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AwaitingCallback { .. } => "AwaitingCallback",
            Self::Capturing { .. } => "Capturing",
            Self::Captured { .. } => "Captured",
            Self::Authorizing { .. } => "Authorizing",
            Self::Authorized { .. } => "Authorized",
            Self::Submitting { .. } => "Submitting",
            Self::Submitted { .. } => "Submitted",
            Self::Settled { .. } => "Settled",
            Self::Declined { .. } => "Declined",
            Self::Expired => "Expired",
            Self::Parked { .. } => "Parked",
            Self::Erasing { .. } => "Erasing",
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
                waiting: Some(waiting), ..
            } => Some(waiting.as_str()),
            Self::Declined { reason } => Some(reason.as_str()),
            Self::Parked { cause, .. } => Some(cause.as_str()),
            _ => None,
        }
    }

    pub const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Settled { verdict } => Some(*verdict),
            _ => None,
        }
    }

    /// Until when somebody has said to be at work on the pairing.
    pub const fn lease_until(&self) -> Option<Timestamp> {
        match self {
            Self::Capturing { lease_until, .. } | Self::Authorizing { lease_until, .. } | Self::Submitting { lease_until, .. } => {
                Some(*lease_until)
            }
            _ => None,
        }
    }
}

impl Pairing {
    /// How long a message may take to be acted on before somebody looks whether it was lost.
    pub const MESSAGE_PATIENCE: Duration = Duration::from_secs(2 * 60);
    /// How long the second callback may take. Human review is documented as minutes, with no bound.
    pub const RESULT_PATIENCE: Duration = Duration::from_secs(30 * 60);
    /// How long a first result that is not final may take to become so.
    pub const REVIEW_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

    /// A pairing that is not stored yet, waiting until `until` for its first result.
    pub fn opened(first: ScanRef, client_id: Option<ClientId>, now: Timestamp, until: Timestamp) -> Self {
        Self {
            first,
            client_id,
            expected: ExpectedDocument::default(),
            created_at: now,
            updated_at: now,
            version: 0,
            first_overall: None,
            second: None,
            superseded: Vec::new(),
            documents: Vec::new(),
            attempts: 0,
            revoked: None,
            state: State::AwaitingCallback { until, waiting: None },
        }
    }

    /// The time by which something must have happened, or somebody must look. Every state that is not terminal has one.
    pub fn attention_at(&self) -> Option<Timestamp> {
        match &self.state {
            State::AwaitingCallback { until, .. } => Some(*until),
            State::Capturing { lease_until, .. } | State::Authorizing { lease_until, .. } | State::Submitting { lease_until, .. } => {
                Some(*lease_until)
            }
            State::Captured { .. } | State::Authorized { .. } => Some(self.updated_at.plus(Self::MESSAGE_PATIENCE)),
            State::Submitted { check_at, .. } => Some(*check_at),
            State::Erasing { again_at, .. } => Some(*again_at),
            State::Settled { .. } | State::Declined { .. } | State::Expired | State::Parked { .. } => None,
        }
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

    /// A file that the plan names and that is not in the bucket.
    pub fn missing<'a>(&self, plan: &'a Plan) -> Option<&'a PlannedDocument> {
        plan.documents.iter().find(|planned| self.stored(planned).is_none())
    }

    /// A step with several files of which it is not certain which shows which side. Nothing of the plan is submitted then.
    ///
    /// Only pictures take their sides from the order of the list: a PDF may have both on its pages, and stands in a list of its own. A file
    /// of the step that the plan does not know shows that the plan was made from an incomplete list.
    pub fn undecided_step<'a>(&'a self, plan: &'a Plan) -> Option<&'a StepName> {
        let planned = plan.documents.iter().find(|planned| planned.side.is_none());
        let of_planned_steps = |stored: &&StoredDocument| plan.documents.iter().any(|planned| planned.step == stored.step);
        let is_one_of_several = |step: &StepName| plan.documents.iter().filter(|planned| planned.step == *step).count() > 1;
        let is_planned = |stored: &StoredDocument| {
            let is_same = |planned: &PlannedDocument| planned.step == stored.step && planned.file == stored.file;
            plan.documents.iter().any(is_same)
        };
        let stored = self
            .documents
            .iter()
            .filter(of_planned_steps)
            .find(|stored| !is_planned(stored) || (stored.file_type == FileType::Pdf && is_one_of_several(&stored.step)));
        planned.map(|planned| &planned.step).or_else(|| stored.map(|stored| &stored.step))
    }

    /// The documents to be submitted, in the plan's order; `None` while one is missing, or what one shows is not decided.
    pub fn planned_documents(&self, plan: &Plan) -> Option<Vec<StoredDocument>> {
        if self.undecided_step(plan).is_some() {
            return None;
        }
        plan.documents.iter().map(|planned| self.stored(planned).cloned()).collect()
    }

    fn stored(&self, planned: &PlannedDocument) -> Option<&StoredDocument> {
        self.documents
            .iter()
            .find(|stored| stored.step == planned.step && stored.file == planned.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_number::FileNumber;
    use crate::identifiers::Side;

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
            callback: Digest256::of(b"callback"),
            client_id: "client".parse().unwrap(),
            documents,
            country: "LT".parse().unwrap(),
            document_type: None,
        }
    }

    fn stored(step: &str, file: FileNumber, file_type: FileType) -> StoredDocument {
        StoredDocument {
            step: step.parse().unwrap(),
            file,
            side: None,
            file_type,
            bytes: 1,
            sha256: Digest256::of(b"file"),
            prepared: None,
        }
    }

    /// The step that is undecided when these files are in the bucket.
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
        assert_eq!(undecided(&alone, vec![stored(STEP, first, FileType::Pdf)]), None);
        let several = plan(vec![planned(STEP, first), planned(STEP, next)]);
        let pictures = vec![stored(STEP, first, FileType::Jpeg), stored(STEP, next, FileType::Jpeg)];
        assert_eq!(undecided(&several, pictures), None);
        let with_pdf = vec![stored(STEP, first, FileType::Jpeg), stored(STEP, next, FileType::Pdf)];
        assert_eq!(undecided(&several, with_pdf), Some(STEP.to_owned()));
    }

    #[test]
    fn a_pdf_for_each_side_is_decided() {
        let first = FileNumber::FIRST;
        let sides = plan(vec![planned("ID_FRONT", first), planned("ID_BACK", first)]);
        let documents = vec![stored("ID_FRONT", first, FileType::Pdf), stored("ID_BACK", first, FileType::Pdf)];
        assert_eq!(undecided(&sides, documents), None);
    }

    #[test]
    fn a_file_in_excess_of_the_plan_leaves_its_step_undecided_and_one_of_another_step_does_not() {
        let (first, next) = first_two();
        let alone = plan(vec![planned(STEP, first)]);
        let documents = vec![stored(STEP, first, FileType::Jpeg), stored(STEP, next, FileType::Jpeg)];
        assert_eq!(undecided(&alone, documents), Some(STEP.to_owned()));
        let documents = vec![stored(STEP, first, FileType::Jpeg), stored("OTHER", next, FileType::Jpeg)];
        assert_eq!(undecided(&alone, documents), None);
    }
}
