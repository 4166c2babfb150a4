//! Signed calls to AWS services of which one operation is needed.
//!
//! A whole SDK takes longer to build and load than everything else in a small function. Region,
//! credentials, endpoint, timeout and retries come from the one SDK configuration.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{ServiceError, error_chain};
use super::service_answer::ServiceAnswer;
use super::signer::Signer;

/// One service in one region.
pub struct ServiceCalls {
    http: reqwest::Client,
    service: &'static str,
    region: String,
    endpoint: String,
    credentials: Option<SharedCredentialsProvider>,
    limits: Limits,
}

/// How long a call may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of one attempt. `None`: the HTTP client's own.
    pub timeout: Option<Duration>,
    /// At least 1.
    pub attempts: u32,
    /// Longest pause before the second attempt. Doubles each time.
    pub first_pause: Duration,
}

impl Limits {
    /// As the SDK's own clients have them.
    fn of(sdk: &SdkConfig) -> Self {
        let retries = sdk.retry_config();
        Self {
            timeout: sdk
                .timeout_config()
                .and_then(TimeoutConfig::operation_attempt_timeout),
            attempts: retries.map_or(1, |retries| retries.max_attempts()),
            first_pause: retries.map_or(Duration::ZERO, |retries| retries.initial_backoff()),
        }
    }
}

/// One request.
pub struct Call<'a> {
    pub method: Method,
    /// Begins with a slash. Nothing in it must need escaping.
    pub path: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

impl ServiceCalls {
    /// `service` is the name in the service's endpoints and signatures, such as `lambda`.
    pub fn new(http: reqwest::Client, sdk: &SdkConfig, service: &'static str) -> Self {
        let region = sdk.region().map(ToString::to_string).unwrap_or_default();
        Self {
            http,
            service,
            endpoint: match sdk.endpoint_url() {
                Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
                None => format!("https://{service}.{region}.{}", suffix(&region)),
            },
            region,
            credentials: sdk.credentials_provider(),
            limits: Limits::of(sdk),
        }
    }

    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Calls an operation of the JSON 1.1 protocol, such as `AWSEvents.PutEvents`.
    ///
    /// An empty answer reads as an empty object.
    ///
    /// # Errors
    /// As [`ask`](Self::ask). Also a refusal, or an answer that is not a `T`.
    pub async fn json<T: DeserializeOwned>(
        &self,
        target: &str,
        request: &Value,
    ) -> Result<T, ServiceError> {
        let body = request.to_string();
        let call = Call {
            method: Method::POST,
            path: "/",
            headers: &[
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", target),
            ],
            body: body.as_bytes(),
        };
        let answer = self.ask(&call).await?.accepted()?;
        let json = match answer.body.as_slice() {
            b"" => b"{}",
            body => body,
        };
        serde_json::from_slice(json).map_err(|_| ServiceError::Unreadable)
    }

    /// Calls an action of the query protocol. Returns XML.
    ///
    /// # Errors
    /// As [`ask`](Self::ask). Also a refusal.
    pub async fn query(&self, form: &[(&str, &str)]) -> Result<String, ServiceError> {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(form).finish();
        let call = Call {
            method: Method::POST,
            path: "/",
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: body.as_bytes(),
        };
        let answer = self.ask(&call).await?.accepted()?;
        String::from_utf8(answer.body).map_err(|_| ServiceError::Unreadable)
    }

