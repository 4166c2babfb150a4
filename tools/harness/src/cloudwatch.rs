//! The emulator's CloudWatch: metrics that it counts, and alarms.

use adapters::Call;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stack::Stack;

impl Stack {
    /// One operation. The answer may be an error, told by its `__type`.
    pub async fn cloudwatch(&self, operation: &str, request: &Value) -> Value {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let body = request.to_string();
        let call = Call {
            method: Method::POST,
            path: "/",
            headers: &[
                ("content-type", "application/x-amz-json-1.0"),
                ("x-amz-target", &target),
            ],
            body: body.as_bytes(),
        };
        let answer = self.ask("monitoring", &call).await;
        if answer.body.is_empty() {
            return json!({});
        }
        serde_json::from_slice(&answer.body).expect("JSON")
    }
}
