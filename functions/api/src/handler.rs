//! Routes. Each reads its request, calls its use case and writes the answer.

use std::sync::Arc;

use adapters::{DynamoPairings, SystemClock};
use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use lambda_http::http::{Method, Response, StatusCode};
use lambda_http::{Body, Error, Request, RequestExt};
use lambda_support::{milliseconds, peak_memory_kilobytes};
use serde::Serialize;
use serde_json::{Map, Value};
use verification::identifiers::ScanRef;
use verification::policy::StepWarning;
use verification::ports::{Clock, Pairings};
use verification::{
    EraseVerification, Erased, InvalidParkNote, OpenSession, OpenedOnce, ParkNote,
    ParkVerification, Parked, Policy, Retried, RetryVerification,
};

use crate::answers::{ListAnswer, ReceiptAnswer, SessionAnswer, StateAnswer, VerificationAnswer};
use crate::problem::{FieldError, Problem};
use crate::query::ListQuery;
use crate::routes::Routes;
use crate::{idempotency, session};

/// Most requests are a few hundred bytes. Many languages of `additionalSteps` take more.
const MAXIMUM_BODY_BYTES: usize = 64 * 1024;

/// Most histories are a dozen lines. A provider's fault must not make an answer unbounded.
const HISTORY_LIMIT: u16 = 200;

pub struct Api {
    pub open: OpenSession,
    pub retry: RetryVerification,
    pub park: ParkVerification,
    pub erase: EraseVerification,
    pub pairings: Arc<DynamoPairings>,
    pub routes: Routes,
    /// The stack's.
    pub account_id: String,
    pub policy: Policy,
    pub clock: Arc<SystemClock>,
}

/// A successful answer.
struct Success {
    status: StatusCode,
    body: Vec<u8>,
    /// It repeats an earlier answer.
    is_replay: bool,
}

impl Success {
    fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        match serde_json::to_vec(body) {
            Ok(body) => Ok(Self {
                status,
                body,
                is_replay: false,
            }),
            Err(_) => Err(Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal_error",
                "The answer could not be written.",
            )),
        }
    }
}

