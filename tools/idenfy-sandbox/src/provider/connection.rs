//! A request's way to end its own connection.

use std::future::pending;
use std::sync::Arc;

use axum::response::Response;
use tokio::sync::Notify;

/// The connection that a request came on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connection(Arc<Notify>);

impl Connection {
    /// Resets the connection; the request's task ends here.
    pub(crate) async fn reset(&self) -> Response {
        self.0.notify_one();
        pending().await
    }

    /// Returns once a request wants its connection reset.
    pub(crate) async fn reset_wanted(&self) {
        self.0.notified().await;
    }
}
