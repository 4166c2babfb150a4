//! The emulator's CloudWatch: metrics that it counts, and alarms.

use serde_json::Value;

use crate::stack::Stack;

impl Stack {
    /// One call; the answer may be an error, told by its `__type`.
    pub async fn cloudwatch(&self, operation: &str, request: &Value) -> Value {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        self.call("monitoring", &target, "1.0", request).await
    }
}
