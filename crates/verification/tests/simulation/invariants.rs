//! What must hold at every step, whatever happens. Each check sees what is really stored and what the provider really has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use verification::announcement::Outcome;
use verification::document::{Plan, StoredDocument};
use verification::identifiers::{Digest256, ScanRef, SecondReference};
use verification::ports::{PairingWrite, Saved};
use verification::result::{CallbackFacts, Overall};
use verification::testing::memory::World;
use verification::transition::MAXIMUM_ATTEMPTS;
use verification::{Accepted, Pairing, State, Timestamp};

use super::coverage::documented_edges;
use super::customer::ProviderResult;
use super::timeline::{CLOCK_SKEW, Timeline};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// A callback that was answered 200 is archived, and its pairing knows what it says.
    AnsweredMeansKnown,
    /// The provider accepts at most one submission for a pairing, unless a person asks for another.
    OneAcceptedSubmission,
    /// No Token 2 is created that no attempt was written down for.
    OneTokenPerAttempt,
    AttemptsAreCapped,
    /// Only after a final, approved result with a valid step.
    NothingUnapprovedIsSubmitted,
    /// The planned steps' files, as they were stored, and nothing of the first document.
    OnlyPlannedDocumentsAreSubmitted,
    NonTerminalStatesCarryAttention,
    VersionsGrowByOne,
    LeasesAreRespected,
    StoredFilesStayAsTheyAre,
    OnlyDocumentedChangesOfState,
    EveryOutcomeIsAnnouncedOnce,
    /// A message is deleted only when there was nothing left to do for it.
    AcknowledgedMeansFinished,
    /// Once nothing goes wrong any more, every pairing comes to an end.
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
    /// Every state that was stored, with the step in which it was.
    log: Vec<Stood>,
    /// Token 2s that the store knew, with the step from which on.
    seconds: BTreeMap<ScanRef, u64>,
    begun: u32,
    certainly_failed: u32,
    /// Attempts since a person last took the pairing up again.
    attempts: u32,
    tokens: u32,
    submissions: u32,
    /// How many submissions people have asked for by taking a pairing up again that had one already.
    submissions_asked_for: u32,
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
}

pub const GONE: &str = "gone";

static EDGES: LazyLock<BTreeSet<(String, String)>> = LazyLock::new(documented_edges);

pub struct Checks {
    timeline: Arc<Timeline>,
    world: Arc<World>,
    tracks: Mutex<BTreeMap<ScanRef, Track>>,
}