impl Api {
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let started = self.clock.now();
        let method = request.method().clone();
        let caller = idempotency::principal(&request).to_owned();
        let (route, answer) = self.route(request).await;
        let (status, code) = match &answer {
            Ok(success) => (success.status, None),
            Err(problem) => (problem.status(), Some(problem.code())),
        };
        tracing::info!(
            event = "request_answered",
            method = %method,
            caller,
            route,
            status = status.as_u16(),
            code,
            duration_ms = milliseconds(self.clock.now().since(started)),
            peak_memory_kb = peak_memory_kilobytes(),
            "request answered"
        );
        Ok(match answer {
            Ok(success) => {
                let mut response = Response::builder()
                    .status(success.status)
                    .header(CONTENT_TYPE, "application/json")
                    // Tokens and states are for the caller alone.
                    .header(CACHE_CONTROL, "no-store");
                if success.is_replay {
                    response = response.header(idempotency::REPLAYED, "true");
                }
                response.body(Body::Text(String::from_utf8(success.body)?))?
            }
            Err(problem) => problem.into_response()?,
        })
    }

    /// The route's name, for logs, and the answer.
    async fn route(&self, request: Request) -> (&'static str, Result<Success, Problem>) {
        let path = request.raw_http_path().trim_end_matches('/').to_owned();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let method = request.method().clone();
        match (segments.as_slice(), method) {
            (["verifications", scan_ref], Method::DELETE) => {
                let erased = match self.routes.permit_erasure(&request, &self.account_id) {
                    Ok(()) => self.erase(scan_ref).await,
                    Err(problem) => Err(problem),
                };
                ("/verifications/{scanRef}", erased)
            }
            _ if self.routes == Routes::ErasureAlone => {
                ("unknown", Err(Problem::route_not_found()))
            }
            (["sessions"], Method::POST) => ("/sessions", self.open(request).await),
            (["sessions"], _) => ("/sessions", Err(Problem::method_not_allowed("POST"))),
            (["verifications"], Method::GET) => ("/verifications", self.list(&request).await),
            (["verifications"], _) => ("/verifications", Err(Problem::method_not_allowed("GET"))),
            (["verifications", scan_ref], Method::GET) => {
                ("/verifications/{scanRef}", self.show(scan_ref).await)
            }
            (["verifications", _], _) => (
                "/verifications/{scanRef}",
                Err(Problem::method_not_allowed("GET, DELETE")),
            ),
            (["verifications", scan_ref, "retry"], Method::POST) => {
                ("/verifications/{scanRef}/retry", self.retry(scan_ref).await)
            }
            (["verifications", _, "retry"], _) => (
                "/verifications/{scanRef}/retry",
                Err(Problem::method_not_allowed("POST")),
            ),
            (["verifications", scan_ref, "park"], Method::POST) => (
                "/verifications/{scanRef}/park",
                self.park(scan_ref, &request).await,
            ),
            (["verifications", _, "park"], _) => (
                "/verifications/{scanRef}/park",
                Err(Problem::method_not_allowed("POST")),
            ),
            _ => ("unknown", Err(Problem::route_not_found())),
        }
    }

    async fn open(&self, request: Request) -> Result<Success, Problem> {
        let body = json_object(request.body())?;
        let read = session::read(&body);
        let id = idempotency::read(&request, &body);
        let (session, expected, id) = match (read, id) {
            (Ok((session, expected)), Ok(id)) => (session, expected, id),
            (read, id) => {
                let errors = read.err().into_iter().flatten().chain(id.err());
                return Err(Problem::invalid(errors.collect()));
            }
        };
        let opened = match id {
            Some(id) => self.open.open_once(&id, &session, expected).await?,
            None => OpenedOnce::Created(self.open.open(&session, expected).await?),
        };
        let (opened, is_replay) = match opened {
            OpenedOnce::Created(opened) => (opened, false),
            OpenedOnce::Replayed(opened) => (opened, true),
        };
        let scan_ref = &opened.session.scan_ref;
        let warnings = self.policy.warnings(opened.session.steps.as_deref());
        let codes: Vec<&str> = warnings.iter().map(StepWarning::code).collect();
        tracing::info!(
            event = "session_opened",
            scan_ref = %scan_ref,
            is_replay,
            warnings = codes.join(","),
            "session opened"
        );
        Ok(Success {
            is_replay,
            ..Success::new(StatusCode::CREATED, &SessionAnswer::new(&opened, &warnings))?
        })
    }

    async fn list(&self, request: &Request) -> Result<Success, Problem> {
        let query =
            ListQuery::read(request.uri().query().unwrap_or_default()).map_err(Problem::invalid)?;
        let page = self
            .pairings
            .of_client(&query.client_id, query.start.as_ref(), query.limit)
            .await?;
        Success::new(StatusCode::OK, &ListAnswer::from(page))
    }

    async fn show(&self, scan_ref: &str) -> Result<Success, Problem> {
        let scan_ref = parse(scan_ref)?;
        let pairing = self
            .pairings
            .find(&scan_ref)
            .await?
            .ok_or_else(Problem::verification_not_found)?;
        let history = self.pairings.history(&pairing.first, HISTORY_LIMIT).await?;
        Success::new(
            StatusCode::OK,
            &VerificationAnswer::new(&pairing, history, self.policy.remedy(&pairing)),
        )
    }

    async fn retry(&self, scan_ref: &str) -> Result<Success, Problem> {
        let conflict = |code, detail: String| Err(Problem::new(StatusCode::CONFLICT, code, detail));
        match self.retry.retry(&parse(scan_ref)?).await? {
            Retried::TakenUp(pairing) => {
                let answer = StateAnswer {
                    scan_ref: pairing.first.to_string(),
                    state: pairing.state.name(),
                };
                Success::new(StatusCode::ACCEPTED, &answer)
            }
            Retried::Unknown => Err(Problem::verification_not_found()),
            Retried::NotParked(state) => conflict(
                "not_parked",
                format!("Only a parked verification can be taken up; this one is {state}."),
            ),
            Retried::StillParked(reason) => conflict(
                "still_parked",
                format!(
                    "Judged again under the present settings, it still does not qualify: {reason}."
                ),
            ),
            Retried::CallbackGone => conflict(
                "callback_gone",
                "The callback that would be judged again is not archived any more.".to_owned(),
            ),
        }
    }

    async fn park(&self, scan_ref: &str, request: &Request) -> Result<Success, Problem> {
        let scan_ref = parse(scan_ref)?;
        let body = json_object(request.body())?;
        let note = body
            .get("reason")
            .and_then(Value::as_str)
            .map(str::parse::<ParkNote>);
        let Some(Ok(note)) = note else {
            let (field, message) = (
                "reason".to_owned(),
                format!("is required: {InvalidParkNote}"),
            );
            return Err(Problem::invalid(vec![FieldError { field, message }]));
        };
        match self.park.park(&scan_ref, note).await? {
            Parked::SetAside => {
                tracing::info!(
                    event = "verification_set_aside",
                    scan_ref = %scan_ref,
                    "verification set aside"
                );
                let state = "Parked";
                let scan_ref = scan_ref.to_string();
                Success::new(StatusCode::OK, &StateAnswer { scan_ref, state })
            }
            Parked::Unknown => Err(Problem::verification_not_found()),
            Parked::AtRest(state) => Err(Problem::new(
                StatusCode::CONFLICT,
                "at_rest",
                format!("Nobody works on this verification: it is {state}."),
            )),
            Parked::HeldUntil(until) => {
                let pause = until.since(self.clock.now()).as_secs().saturating_add(1);
                Err(Problem::held(pause))
            }
        }
    }

    async fn erase(&self, scan_ref: &str) -> Result<Success, Problem> {
        let scan_ref = parse(scan_ref)?;
        match self.erase.erase(&scan_ref).await? {
            Erased::Unknown => Err(Problem::verification_not_found()),
            Erased::Before => Success::new(
                StatusCode::OK,
                &ReceiptAnswer::before(scan_ref.to_string(), self.clock.now()),
            ),
            Erased::Now(receipt) => {
                tracing::info!(
                    event = "verification_erased",
                    scan_ref = %scan_ref,
                    remaining = receipt.remaining.len(),
                    "verification erased"
                );
                Success::new(StatusCode::OK, &ReceiptAnswer::now(&receipt))
            }
        }
    }
}

/// No verification has an unusable `scanRef`.
fn parse(scan_ref: &str) -> Result<ScanRef, Problem> {
    scan_ref
        .parse()
        .map_err(|_| Problem::verification_not_found())
}

fn json_object(body: &Body) -> Result<Map<String, Value>, Problem> {
    let bytes: &[u8] = body.as_ref();
    if bytes.len() > MAXIMUM_BODY_BYTES {
        let detail = format!("The body has more than {MAXIMUM_BODY_BYTES} bytes.");
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            detail,
        ));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_json",
            "The body must be a JSON object.",
        )),
        Err(error) => {
            let detail = format!(
                "The body is not JSON: see line {}, column {}.",
                error.line(),
                error.column()
            );
            Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_json",
                detail,
            ))
        }
    }
}
