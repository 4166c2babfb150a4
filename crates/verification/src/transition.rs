//! The state machine: one pure function from a pairing and an event to the next pairing.
//!
//! Every combination of state and event has an answer.
//! A snapshot holds the complete table.
//! The answer is a proposal.
//! It takes effect when its conditional write wins.

mod first;
mod request;
mod second;
mod work;

use crate::comparison::Comparison;
use crate::identifiers::{ClientId, Digest256, ScanRef, UploadId};
use crate::pairing::document::{Plan, StoredDocument};
use crate::pairing::prepared::Preparation;
use crate::pairing::question::SecondNews;
use crate::pairing::reason::{ParkReason, WaitingReason};
use crate::pairing::{ExpectedDocument, Pairing, Resume, Standing, State};
use crate::policy::{ComparisonPolicy, Judgement};
use crate::result::{Overall, Status, Tag};
use crate::secret::AuthToken;
use crate::session::SessionStep;
use crate::time::Timestamp;
use crate::upload::Upload;

/// How many times a Token 2 may be begun for one pairing.
/// Each may cost a credit.
pub const MAXIMUM_ATTEMPTS: u32 = 3;

/// How often preparation may be begun for one pairing without an end.
pub const MAXIMUM_PREPARATIONS: u32 = 2;

/// What happened to a pairing.
///
/// In a worker's report, `held` is the end of the lease that it worked under.
/// If another worker has taken over since, the report is out of place.
/// A late failure must not undo the other's work.
/// No two leases have the same end, because one is taken only after the earlier has ended.
#[derive(Clone, Debug)]
pub enum Event {
    /// A callback of the first verification, or the status after one was lost.
    FirstResult(FirstResult),
    /// A callback of the second verification, or the status after one was lost.
    SecondResult(SecondResult),
    /// The provider's status of the first verification. `None`: no answer.
    FirstStatus(Option<Status>),
    /// The provider's status of the second verification. `None`: no answer.
    SecondStatus {
        scan_ref: ScanRef,
        said: Option<Status>,
        comparison: Option<Comparison>,
        comparison_policy: ComparisonPolicy,
    },
    /// A worker takes over the copying of files.
    CaptureTaken {
        lease_until: Timestamp,
    },
    /// The links of `upload` are dead.
    /// Fresh ones lead to files that may differ: those of `files`.
    FilesReplaced {
        upload: UploadId,
        files: UploadId,
    },
    /// Copying ended for now.
    /// These files of `upload` are in the bucket.
    /// If some are missing, the next worker copies them.
    CaptureEnded {
        upload: UploadId,
        documents: Vec<StoredDocument>,
        /// Why some are missing, if not for lack of time.
        waiting: Option<WaitingReason>,
    },
    /// A file of `upload` can never be captured or submitted.
    CaptureRefused {
        upload: UploadId,
        documents: Vec<StoredDocument>,
        reason: ParkReason,
    },
    /// A worker begins to convert documents.
    PreparationStarted {
        upload: UploadId,
        lease_until: Timestamp,
    },
    /// Converting failed for a reason outside of the documents.
    PreparationFailed {
        held: Timestamp,
    },
    /// Copies of some files of `upload` are in the bucket, to be submitted in their place.
    DocumentsPrepared {
        upload: UploadId,
        preparations: Vec<Preparation>,
    },
    /// A Token 2 is about to be created.
    AuthorizationStarted {
        lease_until: Timestamp,
        confirmed: Confirmed,
    },
    SecondTokenCreated {
        held: Timestamp,
        scan_ref: ScanRef,
        auth_token: AuthToken,
    },
    /// Creating Token 2 failed without a token having come into being.
    AuthorizationFailed {
        held: Timestamp,
    },
    AuthorizationRefused {
        held: Timestamp,
        reason: ParkReason,
    },
    /// The documents are about to be posted.
    SubmissionStarted {
        lease_until: Timestamp,
    },
    /// `second`: the Token 2 of the post.
    /// There may be another one by now.
    SubmissionAccepted {
        second: Option<ScanRef>,
    },
    /// The documents were certainly not accepted, and the token is unused.
    SubmissionFailed {
        held: Timestamp,
    },
    SubmissionRefused {
        held: Timestamp,
        reason: ParkReason,
    },
    /// The answer to creating Token 2 or to posting was lost.
    /// Evidence is asked for at `again_at`: the provider may be slow.
    AnswerLost {
        held: Timestamp,
        again_at: Timestamp,
    },
    /// Token 2 is dead and nothing was accepted with it.
    SecondTokenDied {
        second: Option<ScanRef>,
    },
    /// The newer upload that waited for an older one's result is taken up.
    NextAttemptStarted,
    /// The application has created Token 1 itself.
    SessionOpened {
        client_id: ClientId,
        expected: ExpectedDocument,
        until: Timestamp,
        /// Under which idempotency key, if any.
        key: Option<Digest256>,
        /// What the provider has told of its additional steps.
        steps: Option<Vec<SessionStep>>,
    },
    /// What is overdue is still to come; look again then.
    CheckPostponed {
        check_at: Timestamp,
    },
    /// What is overdue has not come for days, or work has failed for a day.
    GivenUp,
    /// A person sets the pairing aside, for a reason in their own words.
    SetAside {
        note: String,
    },
    /// A person takes a parked pairing up again.
    /// Carries the present policy's plan for the newest archived callback.
    RetryRequested {
        plan: Option<Plan>,
    },
    /// Everything about the customer is to go.
    ErasureStarted {
        again_at: Timestamp,
    },
    /// Something could not be erased yet.
    ErasureDeferred {
        deleted: Vec<ScanRef>,
        again_at: Timestamp,
    },
}

