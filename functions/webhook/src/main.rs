//! Accepts iDenfy's callbacks.

mod config;
mod handler;

use std::sync::Arc;

use adapters::facts;
use config::Config;
use handler::Webhook;
use lambda_http::{Error, service_fn};
use lambda_support::{Environment, Installation, start_logging};
use verification::AcceptCallback;

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
    let webhook = Arc::new(Webhook {
        accept: AcceptCallback {
            pairings: installation.pairings,
            archive: installation.archive,
            documents: installation.documents,
            queue: installation.queue,
            clock: installation.clock.clone(),
            observer: installation.metrics.clone(),
            policy: config.policy,
        },
        secrets: installation.secrets,
        allowed_sources: config.allowed_sources,
        metrics: installation.metrics,
        clock: installation.clock,
        read: facts,
    });
    lambda_http::run(service_fn(move |request| {
        let webhook = webhook.clone();
        async move { webhook.handle(request).await }
    }))
    .await
}
