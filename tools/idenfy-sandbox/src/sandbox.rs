//! A running sandbox, on the loopback interface only. Dropping it stops it and gives up its pending
//! callbacks.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::provider::outcome;
use crate::server;
use crate::world::settings::Settings;
use crate::world::state::{Shared, State};

/// A sandbox that answers until it is dropped or shut down.
#[derive(Debug)]
pub struct Sandbox {
    url: String,
    state: Shared,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Starts a sandbox on 127.0.0.1 and the port of the settings. It answers as soon as this
    /// returns. Needs a Tokio runtime.
    ///
    /// # Errors
    /// The port is taken, or the HTTP client for callbacks cannot be set up.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let address = (Ipv4Addr::LOCALHOST, settings.port);
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{}", address.1))?;
        let url = format!(
            "http://{}",
            listener
                .local_addr()
                .context("the listener has no address")?
        );
        let state = Arc::new(State::new(url.clone(), settings)?);
        state.spawn(outcome::watch_deadlines(Arc::clone(&state)));
        let server = tokio::spawn(server::serve(listener, server::router(Arc::clone(&state))));
        Ok(Self { url, state, server })
    }

    /// Where it answers: `http://127.0.0.1:<port>`, no slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops answering and closes every connection. Pending callbacks are given up.
    pub async fn shutdown(mut self) {
        self.stop();
        if let Err(error) = (&mut self.server).await
            && error.is_panic()
        {
            tracing::error!(%error, "sandbox ended by a panic");
        }
    }

    fn stop(&self) {
        self.server.abort();
        self.state.stop();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop();
    }
}
