//! A fault-injecting proxy between the functions and a service that they call.
//!
//! Every call passes, except those that a test has named. A test may hold one call: before the
//! service gets it, midway through its body, or after the service has done it and before the
//! function knows. The test then releases the call or kills the process that made it. Or the proxy
//! refuses calls, delays them, or answers them itself. It can also record every call with the name
//! of the function that made it.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::processes::FunctionProcess;
use crate::wait::DEADLINE;

/// A call as it passes.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    pub path: String,
    /// What follows the question mark; empty without one.
    pub query: String,
    /// The service that the call is signed for, such as `dynamodb`; empty without a signature.
    pub service: String,
    /// Whether an object may be written only where none is.
    pub is_write_once: bool,
    /// The operation of a JSON service, such as `TransactWriteItems`; empty for other services.
    pub operation: String,
    /// The body; the start of one that is streamed.
    pub body: String,
}

/// A call that was made while calls were recorded.
#[derive(Clone, Debug)]
pub struct RecordedCall {
    /// The name of the function that made it. `None`: its process could not be told.
    pub function: Option<String>,
    pub call: Call,
    /// Of the answer. `None`: there is none yet, or the caller has hung up.
    pub status: Option<StatusCode>,
}

/// Where a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The service has not seen it.
    Before,
    /// The service has the start of its body. For calls whose body is streamed.
    Midway,
    /// The service has done it, and the caller has no answer.
    After,
}

/// A proxy on a port of 127.0.0.1, open until it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    origin: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    http: reqwest::Client,
    address: SocketAddr,
    service: OnceLock<String>,
    holds: Mutex<Vec<HoldRule>>,
    rules: Mutex<Vec<FaultRule>>,
    rules_so_far: AtomicU64,
    /// `None`: nothing is recorded.
    record: Mutex<Option<Vec<RecordedCall>>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Wanted = Box<dyn Fn(&Call) -> bool + Send>;

struct HoldRule {
    wanted: Wanted,
    side: Side,
    sender: oneshot::Sender<HeldCall>,
}

struct FaultRule {
    number: u64,
    wanted: Wanted,
    fault: Fault,
}

#[derive(Clone, Debug)]
enum Fault {
    Refused,
    Delayed(Duration),
    /// Answered by the proxy, which keeps the body.
    Scripted {
        answer: String,
        bodies: Arc<Mutex<Vec<String>>>,
    },
    RefusedWith {
        refusal: Refusal,
        bodies: Arc<Mutex<Vec<String>>>,
    },
}

/// An error of an AWS service, in the service's own form.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub code: &'static str,
    /// Of a cancelled transaction: a code for each of its first items.
    pub reasons: &'static [&'static str],
}

impl Refusal {
    pub const fn new(status: StatusCode, code: &'static str) -> Self {
        Self {
            status,
            code,
            reasons: &[],
        }
    }

    fn answer(&self, call: &Call) -> Response {
        let Self { status, code, .. } = *self;
        let body = if call.service == "s3" {
            format!("<Error><Code>{code}</Code><Message>played</Message></Error>")
        } else {
            let reasons = self.reasons.iter().map(|code| json!({ "Code": code }));
            let reasons: Vec<Value> = reasons.collect();
            json!({"__type": code, "message": "played", "CancellationReasons": reasons}).to_string()
        };
        (status, [("x-amzn-errortype", code)], body).into_response()
    }
}

/// A service whose answers the proxy gives, until this is dropped.
#[derive(Debug)]
pub struct ScriptedService {
    bodies: Arc<Mutex<Vec<String>>>,
    _fault: ActiveFault,
}

impl ScriptedService {
    /// The bodies of the requests so far, in order.
    pub fn bodies(&self) -> Vec<String> {
        lock(&self.bodies).clone()
    }
}

/// A fault of a service, until this is dropped.
#[derive(Debug)]
pub struct ActiveFault {
    number: u64,
    shared: Arc<Shared>,
}

