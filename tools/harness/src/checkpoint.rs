//! Standing between the functions and a service that they call: every call passes, except the one
//! that a test waits for. That one is held, before the service has seen it, midway through its
//! body, or after the service has done it and before the function knows; and the test decides
//! whether it goes on, or has the process that made it killed at exactly that moment.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::processes::FunctionProcess;
use crate::wait::DEADLINE;

/// A call as it passes.
#[derive(Debug)]
pub struct Call {
    pub method: Method,
    pub path: String,
    /// What is asked of a service with one address for everything, such as `TransactWriteItems`;
    /// else empty.
    pub operation: String,
    /// The body; the start of one that is streamed.
    pub body: String,
}

/// A call that was answered.
#[derive(Debug)]
pub struct Exchange<'a> {
    pub call: &'a Call,
    /// Of the body, streamed or not.
    pub sent_bytes: u64,
    pub status: u16,
    pub answer: &'a [u8],
}

type Observer = Box<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// Where a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The service knows nothing of it.
    Before,
    /// The service has got the start of its body. For calls whose body is streamed.
    Midway,
    /// The service has done it, and the caller has no answer.
    After,
}

/// A proxy on a port of 127.0.0.1, open until it is dropped.
#[derive(Debug)]
pub struct Checkpoint {
    origin: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    http: reqwest::Client,
    address: SocketAddr,
    service: OnceLock<String>,
    watches: Mutex<Vec<Watch>>,
    obstacles: Mutex<Vec<Obstacle>>,
    obstacles_so_far: AtomicU64,
    observer: OnceLock<Observer>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

type Wanted = Box<dyn Fn(&Call) -> bool + Send>;

struct Watch {
    wanted: Wanted,
    side: Side,
    sender: oneshot::Sender<Held>,
}

struct Obstacle {
    number: u64,
    wanted: Wanted,
    trouble: Trouble,
}

#[derive(Clone, Debug)]
enum Trouble {
    Refused,
    Delayed(Duration),
    /// Answered here; the body is kept.
    Played {
        answer: String,
        bodies: Arc<Mutex<Vec<String>>>,
    },
}

/// A service that is played here, until this is dropped.
#[derive(Debug)]
pub struct Played {
    bodies: Arc<Mutex<Vec<String>>>,
    _in_the_way: InTheWay,
}

impl Played {
    /// What it was asked so far, in order.
    pub fn bodies(&self) -> Vec<String> {
        self.bodies.lock().expect("not poisoned").clone()
    }
}

/// Trouble with a service, until this is dropped.
#[derive(Debug)]
pub struct InTheWay {
    number: u64,
    shared: Arc<Shared>,
}

impl Drop for InTheWay {
    fn drop(&mut self) {
        let mut obstacles = self.shared.obstacles.lock().expect("not poisoned");
        obstacles.retain(|obstacle| obstacle.number != self.number);
    }
}

/// A call that waits for the test's decision. Dropping this ends it: the caller gets no answer, and
/// what it was sending ends early.
#[derive(Debug)]
pub struct Held {
    caller: FunctionProcess,
    decision: oneshot::Sender<()>,
}

impl Held {
    /// Lets the call go on as if nothing had been. Whether its caller was still waiting: the
    /// functions give a service 2.5 s and then try again.
    pub fn release(self) -> bool {
        self.decision.send(()).is_ok()
    }

    /// The process that made the call.
    pub fn caller(&self) -> &FunctionProcess {
        &self.caller
    }

    /// Kills the process that made the call, with SIGKILL, and returns the name of its function.
    pub fn kill_caller(self) -> String {
        assert!(
            self.caller.kill(),
            "{:?} is there to be killed",
            self.caller
        );
        self.caller.function
    }
}

impl Checkpoint {
    /// Opens one that leads nowhere yet.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            http: adapters::http_client().expect("an HTTP client"),
            address,
            service: OnceLock::new(),
            watches: Mutex::default(),
            obstacles: Mutex::default(),
            obstacles_so_far: AtomicU64::new(0),
            observer: OnceLock::new(),
        });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&shared));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let task =
            tokio::spawn(async move { axum::serve(listener, service).await.expect("never ends") });
        Self {
            origin: format!("http://{address}"),
            shared,
            task,
        }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// From now on calls go to this origin. May be said once.
    pub fn lead_to(&self, origin: &str) {
        self.shared
            .service
            .set(origin.to_owned())
            .expect("said once");
    }

    /// Tells of every call from now on that is answered. May be said once.
    pub fn observe(&self, observer: impl Fn(&Exchange<'_>) + Send + Sync + 'static) {
        let first = self.shared.observer.set(Box::new(observer)).is_ok();
        assert!(first, "said once");
    }

    /// Holds the first call from now on that is `wanted`.
    pub fn hold(&self, side: Side, wanted: impl Fn(&Call) -> bool + Send + 'static) -> Watching {
        let (sender, receiver) = oneshot::channel();
        let wanted = Box::new(wanted);
        self.shared
            .watches
            .lock()
            .expect("not poisoned")
            .push(Watch {
                wanted,
                side,
                sender,
            });
        Watching(receiver)
    }
}

