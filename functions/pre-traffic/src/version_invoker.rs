//! Invokes one published version, wherever its alias leads.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use adapters::{Call, Limits, ServiceAnswer, ServiceCalls};
use aws_types::SdkConfig;
use reqwest::Method;
use serde_json::Value;
use verification::ports::StoreUnavailable;

const LIMITS: Limits = Limits {
    // The webhook answers within 9 s. A cold start comes before.
    timeout: Some(Duration::from_secs(20)),
    attempts: 4,
    // Long enough for concurrency to become free again, or for a new version to become active.
    first_pause: Duration::from_secs(1),
};

/// A published version, by its ARN: `$LATEST` and aliases change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionVersion {
    function: String,
    version: u64,
}

/// The text is not the ARN of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ARN of a function's version ends in :function:NAME:NUMBER")]
pub struct InvalidVersion;

impl FromStr for FunctionVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (_, qualified) = text.split_once(":function:").ok_or(InvalidVersion)?;
        let (function, version) = qualified.split_once(':').ok_or(InvalidVersion)?;
        // Nothing in it needs escaping in a URL. (Source: "CreateFunction", AWS Lambda API
        // reference.)
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if function.is_empty() || !text.starts_with("arn:") || !function.bytes().all(is_name) {
            return Err(InvalidVersion);
        }
        let version = version.parse().map_err(|_| InvalidVersion)?;
        Ok(Self {
            function: function.to_owned(),
            version,
        })
    }
}

impl fmt::Display for FunctionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.function, self.version)
    }
}

/// Why an invocation has no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    /// It crashed, timed out, or answered with an error.
    #[error("the version failed")]
    Failed,
    #[error("the version's answer is not JSON")]
    Unreadable,
    /// It was not reached: throttled, forbidden, or no connection.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

/// Invokes versions and waits for their answers.
#[derive(Debug)]
pub struct VersionInvoker(ServiceCalls);

impl VersionInvoker {
    pub fn new(http: reqwest::Client, sdk: &SdkConfig) -> Self {
        Self(ServiceCalls::new(http, sdk, "lambda").with_limits(LIMITS))
    }

    /// Sends the event to the version and returns its answer.
    ///
    /// Repeats it up to three times if Lambda refuses for now or does not answer. The event
    /// must be idempotent.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn invoke(
        &self,
        version: &FunctionVersion,
        event: &Value,
    ) -> Result<Value, InvocationError> {
        let path = format!(
            "/2015-03-31/functions/{}/invocations?Qualifier={}",
            version.function, version.version
        );
        let body = event.to_string();
        let call = Call {
            method: Method::POST,
            path: &path,
            headers: &[("content-type", "application/json")],
            body: body.as_bytes(),
        };
        let answer = self.0.ask(&call).await.and_then(ServiceAnswer::accepted);
        let answer =
            answer.map_err(|error| StoreUnavailable::new("invoking the version", error))?;
        if answer.headers.contains_key("x-amz-function-error") {
            return Err(InvocationError::Failed);
        }
        serde_json::from_slice(&answer.body).map_err(|_| InvocationError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_its_whole_arn() {
        let version: FunctionVersion =
            "arn:aws:lambda:eu-west-1:000000000000:function:stack-WebhookFunction-1a_B:42"
                .parse()
                .unwrap();
        assert_eq!(version.to_string(), "stack-WebhookFunction-1a_B:42");
    }

    #[test]
    fn what_may_change_its_meaning_is_no_version() {
        for text in [
            "",
            "42",
            "arn:aws:lambda:eu-west-1:000000000000:function:webhook",
            "arn:aws:lambda:eu-west-1:000000000000:function:webhook:live",
            "arn:aws:lambda:eu-west-1:000000000000:function:webhook:$LATEST",
            "arn:aws:lambda:eu-west-1:000000000000:function::1",
            "arn:aws:lambda:eu-west-1:000000000000:function:../other:1",
            "function:webhook:1",
        ] {
            assert_eq!(
                text.parse::<FunctionVersion>(),
                Err(InvalidVersion),
                "{text}"
            );
        }
    }
}