impl Drop for ActiveFault {
    fn drop(&mut self) {
        let mut rules = lock(&self.shared.rules);
        rules.retain(|rule| rule.number != self.number);
    }
}

/// A call that waits for the test's decision. Dropping this ends the call: the caller gets no
/// answer, and its body ends early.
#[derive(Debug)]
pub struct HeldCall {
    caller: FunctionProcess,
    decision: oneshot::Sender<()>,
}

impl HeldCall {
    /// Lets the call go on. `false` if its caller waits no more: the functions give a service 2.5 s
    /// and then try again.
    pub fn release(self) -> bool {
        self.decision.send(()).is_ok()
    }

    /// The process that made the call.
    pub fn caller(&self) -> &FunctionProcess {
        &self.caller
    }

    /// Kills the process that made the call, with SIGKILL, and returns the name of its function.
    ///
    /// # Errors
    /// The process has ended already.
    pub fn kill_caller(self) -> Result<String> {
        ensure!(self.caller.kill(), "{:?} has ended", self.caller);
        Ok(self.caller.function)
    }
}

impl FaultProxy {
    /// Opens one. Until it is told where to lead, it answers 503.
    ///
    /// # Errors
    /// No port is free, or the HTTP client cannot be built.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            http: adapters::http_client()?,
            address,
            service: OnceLock::new(),
            holds: Mutex::default(),
            rules: Mutex::default(),
            rules_so_far: AtomicU64::new(0),
            record: Mutex::default(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        // Serving never ends by itself.
        let task = tokio::spawn(async move { drop(axum::serve(listener, service).await) });
        Ok(Self {
            origin: format!("http://{address}"),
            shared,
            task,
        })
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// From now on calls go to this origin.
    ///
    /// # Errors
    /// The proxy leads somewhere already.
    pub fn lead_to(&self, origin: &str) -> Result<()> {
        let set = self.shared.service.set(origin.to_owned());
        set.ok().context("the proxy leads somewhere already")
    }

    /// Holds the first call from now on that is `wanted`.
    pub fn hold(&self, side: Side, wanted: impl Fn(&Call) -> bool + Send + 'static) -> PendingHold {
        let (sender, receiver) = oneshot::channel();
        lock(&self.shared.holds).push(HoldRule {
            wanted: Box::new(wanted),
            side,
            sender,
        });
        PendingHold(receiver)
    }
}

impl FaultProxy {
    /// Records every call from now on. The caller of each is looked up, which takes milliseconds.
    pub fn start_recording(&self) {
        lock(&self.shared.record).get_or_insert_default();
    }

    /// The calls since recording began, in their order.
    pub fn recorded(&self) -> Vec<RecordedCall> {
        lock(&self.shared.record).clone().unwrap_or_default()
    }

    /// Answers 503 in place of the service to every call that is `wanted`.
    pub fn refuse(&self, wanted: impl Fn(&Call) -> bool + Send + 'static) -> ActiveFault {
        self.add_rule(Box::new(wanted), Fault::Refused)
    }

    /// Delays every call that is `wanted`.
    pub fn delay(
        &self,
        pause: Duration,
        wanted: impl Fn(&Call) -> bool + Send + 'static,
    ) -> ActiveFault {
        self.add_rule(Box::new(wanted), Fault::Delayed(pause))
    }

    /// Answers every call that is `wanted` with 200 and this body, in place of the service. Keeps
    /// the requests' bodies.
    pub fn script(
        &self,
        answer: &str,
        wanted: impl Fn(&Call) -> bool + Send + 'static,
    ) -> ScriptedService {
        let bodies = Arc::new(Mutex::default());
        let fault = Fault::Scripted {
            answer: answer.to_owned(),
            bodies: Arc::clone(&bodies),
        };
        ScriptedService {
            bodies,
            _fault: self.add_rule(Box::new(wanted), fault),
        }
    }

