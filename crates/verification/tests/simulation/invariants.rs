//! The invariants of every step, checked against what is stored and what the provider has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use verification::announcement::Outcome;
use verification::document::{Plan, StoredDocument};
use verification::identifiers::{Digest256, ScanRef, SecondReference, UploadId};
use verification::ports::{PairingWrite, Saved};
use verification::reason::{DeclineReason, ParkReason};
use verification::result::{CallbackContent, Overall, Status};
use verification::testing::memory::World;
use verification::transition::MAXIMUM_ATTEMPTS;
use verification::{Accepted, Pairing, State, Timestamp, Verdict};

use super::coverage::documented_edges;
use super::customer::{Decision, ProviderResult};
use super::evidence::{DecisionNumber, Evidence};
use super::invocation::PROCESSOR_TIMEOUT;
use super::stores::upright;
use super::timeline::{CLOCK_SKEW, Timeline};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// A callback that was answered 200 is archived, and its pairing knows its content.
    AnsweredMeansKnown,
    /// The provider accepts the same documents once, unless a person asks for it again.
    /// It accepts others only if the earlier ones were not approved.
    OneAcceptedSubmission,
    /// Every Token 2 belongs to a recorded attempt.
    OneTokenPerAttempt,
    AttemptsAreCapped,
    /// Only after a final, approved result with a valid step.
    NothingUnapprovedIsSubmitted,
    /// Only the planned steps' files are submitted, as stored.
    /// Nothing of the first document is.
    OnlyPlannedDocumentsAreSubmitted,
    /// All documents of a submission are from one upload.
    NoSubmissionMixesUploads,
    /// No post begins with documents that were known to be replaced.
    NoOlderUploadIsSubmitted,
    /// Nothing is spent, settled or reversed without the provider's confirmation.
    NothingUnconfirmedIsActedOn,
    /// A body that has had its effect has none again.
    BodiesHaveTheirEffectOnce,
    /// In the end the provider's last decision stands, as far as it was delivered.
    TheNewestResultStands,
    /// No callback moves a pairing to another client.
    TheClientStaysTheSame,
    NonTerminalStatesCarryAttention,
    VersionsGrowByOne,
    LeasesAreRespected,
    StoredFilesStayAsTheyAre,
    OnlyDocumentedChangesOfState,
    EveryOutcomeIsAnnouncedOnce,
    /// A message is deleted only when its work is done.
    AcknowledgedMeansFinished,
    /// Once faults stop, every pairing comes to an end.
    EverythingEnds,
    /// Nothing is left of a customer who was forgotten.
    ErasedMeansGone,
}

#[derive(Clone, Debug)]
pub struct Violation {
    pub invariant: Invariant,
    pub detail: String,
}

/// What is remembered of a pairing beside what is stored.
#[derive(Default)]
struct Track {
    /// Every stored state, with its step.
    log: Vec<Stood>,
    /// The Token 2s known to the store, with the step of each.
    seconds: BTreeMap<ScanRef, u64>,
    begun: u32,
    certainly_failed: u32,
    /// Attempts since a person last took the pairing up again.
    attempts: u32,
    tokens: u32,
    /// The files that a Token 2 was begun for last.
    files: BTreeSet<Digest256>,
    /// They were accepted, and no person has asked for it again since.
    are_accepted: bool,
    /// Documents are with the provider, without a known result.
    awaits_result: bool,
    is_approved: bool,
    /// The files of each upload.
    uploads: Vec<BTreeSet<Digest256>>,
    /// Which upload each fingerprint stands for.
    fingerprints: BTreeMap<Digest256, usize>,
    /// Bodies that have had an effect.
    heard: BTreeSet<UploadId>,
    has_qualified: bool,
    /// Would have qualified under another policy.
    may_qualify: bool,
    is_taken_up: bool,
    announced: BTreeSet<(Outcome, Timestamp)>,
    /// Callbacks that were in our hands when the erasure began.
    overtaken_by_erasure: BTreeSet<Digest256>,
}

#[derive(Clone, Copy)]
struct Stood {
    step: u64,
    state: &'static str,
    is_revoked: bool,
    is_unconfirmed: bool,
}

pub const GONE: &str = "gone";

static EDGES: LazyLock<BTreeSet<(String, String)>> = LazyLock::new(documented_edges);