/// A result of the first verification.
#[derive(Clone, Debug)]
pub struct FirstResult {
    pub overall: Overall,
    pub tags: Vec<Tag>,
    pub judgement: Judgement,
    /// The upload whose files the body names.
    pub upload: Upload,
    /// The archived body. `None`: there is none, the provider was asked.
    pub callback: Option<Digest256>,
    /// Until when the worker that applies it copies the files.
    pub lease_until: Timestamp,
    /// What would reverse a decision waits for the provider's confirmation.
    pub confirm: bool,
    /// A person has an archived body judged anew.
    pub is_retry: bool,
}

/// A result of the second verification.
#[derive(Clone, Debug)]
pub struct SecondResult {
    pub scan_ref: ScanRef,
    pub news: SecondNews,
    pub provisional: bool,
    /// It waits for the provider's confirmation, or for the comparison.
    pub confirm: bool,
    pub comparison: Option<Comparison>,
    pub comparison_policy: ComparisonPolicy,
}

/// Proof that a token may be spent: the provider confirms the first approval.
#[derive(Clone, Copy, Debug)]
pub struct Confirmed(());

impl Confirmed {
    /// `None`: the status is not a final approval.
    pub fn by(status: &Status) -> Option<Self> {
        (status.settled() == Some(Overall::Approved)).then_some(Self(()))
    }

    /// The team has switched confirmation off (parameter `ConfirmResults`).
    pub const fn not_required() -> Self {
        Self(())
    }
}

/// What the caller must do for the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// *Before* the change is stored: send a message that arrives when the lease is over.
    /// It finds nothing to do, unless the caller died.
    /// Once the change is stored: copy the files. This caller holds the lease.
    /// The state alone does not tell: a result in question keeps another worker's lease.
    CaptureDocuments,
    /// *Before* the change is stored: tell the processor. A surplus or early message is harmless.
    /// After the write, a crash could prevent it.
    Enqueue,
    /// Once the change is stored: tell the processor.
    /// The state has an `attention_at`, so a crash in between costs one round of the reconciler.
    EnqueueOnceStored,
}

