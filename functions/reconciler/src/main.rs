//! Moves overdue pairings on, every five minutes.

mod config;
mod handler;

use std::sync::Arc;

use adapters::{IdenfyProvider, IdenfySessions, S3FileRemoval, TokenField};
use config::Config;
use handler::Reconciler;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::start;
use serde_json::Value;
use verification::{EraseVerification, Reconcile};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (config, installation) = start(Config::read, |config| &config.settings).await?;
    let caller = installation.idenfy(config.idenfy_base_url);
    // Only statuses are read here, so the token's field does not matter.
    let provider = IdenfyProvider::new(
        caller.clone(),
        TokenField::default(),
        &installation.sdk,
        &config.settings.document_bucket,
    );
    let erase = EraseVerification {
        pairings: installation.pairings.clone(),
        keys: installation.pairings.clone(),
        files: Arc::new(S3FileRemoval::new(
            &installation.sdk,
            &config.settings.document_bucket,
        )),
        sessions: Arc::new(IdenfySessions::new(caller)),
        clock: installation.clock.clone(),
        observer: installation.metrics.clone(),
    };
    let reconciler = Arc::new(Reconciler {
        reconcile: Reconcile {
            pairings: installation.pairings,
            queue: installation.queue,
            provider: Arc::new(provider),
            erase,
            clock: installation.clock.clone(),
            observer: installation.metrics,
        },
        clock: installation.clock,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let reconciler = reconciler.clone();
        async move { reconciler.handle(&event.context).await }
    }))
    .await
}
