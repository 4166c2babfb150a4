//! The emulator's CloudWatch. Asked over plain HTTP: a few calls do not earn an SDK.

use serde_json::{Value, json};

use crate::stack::Stack;

impl Stack {
    /// One call; the answer may be an error, told by its `__type`.
    pub async fn cloudwatch(&self, operation: &str, request: &Value) -> Value {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        self.call("monitoring", &target, "application/x-amz-json-1.0", request).await
    }

    pub(crate) async fn logs(&self, operation: &str, request: &Value) -> Value {
        let target = format!("Logs_20140328.{operation}");
        self.call("logs", &target, "application/x-amz-json-1.1", request).await
    }

    async fn call(&self, service: &str, target: &str, content_type: &str, request: &Value) -> Value {
        let region = &self.description.region;
        let scope = format!("test/20200101/{region}/{service}/aws4_request");
        let request = self.http.post(&self.description.endpoint_url).body(request.to_string());
        let request = request
            .header(
                "Authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .header("X-Amz-Target", target)
            .header("Content-Type", content_type);
        let answer = request.send().await.expect("the emulator answers");
        let bytes = answer.bytes().await.expect("a whole answer");
        if bytes.is_empty() {
            json!({})
        } else {
            serde_json::from_slice(&bytes).expect("JSON")
        }
    }
}
