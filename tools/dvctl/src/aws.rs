//! AWS with the operator's own credentials.
//!
//! `adapters` knows tables, buckets, queues and secrets. The few calls to other services are signed
//! requests: their generated clients would take longer to compile than the rest of this program.

pub mod alarms;
pub mod cloudformation;
pub mod concurrency;
pub mod event_sources;
pub mod logs;
mod xml;

use std::time::Duration;

use adapters::{Limits, ServiceCalls, ServiceError, sdk_http_client};
use api_client::Credentials;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;

use crate::failure::Failure;
use crate::global::Global;

/// A person waits for the answer.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

const LIMITS: Limits = Limits {
    timeout: Some(CALL_TIMEOUT),
    attempts: 1,
    first_pause: Duration::ZERO,
};

/// Where `cargo xtask up` puts its stack.
const LOCAL_REGION: &str = "eu-west-1";

#[derive(Debug)]
pub struct Aws {
    sdk: SdkConfig,
    http: reqwest::Client,
    region: String,
    endpoint: Option<String>,
}

impl Aws {
    /// Finds region and credentials. Does not ask for credentials yet.
    ///
    /// # Errors
    /// There is no region.
    pub async fn open(global: &Global, http: reqwest::Client) -> Result<Self, Failure> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(sdk_http_client(http.clone()))
            .retry_config(RetryConfig::standard())
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(CALL_TIMEOUT)
                    .build(),
            );
        if let Some(region) = &global.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &global.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &global.endpoint {
            // An emulator takes any credentials. It must not get the operator's.
            loader = loader
                .endpoint_url(endpoint.as_str().trim_end_matches('/'))
                .region(Region::new(
                    global
                        .region
                        .clone()
                        .unwrap_or_else(|| LOCAL_REGION.to_owned()),
                ))
                .credentials_provider(Credentials::new("test", "test", None, None, "emulator"));
        }
        let sdk = loader.load().await;
        let region = sdk.region().map(ToString::to_string).ok_or_else(|| {
            Failure::usage("no AWS region is set").advise(
                "give --region, set AWS_REGION, or set a region in the profile (aws configure)",
            )
        })?;
        let endpoint = sdk.endpoint_url().map(str::to_owned);
        Ok(Self {
            sdk,
            http,
            region,
            endpoint,
        })
    }

    pub const fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    /// The emulator's address, if there is one.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The operator's credentials, fresh.
    ///
    /// # Errors
    /// There are none, or they have expired.
    pub async fn credentials(&self) -> Result<Credentials, Failure> {
        let provider = self.sdk.credentials_provider();
        let provider = provider.ok_or_else(no_credentials)?;
        // The provider's own error may quote files and commands.
        provider
            .provide_credentials()
            .await
            .map_err(|_| no_credentials())
    }

    /// Signed calls to a service that has no client here.
    fn calls(&self, service: &'static str) -> ServiceCalls {
        ServiceCalls::new(self.http.clone(), &self.sdk, service).with_limits(LIMITS)
    }

    /// Calls an action of the query protocol.
    async fn query(&self, service: &'static str, form: &[(&str, &str)]) -> Result<String, Failure> {
        let answer = self.calls(service).query(form).await;
        answer.map_err(|error| failed(service, error))
    }
}

/// The advice is the same for every provider.
fn no_credentials() -> Failure {
    Failure::new("no AWS credentials were found").advise(
        "set AWS_PROFILE or give --profile, log in (aws sso login), \
         or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
}

/// Why a service did not do what was asked, and what helps.
fn failed(service: &'static str, error: ServiceError) -> Failure {
    match &error {
        ServiceError::NoCredentials => no_credentials(),
        ServiceError::Refused { status, code } => {
            refused(service, status.unwrap_or_default(), code.as_deref())
        }
        ServiceError::Unreadable => unreadable(service),
        _ => Failure::new(format!("{service} was not reached"))
            .because(error)
            .advise("check --region, --endpoint and the network"),
    }
}

fn unreadable(service: &'static str) -> Failure {
    Failure::new(format!("{service}'s answer cannot be read"))
        .advise("check that --endpoint is an AWS endpoint or an emulator's")
}

/// A service's refusal, by its code.
fn refused(service: &'static str, status: u16, code: Option<&str>) -> Failure {
    let code = code.unwrap_or("no code");
    let failure = Failure::new(format!("{service} refused (HTTP {status}, {code})"));
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => failure
            .advise("ask for the permission; tools/dvctl/README.md lists what each command needs"),
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException" => {
            failure.advise("log in again (aws sso login), or check the credentials and the region")
        }
        "SignatureDoesNotMatch" | "RequestExpired" => {
            failure.advise("check this machine's clock and the secret access key")
        }
        "Throttling" | "ThrottlingException" => failure.advise("wait a moment and try again"),
        _ => failure,
    }
}
