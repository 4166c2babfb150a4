//! The provider: scripted first verifications, Token 2s that are valid once, and delayed results.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use verification::Timestamp;
use verification::document::{Plan, StoredDocument};
use verification::identifiers::{ClientId, Digest256, ScanRef, SecondReference, StepName};
use verification::ports::{
    Clock, DeletedAtProvider, Provider, ProviderError, RefusalKind, SecondToken, SessionRequest,
    Sessions, StatusSource, UnavailableKind,
};
use verification::reason::ParkReason;
use verification::result::{CallbackContent, Overall, Status, StepLinks};
use verification::secret::{AuthToken, FileLink, SessionLink};
use verification::session::Session;
use verification::testing::fixtures;
use verification::testing::memory::World;

use super::broken::Broken;
use super::customer::{Emission, ProviderResult, second_script};
use super::delivery::send;
use super::invariants::Checks;
use super::random_faults::RandomFaults;
use super::timeline::{DAY, HOUR, Happening, MINUTE, SECOND, Timeline};
use super::trouble::Trouble;
use super::uploads::{Finished, Uploads};

pub struct SimulatedProvider {
    pub timeline: Arc<Timeline>,
    pub random_faults: RandomFaults,
    pub world: Arc<World>,
    pub checks: Arc<Checks>,
    pub broken: Option<Broken>,
    state: Mutex<ProviderState>,
}

#[derive(Default)]
struct ProviderState {
    serial: u64,
    verifications: BTreeMap<ScanRef, Verification>,
    uploads: Uploads,
}

struct Verification {
    client: ClientId,
    /// The present truth, after all earlier ones.
    /// A lagging status still reports those.
    truth: Vec<Truth>,
    is_deleted: bool,
    role: Role,
}

#[derive(Clone, Copy)]
struct Truth {
    since: i64,
    overall: Overall,
    is_final: bool,
}

enum Role {
    First {
        steps: Vec<StepName>,
    },
    Second {
        first: ScanRef,
        secret: String,
        is_accepted: bool,
    },
}

impl Verification {
    fn begun(client: &ClientId, now: i64, role: Role) -> Self {
        let truth = Truth {
            since: now,
            overall: Overall::Active,
            is_final: false,
        };
        Self {
            client: client.clone(),
            truth: vec![truth],
            is_deleted: false,
            role,
        }
    }

    fn overall(&self) -> Overall {
        self.truth
            .last()
            .map_or(Overall::Active, |truth| truth.overall)
    }

    fn become_(&mut self, overall: Overall, is_final: bool, now: i64) {
        self.truth.push(Truth {
            since: now,
            overall,
            is_final,
        });
    }

    /// What was true at that time.
    fn at(&self, time: i64) -> Truth {
        let later = self.truth.iter().rposition(|truth| truth.since <= time);
        self.truth[later.unwrap_or(0)]
    }
}

/// A session's life: its expiry and the longest time in it.
const SESSION_LIFE: i64 = HOUR + 10 * MINUTE;

/// How far a status may lag behind, at most.
const STATUS_LAG: i64 = 10 * MINUTE;

