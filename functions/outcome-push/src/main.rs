//! Pushes every outcome to the application, as a signed request.

mod config;
mod handler;
mod pauses;

use std::sync::Arc;

use adapters::{
    OutcomePush, Secrets, SqsOutcomePushQueue, SystemClock, http_client_with, sdk_config,
};
use aws_lambda_events::event::sqs::SqsEvent;
use config::Config;
use handler::Pusher;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::{Metrics, configured};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = configured(Config::read, |config| config.log_level)?;
    let http = http_client_with(&config.aws.extra_roots)?;
    let sdk = sdk_config(http.clone(), &config.aws);
    let clock = Arc::new(SystemClock);
    let pusher = Arc::new(Pusher {
        secrets: Secrets::new(http.clone(), &sdk, config.secret_arn, clock.clone()),
        push: OutcomePush::new(http, config.url),
        queue: SqsOutcomePushQueue::new(&sdk, config.queue_url, config.dead_letter_queue_url),
        pauses: config.pauses,
        metrics: Metrics::new(config.stack_name, clock.clone()),
        clock,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let pusher = pusher.clone();
        async move { pusher.handle(event.payload).await }
    }))
    .await
}
