//! Accepts iDenfy's callbacks.

mod config;
mod handler;

use std::sync::Arc;

use adapters::read_callback;
use config::Config;
use handler::Webhook;
use lambda_http::{Error, service_fn};
use lambda_support::start;
use verification::AcceptCallback;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (config, installation) = start(Config::read, |config| &config.settings).await?;
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
        read: read_callback,
    });
    lambda_http::run(service_fn(move |request| {
        let webhook = webhook.clone();
        async move { webhook.handle(request).await }
    }))
    .await
}
