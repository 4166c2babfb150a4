//! One attempt to hand an outcome to the application.

use std::time::Duration;

use idenfy::retry_after;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use verification::Timestamp;

use super::message::OutcomeMessage;
use super::signing::SigningSecrets;
use super::url::PushUrl;
use crate::aws::error_chain;

/// The standard asks for 15 to 30 s.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Posts messages to one address.
#[derive(Debug)]
pub struct OutcomePush {
    http: reqwest::Client,
    url: PushUrl,
}

/// Why the application does not have the outcome, or may not have it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// 410: the application wants nothing more from this sender.
    #[error("the application answered 410 Gone")]
    Gone,
    /// 429 and 503 may say when to come again.
    #[error("the application answered {status}")]
    Refused {
        status: u16,
        retry_after: Option<Duration>,
    },
    #[error("no answer within 15 s")]
    TimedOut,
    /// The transport's causes. They hold no URL.
    #[error("the request could not be sent: {0}")]
    NotSent(String),
}

impl PushError {
    /// For metrics and log lines.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Refused { status: 429, .. } => "throttled",
            Self::Refused { status: 500.., .. } => "server_error",
            Self::Refused {
                status: 300..400, ..
            } => "redirected",
            Self::Refused { .. } => "refused",
            Self::TimedOut => "timed_out",
            Self::NotSent(_) => "not_sent",
        }
    }

    /// The answer's status.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Gone => Some(410),
            Self::Refused { status, .. } => Some(*status),
            Self::TimedOut | Self::NotSent(_) => None,
        }
    }

    /// How long the application asks to wait.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl OutcomePush {
    /// `http` must not follow redirects.
    pub fn new(http: reqwest::Client, url: PushUrl) -> Self {
        Self { http, url }
    }

    /// Posts a message, signed for `now`. Returns the status of the answer, 2xx.
    ///
    /// The answer's body is not read: nothing follows from it.
    ///
    /// # Errors
    /// The application did not answer 2xx. It may have the outcome all the same, and must expect
    /// repeats.
    pub async fn push(
        &self,
        message: &OutcomeMessage,
        secrets: &SigningSecrets,
        now: Timestamp,
    ) -> Result<u16, PushError> {
        let timestamp = now.seconds();
        let signature = secrets.sign(&message.id, timestamp, &message.body);
        let request = self
            .http
            .post(self.url.url().clone())
            .timeout(TIMEOUT)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature)
            .body(message.body.clone());
        let answer = request.send().await.map_err(no_answer)?;
        match answer.status() {
            status if status.is_success() => Ok(status.as_u16()),
            StatusCode::GONE => Err(PushError::Gone),
            status => Err(PushError::Refused {
                status: status.as_u16(),
                retry_after: retry_after(answer.headers()),
            }),
        }
    }
}

fn no_answer(error: reqwest::Error) -> PushError {
    if error.is_timeout() {
        return PushError::TimedOut;
    }
    PushError::NotSent(error_chain(&error.without_url()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::*;
    use crate::idenfy::SecretContent;

    /// Answers one request with `answer`. Returns the address and the request.
    fn receiver(answer: &'static str) -> (OutcomePush, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!(
            "http://{}/outcomes?key=hidden",
            listener.local_addr().unwrap()
        );
        let request = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut buffer = [0; 8_192];
            let mut request = String::new();
            while !request.ends_with('}') {
                let length = connection.read(&mut buffer).unwrap();
                request.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
            }
            write!(connection, "HTTP/1.1 {answer}connection: close\r\n\r\n").unwrap();
            request
        });
        let http = crate::http_client().unwrap();
        (OutcomePush::new(http, url.parse().unwrap()), request)
    }

    async fn push(to: &OutcomePush) -> Result<u16, PushError> {
        let event = r#"{"detail-type": "DualVerificationExpired", "detail":
            {"scanRef": "first", "occurredAt": "2026-11-23T10:00:00.123Z"}}"#;
        let secrets = r#"{"signingSecrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}"#;
        to.push(
            &OutcomeMessage::read(event).unwrap(),
            &SigningSecrets::parse(secrets).unwrap(),
            Timestamp::from_milliseconds(1_614_265_330_999),
        )
        .await
    }

    #[tokio::test]
    async fn a_message_has_the_standard_s_headers() {
        let (to, request) = receiver("204 No Content\r\n");
        assert_eq!(push(&to).await, Ok(204));
        let request = request.join().unwrap().to_lowercase();
        for part in [
            "post /outcomes?key=hidden http/1.1\r\n",
            "content-type: application/json\r\n",
            "webhook-id: msg_",
            "webhook-timestamp: 1614265330\r\n",
            "webhook-signature: v1,",
        ] {
            assert!(request.contains(part), "{request}");
        }
    }

    #[tokio::test]
    async fn what_is_not_2xx_is_told_apart() {
        for (answer, kind, wait) in [
            ("410 Gone\r\n", "gone", None),
            ("404 Not Found\r\n", "refused", None),
            ("429 Slow\r\nretry-after: 7\r\n", "throttled", Some(7)),
            (
                "503 Busy\r\nretry-after: 600\r\n",
                "server_error",
                Some(600),
            ),
            (
                "307 Away\r\nlocation: http://127.0.0.1:1/\r\n",
                "redirected",
                None,
            ),
        ] {
            let (to, request) = receiver(answer);
            let error = push(&to).await.unwrap_err();
            assert_eq!(error.kind(), kind);
            assert_eq!(error.retry_after(), wait.map(Duration::from_secs));
            request.join().unwrap();
        }
    }

    #[tokio::test]
    async fn an_application_that_is_not_there_is_named_without_its_address() {
        let to = OutcomePush::new(
            crate::http_client().unwrap(),
            "http://127.0.0.1:1/?key=hidden".parse().unwrap(),
        );
        let error = push(&to).await.unwrap_err();
        assert_eq!(error.kind(), "not_sent");
        assert!(!format!("{error} {error:?} {to:?}").contains("hidden"));
    }
}
