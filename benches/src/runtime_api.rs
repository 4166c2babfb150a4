//! Lambda's side of a function: the runtime API on a port of its own, serving one program at a
//! time.
//!
//! A program polls for an event, works, posts its answer and polls again ("Using the Lambda runtime
//! API for custom runtimes"). The work on an event counts as ended when the next poll arrives, so
//! what a program does after its answer is measured, too.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::routing::{get, post};
use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// Longer than anything takes that is measured here; what takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(60);

/// What events say about their own deadline; as long as the longest timeout in the template.
const INVOCATION_TIMEOUT: Duration = Duration::from_secs(90);

/// The API for one program. Dropping it stops it.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    events: mpsc::UnboundedSender<Bytes>,
    polls: mpsc::UnboundedReceiver<Instant>,
    answers: mpsc::UnboundedReceiver<Answer>,
    server: JoinHandle<()>,
}

/// What the program posted.
#[derive(Debug)]
enum Answer {
    Response(Bytes),
    Failure(Bytes),
}

/// What the routes share.
#[derive(Debug)]
struct Inner {
    events: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    polls: mpsc::UnboundedSender<Instant>,
    answers: mpsc::UnboundedSender<Answer>,
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
        let (poll, polls) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            events: Mutex::new(waiting),
            polls: poll,
            answers: answer,
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
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(inner);
        let server = tokio::spawn(async move {
            drop(axum::serve(listener, routes).await);
        });
        Ok(Self {
            address,
            events,
            polls,
            answers,
            server,
        })
    }

    /// Host and port, as `AWS_LAMBDA_RUNTIME_API` names them.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// When the program asked for its next event; waits until it does.
    ///
    /// # Errors
    /// It does not within a minute, or has reported that it cannot start.
    pub async fn poll(&mut self) -> Result<Instant> {
        let polled = async {
            tokio::select! {
                biased;
                poll = self.polls.recv() => poll.context("the runtime API has stopped"),
                answer = self.answers.recv() => bail!("instead of polling, the program said \
                    {answer:?}"),
            }
        };
        tokio::time::timeout(DEADLINE, polled)
            .await
            .context("the program does not poll")?
    }

    /// Hands an event to the program, which is waiting for one, and returns its answer.
    ///
    /// # Errors
    /// There is none within a minute, or it is that the event could not be handled.
    pub async fn invoke(&mut self, event: &Value) -> Result<Value> {
        self.events
            .send(event.to_string().into())
            .context("the runtime API has stopped")?;
        let answer = tokio::time::timeout(DEADLINE, self.answers.recv());
        match answer.await.context("the program does not answer")? {
            Some(Answer::Response(body)) => {
                serde_json::from_slice(&body).context("the program's answer is not JSON")
            }
            Some(Answer::Failure(body)) => {
                bail!("the program failed: {}", String::from_utf8_lossy(&body))
            }
            None => bail!("the runtime API has stopped"),
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Event = (StatusCode, [(HeaderName, String); 4], Bytes);

#[expect(
    clippy::disallowed_methods,
    reason = "Lambda's side, which has a clock of its own"
)]
async fn next(State(inner): State<Arc<Inner>>) -> Result<Event, StatusCode> {
    let gone = StatusCode::GONE;
    inner.polls.send(Instant::now()).map_err(|_| gone)?;
    let event = inner.events.lock().await.recv().await.ok_or(gone)?;
    let deadline = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        + INVOCATION_TIMEOUT;
    let header = |name: &'static str, value: String| (HeaderName::from_static(name), value);
    let headers = [
        header("content-type", "application/json".to_owned()),
        header(
            "lambda-runtime-aws-request-id",
            uuid::Uuid::new_v4().to_string(),
        ),
        header(
            "lambda-runtime-deadline-ms",
            deadline.as_millis().to_string(),
        ),
        header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-west-1:000000000000:function:measured".to_owned(),
        ),
    ];
    Ok((StatusCode::OK, headers, event))
}

async fn response(
    State(inner): State<Arc<Inner>>,
    Path(_): Path<String>,
    body: Bytes,
) -> StatusCode {
    pass_on(&inner, Answer::Response(body))
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