/// What an event does to a pairing.
#[derive(Clone, Debug)]
pub enum Transition {
    Change(Box<Change>),
    /// Nothing to write, for this reason (a stable word for logs).
    Nothing(&'static str),
    /// Another worker holds the lease until then.
    HeldUntil(Timestamp),
}

#[derive(Clone, Debug)]
pub struct Change {
    /// The next pairing, version and time of change included.
    pub next: Pairing,
    /// What was decided, as a stable word for the history.
    pub what: &'static str,
    pub effects: Vec<Effect>,
}

/// Applies `event` at the time `now`.
pub fn apply(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    let step = Machine { pairing, now };
    let concerns_erasure = matches!(
        event,
        Event::ErasureStarted { .. } | Event::ErasureDeferred { .. }
    );
    if matches!(pairing.state, State::Erasing { .. }) && !concerns_erasure {
        return ERASED;
    }
    if let State::Parked {
        resume: Resume::Standing(standing),
        ..
    } = &pairing.state
        && matches!(event, Event::FirstResult(_) | Event::SecondResult(_))
    {
        return step.news_at_a_standstill(standing, event);
    }
    match event {
        Event::FirstResult(result) => step.first_result(&result),
        Event::SecondResult(result) => step.second_result(&result),
        Event::FirstStatus(said) => step.first_status(said.as_ref()),
        Event::SecondStatus {
            scan_ref,
            said,
            comparison,
            comparison_policy,
        } => step.second_status(&scan_ref, said.as_ref(), comparison, comparison_policy),
        Event::CaptureTaken { lease_until } => step.capture_taken(lease_until),
        Event::FilesReplaced { upload, files } => step.files_replaced(&upload, files),
        Event::CaptureEnded {
            upload,
            documents,
            waiting,
        } => step.capture_ended(&upload, documents, waiting),
        Event::CaptureRefused {
            upload,
            documents,
            reason,
        } => step.capture_refused(&upload, documents, reason),
        Event::PreparationStarted {
            upload,
            lease_until,
        } => step.preparation_started(&upload, lease_until),
        Event::PreparationFailed { held } => step.preparation_failed(held),
        Event::DocumentsPrepared {
            upload,
            preparations,
        } => step.documents_prepared(&upload, preparations),
        Event::AuthorizationStarted {
            lease_until,
            confirmed,
        } => step.authorization_started(lease_until, confirmed),
        Event::SecondTokenCreated {
            held,
            scan_ref,
            auth_token,
        } => step.second_token_created(held, scan_ref, auth_token),
        Event::AuthorizationFailed { held } => step.authorization_failed(held),
        Event::AuthorizationRefused { held, reason } => step.authorization_refused(held, reason),
        Event::SubmissionStarted { lease_until } => step.submission_started(lease_until),
        Event::SubmissionAccepted { second } => step.submission_accepted(second.as_ref()),
        Event::SubmissionFailed { held } => step.submission_failed(held),
        Event::SubmissionRefused { held, reason } => step.submission_refused(held, reason),
        Event::AnswerLost { held, again_at } => step.answer_lost(held, again_at),
        Event::SecondTokenDied { second } if step.is_current(second.as_ref()) => {
            step.second_token_died()
        }
        Event::SecondTokenDied { .. } => OUT_OF_PLACE,
        Event::NextAttemptStarted => step.next_attempt_started(),
        Event::SessionOpened {
            client_id,
            expected,
            until,
            key,
            steps,
        } => step.session_opened(client_id, expected, until, key, steps),
        Event::CheckPostponed { check_at } => step.check_postponed(check_at),
        Event::GivenUp => step.given_up(),
        Event::SetAside { note } => step.set_aside(note),
        Event::RetryRequested { plan } => step.retry_requested(plan),
        Event::ErasureStarted { again_at } => step.erasure_started(again_at),
        Event::ErasureDeferred { deleted, again_at } => step.erasure_deferred(deleted, again_at),
    }
}

struct Machine<'a> {
    pairing: &'a Pairing,
    now: Timestamp,
}

/// The state does not take this event: late, early or for another pairing.
const OUT_OF_PLACE: Transition = Transition::Nothing("OutOfPlace");
/// The customer is being forgotten.
pub const ERASED_WORD: &str = "Erased";
const ERASED: Transition = Transition::Nothing(ERASED_WORD);
const ALREADY_KNOWN: Transition = Transition::Nothing("AlreadyKnown");
/// This very body has had its effect.
const ALREADY_HEARD: Transition = Transition::Nothing("AlreadyHeard");

impl Machine<'_> {
    fn change(
        &self,
        what: &'static str,
        effects: &[Effect],
        alter: impl FnOnce(&mut Pairing),
    ) -> Transition {
        let mut next = self.pairing.clone();
        alter(&mut next);
        next.version = self.pairing.version.saturating_add(1);
        next.updated_at = self.now;
        if phase(&next.state) != phase(&self.pairing.state) {
            next.since = self.now;
        }
        Transition::Change(Box::new(Change {
            next,
            what,
            effects: effects.to_vec(),
        }))
    }

    fn to(&self, what: &'static str, effects: &[Effect], state: State) -> Transition {
        self.change(what, effects, |next| next.state = state)
    }

    /// News for a pairing at a standstill mean what they mean to the state that it stood in.
    /// A mere repeat of known news has that state taken up.
    fn news_at_a_standstill(&self, standing: &Standing, event: Event) -> Transition {
        let mut resumed = self.pairing.clone();
        self.take_up(&mut resumed, standing);
        // A pairing that a person set aside stays there until there are news.
        let is_set_aside = self.pairing.state.reason() == Some("SetAside");
        match apply(&resumed, event, self.now) {
            Transition::Nothing("AlreadyKnown") if !is_set_aside => {
                self.taken_up("TakenUp", standing)
            }
            transition => transition,
        }
    }
}

