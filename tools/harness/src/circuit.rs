//! The circuit that all functions of the stack share.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::stack::Stack;

impl Stack {
    /// As if the trouble that it remembers were long over. A function that knows the circuit goes
    /// by it for a few more seconds.
    pub async fn forget_circuit(&self) {
        let request = self
            .dynamodb
            .delete_item()
            .table_name(&self.description.pairing_table);
        let request = request.key("pk", AttributeValue::S("CIRCUIT#PROVIDER".to_owned()));
        let request = request.key("sk", AttributeValue::S("CIRCUIT".to_owned()));
        request.send().await.expect("the table answers");
    }
}
