//! Functions of the stack, invoked by hand.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::stack::Stack;

impl Stack {
    /// Invokes the function with this logical id and waits for its answer.
    pub async fn invoke(&self, logical_id: &str, event: &Value) -> Value {
        let answer = self.try_invoke(logical_id, event).await;
        answer.unwrap_or_else(|error| panic!("{logical_id} failed: {error}"))
    }

    /// The same; an error is what the function, or its end, has answered, or that there was no
    /// answer in time.
    pub async fn try_invoke(&self, logical_id: &str, event: &Value) -> Result<Value, Value> {
        let functions = format!("{}/2015-03-31/functions", self.description.endpoint_url);
        let name = self.function_name(logical_id).await;
        let answer = self
            .http
            .post(format!("{functions}/{name}/invocations"))
            .json(event)
            .send()
            .await;
        let answer = answer.map_err(|error| json!(error.to_string()))?;
        let has_failed = answer.headers().contains_key("x-amz-function-error");
        let answer = serde_json::from_slice(
            &answer
                .bytes()
                .await
                .map_err(|error| json!(error.to_string()))?,
        )
        .expect("JSON");
        if has_failed { Err(answer) } else { Ok(answer) }
    }

    /// The name under which the function with this logical id is deployed.
    pub async fn function_name(&self, logical_id: &str) -> String {
        let list = self
            .get(&format!(
                "{}/2015-03-31/functions/",
                self.description.endpoint_url
            ))
            .await;
        let names = list["Functions"].as_array().expect("functions").iter();
        let mut names = names.filter_map(|function| function["FunctionName"].as_str());
        names
            .find(|name| name.contains(logical_id))
            .expect("the function is deployed")
            .to_owned()
    }

    /// Has the reconciler run again and again, with a pause between two runs, in place of the
    /// schedule's five minutes. Never returns.
    pub async fn keep_reconciling(&self, pause: Duration) {
        loop {
            // A run that fails is made up for by the next one, as with a schedule.
            drop(self.try_invoke("ReconcilerFunction", &json!({})).await);
            sleep(pause).await;
        }
    }
}
