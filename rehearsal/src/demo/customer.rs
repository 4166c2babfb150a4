//! What customers and their verification provider do, through the sandbox's admin API, and what the
//! provider's journals tell about our system. See `tools/idenfy-sandbox/README.md`.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::demo::documents::CustomerFile;

/// A callback is answered within ten seconds or repeated three times; more cannot be.
const CALL_DEADLINE: Duration = Duration::from_secs(45);

/// The sandbox, seen from outside.
#[derive(Debug, Clone)]
pub struct Provider {
    pub http: Client,
    pub url: String,
}

/// One attempt at delivering a callback to our system.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub scan_ref: String,
    pub event_type: String,
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    pub overall: Option<String>,
    pub body_sha256: String,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub milliseconds: u64,
}

/// One request of our system to the provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub route: String,
    pub status: Option<u16>,
    pub scan_ref: Option<String>,
    pub external_ref: Option<String>,
    pub token_type: Option<String>,
    pub request_bytes: Option<u64>,
    #[serde(default)]
    pub images: Vec<Image>,
}

/// One image in a submission, as the provider decoded it.
#[derive(Debug, Clone, Deserialize)]
pub struct Image {
    pub side: String,
    pub bytes: u64,
    pub sha256: String,
    pub format: Option<String>,
}

#[derive(Deserialize)]
struct Deliveries {
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Requests {
    requests: Vec<Request>,
}

impl Provider {
    /// The customer uploads a file for a step.
    ///
    /// # Errors
    /// When the sandbox does not answer as documented; so for all that follow.
    pub async fn upload(&self, scan_ref: &str, step: &str, file: &CustomerFile) -> Result<()> {
        let url = self.at(&format!("/admin/sessions/{scan_ref}/files/{step}"));
        let request = self
            .http
            .put(url)
            .header("Content-Type", file.media_type)
            .body(file.bytes.clone());
        call::<Value>(request).await?;
        Ok(())
    }

    /// The provider reaches a result, and calls back until it is answered. Returns the one attempt.
    pub async fn finish(&self, scan_ref: &str, result: Value) -> Result<Delivery> {
        let url = self.at(&format!("/admin/sessions/{scan_ref}/finish"));
        only(
            call::<Deliveries>(self.http.post(url).json(&result))
                .await?
                .deliveries,
        )
    }

    /// The provider sends the last callback once more, byte for byte.
    pub async fn repeat_callback(&self, scan_ref: &str) -> Result<Delivery> {
        let url = self.at(&format!("/admin/sessions/{scan_ref}/callback"));
        only(
            call::<Deliveries>(self.http.post(url).json(&json!({})))
                .await?
                .deliveries,
        )
    }

    /// All callbacks about a customer, oldest first.
    pub async fn deliveries(&self, client_id: &str) -> Result<Vec<Delivery>> {
        let url = self.at(&format!("/admin/deliveries?clientId={client_id}"));
        Ok(call::<Deliveries>(self.http.get(url)).await?.deliveries)
    }

    /// All requests about a customer to one route, oldest first.
    pub async fn requests(&self, client_id: &str, route: &str) -> Result<Vec<Request>> {
        let url = self.at(&format!("/admin/requests?clientId={client_id}"));
        let all = call::<Requests>(self.http.get(url)).await?.requests;
        Ok(all
            .into_iter()
            .filter(|request| request.route == route)
            .collect())
    }

    /// All requests for a Token 2 of a customer, oldest first.
    pub async fn second_tokens(&self, client_id: &str) -> Result<Vec<Request>> {
        let tokens = self.requests(client_id, "token").await?;
        let is_second = |request: &Request| request.token_type.as_deref() == Some("DOCUMENT");
        Ok(tokens.into_iter().filter(is_second).collect())
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// A second attempt would mean that the first was not answered with 200.
fn only(deliveries: Vec<Delivery>) -> Result<Delivery> {
    match <[Delivery; 1]>::try_from(deliveries) {
        Ok([delivery]) => Ok(delivery),
        Err(several) => {
            let seen: Vec<_> = several
                .iter()
                .map(|delivery| (delivery.status, delivery.error.as_deref()))
                .collect();
            bail!("callback: expected one attempt answered with 200, saw (status, error) {seen:?}");
        }
    }
}

async fn call<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let answer = request
        .timeout(CALL_DEADLINE)
        .send()
        .await
        .context("the sandbox does not answer")?;
    let (status, url) = (answer.status(), answer.url().clone());
    let body = answer
        .bytes()
        .await
        .with_context(|| format!("{url} broke off"))?;
    if !status.is_success() {
        bail!(
            "{url}: expected success, saw {status}: {}",
            String::from_utf8_lossy(&body)
        );
    }
    serde_json::from_slice(&body)
        .with_context(|| format!("{url} answered something else than documented"))
}
