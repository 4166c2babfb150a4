//! The application's side: signed requests to the API.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api_client::{ApiClient, Credentials};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::stack::Stack;

/// The API answers in milliseconds, the provider behind it within 10 s.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// An answer of the API.
#[derive(Clone, Debug)]
pub struct ApiAnswer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl ApiAnswer {
    /// The problem's code; empty if the answer is no problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The fields that a problem names, in its order.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().into_iter().flatten();
        errors.filter_map(|error| error["field"].as_str()).collect()
    }

    /// The body, if the status is this.
    ///
    /// # Errors
    /// The status is another one.
    pub fn expect(self, status: u16) -> Result<Value> {
        ensure!(
            self.status == status,
            "expected {status}, saw {}: {}",
            self.status,
            self.body
        );
        Ok(self.body)
    }

    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Stack {
    /// Asks the API as an application does. `path` begins with a slash and may have a query. The
    /// answer is not checked against the contract.
    ///
    /// # Errors
    /// There is no answer within 30 s, or it is not JSON.
    pub async fn ask_api(
        &self,
        method: Method,
        path: &str,
        further: HeaderMap,
        body: Vec<u8>,
    ) -> Result<ApiAnswer> {
        let url = match method {
            Method::DELETE => self.description.erasure_url.as_ref(),
            _ => None,
        };
        let url = url.unwrap_or(&self.description.api_url);
        self.ask_api_at(url, method, path, further, body).await
    }

    /// The same at an address of choice.
    ///
    /// # Errors
    /// As for [`ask_api`](Self::ask_api).
    pub async fn ask_api_at(
        &self,
        url: &str,
        method: Method,
        path: &str,
        further: HeaderMap,
        body: Vec<u8>,
    ) -> Result<ApiAnswer> {
        let what = format!("{method} {path}");
        let credentials = Credentials::new("test", "test", None, None, "emulator");
        let region = self.description.region.clone();
        let api = ApiClient::new(self.http.clone(), url, region, credentials);
        let sent = api.send_with(method, path, further, body);
        let answer = tokio::time::timeout(CALL_DEADLINE, sent)
            .await
            .with_context(|| format!("{what}: no answer within {CALL_DEADLINE:?}"))??;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await?;
        let body = serde_json::from_str(&text)
            .with_context(|| format!("{what} answered {status}: {text}"))?;
        Ok(ApiAnswer {
            status,
            headers,
            body,
        })
    }
}
