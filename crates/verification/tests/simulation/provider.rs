//! The provider: first verifications that follow their customers' scripts, Token 2s that are taken once, results that come when they come.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use verification::Timestamp;
use verification::document::{Plan, StoredDocument};
use verification::identifiers::{ClientId, Digest256, ScanRef, SecondReference, StepName};
use verification::ports::{DeletedAtProvider, Provider, ProviderError, SecondToken, Session, SessionRequest, Sessions};
use verification::reason::ParkReason;
use verification::result::{CallbackFacts, Overall, Status, StepLinks};
use verification::secret::{AuthToken, FileLink, SessionLink};
use verification::testing::fixtures;
use verification::testing::memory::World;

use super::customer::{Emission, ProviderResult, second_script};
use super::delivery::send;
use super::invariants::Checks;
use super::timeline::{HOUR, Happening, MINUTE, SECOND, Timeline};
use super::weather::Weather;

pub struct SimulatedProvider {
    pub timeline: Arc<Timeline>,
    pub weather: Weather,
    pub world: Arc<World>,
    pub checks: Arc<Checks>,
    state: Mutex<ProviderState>,
}

#[derive(Default)]
struct ProviderState {
    serial: u64,
    verifications: BTreeMap<ScanRef, Verification>,
    /// Until when each link leads to its file.
    links: BTreeMap<String, i64>,
}

struct Verification {
    client: ClientId,
    overall: Overall,
    /// What was true before, which a status that lags still says.
    overall_before: Overall,
    changed_at: i64,
    is_deleted: bool,
    role: Role,
}

enum Role {
    First { steps: Vec<StepName> },
    Second { first: ScanRef, secret: String, is_accepted: bool },
}

impl Verification {
    fn become_(&mut self, overall: Overall, now: i64) {
        self.overall_before = self.overall;
        self.overall = overall;
        self.changed_at = now;
    }
}

/// How long a session can be used, once it exists: its expiry and the longest time in it.
const SESSION_LIFE: i64 = HOUR + 10 * MINUTE;

