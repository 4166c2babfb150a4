//! Accepts iDenfy's callbacks.

mod address;
mod config;
mod handler;

use std::sync::Arc;

use address::without_address;
use config::Config;
use handler::Webhook;
use lambda_http::lambda_runtime::Runtime;
use lambda_http::lambda_runtime::layers::TracingLayer;
use lambda_http::tower::ServiceBuilder;
use lambda_http::{Adapter, Error, service_fn};
use lambda_support::{Invocations, start};
use verification::{AcceptCallback, PairingChanger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (config, installation) = start(Config::read, |config| &config.settings).await?;
    let invocations = Invocations::prepare().await;
    let webhook = Arc::new(Webhook {
        accept: Arc::new(AcceptCallback {
            changer: PairingChanger::new(
                installation.pairings,
                installation.clock.clone(),
                installation.metrics.clone(),
            ),
            archive: installation.archive,
            documents: installation.documents,
            queue: installation.queue,
            policy: config.policy,
        }),
        secrets: installation.secrets,
        allowed_sources: config.allowed_sources,
        metrics: installation.metrics,
        clock: installation.clock,
        after_answer: invocations.after_answer(),
    });
    let service = Adapter::from(service_fn(move |request| {
        let webhook = webhook.clone();
        async move { webhook.handle(request).await }
    }));
    let service = ServiceBuilder::new()
        .map_request(without_address)
        .service(service);
    let runtime = Runtime::new(service);
    invocations.run(runtime.layer(TracingLayer::new())).await
}
