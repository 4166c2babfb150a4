//! The application's side: create a session, ask, retry, erase.

mod answers;
mod config;
mod handler;
mod problem;
mod query;
mod session;

use std::sync::Arc;

use adapters::{IdenfyCaller, IdenfySessions, S3FileRemoval};
use config::Config;
use handler::Api;
use lambda_http::{Error, service_fn};
use lambda_support::{Environment, Installation, start_logging};
use verification::{EraseVerification, OpenSession, RetryVerification};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = match Config::read(Environment::of_process()) {
        Ok(config) => config,
        Err(error) => {
            start_logging(lambda_support::LogLevel::default());
            tracing::error!(event = "not_configured", error = %error, "the function cannot start");
            return Err(error.into());
        }
    };
    start_logging(config.settings.log_level);
    let installation = Installation::open(&config.settings)?;
    installation.warm_up().await;
    let caller = IdenfyCaller::new(
        installation.http,
        config.idenfy_base_url,
        installation.secrets,
        installation.clock.clone(),
        installation.metrics.clone(),
    );
    let sessions = Arc::new(IdenfySessions::new(caller));
    let api = Arc::new(Api {
        open: OpenSession {
            sessions: sessions.clone(),
            pairings: installation.pairings.clone(),
            clock: installation.clock.clone(),
            observer: installation.metrics.clone(),
        },
        retry: RetryVerification {
            pairings: installation.pairings.clone(),
            archive: installation.archive,
            queue: installation.queue,
            clock: installation.clock.clone(),
            observer: installation.metrics.clone(),
            policy: config.policy,
        },
        erase: EraseVerification {
            pairings: installation.pairings.clone(),
            files: Arc::new(S3FileRemoval::new(&installation.sdk, &config.settings.document_bucket)),
            sessions,
            clock: installation.clock.clone(),
            observer: installation.metrics,
        },
        pairings: installation.pairings,
        clock: installation.clock,
    });
    lambda_http::run(service_fn(move |request| {
        let api = api.clone();
        async move { api.handle(request).await }
    }))
    .await
}