pub struct Checks {
    timeline: Arc<Timeline>,
    world: Arc<World>,
    /// Whether the policy has results confirmed.
    confirms: bool,
    tracks: Mutex<BTreeMap<ScanRef, Track>>,
    evidence: Mutex<Evidence>,
}

impl Checks {
    pub fn new(timeline: Arc<Timeline>, world: Arc<World>, confirms: bool) -> Self {
        Self {
            timeline,
            world,
            confirms,
            tracks: Mutex::default(),
            evidence: Mutex::default(),
        }
    }

    fn evidence(&self) -> MutexGuard<'_, Evidence> {
        self.evidence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ScanRef, Track>> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, holds: bool, invariant: Invariant, detail: impl FnOnce() -> String) {
        if !holds {
            self.timeline.violate(invariant, detail());
        }
    }

    /// A write came back from the store.
    pub fn saved(
        &self,
        before: Option<&Pairing>,
        write: &PairingWrite,
        after: Option<&Pairing>,
        saved: Saved,
    ) {
        let first = &write.pairing.first;
        let stored_version = before.map_or(0, |before| before.version);
        if saved == Saved::Lost {
            self.timeline.count("a write that lost its race");
            self.timeline
                .trace(|| format!("lost: {first} {}", write.history.what));
            return;
        }
        let Some(after) = after else {
            return self.timeline.violate(
                Invariant::VersionsGrowByOne,
                format!("{first}: won, and not there"),
            );
        };
        self.hold(
            write.pairing.version == stored_version + 1 && after.version == write.pairing.version,
            Invariant::VersionsGrowByOne,
            || {
                format!(
                    "{first}: {stored_version} was stored, {} was written, {} is stored",
                    write.pairing.version, after.version
                )
            },
        );
        let opened = Pairing::opened(first.clone(), None, after.created_at, after.created_at);
        let before = before.unwrap_or(&opened);
        let what = write.history.what.as_str();
        self.timeline.trace(|| {
            format!(
                "{first} {} -> {} [{what}] v{}",
                before.state.name(),
                describe(after),
                after.version
            )
        });
        self.timeline
            .with_coverage(|coverage| coverage.change(after.state.name(), what));
        self.change(before, after, what);
        let callback = write
            .history
            .callback
            .as_ref()
            .filter(|_| what != "CaptureTakenOver");
        let is_heard = callback.is_some_and(|callback| before.has_heard(callback));
        self.hold(!is_heard, Invariant::BodiesHaveTheirEffectOnce, || {
            format!("{first}: {what} by a body again")
        });
        self.confirmation(before, after, what);
        self.announcement(before, after, write);
    }

    /// The provider confirmed the change's result within the acting invocation.
    fn confirmation(&self, before: &Pairing, after: &Pairing, what: &str) {
        if !self.confirms || matches!(after.state, State::Erasing { .. }) {
            return;
        }
        let first = &after.first;
        let has_said = |scan_ref: &ScanRef, such: &dyn Fn(Overall) -> bool| {
            let since = self.timeline.milliseconds() - PROCESSOR_TIMEOUT;
            self.evidence().has_said(scan_ref, since, such)
        };
        let is_begun =
            before.state.plan().is_some() || matches!(before.state, State::Settled { .. });
        let is_reversed = is_begun && before.revoked.is_none();
        let is_declined =
            matches!(what, "FirstResultDeclined" | "FirstResultRevoked") && is_reversed;
        let is_reopened = what == "Reopened" && matches!(before.state, State::Declined { .. });
        let is_confirmed =
            if what == "AuthorizationStarted" || what == "RevocationWithdrawn" || is_reopened {
                has_said(first, &|overall| overall == Overall::Approved)
            } else if is_declined {
                has_said(first, &|overall| Some(overall) == after.first_overall)
            } else if what == "SecondResult"
                && let Some(second) = &after.second
            {
                has_said(&second.scan_ref, &|overall| Some(overall) == second.overall)
            } else {
                true
            };
        self.hold(is_confirmed, Invariant::NothingUnconfirmedIsActedOn, || {
            format!("{first}: {what}, and the provider has not said so")
        });
    }

    fn change(&self, before: &Pairing, after: &Pairing, what: &str) {
        let first = &after.first;
        let (from, to) = (before.state.name(), after.state.name());
        self.hold(
            from == to || to == "Erasing" || EDGES.contains(&(from.to_owned(), to.to_owned())),
            Invariant::OnlyDocumentedChangesOfState,
            || format!("{first}: {from} to {to} by {what}"),
        );
        self.hold(
            (after.state.is_terminal() && after.first_question.is_none())
                || after.attention_at().is_some(),
            Invariant::NonTerminalStatesCarryAttention,
            || format!("{first}: {to} after {what}"),
        );
        let begins = matches!(what, "AuthorizationStarted" | "SubmissionStarted");
        self.hold(
            !begins || after.revoked.is_none(),
            Invariant::NothingUnapprovedIsSubmitted,
            || format!("{first}: {what} although the first verification has turned negative"),
        );
        self.hold(
            before.client_id.is_none()
                || before.client_id == after.client_id
                || matches!(what, "SessionOpened" | "ErasureStarted"),
            Invariant::TheClientStaysTheSame,
            || format!("{first}: another client by {what}"),
        );
        if what == "SubmissionStarted"
            && let Some(plan) = after.state.plan()
        {
            let known = before
                .uploads
                .iter()
                .find(|upload| upload.fingerprint == plan.fingerprint);
            let is_outdated = known
                .and_then(|upload| upload.finished_at)
                .is_some_and(|finished_at| self.evidence().has_newer_upload(first, finished_at));
            self.hold(
                before.is_newest(plan) && !is_outdated,
                Invariant::NoOlderUploadIsSubmitted,
                || format!("{first}: a newer upload than the one that is posted is known"),
            );
        }
        let is_held = before.state.lease_until().is_some_and(|until| {
            until.milliseconds() > self.timeline.milliseconds() + 2 * CLOCK_SKEW
        });
        let takes_lease = matches!(
            what,
            "CaptureTaken" | "CaptureTakenOver" | "AuthorizationStarted" | "SubmissionStarted"
        );
        self.hold(
            !(is_held && takes_lease && from == to),
            Invariant::LeasesAreRespected,
            || format!("{first}: {what} although somebody holds the lease of {from}"),
        );
        let mut tracks = self.lock();
        let track = tracks.entry(first.clone()).or_default();
        track.log.push(Stood {
            step: self.timeline.steps(),
            state: to,
            is_revoked: after.revoked.is_some(),
            is_unconfirmed: after.is_waiting_for_confirmation(),
        });
        let mut is_too_early = false;
        match what {
            "AuthorizationStarted" => {
                track.begun += 1;
                track.attempts += 1;
                is_too_early = track.awaits_result;
                let planned = after
                    .state
                    .plan()
                    .and_then(|plan| after.planned_documents(plan))
                    .unwrap_or_default();
                let files = planned
                    .into_iter()
                    .map(|document| document.sha256)
                    .collect();
                if track.files != files {
                    track.files = files;
                    track.are_accepted = false;
                }
            }
            "AuthorizationFailed" => {
                track.certainly_failed += 1;
                track.attempts -= 1;
            }
            "RetryRequested" => {
                track.attempts = after.attempts;
                track.are_accepted = false;
                track.awaits_result = false;
            }
            // Judged anew because a person asked for it.
            "Reopened" if track.is_taken_up => track.are_accepted = false,
            "SecondResult" | "SecondExpired" | "SecondResultUnclear" | "GivenUp" => {
                track.awaits_result = false
            }
            _ => {}
        }
        self.hold(!is_too_early, Invariant::OneAcceptedSubmission, || {
            format!("{first}: another Token 2 is begun while the provider has the documents")
        });
        track.heard.extend(after.heard.iter().cloned());
        track.is_approved = after.state.verdict() == Some(Verdict::Approved);
        self.hold(
            track.attempts <= MAXIMUM_ATTEMPTS,
            Invariant::AttemptsAreCapped,
            || format!("{first}: {} attempts", track.attempts),
        );
        if let Some(second) = &after.second {
            track
                .seconds
                .entry(second.scan_ref.clone())
                .or_insert(self.timeline.steps());
        }
    }

    fn announcement(&self, before: &Pairing, after: &Pairing, write: &PairingWrite) {
        let expected = if after.revoked.is_some() && after.revoked != before.revoked {
            Some(Outcome::DualVerificationRevoked)
        } else if before.revoked.is_some()
            && after.revoked.is_none()
            && !matches!(after.state, State::Declined { .. } | State::Erasing { .. })
        {
            Some(Outcome::DualVerificationReinstated)
        } else if before.state == after.state || is_brought_back(before, after) {
            None
        } else {
            match after.state {
                State::Settled { .. } => Some(Outcome::DualVerificationSettled),
                State::Declined { .. } => Some(Outcome::DualVerificationDeclined),
                State::Expired => Some(Outcome::DualVerificationExpired),
                State::Parked { .. } => Some(Outcome::DualVerificationParked),
                _ => None,
            }
        };
        let announced = write
            .announcement
            .as_ref()
            .map(|announcement| announcement.outcome);
        self.hold(
            announced == expected,
            Invariant::EveryOutcomeIsAnnouncedOnce,
            || {
                format!(
                    "{}: {expected:?} is due by {}, {announced:?} is announced",
                    after.first, write.history.what
                )
            },
        );
        if let Some(announcement) = &write.announcement {
            let key = (announcement.outcome, announcement.detail.occurred_at);
            let is_new = self
                .lock()
                .entry(after.first.clone())
                .or_default()
                .announced
                .insert(key);
            self.hold(is_new, Invariant::EveryOutcomeIsAnnouncedOnce, || {
                format!("{}: {key:?} is announced twice under one key", after.first)
            });
        }
    }

    /// Nothing of the pairing is stored any more.
    pub fn forgotten(&self, first: &ScanRef) {
        self.timeline.trace(|| format!("{first} is forgotten"));
        self.timeline.count("customer forgotten");
        let stood = Stood {
            step: self.timeline.steps(),
            state: GONE,
            is_revoked: false,
            is_unconfirmed: false,
        };
        self.lock()
            .entry(first.clone())
            .or_default()
            .log
            .push(stood);
    }

    /// Whether the pairing stood as `such` says at `since` or later.
    /// `None`: there was none.
    fn has_stood(&self, first: &ScanRef, since: u64, such: impl Fn(Option<Stood>) -> bool) -> bool {
        let tracks = self.lock();
        let log = tracks.get(first).map_or(&[][..], |track| &track.log);
        let later = log
            .iter()
            .position(|stood| stood.step >= since)
            .unwrap_or(log.len());
        let at_first = later.checked_sub(1).map(|index| log[index]);
        such(at_first) || log[later..].iter().any(|stood| such(Some(*stood)))
    }

    pub fn token_created(&self, first: &ScanRef) {
        let mut tracks = self.lock();
        let track = tracks.entry(first.clone()).or_default();
        track.tokens += 1;
        let (tokens, attempts) = (track.tokens, track.begun - track.certainly_failed);
        drop(tracks);
        self.hold(tokens <= attempts, Invariant::OneTokenPerAttempt, || {
            format!("{first}: {tokens} Token 2s for {attempts} attempts")
        });
    }

    /// The provider has come to a final result.
    pub fn decided(&self, scan_ref: &ScanRef, decision: Decision) -> DecisionNumber {
        self.evidence().decided(scan_ref, decision)
    }

    /// The provider has begun to tell the world about a result.
    pub fn result_sent(
        &self,
        content: &CallbackContent,
        result: &ProviderResult,
        decided: Option<DecisionNumber>,
    ) {
        if let Some(number) = decided {
            self.evidence().sent(content, number);
        }
        let mut tracks = self.lock();
        let track = tracks.entry(content.scan_ref.clone()).or_default();
        track.has_qualified |= result.qualifies();
        track.may_qualify |= result.may_qualify();
    }

    /// A result was forged with a stolen signing key.
    pub fn forged(&self, first: &ScanRef, content: &CallbackContent) {
        self.evidence().forged(content);
        self.misleads(first);
    }

    /// Of this verification, not every body may be believed.
    pub fn misleads(&self, first: &ScanRef) {
        self.evidence().mislead(first);
    }

    /// Returns the upload's number.
    pub fn uploaded(&self, first: &ScanRef, files: BTreeSet<Digest256>) -> usize {
        let mut tracks = self.lock();
        let uploads = &mut tracks.entry(first.clone()).or_default().uploads;
        uploads.push(files);
        uploads.len() - 1
    }

    /// A body names the files of the upload of this number.
    pub fn named(&self, content: &CallbackContent, number: usize) {
        let mut tracks = self.lock();
        let track = tracks.entry(content.scan_ref.clone()).or_default();
        track
            .fingerprints
            .entry(content.upload().fingerprint)
            .or_insert(number);
    }

    pub fn status_said(&self, scan_ref: &ScanRef, status: &Status) {
        self.evidence()
            .status_said(scan_ref, status, self.timeline.milliseconds());
    }

    /// A person has changed the policy and asks to judge again.
    pub fn taken_up(&self, first: &ScanRef) {
        self.lock().entry(first.clone()).or_default().is_taken_up = true;
    }

    /// The provider has accepted documents.
    pub fn submitted(
        &self,
        first: &ScanRef,
        second: &ScanRef,
        plan: &Plan,
        documents: &[StoredDocument],
    ) {
        let files: BTreeSet<Digest256> = documents
            .iter()
            .map(|document| document.sha256.clone())
            .collect();
        // A forged body may claim any step verdict. The provider can confirm only the approval.
        let is_forged_approval = {
            let evidence = self.evidence();
            evidence.is_misleading(first) && evidence.was_ever(first, Overall::Approved)
        };
        let mut tracks = self.lock();
        let track = tracks.entry(first.clone()).or_default();
        let is_repeated = track.is_approved || std::mem::replace(&mut track.are_accepted, true);
        track.awaits_result = true;
        // Or of a newer one, which is what `/files` answers with.
        let planned = track
            .fingerprints
            .get(&plan.fingerprint)
            .copied()
            .unwrap_or(0);
        let is_of_one_upload = track
            .uploads
            .iter()
            .skip(planned)
            .any(|upload| files.is_subset(upload));
        let has_qualified =
            track.has_qualified || (track.is_taken_up && track.may_qualify) || is_forged_approval;
        drop(tracks);
        self.hold(!is_repeated, Invariant::OneAcceptedSubmission, || {
            format!("{first}: documents are accepted again, with {second}")
        });
        let are_planned = documents
            .iter()
            .all(|document| document.upload == plan.upload);
        self.hold(
            is_of_one_upload && are_planned,
            Invariant::NoSubmissionMixesUploads,
            || format!("{first}: {documents:?} are not from one upload"),
        );
        let are_prepared_of_their_own = documents.iter().all(|document| {
            let prepared = document.prepared.as_ref();
            prepared.is_none_or(|prepared| *prepared == upright(document))
        });
        self.hold(
            are_prepared_of_their_own,
            Invariant::NoSubmissionMixesUploads,
            || format!("{first}: a copy is made of another file"),
        );
        self.hold(
            has_qualified,
            Invariant::NothingUnapprovedIsSubmitted,
            || format!("{first}: no result ever qualified"),
        );
        let planned: Vec<_> = plan
            .documents
            .iter()
            .map(|planned| (&planned.step, planned.side))
            .collect();
        let sent: Vec<_> = documents
            .iter()
            .map(|document| (&document.step, document.side))
            .collect();
        let is_second_document = sent
            .iter()
            .all(|(step, _)| step.as_str().starts_with("SECOND_DOC"));
        self.hold(
            planned == sent && is_second_document,
            Invariant::OnlyPlannedDocumentsAreSubmitted,
            || format!("{first}: {planned:?} planned, {sent:?} sent"),
        );
    }

    /// A file is in the bucket, or was found there.
    pub fn captured(
        &self,
        first: &ScanRef,
        before: Option<&StoredDocument>,
        after: Option<&StoredDocument>,
    ) {
        self.hold(
            before.is_none() || before == after,
            Invariant::StoredFilesStayAsTheyAre,
            || format!("{first}: {before:?} was stored, {after:?} is"),
        );
    }

    /// The provider got its 200.
    pub fn answered(&self, content: &CallbackContent, accepted: &Accepted, since: u64) {
        let known_as = self.pairing_of(content);
        let of_token_2 = content
            .external_ref
            .as_deref()
            .and_then(SecondReference::parse)
            .is_some();
        let erased = |first: &ScanRef| {
            self.has_stood(first, since, |stood| {
                stood.is_some_and(|stood| stood.state == GONE || stood.state == "Erasing")
            })
        };
        if erased(&known_as) {
            return;
        }
        let scan_ref = &content.scan_ref;
        self.hold(
            self.world.has_archived(scan_ref, &content.digest),
            Invariant::AnsweredMeansKnown,
            || format!("{scan_ref}: not archived"),
        );
        if self.evidence().is_forged(&content.digest) {
            return;
        }
        self.evidence().acknowledged(content);
        let Some(overall) = content.overall else {
            return;
        };
        let is_result = content.is_final == Some(true)
            && matches!(
                overall,
                Overall::Approved | Overall::Denied | Overall::Suspected
            );
        if !is_result {
            return;
        }
        let has_had_effect = self
            .lock()
            .get(&known_as)
            .is_some_and(|track| track.heard.contains(&UploadId::of(&content.digest)));
        let is_older = *accepted == Accepted::Ignored("OlderUpload");
        let known = if has_had_effect || is_older {
            true
        } else if of_token_2 {
            let was_stored = self
                .lock()
                .get(&known_as)
                .and_then(|track| track.seconds.get(scan_ref))
                .is_some_and(|step| *step < since);
            // The result of a superseded token is not waited for, and a decline stands.
            let is_current = self
                .world
                .stored(&known_as)
                .and_then(|pairing| pairing.second)
                .is_some_and(|second| second.scan_ref == *scan_ref);
            // Nor is one of replaced documents.
            let is_told = |pairing: Pairing| {
                let second = pairing.second.as_ref();
                let of_other_documents =
                    |plan: &Plan| second.is_some_and(|second| second.upload != plan.upload);
                second.and_then(|second| second.overall) == Some(overall)
                    || pairing.state.plan().is_some_and(of_other_documents)
            };
            let is_told = self.world.stored(&known_as).is_some_and(is_told);
            !was_stored
                || !is_current
                || is_told
                || self.has_stood(&known_as, since, |stood| {
                    is_in(stood, &["Settled", "Declined"])
                })
        } else if overall == Overall::Approved {
            self.has_stood(&known_as, since, |stood| {
                stood.is_some_and(|stood| !["AwaitingCallback", "Expired"].contains(&stood.state))
            })
        } else {
            self.has_stood(&known_as, since, |stood| {
                stood.is_some_and(|stood| stood.state == "Declined" || stood.is_revoked)
            })
        };
        self.hold(known, Invariant::AnsweredMeansKnown, || {
            format!("{scan_ref}: {overall} was answered 200 as {accepted:?}, and the pairing does not know")
        });
    }

    /// An invocation with this callback is over, however it ended.
    /// One that began before the erasure may archive its body after the files were removed.
    /// That body goes with the bucket's lifecycle.
    pub fn callback_ended(&self, content: &CallbackContent, since: u64) {
        let first = self.pairing_of(content);
        let is_erased = |stood: Option<Stood>| is_in(stood, &[GONE, "Erasing"]);
        if self.has_stood(&first, since, is_erased)
            && self.has_stood(&first, since, |stood| !is_erased(stood))
        {
            self.timeline.count("callback overtaken by an erasure");
            self.lock()
                .entry(first)
                .or_default()
                .overtaken_by_erasure
                .insert(content.digest.clone());
        }
    }

    fn pairing_of(&self, content: &CallbackContent) -> ScanRef {
        let reference = content
            .external_ref
            .as_deref()
            .and_then(SecondReference::parse);
        reference
            .and_then(|reference| reference.first())
            .unwrap_or_else(|| content.scan_ref.clone())
    }

    /// A message was deleted from the queue.
    pub fn acknowledged(&self, first: &ScanRef, since: u64) {
        const AT_WORK: [&str; 5] = [
            "Capturing",
            "Captured",
            "Authorizing",
            "Authorized",
            "Submitting",
        ];
        let had_nothing_to_do = self.has_stood(first, since, |stood| {
            stood.is_none_or(|stood| !AT_WORK.contains(&stood.state) || stood.is_unconfirmed)
        });
        self.hold(
            had_nothing_to_do,
            Invariant::AcknowledgedMeansFinished,
            || format!("{first}: the message is deleted while there is work to do"),
        );
    }

    /// Nothing is on the agenda any more.
    pub fn at_the_end(&self) {
        self.world.for_each_pairing(|pairing| {
            self.hold(pairing.is_at_rest(), Invariant::EverythingEnds, || {
                format!("{} is left in {}", pairing.first, pairing.state.name())
            });
            if self.confirms && !matches!(pairing.state, State::Erasing { .. }) {
                self.newest_results(pairing);
            }
        });
        let archived = self.world.archived();
        let objects = self.world.object_keys();
        for (first, track) in self.lock().iter() {
            if track.log.last().is_none_or(|stood| stood.state != GONE) {
                continue;
            }
            let left: Vec<&String> = objects
                .iter()
                .filter(|key| key.split('/').nth(1) == Some(first.as_str()))
                .collect();
            let names = std::iter::once(first).chain(track.seconds.keys());
            let kept: Vec<&String> = names
                .flat_map(|name| {
                    archived
                        .iter()
                        .filter(move |key| key.split('/').next() == Some(name.as_str()))
                })
                .filter(|key| {
                    !track
                        .overtaken_by_erasure
                        .iter()
                        .any(|digest| key.ends_with(digest.as_str()))
                })
                .collect();
            self.hold(
                left.is_empty() && kept.is_empty() && self.world.stored(first).is_none(),
                Invariant::ErasedMeansGone,
                || format!("{first}: {left:?} and {kept:?} are left"),
            );
        }
    }

    fn newest_results(&self, pairing: &Pairing) {
        let (first, evidence) = (&pairing.first, self.evidence());
        let standing = evidence.standing(first);
        let is_positive = |decision: &Decision| decision.is_positive;
        let is_turned_down = pairing.revoked.is_some()
            || matches!(
                pairing.state,
                State::Declined {
                    reason: DeclineReason::FirstDenied | DeclineReason::FirstSuspected
                }
            );
        let is_for_a_person =
            pairing.state.reason() == Some(ParkReason::ResultUnconfirmed.as_str());
        let is_right = if is_for_a_person {
            true
        } else if is_turned_down {
            // It reversed nothing, so a forged denial is believed until the true result comes.
            standing.is_empty()
                || !standing.iter().all(is_positive)
                || evidence.is_misleading(first)
        } else if matches!(pairing.state, State::Settled { .. }) {
            // A forged body may claim a step verdict, which the status does not contain.
            let is_confirmable = |decision: &Decision| {
                evidence.is_misleading(first) && decision.overall == Overall::Approved
            };
            standing.is_empty()
                || standing
                    .iter()
                    .any(|decision| is_positive(decision) || is_confirmable(decision))
        } else {
            true
        };
        self.hold(is_right, Invariant::TheNewestResultStands, || {
            format!(
                "{first}: the first verification is {standing:?}, and the pairing {}",
                describe(pairing)
            )
        });
        if let (State::Settled { .. }, Some(second)) = (&pairing.state, &pairing.second) {
            let standing = evidence.standing(&second.scan_ref);
            let is_right = standing
                .iter()
                .any(|decision| Some(decision.overall) == second.overall);
            self.hold(is_right, Invariant::TheNewestResultStands, || {
                format!(
                    "{first}: {} is {standing:?}, and the pairing has {:?}",
                    second.scan_ref, second.overall
                )
            });
        }
    }
}

/// Whether an equal newer upload has restored the earlier outcome, which was announced then.
fn is_brought_back(before: &Pairing, after: &Pairing) -> bool {
    let State::Capturing {
        displaced: Some(displaced),
        ..
    } = &before.state
    else {
        return false;
    };
    after.state.verdict().is_some() && displaced.verdict() == after.state.verdict()
}

fn is_in(stood: Option<Stood>, states: &[&str]) -> bool {
    stood.is_some_and(|stood| states.contains(&stood.state))
}

pub fn describe(pairing: &Pairing) -> String {
    let reason = pairing
        .state
        .reason()
        .map(|reason| format!("({reason})"))
        .unwrap_or_default();
    let revoked = if pairing.revoked.is_some() {
        " revoked"
    } else {
        ""
    };
    format!("{}{reason}{revoked}", pairing.state.name())
}
