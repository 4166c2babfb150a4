//! Drives pairings forward: captures what is missing, creates Token 2, submits the documents.

mod config;
mod handler;

use std::sync::Arc;

use adapters::{IdenfyCaller, IdenfyProvider};
use config::Config;
use handler::Processor;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::{Environment, Installation, start_logging};
use verification::Advance;

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
    let provider = IdenfyProvider::new(caller, config.token_field, &installation.sdk, &config.settings.document_bucket);
    let processor = Arc::new(Processor {
        advance: Advance {
            pairings: installation.pairings,
            archive: installation.archive,
            documents: installation.documents,
            queue: installation.queue.clone(),
            provider: Arc::new(provider),
            clock: installation.clock.clone(),
            observer: installation.metrics,
        },
        queue: installation.queue,
        clock: installation.clock,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<_>| {
        let processor = processor.clone();
        async move { processor.handle(event).await }
    }))
    .await
}
