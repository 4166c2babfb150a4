//! The API: create sessions, read, park, retry and erase verifications.

mod answers;
mod config;
mod handler;
mod idempotency;
mod problem;
mod query;
mod routes;
mod session;

use std::sync::Arc;

use adapters::{IdenfySessions, S3FileRemoval};
use config::Config;
use handler::Api;
use lambda_http::{Error, service_fn};
use lambda_support::start;
use verification::{
    EraseVerification, OpenSession, PairingChanger, ParkVerification, RetryVerification,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (config, installation) = start(Config::read, |config| &config.settings).await?;
    // A customer waits.
    let caller = installation
        .idenfy(config.idenfy_base_url)
        .whatever_the_circuit_says();
    let sessions = Arc::new(IdenfySessions::new(caller));
    let changer = PairingChanger::new(
        installation.pairings.clone(),
        installation.clock.clone(),
        installation.metrics,
    );
    let api = Arc::new(Api {
        open: OpenSession {
            sessions: sessions.clone(),
            changer: changer.clone(),
            keys: installation.pairings.clone(),
        },
        retry: RetryVerification {
            changer: changer.clone(),
            archive: installation.archive,
            queue: installation.queue,
            policy: config.policy.clone(),
        },
        park: ParkVerification {
            changer: changer.clone(),
        },
        erase: EraseVerification {
            changer,
            keys: installation.pairings.clone(),
            files: Arc::new(S3FileRemoval::new(
                &installation.sdk,
                &config.settings.document_bucket,
            )),
            sessions,
        },
        pairings: installation.pairings,
        routes: config.routes,
        account_id: config.account_id,
        policy: config.policy,
        clock: installation.clock,
    });
    lambda_http::run(service_fn(move |request| {
        let api = api.clone();
        async move { api.handle(request).await }
    }))
    .await
}