    /// Refuses the first `times` calls that are `wanted`, as the service itself would. Keeps the
    /// requests' bodies.
    pub fn refuse_with(
        &self,
        refusal: Refusal,
        times: usize,
        wanted: impl Fn(&Call) -> bool + Send + 'static,
    ) -> ScriptedService {
        let bodies = Arc::new(Mutex::default());
        let fault = Fault::RefusedWith {
            refusal,
            bodies: Arc::clone(&bodies),
        };
        let so_far = Arc::clone(&bodies);
        let wanted = move |call: &Call| lock(&so_far).len() < times && wanted(call);
        ScriptedService {
            bodies,
            _fault: self.add_rule(Box::new(wanted), fault),
        }
    }

    fn add_rule(&self, wanted: Wanted, fault: Fault) -> ActiveFault {
        let number = self.shared.rules_so_far.fetch_add(1, Ordering::Relaxed);
        let rule = FaultRule {
            number,
            wanted,
            fault,
        };
        lock(&self.shared.rules).push(rule);
        ActiveFault {
            number,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// A hold that is set.
#[derive(Debug)]
pub struct PendingHold(oneshot::Receiver<HeldCall>);

impl PendingHold {
    /// Waits for the call.
    ///
    /// # Errors
    /// It is not made by the deadline.
    pub async fn held(self) -> Result<HeldCall> {
        let held = timeout(DEADLINE, self.0).await;
        held.with_context(|| format!("the call is not made within {DEADLINE:?}"))?
            .context("the proxy is gone")
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The hold that matches a call, and the call's process.
struct MatchedHold {
    side: Side,
    sender: oneshot::Sender<HeldCall>,
    caller: FunctionProcess,
}

impl MatchedHold {
    /// Waits for the test's decision. `false`: the call ends here.
    async fn goes_on(self) -> bool {
        let (decision, decided) = oneshot::channel();
        let held = HeldCall {
            caller: self.caller,
            decision,
        };
        match self.sender.send(held) {
            Ok(()) => decided.await.is_ok(),
            // The test waits for it no more.
            Err(_) => true,
        }
    }
}

impl Shared {
    fn fault(&self, call: &Call) -> Option<Fault> {
        let rules = lock(&self.rules);
        let met = rules.iter().find(|rule| (rule.wanted)(call));
        met.map(|rule| rule.fault.clone())
    }

    fn match_hold(&self, call: &Call, caller: SocketAddr) -> Option<MatchedHold> {
        let mut holds = lock(&self.holds);
        let position = holds.iter().position(|hold| (hold.wanted)(call))?;
        // Looked up now: on a busy machine the caller may have hung up when the test has its turn.
        let caller = FunctionProcess::behind(caller, self.address)?;
        let HoldRule { side, sender, .. } = holds.remove(position);
        Some(MatchedHold {
            side,
            sender,
            caller,
        })
    }
}

/// Documents are passed on as they come, to the bucket and to direct processing.
fn is_streamed(parts: &Parts) -> bool {
    let path = parts.uri.path();
    path == "/api/v2/process" || (parts.method == Method::PUT && path.contains("/documents/"))
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let is_streamed = is_streamed(&parts);
    let mut rest = body.into_data_stream();
    let Ok(start) = read_start(&mut rest, is_streamed).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let call = describe(&parts, &start);
    if lock(&shared.record).is_none() {
        return shared.answer(parts, call, caller, start, rest).await;
    }
    // Looked up now: the caller may hang up before the answer.
    let function = FunctionProcess::behind(caller, shared.address).map(|process| process.function);
    let position = shared.record(function, call.clone());
    let answer = shared.answer(parts, call, caller, start, rest).await;
    shared.record_status(position, answer.status());
    answer
}

impl Shared {
    fn record(&self, function: Option<String>, call: Call) -> usize {
        let mut record = lock(&self.record);
        let record = record.get_or_insert_default();
        record.push(RecordedCall {
            function,
            call,
            status: None,
        });
        record.len() - 1
    }

    fn record_status(&self, position: usize, status: StatusCode) {
        let mut record = lock(&self.record);
        let recorded = record.iter_mut().flatten().nth(position);
        if let Some(recorded) = recorded {
            recorded.status = Some(status);
        }
    }

    /// The answer of a fault, of the service, or of a hold that ends the call.
    async fn answer(
        &self,
        parts: Parts,
        call: Call,
        caller: SocketAddr,
        start: Bytes,
        rest: BodyDataStream,
    ) -> Response {
        match self.fault(&call) {
            Some(Fault::Refused) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
            Some(Fault::Delayed(pause)) => sleep(pause).await,
            Some(Fault::Scripted { answer, bodies }) => {
                lock(&bodies).push(call.body);
                return answer.into_response();
            }
            Some(Fault::RefusedWith { refusal, bodies }) => {
                let answer = refusal.answer(&call);
                lock(&bodies).push(call.body);
                return answer;
            }
            None => {}
        }
        let mut met = self.match_hold(&call, caller);
        let moment = met.as_ref().map(|met| met.side);
        if moment == Some(Side::Before)
            && let Some(met) = met.take()
            && !met.goes_on().await
        {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let midway = met.take_if(|met| met.side == Side::Midway);
        let answer = self.forward(parts, start, midway, rest).await;
        if let Some(met) = met
            && !met.goes_on().await
        {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        answer.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
    }
}

/// The whole body, or the first chunk of a streamed one.
async fn read_start(body: &mut BodyDataStream, is_streamed: bool) -> Result<Bytes, axum::Error> {
    let mut start = Vec::new();
    while let Some(chunk) = body.next().await {
        start.extend_from_slice(&chunk?);
        if is_streamed {
            break;
        }
    }
    Ok(start.into())
}

fn describe(parts: &Parts, start: &[u8]) -> Call {
    let target = parts
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let operation = target
        .and_then(|target| target.rsplit('.').next())
        .unwrap_or_default();
    Call {
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        service: signed_for(&parts.headers).unwrap_or_default().to_owned(),
        is_write_once: parts.headers.contains_key(header::IF_NONE_MATCH),
        operation: operation.to_owned(),
        body: String::from_utf8_lossy(start).into_owned(),
    }
}

/// Out of the signature's scope: `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
fn signed_for(headers: &HeaderMap) -> Option<&str> {
    let signature = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, scope) = signature.split_once("Credential=")?;
    scope.split('/').nth(3)
}

impl Shared {
    async fn forward(
        &self,
        parts: Parts,
        start: Bytes,
        midway: Option<MatchedHold>,
        rest: BodyDataStream,
    ) -> Result<Response, reqwest::Error> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let Some(service) = self.service.get() else {
            return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
        };
        let gate = stream::once(async move {
            let goes_on = match midway {
                Some(met) => met.goes_on().await,
                None => true,
            };
            if goes_on {
                Ok(Bytes::new())
            } else {
                Err(io::Error::other("cut off by the test"))
            }
        });
        let rest = rest.map(|chunk| chunk.map_err(io::Error::other));
        let body = stream::once(async { Ok(start) }).chain(gate).chain(rest);
        let mut request = self.http.request(parts.method, format!("{service}{path}"));
        request = request.headers(end_to_end(&parts.headers));
        if parts.headers.contains_key(header::CONTENT_LENGTH) {
            request = request.body(reqwest::Body::wrap_stream(body));
        }
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), end_to_end(answer.headers()));
        let answer = answer.bytes().await?;
        Ok((status, headers, Body::from(answer)).into_response())
    }
}

/// Without the headers of one connection.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [
        header::HOST,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::EXPECT,
    ] {
        headers.remove(name);
    }
    headers
}
