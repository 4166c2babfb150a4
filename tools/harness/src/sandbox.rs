//! The sandbox's admin API, see `tools/idenfy-sandbox/README.md`.

use anyhow::{Context, Result, ensure};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::json::list;

/// A client of one sandbox.
#[derive(Clone, Debug)]
pub struct SandboxClient {
    http: reqwest::Client,
    url: String,
}

impl SandboxClient {
    /// # Errors
    /// The HTTP client cannot be built.
    pub fn new(url: &str) -> Result<Self> {
        // The client insists on a crypto provider even where it never uses TLS.
        drop(rustls::crypto::ring::default_provider().install_default());
        // No time limit: the sandbox answers when all attempts at a delivery have been made.
        #[expect(
            clippy::disallowed_methods,
            reason = "speaks plain HTTP with this machine only; the one client is for what ships"
        )]
        let http = reqwest::Client::builder()
            .no_proxy()
            // The sandbox closes what idles for 30 s. A request that comes just then would fail.
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// The origin, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request that must succeed; `path` is what follows `/admin`.
    ///
    /// # Errors
    /// The sandbox refuses, or does not answer. The same holds for every method here.
    pub async fn admin(&self, method: Method, path: &str, body: Value) -> Result<Value> {
        let url = format!("{}/admin{path}", self.url);
        let request = self.http.request(method.clone(), url).json(&body);
        call(&format!("{method} {path}"), request).await
    }

    /// Changes settings for all customers. For a dedicated stack only.
    pub async fn settings(&self, patch: Value) -> Result<()> {
        self.admin(Method::PATCH, "/settings", patch).await?;
        Ok(())
    }

    /// Requests to the provider about a client, in order.
    pub async fn requests_of(&self, client_id: &str) -> Result<Vec<Value>> {
        let path = format!("/requests?clientId={client_id}");
        let answer = self.admin(Method::GET, &path, json!({})).await?;
        Ok(list(&answer, "requests")?.to_vec())
    }

    /// Callbacks that were sent about a client, in order.
    pub async fn deliveries_to(&self, client_id: &str) -> Result<Vec<Value>> {
        let path = format!("/deliveries?clientId={client_id}");
        let answer = self.admin(Method::GET, &path, json!({})).await?;
        Ok(list(&answer, "deliveries")?.to_vec())
    }

    /// One of the provider's lists about all clients: `requests`, `deliveries` or `sessions`.
    pub async fn all(&self, what: &str) -> Result<Vec<Value>> {
        let answer = self
            .admin(Method::GET, &format!("/{what}"), json!({}))
            .await?;
        Ok(list(&answer, what)?.to_vec())
    }

    pub(crate) async fn put_file(
        &self,
        scan_ref: &str,
        key: &str,
        content_type: &str,
        bytes: Vec<u8>,
    ) -> Result<()> {
        let path = format!("/sessions/{scan_ref}/files/{key}");
        let request = self
            .http
            .put(format!("{}/admin{path}", self.url))
            .header("Content-Type", content_type)
            .body(bytes);
        call(&format!("PUT {path}"), request).await?;
        Ok(())
    }
}

async fn call(what: &str, request: RequestBuilder) -> Result<Value> {
    let answer = request.send().await;
    let answer = answer.with_context(|| format!("{what}: the sandbox does not answer"))?;
    let status = answer.status();
    let text = answer.text().await;
    let text = text.with_context(|| format!("{what}: the answer broke off"))?;
    ensure!(status.is_success(), "{what}: {status} {text}");
    Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
}
