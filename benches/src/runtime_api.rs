//! Lambda's side of one program: the Runtime API and the Extensions API on one port.
//!
//! A program polls for an event, works, posts its answer and polls again ("Using the Lambda runtime
//! API for custom runtimes"). An internal extension in the program registers for `INVOKE` and polls
//! for events of its own ("Using the Lambda Extensions API to create extensions"). An invocation
//! ends with the last poll of the two. So work after the answer is measured, too.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// Longer than anything takes that is measured here; what takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// What events say about their own deadline; as long as the longest timeout in the template.
const INVOCATION_TIMEOUT: Duration = Duration::from_secs(90);

const IDENTIFIER: &str = "lambda-extension-identifier";

/// The identifier of the one extension.
const EXTENSION: &str = "00000000-0000-4000-8000-000000000000";

const ARN: &str = "arn:aws:lambda:eu-west-1:000000000000:function:measured";

/// The APIs for one program. Dropping it stops it.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    events: mpsc::UnboundedSender<Event>,
    announcements: mpsc::UnboundedSender<String>,
    polls: mpsc::UnboundedReceiver<Instant>,
    extension_polls: mpsc::UnboundedReceiver<Instant>,
    answers: mpsc::UnboundedReceiver<Answer>,
    is_extended: Arc<AtomicBool>,
    server: JoinHandle<()>,
}

/// An event for the program, with its request id.
#[derive(Debug)]
struct Event {
    request_id: String,
    body: Bytes,
}

/// The program's answer, and when it arrived.
#[derive(Debug)]
pub struct Answered {
    pub answer: Value,
    pub at: Instant,
}

/// What the program posted.
#[derive(Debug)]
enum Answer {
    Response(Bytes, Instant),
    Failure(Bytes),
}

/// What the routes share.
#[derive(Debug)]
struct Inner {
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
    announcements: Mutex<mpsc::UnboundedReceiver<String>>,
    polls: mpsc::UnboundedSender<Instant>,
    extension_polls: mpsc::UnboundedSender<Instant>,
    answers: mpsc::UnboundedSender<Answer>,
    is_extended: Arc<AtomicBool>,
}

impl RuntimeApi {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let (events, waiting) = mpsc::unbounded_channel();
        let (announcements, announced) = mpsc::unbounded_channel();
        let (poll, polls) = mpsc::unbounded_channel();
        let (extension_poll, extension_polls) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        let is_extended = Arc::new(AtomicBool::new(false));
        let inner = Arc::new(Inner {
            events: Mutex::new(waiting),
            announcements: Mutex::new(announced),
            polls: poll,
            extension_polls: extension_poll,
            answers: answer,
            is_extended: Arc::clone(&is_extended),
        });
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failure))
            .route(
                "/2018-06-01/runtime/init/error",
                post(initialisation_failure),
            )
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(next_announcement))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(inner);
        let server = tokio::spawn(async move {
            drop(axum::serve(listener, routes).await);
        });
        Ok(Self {
            address,
            events,
            announcements,
            polls,
            extension_polls,
            answers,
            is_extended,
            server,
        })
    }

    /// Host and port, as `AWS_LAMBDA_RUNTIME_API` names them.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// When the program had nothing left to do: it waits for its next event, and so does its
    /// extension, if it has registered one. Waits until then.
    ///
    /// # Errors
    /// It does not within a minute, or has reported that it cannot start.
    pub async fn poll(&mut self) -> Result<Instant> {
        let stopped = "the runtime API has stopped";
        let polled = async {
            let polled = tokio::select! {
                biased;
                poll = self.polls.recv() => poll.context(stopped)?,
                answer = self.answers.recv() => bail!("instead of polling, the program said \
                    {answer:?}"),
            };
            // Extensions register before the runtime polls for the first time.
            if !self.is_extended.load(Ordering::Relaxed) {
                return Ok(polled);
            }
            let extension = self.extension_polls.recv().await.context(stopped)?;
            Ok(polled.max(extension))
        };
        tokio::time::timeout(DEADLINE, polled)
            .await
            .context("the program does not poll")?
    }

    /// Hands an event to the program, which is waiting for one, and returns its answer.
    ///
    /// # Errors
    /// There is none within a minute, or it is that the event could not be handled.
    pub async fn invoke(&mut self, event: &Value) -> Result<Answered> {
        let stopped = "the runtime API has stopped";
        let event = Event {
            request_id: uuid::Uuid::new_v4().to_string(),
            body: event.to_string().into(),
        };
        if self.is_extended.load(Ordering::Relaxed) {
            let request_id = event.request_id.clone();
            self.announcements.send(request_id).context(stopped)?;
        }
        self.events.send(event).ok().context(stopped)?;
        let answer = tokio::time::timeout(DEADLINE, self.answers.recv());
        match answer.await.context("the program does not answer")? {
            Some(Answer::Response(body, at)) => {
                let answer = serde_json::from_slice(&body);
                let answer = answer.context("the program's answer is not JSON")?;
                Ok(Answered { answer, at })
            }
            Some(Answer::Failure(body)) => {
                bail!("the program failed: {}", String::from_utf8_lossy(&body))
            }
            None => bail!(stopped),
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Handed = (StatusCode, [(HeaderName, String); 4], Bytes);

async fn next(State(inner): State<Arc<Inner>>) -> Result<Handed, StatusCode> {
    let gone = StatusCode::GONE;
    inner.polls.send(Instant::now()).map_err(|_| gone)?;
    let event = inner.events.lock().await.recv().await.ok_or(gone)?;
    let header = |name: &'static str, value: String| (HeaderName::from_static(name), value);
    let headers = [
        header("content-type", "application/json".to_owned()),
        header("lambda-runtime-aws-request-id", event.request_id),
        header("lambda-runtime-deadline-ms", deadline_ms().to_string()),
        header("lambda-runtime-invoked-function-arn", ARN.to_owned()),
    ];
    Ok((StatusCode::OK, headers, event.body))
}

#[expect(
    clippy::disallowed_methods,
    reason = "Lambda's side, which has a clock of its own"
)]
fn deadline_ms() -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    (now.unwrap_or_default() + INVOCATION_TIMEOUT).as_millis()
}

