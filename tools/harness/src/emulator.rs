//! Services of the emulator that have no client here.

use std::time::Duration;

use adapters::{Call, Limits, ServiceAnswer, ServiceCalls};
use serde_json::Value;

use crate::stack::Stack;

/// Asked once, and waited for as long as it takes.
const LIMITS: Limits = Limits {
    timeout: None,
    attempts: 1,
    first_pause: Duration::ZERO,
};

impl Stack {
    /// A service by the name that requests are signed for.
    pub(crate) fn service(&self, service: &'static str) -> ServiceCalls {
        ServiceCalls::new(self.http.clone(), &self.sdk, service).with_limits(LIMITS)
    }

    /// One operation of the JSON 1.1 protocol, such as `AWSEvents.PutRule` of `events`.
    pub async fn call(&self, service: &'static str, target: &str, request: &Value) -> Value {
        let answer = self.service(service).json(target, request).await;
        answer.unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    /// One request, whatever its answer.
    pub(crate) async fn ask(&self, service: &'static str, call: &Call<'_>) -> ServiceAnswer {
        let answer = self.service(service).ask(call).await;
        answer.unwrap_or_else(|error| panic!("{service}: {error}"))
    }
}
