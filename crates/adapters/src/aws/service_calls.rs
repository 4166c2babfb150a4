//! Signed requests to an AWS service of which one operation is needed: the SDK of a whole service
//! for each would cost more to build and to load than all else that a small function does.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use verification::ports::Unavailable;

use super::error::refused;
use super::sdk::AwsSettings;
use super::signer::Signer;

/// Before the second, third and fourth attempt. Long enough for a service, or for concurrency that
/// is in use, to become free again.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// The one service.
pub struct ServiceCalls {
    http: reqwest::Client,
    signer: Signer,
    endpoint: String,
}

/// What is asked of it. All requests are POSTs.
pub struct Call<'a> {
    /// Of the operation, for errors.
    pub what: &'static str,
    /// Begins with a slash and has nothing in it that must be escaped.
    pub path: &'a str,
    pub headers: &'a [(&'static str, &'a str)],
    pub body: &'a [u8],
    /// How long one attempt may take.
    pub timeout: Duration,
}

/// What it has answered.
pub struct ServiceAnswer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl ServiceCalls {
    /// `service` is the name that the service's endpoints have and are signed for, such as
    /// `lambda`.
    pub fn new(http: reqwest::Client, settings: &AwsSettings, service: &'static str) -> Self {
        let region = &settings.region;
        Self {
            http,
            signer: Signer::new(service, region.clone(), settings.credentials()),
            endpoint: match &settings.endpoint_url {
                Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
                None => format!("https://{service}.{region}.{}", suffix(region)),
            },
        }
    }

    /// Sends a request that may be repeated: again, up to three times and after a pause, when there
    /// was no answer, or one that says that the service is busy or broken. Every other answer is
    /// returned.
    ///
    /// # Errors
    /// There was no answer but of that kind.
    pub async fn send(&self, call: &Call<'_>) -> Result<ServiceAnswer, Unavailable> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let error = match self.attempt(call).await {
                Ok(answer) if !is_passing(&answer) => return Ok(answer),
                Ok(answer) => answer.refusal(call.what),
                Err(error) => error,
            };
            match pauses.next() {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<ServiceAnswer, Unavailable> {
        let url = format!("{}{}", self.endpoint, call.path);
        let signature = self.signer.sign("POST", &url, call.headers, call.body);
        let signature = signature.map_err(|error| Unavailable::new(call.what, error))?;
        let mut request = self
            .http
            .post(&url)
            .timeout(call.timeout)
            .body(call.body.to_vec());
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        for (name, value) in signature {
            request = request.header(name, value);
        }
        let no_answer = |error: reqwest::Error| Unavailable::new(call.what, error.without_url());
        let answer = request.send().await.map_err(no_answer)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(ServiceAnswer {
            status,
            headers,
            body: answer.bytes().await.map_err(no_answer)?.to_vec(),
        })
    }
}

impl std::fmt::Debug for ServiceCalls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServiceCalls")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl ServiceAnswer {
    /// The service's error code, without the namespace and the link that some services put around
    /// it.
    pub fn code(&self) -> Option<String> {
        let in_header = self
            .headers
            .get("x-amzn-errortype")
            .and_then(|code| code.to_str().ok());
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let in_body = body.get("__type").and_then(serde_json::Value::as_str);
        let code = in_header.or(in_body)?;
        let code = code.rsplit('#').next().unwrap_or(code);
        code.split(':').next().map(str::to_owned)
    }

    /// This answer as an error, of which only the code is kept.
    pub fn refusal(&self, what: &'static str) -> Unavailable {
        refused(what, self.code().as_deref())
    }
}

/// Whether asking again may help. (Source: "Common error types" of the services' API references.)
fn is_passing(answer: &ServiceAnswer) -> bool {
    answer.status.is_server_error()
        || answer.status == StatusCode::TOO_MANY_REQUESTS
        || answer
            .code()
            .is_some_and(|code| code.starts_with("Throttling"))
}

/// AWS's addresses end differently in China.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretText;

    fn answer(status: u16, header: Option<&str>, body: &str) -> ServiceAnswer {
        let mut headers = HeaderMap::new();
        if let Some(code) = header {
            headers.insert("x-amzn-errortype", code.parse().unwrap());
        }
        ServiceAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn codes_are_read_wherever_a_service_puts_them() {
        for (header, body) in [
            (Some("NotThere"), ""),
            (Some("NotThere:http://internal.example/"), "{}"),
            (None, r#"{"__type": "com.example#NotThere"}"#),
            (None, r#"{"__type": "NotThere", "message": "…"}"#),
        ] {
            assert_eq!(
                answer(400, header, body).code().as_deref(),
                Some("NotThere"),
                "{header:?} {body}"
            );
        }
        assert_eq!(answer(400, None, "<html>").code(), None);
    }

    #[test]
    fn only_what_passes_is_asked_again() {
        for (status, code) in [
            (500, None),
            (503, None),
            (429, Some("TooManyRequestsException")),
            (400, Some("ThrottlingException")),
        ] {
            assert!(is_passing(&answer(status, code, "")), "{status} {code:?}");
        }
        for (status, code) in [
            (200, None),
            (403, Some("AccessDeniedException")),
            (404, None),
        ] {
            assert!(!is_passing(&answer(status, code, "")), "{status} {code:?}");
        }
    }

    #[test]
    fn a_service_is_where_its_region_is_unless_there_is_an_emulator() {
        let settings = |region: &str, endpoint_url: Option<&str>| AwsSettings {
            region: region.to_owned(),
            access_key_id: "id".to_owned(),
            secret_access_key: SecretText::new("secret"),
            session_token: None,
            endpoint_url: endpoint_url.map(str::to_owned),
        };
        for (region, endpoint_url, endpoint) in [
            ("eu-west-1", None, "https://lambda.eu-west-1.amazonaws.com"),
            (
                "cn-north-1",
                None,
                "https://lambda.cn-north-1.amazonaws.com.cn",
            ),
            (
                "eu-west-1",
                Some("http://127.0.0.1:4566/"),
                "http://127.0.0.1:4566",
            ),
        ] {
            let http = crate::http_client().unwrap();
            let calls = ServiceCalls::new(http, &settings(region, endpoint_url), "lambda");
            assert_eq!(calls.endpoint, endpoint);
            assert!(!format!("{calls:?}").contains("secret"));
        }
    }
}
