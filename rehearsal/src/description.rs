//! A local stack as others are told of it.

use local_stack::{LocalStack, REGION, STACK_NAME};
use serde_json::{Value, json};

/// Every output of the template, and what else is needed to use the stack.
pub fn description(stack: &LocalStack) -> Value {
    let mut description = json!(stack.outputs());
    if let Some(members) = description.as_object_mut() {
        members.insert("endpointUrl".to_owned(), json!(stack.endpoint_url()));
        members.insert("region".to_owned(), json!(REGION));
        members.insert("sandboxUrl".to_owned(), json!(stack.sandbox_url()));
        members.insert("stackName".to_owned(), json!(STACK_NAME));
    }
    description
}
