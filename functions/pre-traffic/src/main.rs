//! Tests a new version of the webhook before it gets callbacks.
//!
//! CodeDeploy invokes this function for each published version. It shifts traffic only after a
//! success.

mod callback;
mod config;
mod deployment_hooks;
mod handler;
mod verdict;
mod version_invoker;

use std::sync::Arc;

use adapters::{Secrets, SystemClock, http_client_with, sdk_config};
use config::Config;
use deployment_hooks::DeploymentHooks;
use handler::PreTraffic;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use lambda_support::configured;
use serde_json::Value;
use version_invoker::VersionInvoker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = configured(Config::read, |config| config.log_level)?;
    let http = http_client_with(&config.aws.extra_roots)?;
    let sdk = sdk_config(http.clone(), &config.aws);
    let clock = Arc::new(SystemClock);
    let pre_traffic = Arc::new(PreTraffic {
        secrets: Secrets::new(http.clone(), &sdk, config.secret_arn, clock.clone()),
        invoker: VersionInvoker::new(http.clone(), &sdk),
        hooks: DeploymentHooks::new(http, &sdk),
        version: config.version,
        source: config.source,
        clock,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let pre_traffic = pre_traffic.clone();
        async move { pre_traffic.handle(event.payload).await }
    }))
    .await
}