impl Checkpoint {
    /// Answers 503 in place of the service to every call that is `wanted`.
    pub fn refuse(&self, wanted: impl Fn(&Call) -> bool + Send + 'static) -> InTheWay {
        self.put_in_the_way(Box::new(wanted), Trouble::Refused)
    }

    /// Passes every call that is `wanted` on so much later.
    pub fn delay(
        &self,
        pause: Duration,
        wanted: impl Fn(&Call) -> bool + Send + 'static,
    ) -> InTheWay {
        self.put_in_the_way(Box::new(wanted), Trouble::Delayed(pause))
    }

    /// Answers 200 with this body in place of the service, and keeps what was asked.
    pub fn play(&self, answer: &str, wanted: impl Fn(&Call) -> bool + Send + 'static) -> Played {
        let bodies = Arc::new(Mutex::default());
        let trouble = Trouble::Played {
            answer: answer.to_owned(),
            bodies: Arc::clone(&bodies),
        };
        Played {
            bodies,
            _in_the_way: self.put_in_the_way(Box::new(wanted), trouble),
        }
    }

    fn put_in_the_way(&self, wanted: Wanted, trouble: Trouble) -> InTheWay {
        let number = self.shared.obstacles_so_far.fetch_add(1, Ordering::Relaxed);
        let obstacle = Obstacle {
            number,
            wanted,
            trouble,
        };
        self.shared
            .obstacles
            .lock()
            .expect("not poisoned")
            .push(obstacle);
        InTheWay {
            number,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// A watch that is set.
#[derive(Debug)]
pub struct Watching(oneshot::Receiver<Held>);

impl Watching {
    /// Waits for the call, at most as long as anything may take.
    pub async fn held(self) -> Held {
        let held = timeout(DEADLINE, self.0).await;
        held.expect("the call is made in time")
            .expect("the checkpoint is open")
    }
}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The watch that is met, with the caller, so that it can be reported when the moment has come.
struct Met {
    side: Side,
    sender: oneshot::Sender<Held>,
    caller: FunctionProcess,
}

impl Met {
    /// Waits for the test's decision. `false`: the call ends here.
    async fn goes_on(self) -> bool {
        let (decision, decided) = oneshot::channel();
        let held = Held {
            caller: self.caller,
            decision,
        };
        match self.sender.send(held) {
            Ok(()) => decided.await.is_ok(),
            // Nobody waits for it any more.
            Err(_) => true,
        }
    }
}

impl Shared {
    fn trouble(&self, call: &Call) -> Option<Trouble> {
        let obstacles = self.obstacles.lock().expect("not poisoned");
        let met = obstacles.iter().find(|obstacle| (obstacle.wanted)(call));
        met.map(|obstacle| obstacle.trouble.clone())
    }

    fn meet(&self, call: &Call, caller: SocketAddr) -> Option<Met> {
        let mut watches = self.watches.lock().expect("not poisoned");
        let position = watches.iter().position(|watch| (watch.wanted)(call))?;
        // Now, because a caller does not wait for ever: on a busy machine it may have hung up and
        // be trying again when the test has its turn.
        let caller = FunctionProcess::behind(caller, self.address)?;
        let Watch { side, sender, .. } = watches.remove(position);
        Some(Met {
            side,
            sender,
            caller,
        })
    }
}

/// Documents, to the bucket and to direct processing, are passed on as they come.
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
    match shared.trouble(&call) {
        Some(Trouble::Refused) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Trouble::Delayed(pause)) => sleep(pause).await,
        Some(Trouble::Played { answer, bodies }) => {
            bodies.lock().expect("not poisoned").push(call.body);
            return answer.into_response();
        }
        None => {}
    }
    let mut met = shared.meet(&call, caller);
    let moment = met.as_ref().map(|met| met.side);
    if moment == Some(Side::Before)
        && let Some(met) = met.take()
        && !met.goes_on().await
    {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let midway = met.take_if(|met| met.side == Side::Midway);
    let answer = shared.forward(parts, start, midway, rest, &call).await;
    if let Some(met) = met
        && !met.goes_on().await
    {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    answer.unwrap_or_else(|error| (StatusCode::BAD_GATEWAY, error.to_string()).into_response())
}

/// The whole body, or of a streamed one what has come first.
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
        operation: operation.to_owned(),
        body: String::from_utf8_lossy(start).into_owned(),
    }
}

impl Shared {
    async fn forward(
        &self,
        parts: Parts,
        start: Bytes,
        midway: Option<Met>,
        rest: BodyDataStream,
        call: &Call,
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
        let sent_bytes = sent_bytes(&parts.headers);
        let answer = request.send().await?;
        let (status, headers) = (answer.status(), end_to_end(answer.headers()));
        let answer = answer.bytes().await?;
        if let Some(observer) = self.observer.get() {
            observer(&Exchange {
                call,
                sent_bytes,
                status: status.as_u16(),
                answer: &answer,
            });
        }
        Ok((status, headers, Body::from(answer)).into_response())
    }
}

/// The SDK may wrap what it sends; what is stored then has a header of its own.
fn sent_bytes(headers: &HeaderMap) -> u64 {
    let length = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
    length("x-amz-decoded-content-length")
        .or_else(|| length("content-length"))
        .unwrap_or_default()
}

/// Without what is about one connection only.
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
