//! The flow as a model: each possible next action, and the promises that must hold.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use sha2::{Digest, Sha256};
use verification::document::{FileType, Plan, StoredDocument};
use verification::identifiers::{Digest256, ScanRef};
use verification::policy::{ComparisonPolicy, Judgement};
use verification::reason::{DeclineReason, ParkReason};
use verification::result::{Overall, Status, StepLinks};
use verification::secret::AuthToken;
use verification::transition::{
    Change, Confirmed, Effect, Event, FirstResult, MAXIMUM_ATTEMPTS, Transition, apply,
};
use verification::upload::Upload;
use verification::{Pairing, State};

use super::clock::{NOW, held, lapsed, later, lease, simplified};
use super::explore::Model;
use super::world::{Decision, Provider, Stage, Token, body, first_result, scan_ref, second_result};

/// Two processors, and a webhook that copies files.
const WORKERS: usize = 3;
const WEBHOOK: usize = 2;

pub struct Flow {
    script: Vec<Decision>,
    /// How many processors there are, at most two.
    processors: usize,
    /// How many Token 2s may be begun, at most three.
    attempts: u32,
    /// What each decision's body is to the state machine.
    bodies: Vec<Event>,
}

impl Flow {
    pub fn of(script: &[Decision], processors: usize, attempts: u32) -> Self {
        // Another script's bodies have the same names.
        APPLIED.with_borrow_mut(HashMap::clear);
        let event = |(number, decision): (usize, &Decision)| {
            first_result(&body(number, *decision), lease(WEBHOOK))
        };
        Self {
            script: script.to_vec(),
            processors,
            attempts,
            bodies: script.iter().enumerate().map(event).collect(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pairing: Rc<Pairing>,
    /// Tells the pairing from every other.
    key: u128,
    provider: Provider,
    workers: [Worker; WORKERS],
}

/// What a worker is in the middle of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Worker {
    Idle,
    Copying(Rc<Plan>),
    /// It was told this, and has not acted on it yet.
    Told {
        about: About,
        said: Overall,
    },
    Creating,
    /// `is_in_doubt`: an earlier post may have been accepted.
    Posting {
        token: usize,
        upload: i64,
        is_in_doubt: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// The first verification, before a token is spent.
    Spending,
    First,
    Second(usize),
    /// What became of the documents that were posted with it.
    Evidence(usize),
}

#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "printed as the way to a broken promise")]
pub enum Action {
    LeasesEnd,
    ElevenMinutesGoBy,
    ProviderDecides,
    BodyArrives(usize),
    TokenExpires(usize),
    SecondIsDecided(usize, Overall),
    SecondBodyArrives(usize),
    Looks {
        worker: usize,
        lags: bool,
    },
    Acts(usize),
    CopiesAll(usize),
    CopiesOne(usize),
    /// The provider executes the call. Its answer arrives or is lost.
    IsDone {
        worker: usize,
        is_heard: bool,
    },
    IsNotDone(usize),
    Ends(usize),
}

type Step = Result<World, String>;

impl Model for Flow {
    type State = World;
    type Action = Action;

    fn initial(&self) -> Vec<World> {
        let mut pairing = Pairing::opened(
            "first".parse().unwrap(),
            Some("client".parse().unwrap()),
            NOW,
            NOW,
        );
        pairing.attempts = MAXIMUM_ATTEMPTS - self.attempts;
        let provider = Provider {
            decided: 0,
            lags: false,
            delivered: vec![false; self.script.len()],
            tokens: Vec::new(),
        };
        let pairing = simplified(pairing);
        vec![World {
            key: key_of(&pairing),
            pairing: Rc::new(pairing),
            provider,
            workers: [Worker::Idle, Worker::Idle, Worker::Idle],
        }]
    }

    fn key(&self, state: &World) -> u128 {
        let mut numbers: [u128; WORKERS] =
            std::array::from_fn(|worker| state.workers[worker].number());
        // The two processors are interchangeable, unless one of them holds the lease.
        if state.pairing.state.lease_until().is_none() && numbers[0] > numbers[1] {
            numbers.swap(0, 1);
        }
        let mut halves = [0, 0];
        for (salt, half) in halves.iter_mut().enumerate() {
            let mut hasher = DefaultHasher::new();
            (salt, state.key, &state.provider, numbers).hash(&mut hasher);
            *half = u128::from(hasher.finish());
        }
        (halves[0] << 64) | halves[1]
    }

    fn steps(&self, state: &World) -> Vec<(Action, Step)> {
        let mut steps = Vec::new();
        let mut step = |action, next: Step| steps.push((action, next));
        if state
            .pairing
            .state
            .lease_until()
            .is_some_and(|lease_until| lease_until > NOW)
        {
            step(Action::LeasesEnd, Ok(state.aged(LEASES_END, lapsed)));
        }
        step(Action::ElevenMinutesGoBy, Ok(state.eleven_minutes_later()));
        if state.provider.decided < self.script.len() {
            let mut next = state.clone();
            next.provider.decided += 1;
            next.provider.lags = next.provider.decided > 1;
            step(Action::ProviderDecides, Ok(next));
        }
        for number in 0..state.provider.decided {
            step(
                Action::BodyArrives(number),
                state.body_arrives(number, &self.bodies[number]),
            );
        }
        for (number, token) in state.provider.tokens.iter().enumerate() {
            match token.stage {
                Stage::Active => step(
                    Action::TokenExpires(number),
                    Ok(state.token_becomes(number, Stage::Expired)),
                ),
                Stage::Accepted => {
                    for overall in [Overall::Approved, Overall::Denied] {
                        let next = state.token_becomes(number, Stage::Decided(overall));
                        step(Action::SecondIsDecided(number, overall), Ok(next));
                    }
                }
                Stage::Expired | Stage::Decided(_) => {
                    let event = second_result(number, token.stage.status());
                    step(
                        Action::SecondBodyArrives(number),
                        state.applied(&event).map(|(next, _)| next),
                    );
                }
            }
        }
        for worker in (0..self.processors).chain([WEBHOOK]) {
            self.worker_steps(state, worker, &mut step);
        }
        steps
    }

    fn check(&self, state: &World) -> Result<(), String> {
        let accepted: Vec<i64> = state
            .provider
            .tokens
            .iter()
            .filter_map(|token| token.accepted)
            .collect();
        for upload in &accepted {
            if accepted.iter().filter(|other| *other == upload).count() > 1 {
                return Err(format!("upload {upload} was accepted twice"));
            }
        }
        if state.provider.tokens.len() > self.attempts as usize {
            return Err("more Token 2s than attempts".to_owned());
        }
        if !state.pairing.is_at_rest()
            || state.provider.lags
            || state.provider.decided < self.script.len()
        {
            return Ok(());
        }
        self.newest_stands(state)
    }

    fn is_end(&self, state: &World) -> bool {
        state.pairing.is_at_rest() && state.workers.iter().all(|worker| *worker == Worker::Idle)
    }
}

impl Flow {
    /// At rest, with every body delivered, the pairing has the provider's last decision.
    fn newest_stands(&self, state: &World) -> Result<(), String> {
        let newest = self.script[self.script.len() - 1];
        if !state.provider.delivered.iter().all(|delivered| *delivered) {
            return Ok(());
        }
        let is_negative = state.pairing.revoked.is_some()
            || matches!(state.pairing.state, State::Declined { .. });
        let is_settled = matches!(state.pairing.state, State::Settled { .. });
        if newest.overall == Overall::Approved && is_negative {
            return Err("the first verification is approved, and it was not believed".to_owned());
        }
        if newest.overall == Overall::Denied && is_settled && !is_negative {
            return Err("the first verification is denied, and it was not believed".to_owned());
        }
        Ok(())
    }

    fn truth(&self, state: &World, lags: bool) -> Option<Overall> {
        let decided = state.provider.decided.checked_sub(1 + usize::from(lags))?;
        Some(self.script[decided].overall)
    }

    fn worker_steps(&self, state: &World, worker: usize, step: &mut impl FnMut(Action, Step)) {
        match &state.workers[worker] {
            Worker::Idle if worker == WEBHOOK => return,
            Worker::Idle => {
                for lags in [false, true] {
                    if let Some(next) = self.looks(state, worker, lags) {
                        step(Action::Looks { worker, lags }, next);
                    }
                }
                return;
            }
            Worker::Copying(plan) => {
                for (action, count) in [
                    (Action::CopiesAll(worker), 2),
                    (Action::CopiesOne(worker), 1),
                ] {
                    let event = Event::CaptureEnded {
                        upload: plan.upload.clone(),
                        documents: files(plan, count),
                        waiting: None,
                    };
                    let next = state
                        .applied(&event)
                        .map(|(next, _)| next.with(worker, Worker::Idle));
                    step(action, next);
                }
            }
            Worker::Told { about, said } => {
                step(Action::Acts(worker), state.acts(worker, *about, *said))
            }
            Worker::Creating => {
                step(
                    Action::IsDone {
                        worker,
                        is_heard: true,
                    },
                    state.created(worker, true),
                );
                step(
                    Action::IsDone {
                        worker,
                        is_heard: false,
                    },
                    state.created(worker, false),
                );
                step(
                    Action::IsNotDone(worker),
                    state.reported(worker, |held| Event::AuthorizationFailed { held }),
                );
            }
            Worker::Posting {
                token,
                upload,
                is_in_doubt,
            } => {
                for is_heard in [true, false] {
                    step(
                        Action::IsDone { worker, is_heard },
                        state.posted(worker, *token, *upload, is_heard),
                    );
                }
                if !is_in_doubt {
                    step(
                        Action::IsNotDone(worker),
                        state.reported(worker, |held| Event::SubmissionFailed { held }),
                    );
                }
            }
        }
        step(
            Action::Ends(worker),
            Ok(state.clone().with(worker, Worker::Idle)),
        );
    }

    /// The first action of `Advance`.
    /// `None`: nothing, or the same as after the other answer.
    fn looks(&self, state: &World, worker: usize, lags: bool) -> Option<Step> {
        let pairing = &state.pairing;
        let told = |about, said| Some(Ok(state.clone().with(worker, Worker::Told { about, said })));
        let first = |about| {
            if lags && !state.provider.lags {
                return None;
            }
            told(about, self.truth(state, lags)?)
        };
        let second = |about: fn(usize) -> About, number: usize| {
            let token = state.provider.tokens[number];
            if lags && token.before == token.stage {
                return None;
            }
            told(
                about(number),
                if lags { token.before } else { token.stage }.status(),
            )
        };
        let number = pairing
            .second
            .as_ref()
            .map(|second| token_number(second.scan_ref.as_str()));
        let is_second_due = pairing.second.as_ref().is_some_and(|second| {
            second
                .question
                .as_ref()
                .is_some_and(|asked| asked.is_due(NOW))
        });
        if let Some(number) = number.filter(|_| is_second_due) {
            return second(About::Second, number);
        }
        if pairing
            .first_question
            .as_ref()
            .is_some_and(|question| question.is_due(NOW))
        {
            return first(About::First);
        }
        let plainly = |next: Step| if lags { None } else { Some(next) };
        match &pairing.state {
            State::Capturing { .. } => plainly(state.begins_copying(worker)),
            _ if pairing.is_waiting_for_confirmation() => None,
            State::Captured { .. } => first(About::Spending),
            State::Authorizing { lease_until, .. } if *lease_until <= NOW => first(About::Spending),
            State::Authorized { .. } => plainly(state.begins_posting(worker)),
            State::Submitting { lease_until, .. } if *lease_until <= NOW => {
                second(About::Evidence, number?)
            }
            State::Settled { .. } if pairing.is_next_attempt_due() => plainly(
                state
                    .applied(&Event::NextAttemptStarted)
                    .map(|(next, _)| next),
            ),
            // The reconciler asks for the result, and a question follows.
            State::Submitted { .. } => match state.provider.tokens[number?].stage {
                Stage::Decided(overall) => {
                    let Event::SecondResult(mut result) = second_result(number?, overall) else {
                        return None;
                    };
                    result.news.callback = None;
                    plainly(
                        state
                            .applied(&Event::SecondResult(result))
                            .map(|(next, _)| next),
                    )
                }
                Stage::Expired => plainly(state.applied(&Event::GivenUp).map(|(next, _)| next)),
                _ => None,
            },
            // The reconciler: the callback never came.
            State::AwaitingCallback { .. } => {
                plainly(state.asked_for_first(self.truth(state, false)?))
            }
            _ => None,
        }
    }
}

fn token_number(scan_ref: &str) -> usize {
    scan_ref.trim_start_matches("second-").parse().unwrap()
}

/// The number of the upload that the plan is of.
fn upload_of(plan: &Plan, pairing: &Pairing) -> i64 {
    let known = pairing
        .uploads
        .iter()
        .find(|upload| upload.fingerprint == plan.fingerprint);
    known
        .and_then(|upload| upload.finished_at)
        .unwrap_or_default()
}

fn files(plan: &Plan, count: usize) -> Vec<StoredDocument> {
    let stored = plan
        .documents
        .iter()
        .take(count)
        .map(|planned| StoredDocument {
            upload: plan.upload.clone(),
            step: planned.step.clone(),
            file: planned.file,
            side: planned.side,
            file_type: FileType::Jpeg,
            bytes: 1,
            sha256: Digest256::of(format!("{}{}", plan.upload, planned.step).as_bytes()),
            prepared: None,
        });
    stored.collect()
}

/// 128 bits of the digest of what is stored.
fn key_of(pairing: &Pairing) -> u128 {
    let digest = Sha256::digest(serde_json::to_vec(pairing).unwrap());
    u128::from_be_bytes(digest[..16].try_into().unwrap())
}

impl Worker {
    /// Identifies the worker's action.
    fn number(&self) -> u128 {
        match self {
            Self::Idle => 0,
            Self::Creating => 1,
            Self::Posting {
                token,
                upload,
                is_in_doubt,
            } => 0x100 + (*token as u128) * 32 + (*upload as u128) * 2 + u128::from(*is_in_doubt),
            Self::Told { about, said } => {
                let (kind, token) = match about {
                    About::Spending => (0, 0),
                    About::First => (1, 0),
                    About::Second(token) => (2, *token),
                    About::Evidence(token) => (3, *token),
                };
                let said = Overall::ALL
                    .iter()
                    .position(|overall| overall == said)
                    .unwrap();
                0x1_0000 + (kind * 16 + token as u128) * 16 + said as u128
            }
            Self::Copying(plan) => {
                let mut hasher = DefaultHasher::new();
                plan.upload.to_string().hash(&mut hasher);
                plan.callback.as_str().hash(&mut hasher);
                (1 << 64) + u128::from(hasher.finish())
            }
        }
    }
}

/// An event's outcome, cached: the same pairing occurs with many providers and workers.
struct Applied {
    pairing: Rc<Pairing>,
    key: u128,
    what: &'static str,
    copies: bool,
}

impl Applied {
    fn to(next: Pairing, what: &'static str, copies: bool) -> Self {
        Self {
            key: key_of(&next),
            pairing: Rc::new(next),
            what,
            copies,
        }
    }
}

/// Keys beside those of events.
const LEASES_END: u64 = 0;
const ELEVEN_MINUTES: u64 = 1;

/// What was applied before, by the pairing and the event.
type KnownSteps = HashMap<(u128, u64), Option<Rc<Applied>>>;

thread_local! {
    static APPLIED: RefCell<KnownSteps> = RefCell::default();
}

/// Tells the event from every other that the model has.
fn event_key(event: &Event) -> u64 {
    let mut hasher = DefaultHasher::new();
    std::mem::discriminant(event).hash(&mut hasher);
    match event {
        Event::FirstResult(result) => (
            result.callback.as_ref().map(Digest256::as_str),
            result.overall,
        )
            .hash(&mut hasher),
        Event::SecondResult(result) => {
            (
                result.scan_ref.as_str(),
                result.news.overall,
                result.news.callback.is_some(),
            )
                .hash(&mut hasher);
        }
        Event::FirstStatus(said) => said.as_ref().map(|said| said.overall).hash(&mut hasher),
        Event::SecondStatus { scan_ref, said, .. } => {
            (scan_ref.as_str(), said.as_ref().map(|said| said.overall)).hash(&mut hasher)
        }
        Event::CaptureTaken { lease_until }
        | Event::AuthorizationStarted { lease_until, .. }
        | Event::SubmissionStarted { lease_until } => {
            lease_until.milliseconds().hash(&mut hasher);
        }
        Event::CaptureEnded {
            upload, documents, ..
        } => (upload.to_string(), documents.len()).hash(&mut hasher),
        Event::SecondTokenCreated { held, scan_ref, .. } => {
            (held.milliseconds(), scan_ref.as_str()).hash(&mut hasher)
        }
        Event::AuthorizationFailed { held } | Event::SubmissionFailed { held } => {
            held.milliseconds().hash(&mut hasher)
        }
        Event::SubmissionAccepted { second } | Event::SecondTokenDied { second } => {
            second.as_ref().map(ScanRef::as_str).hash(&mut hasher)
        }
        Event::NextAttemptStarted | Event::GivenUp => {}
        other => panic!("the model has no {other:?}"),
    }
    hasher.finish()
}

impl World {
    /// The pairing after some time.
    fn aged(&self, key: u64, age: fn(Pairing) -> Pairing) -> Self {
        let applied = self.known((self.key, key), || {
            let next = age(self.pairing.as_ref().clone());
            Ok(Some(Applied::to(next, "", false)))
        });
        let mut next = self.clone();
        if let Ok(Some(applied)) = applied {
            (next.pairing, next.key) = (applied.pairing.clone(), applied.key);
        }
        next
    }

    /// What comes of it, found out once.
    fn known(
        &self,
        key: (u128, u64),
        find: impl FnOnce() -> Result<Option<Applied>, String>,
    ) -> Result<Option<Rc<Applied>>, String> {
        if let Some(applied) = APPLIED.with_borrow(|known| known.get(&key).cloned()) {
            return Ok(applied);
        }
        let applied = find()?.map(Rc::new);
        APPLIED.with_borrow_mut(|known| known.insert(key, applied.clone()));
        Ok(applied)
    }

    fn with(mut self, worker: usize, doing: Worker) -> Self {
        self.workers[worker] = doing;
        self
    }

    fn eleven_minutes_later(&self) -> Self {
        let mut next = self.aged(ELEVEN_MINUTES, later);
        next.workers = [Worker::Idle, Worker::Idle, Worker::Idle];
        next.provider.lags = false;
        for token in &mut next.provider.tokens {
            token.before = token.stage;
        }
        next
    }

    fn token_becomes(&self, number: usize, stage: Stage) -> Self {
        let mut next = self.clone();
        let token = &mut next.provider.tokens[number];
        (token.before, token.stage) = (token.stage, stage);
        next
    }

    /// The change by the event, checked against the promises about single changes.
    fn applied(&self, event: &Event) -> Result<(Self, Option<Rc<Applied>>), String> {
        let key = (self.key, event_key(event));
        let applied = self.known(key, || self.change(event.clone()))?;
        let mut next = self.clone();
        if let Some(applied) = &applied {
            (next.pairing, next.key) = (applied.pairing.clone(), applied.key);
        }
        Ok((next, applied))
    }

    fn change(&self, event: Event) -> Result<Option<Applied>, String> {
        let confirmed = match &event {
            Event::SecondStatus { said, .. } => said.as_ref().and_then(Status::settled),
            _ => None,
        };
        let Transition::Change(change) = apply(&self.pairing, event, NOW) else {
            return Ok(None);
        };
        let Change {
            next,
            what,
            effects,
        } = *change;
        let next = simplified(next);
        if what == "SecondResult"
            && next.second.as_ref().and_then(|second| second.overall) != confirmed
        {
            return Err("a verdict that the provider has not confirmed".to_owned());
        }
        if what == "SubmissionStarted" && !self.pairing.is_newest(next.state.plan().unwrap()) {
            return Err("an older upload is posted".to_owned());
        }
        Ok(Some(Applied::to(
            next,
            what,
            effects.contains(&Effect::CaptureDocuments),
        )))
    }

    fn body_arrives(&self, number: usize, event: &Event) -> Step {
        let (mut next, change) = self.applied(event)?;
        next.provider.delivered[number] = true;
        let copies = change.is_some_and(|change| change.copies);
        // The webhook copies, unless another copy of it is still at work. Then this one has ended.
        if copies && next.workers[WEBHOOK] == Worker::Idle {
            let plan = next.pairing.state.plan().cloned().unwrap();
            next.workers[WEBHOOK] = Worker::Copying(Rc::new(plan));
        }
        Ok(next)
    }

    /// The reconciler's event for a status in place of a missing callback.
    fn asked_for_first(&self, said: Overall) -> Step {
        let judgement = match said {
            Overall::Approved => Judgement::Unclear(ParkReason::CallbackLost),
            _ => Judgement::Declines(DeclineReason::FirstDenied),
        };
        let event = Event::FirstResult(FirstResult {
            overall: said,
            tags: Vec::new(),
            judgement,
            upload: Upload::of(&StepLinks::new(), None, &Digest256::of(b"")),
            callback: None,
            lease_until: NOW,
            confirm: false,
            is_retry: false,
        });
        self.applied(&event).map(|(next, _)| next)
    }

    fn begins_copying(&self, worker: usize) -> Step {
        let lease_until = lease(worker);
        let (next, change) = self.applied(&Event::CaptureTaken { lease_until })?;
        Ok(match change {
            None => next,
            Some(_) => {
                let plan = next.pairing.state.plan().cloned().unwrap();
                next.with(worker, Worker::Copying(Rc::new(plan)))
            }
        })
    }

    fn begins_posting(&self, worker: usize) -> Step {
        let lease_until = lease(worker);
        let (next, change) = self.applied(&Event::SubmissionStarted { lease_until })?;
        if change.is_none_or(|change| change.what != "SubmissionStarted") {
            return Ok(next.with(worker, Worker::Idle));
        }
        let plan = next.pairing.state.plan().cloned().unwrap();
        let documents = next
            .pairing
            .planned_documents(&plan)
            .ok_or("documents are missing")?;
        if documents
            .iter()
            .any(|document| document.upload != plan.upload)
        {
            return Err("two uploads are mixed".to_owned());
        }
        let upload = upload_of(&plan, &next.pairing);
        let token = token_number(next.pairing.second.as_ref().unwrap().scan_ref.as_str());
        let posting = Worker::Posting {
            token,
            upload,
            is_in_doubt: matches!(self.pairing.state, State::Submitting { .. }),
        };
        Ok(next.with(worker, posting))
    }

    fn acts(&self, worker: usize, about: About, said: Overall) -> Step {
        let status = Status::of(said);
        let idle = self.clone().with(worker, Worker::Idle);
        let event = match about {
            About::Spending => match Confirmed::by(&status) {
                Some(confirmed) => {
                    let lease_until = lease(worker);
                    let (next, change) = idle.applied(&Event::AuthorizationStarted {
                        lease_until,
                        confirmed,
                    })?;
                    let is_begun =
                        change.is_some_and(|change| change.what == "AuthorizationStarted");
                    return Ok(if is_begun {
                        next.with(worker, Worker::Creating)
                    } else {
                        next
                    });
                }
                None => Event::FirstStatus(Some(status)),
            },
            About::First => Event::FirstStatus(Some(status)),
            About::Second(number) => Event::SecondStatus {
                scan_ref: scan_ref(number),
                said: Some(status),
                comparison: None,
                comparison_policy: ComparisonPolicy::Off,
            },
            About::Evidence(_) if said == Overall::Active => {
                let plan = idle.pairing.state.plan().cloned();
                return match plan.filter(|plan| idle.pairing.may_be_posted_again(plan)) {
                    Some(_) if matches!(idle.pairing.state, State::Submitting { .. }) => {
                        idle.begins_posting(worker)
                    }
                    _ => Ok(idle),
                };
            }
            About::Evidence(token) if said == Overall::Expired => Event::SecondTokenDied {
                second: Some(scan_ref(token)),
            },
            About::Evidence(token) => Event::SubmissionAccepted {
                second: Some(scan_ref(token)),
            },
        };
        idle.applied(&event).map(|(next, _)| next)
    }

    fn created(&self, worker: usize, is_heard: bool) -> Step {
        let number = self.provider.tokens.len();
        let mut next = self.clone().with(worker, Worker::Idle);
        next.provider.tokens.push(Token {
            stage: Stage::Active,
            before: Stage::Active,
            accepted: None,
        });
        match held(worker, &self.pairing).filter(|_| is_heard) {
            Some(held) => next
                .applied(&Event::SecondTokenCreated {
                    held,
                    scan_ref: scan_ref(number),
                    auth_token: AuthToken::new(number.to_string()),
                })
                .map(|(next, _)| next),
            None => Ok(next),
        }
    }

    fn posted(&self, worker: usize, token: usize, upload: i64, is_heard: bool) -> Step {
        let mut next = self.clone().with(worker, Worker::Idle);
        let known = &mut next.provider.tokens[token];
        if known.stage != Stage::Active {
            // The token is not valid. The worker asks for evidence.
            let said = known.stage.status();
            let about = About::Evidence(token);
            return Ok(if is_heard {
                next.with(worker, Worker::Told { about, said })
            } else {
                next
            });
        }
        (known.before, known.stage, known.accepted) =
            (Stage::Active, Stage::Accepted, Some(upload));
        if is_heard {
            let second = Some(scan_ref(token));
            return next
                .applied(&Event::SubmissionAccepted { second })
                .map(|(next, _)| next);
        }
        Ok(next)
    }

    fn reported(&self, worker: usize, event: impl Fn(verification::Timestamp) -> Event) -> Step {
        let idle = self.clone().with(worker, Worker::Idle);
        match held(worker, &self.pairing) {
            Some(held) => idle.applied(&event(held)).map(|(next, _)| next),
            None => Ok(idle),
        }
    }
}
