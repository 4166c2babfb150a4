//! Drives pairings forward: captures what is missing, creates Token 2, submits the documents.

mod circuit_delay;
mod config;
mod handler;

use std::process::ExitCode;
use std::sync::Arc;

use adapters::{IdenfyProvider, S3Preparation};
use config::Config;
use document_preparation::Workbench;
use handler::Processor;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::start;
use verification::{Advance, PairingChanger};

/// The same program decodes pictures, in one process per picture.
fn main() -> Result<ExitCode, Error> {
    if let Some(exit) = document_preparation::run_if_asked() {
        return Ok(exit);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve()).map(|()| ExitCode::SUCCESS)
}

async fn serve() -> Result<(), Error> {
    let (config, installation) = start(Config::read, |config| &config.settings).await?;
    let caller = installation.idenfy(config.idenfy_base_url);
    let provider = IdenfyProvider::new(
        caller,
        config.token_field,
        &installation.sdk,
        &config.settings.document_bucket,
    );
    let preparation = S3Preparation::new(
        &installation.sdk,
        &config.settings.document_bucket,
        installation.clock.clone(),
        Workbench::of_this_program(),
    );
    let processor = Arc::new(Processor {
        advance: Advance {
            changer: PairingChanger::new(
                installation.pairings,
                installation.clock.clone(),
                installation.metrics,
            ),
            archive: installation.archive,
            documents: installation.documents,
            preparation: Arc::new(preparation),
            provider: Arc::new(provider),
            policy: config.policy,
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
