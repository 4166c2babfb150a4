//! A receiver of callbacks: keeps what comes and answers by a script of statuses, then with 200.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);

/// A callback as it came.
#[derive(Debug)]
pub struct Received {
    pub headers: HeaderMap,
    pub raw: Bytes,
}

impl Received {
    pub fn body(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

#[derive(Debug)]
pub struct Receiver {
    pub url: String,
    script: Arc<Mutex<VecDeque<u16>>>,
    callbacks: mpsc::UnboundedReceiver<Received>,
    server: JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        let (sender, callbacks) = mpsc::unbounded_channel();
        let script: Arc<Mutex<VecDeque<u16>>> = Arc::default();
        let answers = Arc::clone(&script);
        let app = axum::Router::new().fallback(async move |headers: HeaderMap, raw: Bytes| {
            let status = answers.lock().unwrap().pop_front().unwrap_or(200);
            sender.send(Received { headers, raw }).unwrap();
            answer(status)
        });
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            script,
            callbacks,
            server,
        }
    }

    /// What the next callbacks are answered with.
    pub fn will_answer(&self, statuses: &[u16]) {
        self.script.lock().unwrap().extend(statuses);
    }

    pub async fn next(&mut self) -> Received {
        timeout(DEADLINE, self.callbacks.recv())
            .await
            .expect("a callback in time")
            .expect("a running receiver")
    }

    /// Whether nothing has come that was not looked at.
    pub fn is_quiet(&mut self) -> bool {
        self.callbacks.try_recv().is_err()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn answer(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    if status.is_redirection() {
        (status, [(header::LOCATION, "/elsewhere")]).into_response()
    } else {
        status.into_response()
    }
}