impl SimulatedProvider {
    pub fn new(
        timeline: Arc<Timeline>,
        random_faults: RandomFaults,
        world: Arc<World>,
        checks: Arc<Checks>,
        broken: Option<Broken>,
    ) -> Self {
        Self {
            timeline,
            random_faults,
            world,
            checks,
            broken,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ProviderState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_calm(&self) -> bool {
        self.timeline.elapsed() >= self.random_faults.calm_after
    }

    /// Random trouble hits single calls.
    /// Only `Trouble::CircuitOpen` keeps the circuit open for ever.
    fn is_circuit_open_until(&self) -> Option<Timestamp> {
        (self.random_faults.trouble == Some(Trouble::CircuitOpen))
            .then(|| self.timeline.now().plus(Duration::from_secs(300)))
    }

    fn is_status_out(&self) -> bool {
        let elapsed = self.timeline.elapsed();
        self.random_faults
            .status_out
            .is_some_and(|(from, length)| (from..from + length).contains(&elapsed))
    }

    fn trouble(&self, probability: f64) -> bool {
        !self.is_calm() && self.timeline.chance(probability)
    }

    /// Token 1, created by us or by the application.
    pub fn begin_session(&self, client: &ClientId) -> ScanRef {
        let steps: &[&str] = self.timeline.weighted(&[
            (3, &["SECOND_DOC_FRONT", "SECOND_DOC_BACK"][..]),
            (2, &["SECOND_DOC"][..]),
        ]);
        let mut state = self.lock();
        state.serial += 1;
        let scan_ref: ScanRef = format!("first-{}", state.serial).parse().unwrap();
        let role = Role::First {
            steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
        };
        let verification = Verification::begun(client, self.timeline.milliseconds(), role);
        state.verifications.insert(scan_ref.clone(), verification);
        drop(state);
        self.timeline
            .schedule(SESSION_LIFE, Happening::SessionEnds(scan_ref.clone()));
        scan_ref
    }

    /// The session is over. An unfinished one has expired.
    pub fn session_ends(&self, scan_ref: &ScanRef) {
        let is_unfinished = self
            .lock()
            .verifications
            .get(scan_ref)
            .is_some_and(|verification| verification.overall() == Overall::Active);
        if is_unfinished {
            self.emit(&Emission {
                scan_ref: scan_ref.clone(),
                result: ProviderResult::of(Overall::Expired),
            });
        }
    }

    /// A Token 2 dies when it was not used in time.
    pub fn second_token_expires(&self, scan_ref: &ScanRef) {
        self.timeline.count("Token 2 expired unused");
        self.session_ends(scan_ref);
    }

    /// Comes to a result and sends it.
    pub fn emit(&self, emission: &Emission) {
        let now = self.timeline.milliseconds();
        let mut state = self.lock();
        let Some(verification) = state.verifications.get_mut(&emission.scan_ref) else {
            return;
        };
        if verification.is_deleted {
            return;
        }
        let result = emission.result;
        // EXPIRED contradicts accepted documents. If our record says "accepted", that is survived.
        // Otherwise it cannot be told from the truth, so the provider is believed.
        if let Role::Second {
            first,
            is_accepted: true,
            ..
        } = &verification.role
            && result.overall == Overall::Expired
            && self
                .world
                .stored(first)
                .is_none_or(|pairing| pairing.state.name() != "Submitted")
        {
            return;
        }
        // An old link of a finished session expires without changing its result.
        if !(result.overall == Overall::Expired && verification.overall() != Overall::Active) {
            verification.become_(result.overall, result.is_final, now);
        }
        if let Role::First { steps } = &verification.role {
            let steps = steps.clone();
            self.customer_uploads(&mut state, &emission.scan_ref, &steps, result);
        }
        let decided = result
            .decision()
            .map(|decision| self.checks.decided(&emission.scan_ref, decision));
        let content = self.callback_content(&mut state, emission);
        drop(state);
        self.timeline.trace(|| {
            format!(
                "{} comes to {} (final: {})",
                emission.scan_ref, result.overall, result.is_final
            )
        });
        self.checks.result_sent(&content, &result, decided);
        // The same result may be sent with other links, and so with another digest.
        send(&self.timeline, &self.random_faults, Arc::new(content));
        if self.trouble(self.random_faults.callback_repeated * 0.2) {
            self.timeline.count("result sent again with fresh links");
            let content = self.callback_content(&mut self.lock(), emission);
            self.checks.result_sent(&content, &result, decided);
            send(&self.timeline, &self.random_faults, Arc::new(content));
        }
    }

    /// There is an upload before the first result is about one.
    fn customer_uploads(
        &self,
        state: &mut ProviderState,
        scan_ref: &ScanRef,
        steps: &[StepName],
        result: ProviderResult,
    ) {
        let is_first =
            state.uploads.newest(scan_ref).is_none() && result.overall != Overall::Expired;
        let finished = match result.uploaded {
            Some(finished) => finished,
            None if is_first && self.timeline.chance(0.1) => Finished::Unknown,
            None if is_first => Finished::Later,
            None => return,
        };
        state.uploads.add(
            &self.timeline,
            &self.random_faults,
            scan_ref,
            steps,
            finished,
        );
        if let Some(upload) = state.uploads.newest_mut(scan_ref) {
            upload.number = self.checks.uploaded(scan_ref, upload.digests());
        }
    }

    /// A forged body, signed with the provider's key.
    /// It is about an existing session or none, or about the outcome of a Token 2.
    pub fn forge(&self, scan_ref: &ScanRef) {
        let mut state = self.lock();
        let of_first = |(name, verification): (&ScanRef, &Verification)| match &verification.role {
            Role::Second { first, .. } if first == scan_ref => Some(name.clone()),
            _ => None,
        };
        let second = state.verifications.iter().filter_map(of_first).next_back();
        let about = match second.filter(|_| self.timeline.chance(0.5)) {
            Some(second) => second,
            None if self.timeline.chance(0.2) => format!("invented-{scan_ref}").parse().unwrap(),
            None => scan_ref.clone(),
        };
        let overall = self.timeline.weighted(&[
            (4, Overall::Approved),
            (2, Overall::Denied),
            (1, Overall::Suspected),
            (1, Overall::Expired),
        ]);
        let Some(verification) = state.verifications.get(scan_ref) else {
            return;
        };
        let Role::First { steps } = &verification.role else {
            return;
        };
        let (client, steps) = (verification.client.clone(), steps.clone());
        let is_second = about.as_str().starts_with("second");
        state.serial += 1;
        let digest = Digest256::of(&state.serial.to_be_bytes());
        let mut links = StepLinks::new();
        let mut finished_at = None;
        if !is_second {
            let name: ScanRef = format!("forged-{}", state.serial).parse().unwrap();
            state.uploads.add(
                &self.timeline,
                &self.random_faults,
                &name,
                &steps,
                Finished::Later,
            );
            if let Some(upload) = state.uploads.newest(&name).cloned() {
                self.checks.uploaded(&about, upload.digests());
                finished_at = upload.finished_at;
                links = state
                    .uploads
                    .sign(&self.timeline, &self.random_faults, &upload, "forged");
            }
        }
        drop(state);
        let content = CallbackContent {
            external_ref: is_second.then(|| SecondReference::of(scan_ref).as_str().to_owned()),
            overall: Some(overall),
            steps: if is_second { Vec::new() } else { steps },
            links,
            finished_at,
            digest,
            ..fixtures::approved(about.as_str(), client.as_str())
        };
        self.timeline.count("callback forged");
        self.timeline
            .trace(|| format!("somebody signs that {about} is {overall}"));
        self.world.serve(&content);
        // Once its links are dead, `/files` leads to the customer's own files.
        self.checks.named(&content, 0);
        self.checks.forged(scan_ref, &content);
        send(&self.timeline, &self.random_faults, Arc::new(content));
    }

    fn callback_content(&self, state: &mut ProviderState, emission: &Emission) -> CallbackContent {
        state.serial += 1;
        let serial = state.serial;
        let verification = &state.verifications[&emission.scan_ref];
        let result = emission.result;
        let steps = match &verification.role {
            Role::First { steps } if !result.is_without_steps => steps.clone(),
            _ => Vec::new(),
        };
        let external_ref = match &verification.role {
            Role::First { .. } => None,
            Role::Second { first, .. } => Some(SecondReference::of(first).as_str().to_owned()),
        };
        let client = if result.is_of_another_client {
            self.timeline.count("body names another client");
            self.checks.misleads(&emission.scan_ref);
            "another-client".to_owned()
        } else {
            verification.client.to_string()
        };
        let upload = state.uploads.newest(&emission.scan_ref).cloned();
        let mut links = StepLinks::new();
        if let Some(upload) = upload.as_ref().filter(|_| !result.is_without_links) {
            links = state
                .uploads
                .sign(&self.timeline, &self.random_faults, upload, "callback");
        }
        let content = CallbackContent {
            external_ref,
            is_final: Some(result.is_final),
            overall: Some(result.overall),
            steps_verdict: result.steps,
            steps,
            links,
            country: if result.is_without_country {
                None
            } else {
                Some("LT".parse().unwrap())
            },
            finished_at: upload.as_ref().and_then(|upload| upload.finished_at),
            digest: Digest256::of(&serial.to_be_bytes()),
            ..fixtures::approved(emission.scan_ref.as_str(), &client)
        };
        self.world.serve(&content);
        self.checks
            .named(&content, upload.map_or(0, |upload| upload.number));
        content
    }

    /// The name of the content behind the link.
    /// `None`: the link is dead.
    pub fn content(&self, link: &FileLink) -> Option<String> {
        self.lock()
            .uploads
            .content(link, self.timeline.milliseconds())
    }

    pub fn is_refused(&self, content: &str) -> bool {
        self.lock().uploads.is_refused(content)
    }

    /// The result changes, or newer files arrive, while we work with the approved ones.
    fn reconsider(&self, first: &ScanRef, pauses: &[(u32, i64)]) {
        let result = if self.trouble(self.random_faults.second_thoughts * 0.7) {
            self.timeline
                .count("first result reconsidered while we are at work");
            ProviderResult::of(Overall::Denied)
        } else if self.trouble(self.random_faults.several_uploads * 0.5) {
            self.timeline
                .count("customer uploads again while we are at work");
            ProviderResult::of(Overall::Approved).of_newer_files(&self.timeline)
        } else {
            return;
        };
        let pause = self.timeline.between(1, self.timeline.weighted(pauses));
        let scan_ref = first.clone();
        self.timeline
            .schedule(pause, Happening::Emit(Emission { scan_ref, result }));
    }
}

#[async_trait]
impl Sessions for SimulatedProvider {
    async fn create(&self, request: &SessionRequest) -> Result<Session, ProviderError> {
        let scan_ref = self.begin_session(&request.client_id);
        Ok(Session {
            scan_ref,
            auth_token: AuthToken::new("session-secret"),
            redirect_url: SessionLink::new("https://provider.example/session-secret"),
            steps: None,
        })
    }

    async fn delete(&self, scan_ref: &ScanRef) -> Result<DeletedAtProvider, ProviderError> {
        if self.trouble(self.random_faults.refusal) {
            self.timeline.count("deletion refused");
            return Ok(DeletedAtProvider::Refused {
                kind: "rejected",
                identifier: None,
            });
        }
        let mut state = self.lock();
        match state.verifications.get_mut(scan_ref) {
            Some(verification)
                if verification.overall() == Overall::Active && !verification.is_deleted =>
            {
                self.timeline.count("deletion of a live session");
                Ok(DeletedAtProvider::StillLive)
            }
            Some(verification) => {
                verification.is_deleted = true;
                Ok(DeletedAtProvider::Deleted)
            }
            None => Ok(DeletedAtProvider::Refused {
                kind: "rejected",
                identifier: Some("BAD_VALUE".to_owned()),
            }),
        }
    }
}

/// The answer about a verification that does not exist.
fn unknown() -> ProviderError {
    ProviderError::Refused {
        kind: RefusalKind::Other("rejected"),
        identifier: Some("BAD_VALUE".to_owned()),
    }
}

#[async_trait]
impl StatusSource for SimulatedProvider {
    async fn status(&self, scan_ref: &ScanRef) -> Result<Status, ProviderError> {
        if let Some(until) = self.is_circuit_open_until() {
            return Err(ProviderError::CircuitOpen { until });
        }
        if self.is_status_out() {
            self.timeline.count("status not to be had for hours");
            return Err(ProviderError::Unavailable {
                kind: UnavailableKind::Other("server_error"),
                retry_after: None,
            });
        }
        let now = self.timeline.milliseconds();
        let lag = if self.trouble(self.random_faults.status_lags) {
            self.timeline.between(0, STATUS_LAG)
        } else {
            0
        };
        let state = self.lock();
        let Some(verification) = state.verifications.get(scan_ref) else {
            return Err(unknown());
        };
        if verification.is_deleted {
            return Ok(Status::of(Overall::Deleted));
        }
        let truth = verification.at(now - lag);
        if truth.overall != verification.overall() {
            self.timeline.count("status lagged behind");
        }
        let is_decided = matches!(
            truth.overall,
            Overall::Approved | Overall::Denied | Overall::Suspected
        );
        let status = if truth.is_final || !is_decided {
            Status {
                is_final: truth
                    .is_final
                    .then_some(true)
                    .filter(|_| self.timeline.chance(0.5)),
                ..Status::of(truth.overall)
            }
        } else if self.timeline.chance(self.random_faults.status_not_final) {
            self.timeline.count("status not final");
            Status {
                is_final: Some(false),
                ..Status::of(truth.overall)
            }
        } else {
            Status::of(Overall::Reviewing)
        };
        self.timeline
            .trace(|| format!("the status of {scan_ref} is said to be {status:?}"));
        self.checks.status_said(scan_ref, &status);
        if self.broken == Some(Broken::NotFinalTakenForFinal) {
            return Ok(Status::of(status.overall));
        }
        Ok(status)
    }

    async fn circuit_open_until(&self, _scan_ref: &ScanRef) -> Option<Timestamp> {
        self.is_circuit_open_until()
    }
}

#[async_trait]
impl Provider for SimulatedProvider {
    async fn create_second_token(
        &self,
        client_id: &ClientId,
        reference: &SecondReference,
    ) -> Result<SecondToken, ProviderError> {
        if self.trouble(self.random_faults.refusal * 0.3) {
            self.timeline.count("Token 2 refused");
            return Err(ProviderError::Refused {
                kind: RefusalKind::Account("out_of_funds"),
                identifier: None,
            });
        }
        let first = reference.first().expect("the scanRefs here are short");
        self.checks.token_created(&first);
        self.reconsider(
            &first,
            &[(3, SECOND / 4), (3, 4 * SECOND), (1, 30 * MINUTE)],
        );
        let mut state = self.lock();
        state.serial += 1;
        let scan_ref: ScanRef = format!("second-{}", state.serial).parse().unwrap();
        let secret = format!("secret-{}", state.serial);
        self.timeline
            .trace(|| format!("the provider creates {scan_ref} for {first}"));
        let role = Role::Second {
            first,
            secret: secret.clone(),
            is_accepted: false,
        };
        let verification = Verification::begun(client_id, self.timeline.milliseconds(), role);
        state.verifications.insert(scan_ref.clone(), verification);
        drop(state);
        self.timeline
            .schedule(HOUR, Happening::SecondTokenExpires(scan_ref.clone()));
        Ok(SecondToken {
            scan_ref,
            auth_token: AuthToken::new(secret),
            has_steps_left: false,
        })
    }

    async fn submit(
        &self,
        first: &ScanRef,
        auth_token: &AuthToken,
        plan: &Plan,
        documents: &[StoredDocument],
    ) -> Result<(), ProviderError> {
        for document in documents {
            let stored = self.world.object(&document.submitted_key(first));
            if stored.is_none() {
                let step = document.step.clone();
                return Err(ProviderError::Documents(ParkReason::FileChanged { step }));
            }
            self.checks.captured(first, Some(document), stored.as_ref());
        }
        if self.trouble(self.random_faults.refusal) {
            self.timeline.count("documents refused");
            return Err(ProviderError::Refused {
                kind: RefusalKind::Other("rejected"),
                identifier: Some("BAD_VALUE".to_owned()),
            });
        }
        let mut state = self.lock();
        let token = state
            .verifications
            .iter_mut()
            .find_map(|(scan_ref, verification)| match &mut verification.role {
                Role::Second { secret, .. } if secret == auth_token.expose() => {
                    Some((scan_ref.clone(), verification))
                }
                _ => None,
            });
        let Some((scan_ref, verification)) =
            token.filter(|(_, verification)| verification.overall() == Overall::Active)
        else {
            self.timeline.count("token not valid");
            return Err(ProviderError::TokenNotValid);
        };
        let Role::Second { is_accepted, .. } = &mut verification.role else {
            return Err(ProviderError::TokenNotValid);
        };
        if std::mem::replace(is_accepted, true) {
            return Err(ProviderError::TokenNotValid);
        }
        verification.become_(Overall::Reviewing, false, self.timeline.milliseconds());
        drop(state);
        self.timeline
            .trace(|| format!("the provider accepts the documents with {scan_ref}"));
        self.checks.submitted(first, &scan_ref, plan, documents);
        self.reconsider(first, &[(2, 4 * SECOND), (2, 30 * MINUTE), (1, 2 * DAY)]);
        let mut pause = 0;
        for (after, result) in second_script(&self.timeline, &self.random_faults) {
            pause += after;
            let scan_ref = scan_ref.clone();
            self.timeline
                .schedule(pause, Happening::Emit(Emission { scan_ref, result }));
        }
        Ok(())
    }

    async fn files(&self, scan_ref: &ScanRef) -> Result<StepLinks, ProviderError> {
        if self.trouble(self.random_faults.refusal * 0.3) {
            self.timeline.count("fresh links refused");
            return Err(ProviderError::Refused {
                kind: RefusalKind::Other("rejected"),
                identifier: None,
            });
        }
        self.timeline.count("fresh links");
        let mut state = self.lock();
        match state.verifications.get(scan_ref) {
            None => return Err(unknown()),
            Some(verification) if verification.is_deleted => return Err(unknown()),
            Some(_) => {}
        }
        let Some(upload) = state.uploads.newest(scan_ref).cloned() else {
            return Ok(StepLinks::new());
        };
        let folder = if self.timeline.chance(self.random_faults.other_paths) {
            "api"
        } else {
            "callback"
        };
        Ok(state
            .uploads
            .sign(&self.timeline, &self.random_faults, &upload, folder))
    }
}
