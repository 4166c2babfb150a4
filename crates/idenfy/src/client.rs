//! The provider's API over a given HTTP client, one file per operation.
//!
//! The client never repeats a call, follows no redirect and logs nothing.
//! It is cheap to clone.

mod delete;
mod exchange;
mod files;
mod process;
mod status;
mod token;

use std::fmt;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use url::Url;

pub use self::exchange::{Exchange, Operation};
pub use self::files::Files;
pub use self::token::{
    AdditionalSteps, CreateToken, Questionnaire, Step, StepKind, Token, TokenType,
};
use crate::{AuthToken, Credentials};

/// The time limit of each operation, from connecting to the answer's last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// 10 s by default.
    pub token: Duration,
    /// 45 s by default: up to 20 MB are uploaded.
    pub process: Duration,
    /// 10 s by default.
    pub others: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            token: Duration::from_secs(10),
            process: Duration::from_secs(45),
            others: Duration::from_secs(10),
        }
    }
}

/// The provider's API. `Debug` shows the address and hides the credentials.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: Url,
    credentials: Credentials,
    timeouts: Timeouts,
}

impl Client {
    /// Calls `base_url` with the given HTTP client.
    /// `base_url` is `https://ivs.idenfy.com` or a stand-in.
    /// A path in it is kept.
    ///
    /// The HTTP client must not follow redirects: use `redirect::Policy::none()`.
    /// A followed one would turn a `POST` into a `GET`, or send the documents elsewhere.
    /// A redirect is then an [`Error::UnreadableAnswer`].
    #[must_use]
    pub fn new(http: reqwest::Client, mut base_url: Url, credentials: Credentials) -> Self {
        base_url.set_query(None);
        base_url.set_fragment(None);
        Self {
            http,
            base_url,
            credentials,
            timeouts: Timeouts::default(),
        }
    }

    /// The same client with other time limits.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// The link that starts the customer's session.
    /// It contains the token: never log it.
    #[must_use]
    pub fn redirect_link(&self, token: &AuthToken) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("authToken", token.expose())
            .finish();
        format!("{}?{query}", self.address("api/v2/redirect"))
    }

    fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url.as_str().trim_end_matches('/'))
    }

    fn request(&self, method: Method, path: &str, timeout: Duration) -> RequestBuilder {
        self.credentials
            .authorise(self.http.request(method, self.address(path)))
            .timeout(timeout)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            // The origin only: an address may carry a password.
            .field("origin", &self.base_url.origin().ascii_serialization())
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}
