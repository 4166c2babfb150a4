//! The provider for the deployed stack: the sandbox behind a door that notes how long each of its
//! answers took.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::forward::forward;

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
    let answer = forward(&inner.client, &inner.behind, request).await;
    *inner.took.lock().unwrap_or_else(PoisonError::into_inner) += began.elapsed();
    answer
}
