//! The provider for the deployed stack: the sandbox behind a door that notes how long each of its
//! answers took.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode, header};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// More than any request that passes here.
const LARGEST_BODY: usize = 32 << 20;

/// The door; dropping it closes it.
#[derive(Debug)]
pub struct TimedProvider {
    pub url: String,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    client: reqwest::Client,
    behind: String,
    took: Mutex<Duration>,
}

impl TimedProvider {
    /// Listens on a free port of 127.0.0.1 and hands everything on to `behind`.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(client: reqwest::Client, behind: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let inner = Arc::new(Inner {
            client,
            behind: behind.to_owned(),
            took: Mutex::new(Duration::ZERO),
        });
        let routes = Router::new()
            .fallback(hand_on)
            .with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move {
            drop(axum::serve(listener, routes).await);
        });
        Ok(Self { url, inner, server })
    }

    /// How long the provider has worked since this was last asked: from when a request has arrived
    /// until its answer leaves.
    pub fn took(&self) -> Duration {
        std::mem::take(
            &mut *self
                .inner
                .took
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl Drop for TimedProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn hand_on(
    State(inner): State<Arc<Inner>>,
    request: Request,
) -> Result<Response<Body>, StatusCode> {
    let began = Instant::now();
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    parts.headers.remove(header::HOST);
    let url = format!("{}{}", inner.behind, parts.uri);
    let sent = inner
        .client
        .request(parts.method, url)
        .headers(parts.headers)
        .body(body)
        .send();
    let answer = sent.await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let (status, content_type) = (
        answer.status(),
        answer.headers().get(header::CONTENT_TYPE).cloned(),
    );
    let body = answer.bytes().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
    }
    *inner.took.lock().unwrap_or_else(PoisonError::into_inner) += began.elapsed();
    Ok(response)
}
