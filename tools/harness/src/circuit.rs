//! The circuit that all functions of the stack share.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::stack::Stack;

impl Stack {
    /// Resets the circuit to closed. A function that has cached it uses the old state for a few
    /// more seconds.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn forget_circuit(&self) -> Result<()> {
        let request = self
            .dynamodb
            .delete_item()
            .table_name(&self.description.pairing_table)
            .key("pk", AttributeValue::S("CIRCUIT#PROVIDER".to_owned()))
            .key("sk", AttributeValue::S("CIRCUIT".to_owned()));
        request.send().await.context("the table does not answer")?;
        Ok(())
    }
}
