//! Moves overdue pairings on, every five minutes.

mod config;
mod handler;

use std::sync::Arc;

use adapters::{IdenfySessions, S3FileRemoval};
use config::Config;
use handler::Reconciler;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::start;
use serde_json::Value;
use verification::{EraseVerification, PairingChanger, Reconcile};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (config, installation) = start(Config::read, |config| &config.settings).await?;
    let caller = installation.idenfy(config.idenfy_base_url);
    let changer = PairingChanger::new(
        installation.pairings.clone(),
        installation.clock.clone(),
        installation.metrics,
    );
    let erase = EraseVerification {
        changer: changer.clone(),
        keys: installation.pairings,
        files: Arc::new(S3FileRemoval::new(
            &installation.sdk,
            &config.settings.document_bucket,
        )),
        sessions: Arc::new(IdenfySessions::new(caller.clone())),
    };
    let reconciler = Arc::new(Reconciler {
        reconcile: Reconcile {
            changer,
            queue: installation.queue,
            status: Arc::new(caller),
            erase,
        },
        clock: installation.clock,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let reconciler = reconciler.clone();
        async move { reconciler.handle(&event.context).await }
    }))
    .await
}
