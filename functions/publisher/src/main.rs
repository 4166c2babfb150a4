//! Publishes every outcome in the table's stream as one event on the bus.

mod config;
mod handler;
mod record;

use std::sync::Arc;

use adapters::{EventBridgeAnnouncer, SystemClock, http_client_with, sdk_config};
use config::Config;
use handler::Publisher;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::configured;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = configured(Config::read, |config| config.log_level)?;
    let http = http_client_with(&config.aws.extra_roots)?;
    let sdk = sdk_config(http.clone(), &config.aws);
    let publisher = Arc::new(Publisher {
        announcer: Arc::new(EventBridgeAnnouncer::new(http, &sdk, config.event_bus)),
        clock: Arc::new(SystemClock),
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<_>| {
        let publisher = publisher.clone();
        async move { publisher.handle(event.payload).await.map_err(Error::from) }
    }))
    .await
}
