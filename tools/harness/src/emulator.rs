//! Calls to services of the emulator that need no SDK: plain HTTP. The emulator checks no
//! signature; it reads the region out of one.

use anyhow::{Context, Result};
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};

/// A client of the emulator at one address.
#[derive(Clone, Debug)]
pub struct Emulator {
    pub(crate) http: reqwest::Client,
    pub(crate) endpoint_url: String,
    region: String,
}

impl Emulator {
    /// `endpoint_url` has no slash at its end.
    pub fn at(http: reqwest::Client, endpoint_url: &str, region: &str) -> Self {
        Self {
            http,
            endpoint_url: endpoint_url.to_owned(),
            region: region.to_owned(),
        }
    }

    /// A request to a service, by the name that requests are signed for.
    fn to_service(&self, service: &str) -> RequestBuilder {
        let scope = format!("test/20200101/{}/{service}/aws4_request", self.region);
        let signature =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        self.http
            .post(&self.endpoint_url)
            .header("Authorization", signature)
    }

    /// One call in JSON. The answer may be an error of the service, told by its `__type`.
    ///
    /// # Errors
    /// The emulator does not answer, or not in JSON.
    pub async fn call(
        &self,
        service: &str,
        target: &str,
        version: &str,
        request: &Value,
    ) -> Result<Value> {
        let answer = self
            .to_service(service)
            .header("X-Amz-Target", target)
            .header("Content-Type", format!("application/x-amz-json-{version}"))
            .body(request.to_string())
            .send()
            .await
            .with_context(|| format!("{target}: the emulator does not answer"))?;
        let bytes = answer
            .bytes()
            .await
            .with_context(|| format!("{target}: the answer broke off"))?;
        if bytes.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_slice(&bytes)
            .with_context(|| format!("{target}: {}", String::from_utf8_lossy(&bytes)))
    }

    /// One call of CloudWatch: metrics that the emulator counts, and alarms.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn cloudwatch(&self, operation: &str, request: &Value) -> Result<Value> {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        self.call("monitoring", &target, "1.0", request).await
    }

    /// One action of CloudFormation with its parameters. Returns the status and the answer, XML.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn cloudformation(&self, form: &[(String, String)]) -> Result<(u16, String)> {
        let encoded = Url::parse_with_params(&self.endpoint_url, form)?;
        let answer = self
            .to_service("cloudformation")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(encoded.query().unwrap_or_default().to_owned())
            .send()
            .await
            .context("CloudFormation does not answer")?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
}
