//! Functions of the stack, invoked by hand.

use serde_json::Value;

use crate::stack::Stack;

impl Stack {
    /// Invokes the function with this logical id and waits for its answer.
    pub async fn invoke(&self, logical_id: &str, event: &Value) -> Value {
        let functions = format!("{}/2015-03-31/functions", self.description.endpoint_url);
        let list = self.http.get(format!("{functions}/")).send().await.expect("the emulator answers");
        let list: Value = serde_json::from_slice(&list.bytes().await.expect("a list")).expect("JSON");
        let names = list["Functions"].as_array().expect("functions").iter();
        let mut names = names.filter_map(|function| function["FunctionName"].as_str());
        let name = names.find(|name| name.contains(logical_id)).expect("the function is deployed");
        let answer = self.http.post(format!("{functions}/{name}/invocations")).json(event).send().await;
        let answer = answer.expect("the function answers");
        assert!(!answer.headers().contains_key("x-amz-function-error"), "{logical_id} failed");
        serde_json::from_slice(&answer.bytes().await.expect("an answer")).expect("JSON")
    }
}
