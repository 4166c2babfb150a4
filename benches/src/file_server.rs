//! Where the customers' files are: links that answer with the same bytes every time, at once or
//! after a pause.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Starts the name of a file whose link is silent for [`PAUSE`] before it answers.
pub const HANGS: &str = "hangs";

/// Longer than the provider waits for the answer to a callback.
pub const PAUSE: Duration = Duration::from_secs(14);

/// The server; dropping it stops it.
#[derive(Debug)]
pub struct FileServer {
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
    server: JoinHandle<()>,
}

impl FileServer {
    /// Serves each file, by name, on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(files: BTreeMap<String, Bytes>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let routes = Router::new()
            .route("/{name}", get(file))
            .with_state(Arc::new(files));
        let server = tokio::spawn(async move {
            drop(axum::serve(listener, routes).await);
        });
        Ok(Self { origin, server })
    }

    /// The link to a file.
    pub fn link(&self, name: &str) -> String {
        format!("{}/{name}", self.origin)
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn file(
    State(files): State<Arc<BTreeMap<String, Bytes>>>,
    Path(name): Path<String>,
) -> impl IntoResponse {
    if name.starts_with(HANGS) {
        tokio::time::sleep(PAUSE).await;
    }
    match files.get(&name) {
        Some(file) => Ok(([(header::CONTENT_TYPE, "image/jpeg")], file.clone())),
        None => Err(StatusCode::NOT_FOUND),
    }
}
