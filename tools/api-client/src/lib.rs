//! Requests to the API as an application makes them.
//!
//! A function URL with `AuthType: AWS_IAM` takes AWS Signature Version 4 for the service `lambda`.
//! `docs/openapi.yaml` describes requests and answers.
//!
//! For programs on people's machines and for tests. No function depends on it.

pub use adapters::{Signer, Unsignable};
pub use aws_credential_types::Credentials;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, Response};

/// Function URLs are signed for this service.
const SERVICE: &str = "lambda";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiClientError {
    /// Invalid URL or credentials.
    #[error(transparent)]
    Unsignable(#[from] Unsignable),
    #[error("the API does not answer")]
    Unreachable(#[source] reqwest::Error),
}

/// Sends signed requests to one address.
#[derive(Clone)]
pub struct ApiClient {
    http: reqwest::Client,
    url: String,
    signer: Signer,
}

impl ApiClient {
    /// `url` is the stack's output `ApiUrl`.
    pub fn new(
        http: reqwest::Client,
        url: &str,
        region: impl Into<String>,
        credentials: Credentials,
    ) -> Self {
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            signer: Signer::new(SERVICE, region, credentials),
        }
    }

    /// Sends one request and returns its answer, whatever its status.
    ///
    /// `path` begins with a slash and may have a query. A body is JSON.
    ///
    /// # Errors
    /// The request was not signed or not answered. Its effect is then unknown.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response, ApiClientError> {
        self.send_with(method, path, HeaderMap::new(), body).await
    }

    /// The same with further headers, such as `Idempotency-Key`.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn send_with(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Response, ApiClientError> {
        let url = format!("{}{path}", self.url);
        let mut request = self
            .http
            .request(method.clone(), &url)
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in self.signer.sign(method.as_str(), &url, &[], &body)? {
            request = request.header(name, value);
        }
        let request = request.headers(headers).body(body);
        request.send().await.map_err(ApiClientError::Unreachable)
    }
}

impl std::fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiClient")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
