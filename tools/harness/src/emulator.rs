//! Services of the emulator that are asked so seldom that no SDK is earned: plain HTTP, signed for
//! its form alone.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::stack::Stack;

impl Stack {
    /// A request to a service by the name that requests are signed for.
    pub(crate) fn to_service(&self, service: &str) -> RequestBuilder {
        let scope = format!(
            "test/20200101/{}/{service}/aws4_request",
            self.description.region
        );
        let signature =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        self.http
            .post(&self.description.endpoint_url)
            .header("Authorization", signature)
    }

    /// One call in JSON; the answer may be an error, told by its `__type`.
    pub(crate) async fn call(
        &self,
        service: &str,
        target: &str,
        version: &str,
        request: &Value,
    ) -> Value {
        let request = self.to_service(service).body(request.to_string());
        let request = request.header("X-Amz-Target", target);
        let request = request.header("Content-Type", format!("application/x-amz-json-{version}"));
        let answer = request.send().await.expect("the emulator answers");
        let bytes = answer.bytes().await.expect("a whole answer");
        if bytes.is_empty() {
            json!({})
        } else {
            serde_json::from_slice(&bytes).expect("JSON")
        }
    }
}