    /// Sends an idempotent request. Returns the answer, whatever its status.
    ///
    /// Repeats it within the [`Limits`] if the service was unreachable, busy or broken.
    ///
    /// # Errors
    /// There are no credentials, the request is malformed, or the last attempt had no answer.
    pub async fn ask(&self, call: &Call<'_>) -> Result<ServiceAnswer, ServiceError> {
        let mut pause = self.limits.first_pause;
        for _ in 1..self.limits.attempts {
            match self.attempt(call).await {
                Ok(answer) if answer.is_passing() => {}
                Err(ServiceError::TimedOut | ServiceError::NotSent(_)) => {}
                ended => return ended,
            }
            // Half of the pause is random, so that clients do not return together.
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            pause = pause.saturating_mul(2);
        }
        self.attempt(call).await
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<ServiceAnswer, ServiceError> {
        let url = format!("{}{}", self.endpoint, call.path);
        let signature = Signer::new(self.service, &*self.region, self.credentials().await?)
            .sign(call.method.as_str(), &url, call.headers, call.body)
            .map_err(|_| ServiceError::NotBuilt)?;
        let mut request = self
            .http
            .request(call.method.clone(), &url)
            .body(call.body.to_vec());
        if let Some(timeout) = self.limits.timeout {
            request = request.timeout(timeout);
        }
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        if let Some(trace) = trace() {
            request = request.header("x-amzn-trace-id", trace);
        }
        let answer = request.send().await.map_err(no_answer)?;
        Ok(ServiceAnswer {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.bytes().await.map_err(no_answer)?.to_vec(),
        })
    }

    /// Asked each time, because the provider renews what expires.
    async fn credentials(&self) -> Result<Credentials, ServiceError> {
        let provider = self.credentials.as_ref();
        let provider = provider.ok_or(ServiceError::NoCredentials)?;
        let provided = provider.provide_credentials().await;
        // The provider's own error may quote files and commands.
        provided.map_err(|_| ServiceError::NoCredentials)
    }
}

impl std::fmt::Debug for ServiceCalls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceCalls")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Bodies may hold a secret.
impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({} {})", self.method, self.path)
    }
}

fn no_answer(error: reqwest::Error) -> ServiceError {
    if error.is_timeout() {
        return ServiceError::TimedOut;
    }
    ServiceError::NotSent(error_chain(&error.without_url()))
}

/// The current invocation's trace. The SDK passes it on in the same way.
#[expect(
    clippy::disallowed_methods,
    reason = "no configuration: Lambda changes it with every invocation"
)]
fn trace() -> Option<String> {
    std::env::var("AWS_LAMBDA_FUNCTION_NAME").ok()?;
    std::env::var("_X_AMZN_TRACE_ID").ok()
}