impl SimulatedProvider {
    pub fn new(timeline: Arc<Timeline>, weather: Weather, world: Arc<World>, checks: Arc<Checks>) -> Self {
        Self {
            timeline,
            weather,
            world,
            checks,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ProviderState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_calm(&self) -> bool {
        self.timeline.elapsed() >= self.weather.calm_after
    }

    fn trouble(&self, probability: f64) -> bool {
        !self.is_calm() && self.timeline.chance(probability)
    }

    /// Token 1, whoever has it created.
    pub fn begin_session(&self, client: &ClientId) -> ScanRef {
        let steps: &[&str] = self
            .timeline
            .weighted(&[(3, &["SECOND_DOC_FRONT", "SECOND_DOC_BACK"][..]), (2, &["SECOND_DOC"][..])]);
        let mut state = self.lock();
        state.serial += 1;
        let scan_ref: ScanRef = format!("first-{}", state.serial).parse().unwrap();
        let verification = Verification {
            client: client.clone(),
            overall: Overall::Active,
            overall_before: Overall::Active,
            changed_at: self.timeline.milliseconds(),
            is_deleted: false,
            role: Role::First {
                steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
            },
        };
        state.verifications.insert(scan_ref.clone(), verification);
        drop(state);
        self.timeline.schedule(SESSION_LIFE, Happening::SessionEnds(scan_ref.clone()));
        scan_ref
    }

    /// The session is over. Whoever has not finished has expired.
    pub fn session_ends(&self, scan_ref: &ScanRef) {
        let is_unfinished = self
            .lock()
            .verifications
            .get(scan_ref)
            .is_some_and(|verification| verification.overall == Overall::Active);
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
        // To say EXPIRED of documents that were accepted contradicts itself. Where our record says "accepted", that is survived; where it
        // does not, nobody could tell it from the truth, so the provider is taken at its word.
        if let Role::Second {
            first, is_accepted: true, ..
        } = &verification.role
            && result.overall == Overall::Expired
            && self.world.stored(first).is_none_or(|pairing| pairing.state.name() != "Submitted")
        {
            return;
        }
        // An old link of a finished session expires without changing its result.
        if !(result.overall == Overall::Expired && verification.overall != Overall::Active) {
            verification.become_(result.overall, now);
        }
        let facts = self.facts(&mut state, emission);
        drop(state);
        self.timeline
            .trace(|| format!("{} comes to {} (final: {})", emission.scan_ref, result.overall, result.is_final));
        self.checks.result_sent(&emission.scan_ref, &result);
        // Sometimes the same result is sent with other links, and so with another digest.
        send(&self.timeline, &self.weather, Arc::new(facts));
        if self.trouble(self.weather.callback_repeated * 0.2) {
            self.timeline.count("result sent again with fresh links");
            let facts = self.facts(&mut self.lock(), emission);
            send(&self.timeline, &self.weather, Arc::new(facts));
        }
    }

    fn facts(&self, state: &mut ProviderState, emission: &Emission) -> CallbackFacts {
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
        let client = verification.client.clone();
        let links = self.links(state, &emission.scan_ref, &steps);
        let facts = CallbackFacts {
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
            digest: Digest256::of(&serial.to_be_bytes()),
            ..fixtures::approved(emission.scan_ref.as_str(), client.as_str())
        };
        self.world.serve(&facts);
        facts
    }

    fn links(&self, state: &mut ProviderState, scan_ref: &ScanRef, steps: &[StepName]) -> StepLinks {
        let mut links = StepLinks::new();
        for step in steps {
            if self.trouble(self.weather.link_trouble * 0.05) {
                self.timeline.count("step without a link");
                continue;
            }
            state.serial += 1;
            let link = format!("https://files.example/{scan_ref}/{step}/{}", state.serial);
            let life = if self.trouble(self.weather.link_trouble * 0.3) { 0 } else { HOUR };
            state.links.insert(link.clone(), self.timeline.milliseconds() + life);
            links.insert(step.clone(), vec![FileLink::new(link)]);
        }
        links
    }

    /// Whether the link still leads to a file.
    pub fn serves(&self, link: &FileLink) -> bool {
        let expires_at = self.lock().links.get(link.expose()).copied();
        expires_at.is_some_and(|expires_at| expires_at > self.timeline.milliseconds())
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
        if self.trouble(self.weather.refusal) {
            self.timeline.count("deletion refused");
            return Ok(DeletedAtProvider::Refused {
                kind: "rejected",
                identifier: None,
            });
        }
        let mut state = self.lock();
        match state.verifications.get_mut(scan_ref) {
            Some(verification) if verification.overall == Overall::Active && !verification.is_deleted => {
                self.timeline.count("deletion of a live session");
                Ok(DeletedAtProvider::StillLive)
            }
            Some(verification) => {
                verification.is_deleted = true;
                Ok(DeletedAtProvider::Deleted)
            }
            None => Ok(DeletedAtProvider::Deleted),
        }
    }
}

#[async_trait]
impl Provider for SimulatedProvider {
    async fn create_second_token(&self, client_id: &ClientId, reference: &SecondReference) -> Result<SecondToken, ProviderError> {
        if self.trouble(self.weather.refusal * 0.3) {
            self.timeline.count("Token 2 refused");
            return Err(ProviderError::Refused {
                kind: "OutOfFunds",
                identifier: None,
            });
        }
        let first = reference.first().expect("the scanRefs here are short");
        self.checks.token_created(&first);
        if self.trouble(self.weather.second_thoughts * 0.7) {
            self.timeline.count("first result reconsidered while the second is begun");
            let latest = self.timeline.weighted(&[(3, SECOND / 4), (3, 4 * SECOND), (1, 30 * MINUTE)]);
            let scan_ref = first.clone();
            let result = ProviderResult::of(Overall::Denied);
            self.timeline
                .schedule(self.timeline.between(1, latest), Happening::Emit(Emission { scan_ref, result }));
        }
        let mut state = self.lock();
        state.serial += 1;
        let scan_ref: ScanRef = format!("second-{}", state.serial).parse().unwrap();
        let secret = format!("secret-{}", state.serial);
        self.timeline.trace(|| format!("the provider creates {scan_ref} for {first}"));
        let verification = Verification {
            client: client_id.clone(),
            overall: Overall::Active,
            overall_before: Overall::Active,
            changed_at: self.timeline.milliseconds(),
            is_deleted: false,
            role: Role::Second {
                first,
                secret: secret.clone(),
                is_accepted: false,
            },
        };
        state.verifications.insert(scan_ref.clone(), verification);
        drop(state);
        self.timeline.schedule(HOUR, Happening::SecondTokenExpires(scan_ref.clone()));
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
        if self.trouble(self.weather.refusal) {
            self.timeline.count("documents refused");
            return Err(ProviderError::Refused {
                kind: "Rejected",
                identifier: Some("BAD_VALUE".to_owned()),
            });
        }
        let mut state = self.lock();
        let token = state
            .verifications
            .iter_mut()
            .find_map(|(scan_ref, verification)| match &mut verification.role {
                Role::Second { secret, .. } if secret == auth_token.expose() => Some((scan_ref.clone(), verification)),
                _ => None,
            });
        let Some((scan_ref, verification)) = token.filter(|(_, verification)| verification.overall == Overall::Active) else {
            self.timeline.count("token not valid");
            return Err(ProviderError::TokenNotValid);
        };
        let Role::Second { is_accepted, .. } = &mut verification.role else {
            return Err(ProviderError::TokenNotValid);
        };
        if std::mem::replace(is_accepted, true) {
            return Err(ProviderError::TokenNotValid);
        }
        verification.become_(Overall::Reviewing, self.timeline.milliseconds());
        drop(state);
        self.timeline
            .trace(|| format!("the provider accepts the documents with {scan_ref}"));
        self.checks.submitted(first, plan, documents);
        let mut pause = 0;
        for (after, result) in second_script(&self.timeline, &self.weather) {
            pause += after;
            let scan_ref = scan_ref.clone();
            self.timeline.schedule(pause, Happening::Emit(Emission { scan_ref, result }));
        }
        Ok(())
    }

    async fn status(&self, scan_ref: &ScanRef) -> Result<Status, ProviderError> {
        let lags = self.trouble(self.weather.status_lags);
        let state = self.lock();
        let Some(verification) = state.verifications.get(scan_ref) else {
            return Err(ProviderError::TokenNotValid);
        };
        if verification.is_deleted {
            return Ok(Status::of(Overall::Deleted));
        }
        let overall = if lags && self.timeline.milliseconds() - verification.changed_at < 5 * MINUTE {
            self.timeline.count("status lagged behind");
            verification.overall_before
        } else {
            verification.overall
        };
        self.timeline.trace(|| format!("the status of {scan_ref} is said to be {overall}"));
        Ok(Status::of(overall))
    }

    async fn files(&self, scan_ref: &ScanRef) -> Result<StepLinks, ProviderError> {
        if self.trouble(self.weather.refusal * 0.3) {
            self.timeline.count("fresh links refused");
            return Err(ProviderError::Refused {
                kind: "Rejected",
                identifier: None,
            });
        }
        self.timeline.count("fresh links");
        let mut state = self.lock();
        let steps = match state.verifications.get(scan_ref).map(|verification| &verification.role) {
            Some(Role::First { steps }) => steps.clone(),
            _ => return Err(ProviderError::TokenNotValid),
        };
        Ok(self.links(&mut state, scan_ref, &steps))
    }

    /// The trouble here is each call's own, never everybody's.
    async fn left_alone_until(&self, _scan_ref: &ScanRef) -> Option<Timestamp> {
        None
    }
}