impl Checks {
    pub fn new(timeline: Arc<Timeline>, world: Arc<World>) -> Self {
        Self {
            timeline,
            world,
            tracks: Mutex::default(),
        }
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
    pub fn saved(&self, before: Option<&Pairing>, write: &PairingWrite, after: Option<&Pairing>, saved: Saved) {
        let first = &write.pairing.first;
        let stored_version = before.map_or(0, |before| before.version);
        if saved == Saved::Lost {
            self.timeline.count("a write that lost its race");
            self.timeline.trace(|| format!("lost: {first} {}", write.history.what));
            return;
        }
        let Some(after) = after else {
            return self
                .timeline
                .violate(Invariant::VersionsGrowByOne, format!("{first}: won, and not there"));
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
        self.timeline
            .trace(|| format!("{first} {} -> {} [{what}] v{}", before.state.name(), describe(after), after.version));
        self.timeline.with_coverage(|coverage| coverage.change(after.state.name(), what));
        self.change(before, after, what);
        self.announcement(before, after, write);
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
            after.state.is_terminal() || after.attention_at().is_some(),
            Invariant::NonTerminalStatesCarryAttention,
            || format!("{first}: {to} after {what}"),
        );
        let begins = matches!(what, "AuthorizationStarted" | "SubmissionStarted");
        self.hold(!begins || after.revoked.is_none(), Invariant::NothingUnapprovedIsSubmitted, || {
            format!("{first}: {what} although the first verification has turned negative")
        });
        let is_held = before
            .state
            .lease_until()
            .is_some_and(|until| until.milliseconds() > self.timeline.milliseconds() + 2 * CLOCK_SKEW);
        let takes_lease = matches!(
            what,
            "CaptureTaken" | "CaptureTakenOver" | "AuthorizationStarted" | "SubmissionStarted"
        );
        self.hold(!(is_held && takes_lease && from == to), Invariant::LeasesAreRespected, || {
            format!("{first}: {what} although somebody holds the lease of {from}")
        });
        let mut tracks = self.lock();
        let track = tracks.entry(first.clone()).or_default();
        track.log.push(Stood {
            step: self.timeline.steps(),
            state: to,
            is_revoked: after.revoked.is_some(),
        });
        match what {
            "AuthorizationStarted" => {
                track.begun += 1;
                track.attempts += 1;
            }
            "AuthorizationFailed" => {
                track.certainly_failed += 1;
                track.attempts -= 1;
            }
            "RetryRequested" => {
                track.attempts = 0;
                track.submissions_asked_for = track.submissions;
            }
            _ => {}
        }
        self.hold(track.attempts <= MAXIMUM_ATTEMPTS, Invariant::AttemptsAreCapped, || {
            format!("{first}: {} attempts", track.attempts)
        });
        if let Some(second) = &after.second {
            track.seconds.entry(second.scan_ref.clone()).or_insert(self.timeline.steps());
        }
    }

    fn announcement(&self, before: &Pairing, after: &Pairing, write: &PairingWrite) {
        let expected = if after.revoked.is_some() && after.revoked != before.revoked {
            Some(Outcome::DualVerificationRevoked)
        } else if before.state == after.state {
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
        let announced = write.announcement.as_ref().map(|announcement| announcement.outcome);
        self.hold(announced == expected, Invariant::EveryOutcomeIsAnnouncedOnce, || {
            format!(
                "{}: {expected:?} is due by {}, {announced:?} is announced",
                after.first, write.history.what
            )
        });
        if let Some(announcement) = &write.announcement {
            let key = (announcement.outcome, announcement.detail.occurred_at);
            let is_new = self.lock().entry(after.first.clone()).or_default().announced.insert(key);
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
        };
        self.lock().entry(first.clone()).or_default().log.push(stood);
    }

    /// Whether at `since` or at any later step the pairing stood as `such` says; `None`: there was none.
    fn has_stood(&self, first: &ScanRef, since: u64, such: impl Fn(Option<Stood>) -> bool) -> bool {
        let tracks = self.lock();
        let log = tracks.get(first).map_or(&[][..], |track| &track.log);
        let later = log.iter().position(|stood| stood.step >= since).unwrap_or(log.len());
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

    /// The provider has begun to tell the world about a result.
    pub fn result_sent(&self, scan_ref: &ScanRef, result: &ProviderResult) {
        let mut tracks = self.lock();
        let track = tracks.entry(scan_ref.clone()).or_default();
        track.has_qualified |= result.qualifies();
        track.may_qualify |= result.may_qualify();
    }

    /// A person has changed the policy and asks to judge again.
    pub fn taken_up(&self, first: &ScanRef) {
        self.lock().entry(first.clone()).or_default().is_taken_up = true;
    }

    /// The provider has accepted documents.
    pub fn submitted(&self, first: &ScanRef, plan: &Plan, documents: &[StoredDocument]) {
        let mut tracks = self.lock();
        let track = tracks.entry(first.clone()).or_default();
        track.submissions += 1;
        let (submissions, asked_for, has_qualified) = (
            track.submissions,
            track.submissions_asked_for,
            track.has_qualified || (track.is_taken_up && track.may_qualify),
        );
        drop(tracks);
        self.hold(submissions <= 1 + asked_for, Invariant::OneAcceptedSubmission, || {
            format!("{first}: {submissions} submissions accepted, {asked_for} of them again because a person asked")
        });
        self.hold(has_qualified, Invariant::NothingUnapprovedIsSubmitted, || {
            format!("{first}: no result ever qualified")
        });
        let planned: Vec<_> = plan.documents.iter().map(|planned| (&planned.step, planned.side)).collect();
        let sent: Vec<_> = documents.iter().map(|document| (&document.step, document.side)).collect();
        let is_second_document = sent.iter().all(|(step, _)| step.as_str().starts_with("SECOND_DOC"));
        self.hold(
            planned == sent && is_second_document,
            Invariant::OnlyPlannedDocumentsAreSubmitted,
            || format!("{first}: {planned:?} planned, {sent:?} sent"),
        );
    }

    /// A file is in the bucket, or was found there.
    pub fn captured(&self, first: &ScanRef, before: Option<&StoredDocument>, after: Option<&StoredDocument>) {
        self.hold(before.is_none() || before == after, Invariant::StoredFilesStayAsTheyAre, || {
            format!("{first}: {before:?} was stored, {after:?} is")
        });
    }

    /// The provider got its 200.
    pub fn answered(&self, facts: &CallbackFacts, accepted: &Accepted, since: u64) {
        let known_as = self.pairing_of(facts);
        let of_token_2 = facts.external_ref.as_deref().and_then(SecondReference::parse).is_some();
        let erased = |first: &ScanRef| {
            self.has_stood(first, since, |stood| {
                stood.is_some_and(|stood| stood.state == GONE || stood.state == "Erasing")
            })
        };
        if erased(&known_as) {
            return;
        }
        let scan_ref = &facts.scan_ref;
        self.hold(
            self.world.has_archived(scan_ref, &facts.digest),
            Invariant::AnsweredMeansKnown,
            || format!("{scan_ref}: not archived"),
        );
        let Some(overall) = facts.overall else { return };
        let is_result = facts.is_final == Some(true) && matches!(overall, Overall::Approved | Overall::Denied | Overall::Suspected);
        if !is_result {
            return;
        }
        let known = if of_token_2 {
            let was_stored = self
                .lock()
                .get(&known_as)
                .and_then(|track| track.seconds.get(scan_ref))
                .is_some_and(|step| *step < since);
            // Nobody can wait for the result of a token that was superseded, and declined is declined.
            let is_current = self
                .world
                .stored(&known_as)
                .and_then(|pairing| pairing.second)
                .is_some_and(|second| second.scan_ref == *scan_ref);
            !was_stored || !is_current || self.has_stood(&known_as, since, |stood| is_in(stood, &["Settled", "Declined"]))
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

    /// An invocation with this callback is over, however it ended. One that was there before the erasure began may archive its body after
    /// the files were removed; that body goes with the bucket's lifecycle.
    pub fn callback_ended(&self, facts: &CallbackFacts, since: u64) {
        let first = self.pairing_of(facts);
        let is_erased = |stood: Option<Stood>| is_in(stood, &[GONE, "Erasing"]);
        if self.has_stood(&first, since, is_erased) && self.has_stood(&first, since, |stood| !is_erased(stood)) {
            self.timeline.count("callback overtaken by an erasure");
            self.lock()
                .entry(first)
                .or_default()
                .overtaken_by_erasure
                .insert(facts.digest.clone());
        }
    }

    fn pairing_of(&self, facts: &CallbackFacts) -> ScanRef {
        let reference = facts.external_ref.as_deref().and_then(SecondReference::parse);
        reference
            .and_then(|reference| reference.first())
            .unwrap_or_else(|| facts.scan_ref.clone())
    }

    /// A message was deleted from the queue.
    pub fn acknowledged(&self, first: &ScanRef, since: u64) {
        const AT_WORK: [&str; 5] = ["Capturing", "Captured", "Authorizing", "Authorized", "Submitting"];
        let had_nothing_to_do = self.has_stood(first, since, |stood| stood.is_none_or(|stood| !AT_WORK.contains(&stood.state)));
        self.hold(had_nothing_to_do, Invariant::AcknowledgedMeansFinished, || {
            format!("{first}: the message is deleted while there is work to do")
        });
    }

    /// Nothing is on the agenda any more.
    pub fn at_the_end(&self) {
        self.world.for_each_pairing(|pairing| {
            self.hold(pairing.state.is_terminal(), Invariant::EverythingEnds, || {
                format!("{} is left in {}", pairing.first, pairing.state.name())
            });
        });
        let archived = self.world.archived();
        let objects = self.world.object_keys();
        for (first, track) in self.lock().iter() {
            if track.log.last().is_none_or(|stood| stood.state != GONE) {
                continue;
            }
            let left: Vec<&String> = objects.iter().filter(|key| key.split('/').nth(1) == Some(first.as_str())).collect();
            let names = std::iter::once(first).chain(track.seconds.keys());
            let kept: Vec<&String> = names
                .flat_map(|name| archived.iter().filter(move |key| key.split('/').next() == Some(name.as_str())))
                .filter(|key| !track.overtaken_by_erasure.iter().any(|digest| key.ends_with(digest.as_str())))
                .collect();
            self.hold(
                left.is_empty() && kept.is_empty() && self.world.stored(first).is_none(),
                Invariant::ErasedMeansGone,
                || format!("{first}: {left:?} and {kept:?} are left"),
            );
        }
    }
}

fn is_in(stood: Option<Stood>, states: &[&str]) -> bool {
    stood.is_some_and(|stood| states.contains(&stood.state))
}

fn describe(pairing: &Pairing) -> String {
    let reason = pairing.state.reason().map(|reason| format!("({reason})")).unwrap_or_default();
    let revoked = if pairing.revoked.is_some() { " revoked" } else { "" };
    format!("{}{reason}{revoked}", pairing.state.name())
}