/// End of a region's endpoints. (Source: the SDK's `partitions.json`.)
fn suffix(region: &str) -> &'static str {
    const OTHERS: [(&str, &str); 6] = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
    ];
    OTHERS
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("amazonaws.com", |(_, suffix)| suffix)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread::JoinHandle;

    use super::*;
    use crate::{AwsSettings, ExtraRoots, SecretText, sdk_config};

    fn calls(region: &str, endpoint_url: Option<&str>) -> ServiceCalls {
        let settings = AwsSettings {
            region: region.to_owned(),
            access_key_id: "id".to_owned(),
            secret_access_key: SecretText::new("secret"),
            session_token: None,
            endpoint_url: endpoint_url.map(str::to_owned),
            extra_roots: ExtraRoots::default(),
        };
        let http = crate::http_client().unwrap();
        ServiceCalls::new(http.clone(), &sdk_config(http, &settings), "lambda")
    }

    #[test]
    fn a_service_is_where_its_region_is_unless_there_is_an_emulator() {
        for (region, endpoint_url, endpoint) in [
            ("eu-west-1", None, "https://lambda.eu-west-1.amazonaws.com"),
            (
                "cn-north-1",
                None,
                "https://lambda.cn-north-1.amazonaws.com.cn",
            ),
            (
                "eusc-de-east-1",
                None,
                "https://lambda.eusc-de-east-1.amazonaws.eu",
            ),
            (
                "eu-west-1",
                Some("http://127.0.0.1:4566/"),
                "http://127.0.0.1:4566",
            ),
        ] {
            let calls = calls(region, endpoint_url);
            assert_eq!(calls.endpoint, endpoint);
            assert!(!format!("{calls:?}").contains("secret"));
        }
    }

    #[test]
    fn limits_are_those_of_the_sdk() {
        let limits = calls("eu-west-1", None).limits;
        assert_eq!(limits.timeout, Some(Duration::from_millis(2_500)));
        assert_eq!(limits.attempts, 3);
        assert_eq!(limits.first_pause, Duration::from_millis(50));
    }

    /// Gives each connection the next answer. Returns the requests.
    fn service(answers: Vec<(u16, &'static str)>) -> (String, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serve = move |(status, body): (u16, &str)| {
            let (mut connection, _) = listener.accept().unwrap();
            let request = read_request(&mut connection);
            let length = body.len();
            let head = format!("HTTP/1.1 {status} .\r\ncontent-length: {length}\r\n");
            write!(connection, "{head}connection: close\r\n\r\n{body}").unwrap();
            request
        };
        let requests = move || answers.into_iter().map(serve).collect();
        (url, std::thread::spawn(requests))
    }

    fn read_request(connection: &mut TcpStream) -> String {
        let mut request = String::new();
        let mut buffer = [0; 4_096];
        loop {
            let length = connection.read(&mut buffer).unwrap();
            request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            let Some((head, body)) = request.split_once("\r\n\r\n") else {
                continue;
            };
            let expected = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == expected.map_or(0, |length| length.parse().unwrap()) {
                return request;
            }
        }
    }

    #[tokio::test]
    async fn a_passing_refusal_is_asked_again_with_a_new_signature() {
        let (url, served) = service(vec![
            (400, r#"{"__type": "ThrottlingException"}"#),
            (500, "<html>"),
            (200, r#"{"SecretString": "s"}"#),
        ]);
        let answer: Value = calls("eu-west-1", Some(&url))
            .json("Service.Operation", &serde_json::json!({"Name": "n"}))
            .await
            .unwrap();
        assert_eq!(answer["SecretString"], "s");
        let requests = served.join().unwrap();
        assert_eq!(requests.len(), 3);
        for request in requests {
            assert!(
                request.contains("x-amz-target: Service.Operation")
                    && request.contains("/eu-west-1/lambda/aws4_request")
                    && request.ends_with(r#"{"Name":"n"}"#),
                "{request}"
            );
        }
    }

    #[tokio::test]
    async fn a_service_that_stays_busy_is_asked_three_times() {
        let (url, served) = service(vec![(503, ""); 3]);
        let answer = calls("eu-west-1", Some(&url)).query(&[]).await;
        assert!(matches!(
            answer,
            Err(ServiceError::Refused {
                status: Some(503),
                code: None
            })
        ));
        assert_eq!(served.join().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_final_refusal_is_returned_at_once_with_its_code() {
        let body = "<R><Error><Code>ValidationError</Code><Message>hidden</Message></Error></R>";
        let (url, served) = service(vec![(400, body)]);
        let form = [("Action", "DescribeStacks"), ("StackName", "a b")];
        let answer = calls("eu-west-1", Some(&url)).query(&form).await;
        let error = answer.unwrap_err();
        assert_eq!(error.code(), Some("ValidationError"));
        assert!(!format!("{error} {error:?}").contains("hidden"));
        let requests = served.join().unwrap();
        assert!(requests[0].ends_with("Action=DescribeStacks&StackName=a+b"));
    }

    #[tokio::test]
    async fn an_empty_answer_reads_as_an_empty_object() {
        let (url, _served) = service(vec![(200, "")]);
        let answer: Value = calls("eu-west-1", Some(&url))
            .json("Service.Operation", &Value::Null)
            .await
            .unwrap();
        assert_eq!(answer, serde_json::json!({}));
    }

    #[tokio::test]
    async fn silence_ends_at_the_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let limits = Limits {
            timeout: Some(Duration::from_millis(50)),
            attempts: 2,
            first_pause: Duration::ZERO,
        };
        let calls = calls("eu-west-1", Some(&url)).with_limits(limits);
        assert!(matches!(
            calls.query(&[]).await,
            Err(ServiceError::TimedOut)
        ));
    }
}
