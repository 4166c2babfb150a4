//! The AWS SDK on the shared HTTP client.
//!
//! The SDK's own client is left out of the build. A second connection pool, TLS configuration and
//! crypto provider would cost memory, size and start-up time.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use super::extra_roots::ExtraRoots;

/// Region, credentials and endpoint, from the environment that Lambda sets.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    pub region: String,
    pub access_key_id: String,
    /// Redacted in `Debug`.
    pub secret_access_key: SecretText,
    pub session_token: Option<SecretText>,
    /// Of an emulator, for all services.
    pub endpoint_url: Option<String>,
    pub extra_roots: ExtraRoots,
}

impl AwsSettings {
    fn credentials(&self) -> Credentials {
        Credentials::new(
            self.access_key_id.clone(),
            self.secret_access_key.0.clone(),
            self.session_token.as_ref().map(|token| token.0.clone()),
            None,
            "environment",
        )
    }
}

/// Text that is not printed.
#[derive(Clone)]
pub struct SecretText(String);

impl SecretText {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(redacted)")
    }
}

/// Limit of one attempt at a small request.
///
/// These services answer in milliseconds. Three attempts fit into the webhook's budget. S3
/// transfers have limits of their own.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(2_500);

/// The one SDK configuration.
///
/// Its behaviour version is pinned: an SDK update must not change retries or timeouts.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that builds the SDK configuration"
)]
pub fn sdk_config(http: reqwest::Client, settings: &AwsSettings) -> SdkConfig {
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(settings.credentials()))
        .http_client(sdk_http_client(http))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(50)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        );
    builder.set_endpoint_url(settings.endpoint_url.clone());
    builder.build()
}

/// The shared client as the SDK's, for programs that look for credentials themselves.
pub fn sdk_http_client(http: reqwest::Client) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(http));
    http_client_fn(move |_, _| connector.clone())
}

/// Carries the SDK's requests over the shared client.
#[derive(Clone, Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap))
                .map_err(|error| ConnectorError::user(error.into()))?;
            let response = client.execute(request).await.map_err(connector_error)?;
            let response = http::Response::from(response).map(SdkBody::from_body_1_x);
            HttpResponse::try_from(response)
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn connector_error(error: reqwest::Error) -> ConnectorError {
    let is_timeout = error.is_timeout();
    // Without the URL: it may carry a signature.
    let error = Arc::new(error.without_url());
    if is_timeout {
        ConnectorError::timeout(Box::new(error))
    } else {
        ConnectorError::io(Box::new(error))
    }
}