async fn register(
    State(inner): State<Arc<Inner>>,
) -> ([(HeaderName, &'static str); 1], Json<Value>) {
    inner.is_extended.store(true, Ordering::Relaxed);
    let identifier = (HeaderName::from_static(IDENTIFIER), EXTENSION);
    let function = json!({ "functionName": "measured", "handler": "bootstrap" });
    ([identifier], Json(function))
}

async fn next_announcement(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    if headers
        .get(IDENTIFIER)
        .is_none_or(|given| given != EXTENSION)
    {
        return Err(StatusCode::FORBIDDEN);
    }
    let gone = StatusCode::GONE;
    inner
        .extension_polls
        .send(Instant::now())
        .map_err(|_| gone)?;
    let announced = inner.announcements.lock().await.recv().await;
    Ok(Json(json!({
        "eventType": "INVOKE",
        "deadlineMs": u64::try_from(deadline_ms()).unwrap_or(u64::MAX),
        "requestId": announced.ok_or(gone)?,
        "invokedFunctionArn": ARN,
    })))
}

async fn response(
    State(inner): State<Arc<Inner>>,
    Path(_): Path<String>,
    body: Bytes,
) -> StatusCode {
    pass_on(&inner, Answer::Response(body, Instant::now()))
}

async fn failure(
    State(inner): State<Arc<Inner>>,
    Path(_): Path<String>,
    body: Bytes,
) -> StatusCode {
    pass_on(&inner, Answer::Failure(body))
}

async fn initialisation_failure(State(inner): State<Arc<Inner>>, body: Bytes) -> StatusCode {
    pass_on(&inner, Answer::Failure(body))
}

fn pass_on(inner: &Inner, answer: Answer) -> StatusCode {
    match inner.answers.send(answer) {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::GONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_invocation_ends_with_the_last_poll() {
        let mut api = RuntimeApi::start().await.unwrap();
        let extension = format!("http://{}/2020-01-01/extension", api.address());
        let runtime = format!("http://{}/2018-06-01/runtime/invocation", api.address());
        let http = adapters::http_client().unwrap();
        let registered = http.post(format!("{extension}/register")).send();
        let registered = registered.await.unwrap();
        let identifier = registered.headers()["lambda-extension-identifier"].clone();

        let poll = |http: &reqwest::Client, url: String| {
            let request = http.get(url).header(IDENTIFIER, identifier.clone());
            tokio::spawn(request.send())
        };
        let next = poll(&http, format!("{runtime}/next"));
        let announced = poll(&http, format!("{extension}/event/next"));
        api.poll().await.unwrap();
        let work = async {
            let next = next.await.unwrap().unwrap();
            let id = next.headers()["lambda-runtime-aws-request-id"].clone();
            let announced: Value = announced.await.unwrap().unwrap().json().await.unwrap();
            assert_eq!(announced["requestId"], id.to_str().unwrap());
            let answered = http
                .post(format!("{runtime}/{}/response", id.to_str().unwrap()))
                .body("1")
                .send();
            answered.await.unwrap();
        };
        let event = json!({});
        let (answered, ()) = tokio::join!(api.invoke(&event), work);
        let answered = answered.unwrap();
        assert_eq!(answered.answer, 1);

        poll(&http, format!("{runtime}/next"));
        let ended = tokio::time::timeout(Duration::from_millis(100), api.poll()).await;
        assert!(ended.is_err(), "the extension is still at work");
    }
}
