//! The application that outcomes are pushed to. A test says what it answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::stack::Stack;
use crate::wait::{DEADLINE, Look, wait_for};

/// What the local stack calls the secret that outcomes are signed with.
const PUSH_SECRET_NAME: &str = "dual-verification-local/outcome-push";

/// An answer to one request.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// 503 with a `Retry-After` of so many seconds.
    BusyFor(u64),
    /// None, for longer than the function waits.
    Silence,
    /// As the program at this address answers the same request.
    Forward(String),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct PushedRequest {
    pub headers: HeaderMap,
    pub body: Bytes,
    /// `None` while there is none.
    pub answered: Option<u16>,
}

impl PushedRequest {
    /// A header's text; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).context("a pushed outcome is not JSON")
    }

    fn is_about(&self, scan_ref: &str) -> bool {
        self.json()
            .is_ok_and(|body| body["data"]["scanRef"] == *scan_ref)
    }
}

#[derive(Debug)]
struct Inner {
    /// The next answers.
    script: VecDeque<Reply>,
    /// The answer to everything after them.
    otherwise: Reply,
    requests: Vec<PushedRequest>,
    http: reqwest::Client,
}

/// Listens on a port of 127.0.0.1 until it is dropped.
#[derive(Debug)]
pub struct PushReceiver {
    /// What `OutcomePushUrl` is set to.
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    task: JoinHandle<()>,
}

impl PushReceiver {
    /// Starts one that answers 204.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/outcomes", listener.local_addr()?);
        let inner = Arc::new(Mutex::new(Inner {
            script: VecDeque::new(),
            otherwise: Reply::Status(204),
            requests: Vec::new(),
            http: adapters::http_client()?,
        }));
        let router = Router::new().fallback(receive).with_state(inner.clone());
        let task = tokio::spawn(async move {
            drop(axum::serve(listener, router).await);
        });
        Ok(Self { url, inner, task })
    }

    /// What is answered from now on: `script` once, in this order, then `otherwise`.
    pub fn answers(&self, script: impl IntoIterator<Item = Reply>, otherwise: Reply) {
        let mut inner = lock(&self.inner);
        inner.script = script.into_iter().collect();
        inner.otherwise = otherwise;
    }

    /// The requests about a customer, in the order in which they came.
    pub fn about(&self, scan_ref: &str) -> Vec<PushedRequest> {
        let inner = lock(&self.inner);
        let requests = inner.requests.iter();
        requests
            .filter(|request| request.is_about(scan_ref))
            .cloned()
            .collect()
    }

    /// Waits until a request about a customer was answered with this status. Returns it.
    ///
    /// # Errors
    /// None was by the deadline.
    pub async fn until_answered(&self, scan_ref: &str, status: u16) -> Result<PushedRequest> {
        let what = format!("an outcome of {scan_ref} is answered {status}");
        wait_for(DEADLINE, what, async || {
            let requests = self.about(scan_ref);
            let seen: Vec<_> = requests.iter().map(|request| request.answered).collect();
            let found = requests
                .into_iter()
                .find(|request| request.answered == Some(status));
            Ok(found.map_or_else(|| Look::NotYet(format!("{seen:?}")), Look::Found))
        })
        .await
    }
}

impl Drop for PushReceiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(inner: &Mutex<Inner>) -> std::sync::MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(
    State(inner): State<Arc<Mutex<Inner>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (number, reply, http) = {
        let mut inner = lock(&inner);
        let number = inner.requests.len();
        inner.requests.push(PushedRequest {
            headers: headers.clone(),
            body: body.clone(),
            answered: None,
        });
        let reply = inner.script.pop_front();
        let reply = reply.unwrap_or_else(|| inner.otherwise.clone());
        (number, reply, inner.http.clone())
    };
    let response = match reply {
        Reply::Status(status) => status_of(status).into_response(),
        Reply::BusyFor(seconds) => {
            let head = [("retry-after", seconds.to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, head).into_response()
        }
        Reply::Silence => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StatusCode::NO_CONTENT.into_response()
        }
        Reply::Forward(url) => {
            let mut request = http.post(url).body(body);
            for (name, value) in &headers {
                if name.as_str().starts_with("webhook-") || name == "content-type" {
                    request = request.header(name, value);
                }
            }
            let answer = request.send().await;
            let status = answer.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status());
            status.into_response()
        }
    };
    if let Some(request) = lock(&inner).requests.get_mut(number) {
        request.answered = Some(response.status().as_u16());
    }
    response
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl Stack {
    /// The secrets that pushed outcomes are signed with.
    ///
    /// # Errors
    /// The emulator does not answer, or outcomes are not pushed.
    pub async fn push_secrets(&self) -> Result<Value> {
        let secret = self.secret_named(PUSH_SECRET_NAME).await?;
        let secret = secret.context("outcomes are not pushed")?;
        Ok(secret["signingSecrets"].clone())
    }

    /// Changes the pauses between attempts to push an outcome, in seconds. For a
    /// [`DedicatedStack`](crate::DedicatedStack) only.
    ///
    /// # Errors
    /// The emulator refuses, or does not answer.
    pub async fn tune_outcome_push(&self, pauses: &str) -> Result<()> {
        let function = self.emulator.function("OutcomePushFunction").await?;
        let mut variables = function.variables;
        variables.insert("RETRY_PAUSES".to_owned(), pauses.to_owned());
        let path = format!("/2015-03-31/functions/{}/configuration", function.name);
        let configuration = json!({"Environment": {"Variables": variables}});
        self.emulator.put(&path, &configuration).await
    }
}