/// How far a pairing has come with which upload.
/// A step back within a phase, such as a failed call, is no progress.
fn phase(state: &State) -> (u8, Option<&UploadId>) {
    let number = match state {
        State::AwaitingCallback { .. } => 0,
        State::Capturing { .. } => 1,
        State::Captured { .. } | State::Authorizing { .. } => 2,
        State::Authorized { .. } | State::Submitting { .. } => 3,
        State::Submitted { .. } => 4,
        State::Settled { .. }
        | State::Declined { .. }
        | State::Expired
        | State::Parked { .. }
        | State::Erasing { .. } => 5,
    };
    (number, state.plan().map(|plan| &plan.upload))
}

/// Adds newly stored documents.
/// A new record replaces the older one of the same place.
/// The same file found again is no news, and does not undo its preparation.
/// Sides are as `plan` says, for documents stored under other plans too.
fn merge(known: &mut Vec<StoredDocument>, new: Vec<StoredDocument>, plan: &Plan) {
    for document in new {
        let is_same_place = |old: &StoredDocument| {
            old.upload == document.upload && old.step == document.step && old.file == document.file
        };
        if known
            .iter()
            .any(|old| is_same_place(old) && old.sha256 == document.sha256)
        {
            continue;
        }
        known.retain(|old| !is_same_place(old));
        known.push(document);
    }
    for document in known
        .iter_mut()
        .filter(|document| document.upload == plan.upload)
    {
        document.side = plan.side_of(&document.step, document.file);
    }
    let excess = known.len().saturating_sub(Pairing::MAXIMUM_DOCUMENTS);
    known.drain(..excess);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairing::document::FileType;
    use crate::pairing::file_number::FileNumber;
    use crate::pairing::prepared::{PreparationChange, PreparedFile};
    use crate::policy::Policy;
    use crate::testing::fixtures::approved;

    const FRONT: &str = "SECOND_DOC_FRONT";
    const BACK: &str = "SECOND_DOC_BACK";

    fn stored(step: &str, content: &str) -> StoredDocument {
        StoredDocument {
            upload: UploadId::of(&Digest256::of(b"first")),
            step: step.parse().unwrap(),
            file: FileNumber::FIRST,
            side: None,
            file_type: FileType::Jpeg,
            bytes: 1,
            sha256: Digest256::of(content.as_bytes()),
            prepared: None,
        }
    }

    fn prepared(step: &str, content: &str) -> StoredDocument {
        StoredDocument {
            prepared: Some(PreparedFile {
                bytes: 1,
                sha256: Digest256::of(b"prepared"),
                width: 1,
                height: 1,
                quality: 90,
                changes: vec![PreparationChange::Turned],
            }),
            ..stored(step, content)
        }
    }

    /// The known documents with the new ones added, without their sides.
    fn merged(mut known: Vec<StoredDocument>, new: Vec<StoredDocument>) -> Vec<StoredDocument> {
        let Judgement::Qualifies(plan) =
            Policy::default().judge(&approved("first", "client"), &ExpectedDocument::default())
        else {
            panic!()
        };
        merge(&mut known, new, &plan);
        known
            .into_iter()
            .map(|document| StoredDocument {
                side: None,
                ..document
            })
            .collect()
    }

    #[test]
    fn the_same_file_uploaded_for_both_sides_is_known_for_both() {
        let both = vec![stored(FRONT, "file"), stored(BACK, "file")];
        assert_eq!(
            merged(vec![stored(FRONT, "file")], vec![stored(BACK, "file")]),
            both
        );
    }

    #[test]
    fn another_file_replaces_a_known_one_and_its_copy() {
        assert_eq!(
            merged(vec![prepared(FRONT, "old")], vec![stored(FRONT, "new")]),
            [stored(FRONT, "new")]
        );
    }

    #[test]
    fn the_same_file_found_again_does_not_undo_what_was_made_of_it() {
        assert_eq!(
            merged(vec![prepared(FRONT, "file")], vec![stored(FRONT, "file")]),
            [prepared(FRONT, "file")]
        );
    }
}
