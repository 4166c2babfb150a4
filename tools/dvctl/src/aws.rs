//! AWS as the operator's own credentials reach it.
//!
//! Tables, buckets, queues and secrets go through `adapters`, which knows what is in them. The few
//! calls to CloudFormation, Lambda, CloudWatch and its logs are signed requests: five operations do
//! not earn four more generated clients, each of which takes longer to compile than the rest of
//! this program.

pub mod alarms;
pub mod cloudformation;
pub mod event_sources;
pub mod logs;
mod xml;

use std::time::Duration;

use adapters::sdk_http_client;
use api_client::{Credentials, Signer};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use reqwest::Method;

use crate::failure::Failure;
use crate::global::Global;

/// A person waits; a service that takes longer is not well.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// Where `cargo xtask up` puts its stack.
const LOCAL_REGION: &str = "eu-west-1";

#[derive(Debug)]
pub struct Aws {
    sdk: SdkConfig,
    http: reqwest::Client,
    region: String,
    endpoint: Option<String>,
}

/// One request to a service that has no client here.
struct Call<'a> {
    service: &'static str,
    method: Method,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: String,
}

impl Aws {
    /// Finds region and credentials. Credentials are not asked for yet.
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
            // An emulator takes any, and yours must not be sent to whoever listens there.
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
        let advice = "set AWS_PROFILE or give --profile, log in (aws sso login), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        let none = || Failure::new("no AWS credentials were found").advise(advice);
        let provider = self.sdk.credentials_provider().ok_or_else(none)?;
        // The provider's own error may quote files and commands; what to do is the same for all of
        // them.
        provider.provide_credentials().await.map_err(|_| none())
    }

    /// Sends a request and returns status and text, whatever they are.
    async fn call(&self, call: Call<'_>) -> Result<(u16, String), Failure> {
        let Call {
            service,
            method,
            path,
            headers,
            body,
        } = call;
        let host = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!("https://{service}.{}.{}", self.region, suffix(&self.region)),
        };
        let url = format!("{host}{path}");
        let signer = Signer::new(service, self.region.clone(), self.credentials().await?);
        let failed = || Failure::new(format!("{service} was not reached"));
        let signature = signer.sign(method.as_str(), &url, headers, body.as_bytes());
        let mut request = self
            .http
            .request(method, &url)
            .timeout(CALL_TIMEOUT)
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in signature.map_err(|error| failed().because(error))? {
            request = request.header(name, value);
        }
        let unreachable = |error: reqwest::Error| {
            failed()
                .because(error.without_url())
                .advise("check --region, --endpoint and the network")
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await.map_err(unreachable)?))
    }

    /// A call of the query protocol: a form in, XML out.
    async fn query(&self, service: &'static str, form: &[(&str, &str)]) -> Result<String, Failure> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let call = Call {
            service,
            method: Method::POST,
            path: "/",
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: body.finish(),
        };
        let (status, text) = self.call(call).await?;
        if status < 300 {
            return Ok(text);
        }
        Err(refused(
            service,
            status,
            xml::text_of(&text, "Code").as_deref(),
        ))
    }
}

/// AWS's addresses end differently in China.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// A service's refusal, by its code; its own words may quote the request.
fn refused(service: &'static str, status: u16, code: Option<&str>) -> Failure {
    let is_code = |code: &&str| {
        code.len() <= 64
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    };
    let code = code.filter(is_code).unwrap_or("no code");
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
