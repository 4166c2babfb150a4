//! The sandbox's admin API, see `tools/idenfy-sandbox/README.md`.

use reqwest::Method;
use serde_json::{Value, json};

/// A client of one sandbox.
#[derive(Clone, Debug)]
pub struct SandboxClient {
    http: reqwest::Client,
    url: String,
}

impl SandboxClient {
    pub(crate) fn new(url: &str) -> Self {
        // The client insists on a crypto provider even where it never uses TLS.
        drop(rustls::crypto::ring::default_provider().install_default());
        // Without a time limit: the sandbox answers when all attempts at a delivery have been made.
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    /// The origin, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A request that must succeed; `path` is what follows `/admin`.
    pub async fn admin(&self, method: Method, path: &str, body: Value) -> Value {
        let request = self
            .http
            .request(method.clone(), format!("{}/admin{path}", self.url))
            .json(&body);
        let answer = request.send().await.expect("the sandbox answers");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer");
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Changes settings for everybody. For a dedicated stack only.
    pub async fn settings(&self, patch: Value) {
        self.admin(Method::PATCH, "/settings", patch).await;
    }

    /// What the provider was asked about a client, in order.
    pub async fn requests_of(&self, client_id: &str) -> Vec<Value> {
        let answer = self
            .admin(
                Method::GET,
                &format!("/requests?clientId={client_id}"),
                json!({}),
            )
            .await;
        answer["requests"].as_array().expect("a list").clone()
    }

    /// The callbacks that were sent about a client, in order.
    pub async fn deliveries_to(&self, client_id: &str) -> Vec<Value> {
        let answer = self
            .admin(
                Method::GET,
                &format!("/deliveries?clientId={client_id}"),
                json!({}),
            )
            .await;
        answer["deliveries"].as_array().expect("a list").clone()
    }

    /// One of the provider's lists about everybody: `requests`, `deliveries` or `sessions`.
    pub async fn all(&self, what: &str) -> Vec<Value> {
        let answer = self
            .admin(Method::GET, &format!("/{what}"), json!({}))
            .await;
        answer[what].as_array().expect("a list").clone()
    }

    pub(crate) async fn put_file(
        &self,
        scan_ref: &str,
        key: &str,
        content_type: &str,
        bytes: Vec<u8>,
    ) {
        let url = format!("{}/admin/sessions/{scan_ref}/files/{key}", self.url);
        let request = self
            .http
            .put(url)
            .header("Content-Type", content_type)
            .body(bytes);
        let answer = request.send().await.expect("the sandbox answers");
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}
