//! The circuit that all functions share: one item beside the pairings.
//!
//! Read consistently, changed only under the condition of its version.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use verification::circuit::Circuit;
use verification::ports::{Circuits, Clock, Saved, StoreUnavailable};

use super::condition::Condition;
use super::items::{READING, WRITING, attribute, number, text};
use crate::aws::error::{code, unavailable};

const PK: &str = "CIRCUIT#PROVIDER";
const SK: &str = "CIRCUIT";

/// Life of the item after its last change: longer than any pause.
///
/// An expired item reads as a closed circuit.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

pub struct DynamoCircuits {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
}

impl DynamoCircuits {
    pub fn new(
        sdk: &aws_types::SdkConfig,
        table: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            client: Client::new(sdk),
            table: table.into(),
            clock,
        }
    }
}

#[async_trait]
impl Circuits for DynamoCircuits {
    async fn circuit(&self) -> Result<Circuit, StoreUnavailable> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true);
        let answer = request.key("pk", text(PK)).key("sk", text(SK)).send().await;
        let Some(item) = answer.map_err(|error| unavailable(READING, error))?.item else {
            return Ok(Circuit::default());
        };
        let circuit =
            attribute(&item, "circuit").map_err(|error| StoreUnavailable::new(READING, error))?;
        serde_json::from_str(circuit).map_err(|error| StoreUnavailable::new(READING, error))
    }

    async fn replace_circuit(&self, circuit: &Circuit) -> Result<Saved, StoreUnavailable> {
        let json = serde_json::to_string(circuit)
            .map_err(|error| StoreUnavailable::new(WRITING, error))?;
        let Condition { expression, values } = Condition::next_after(circuit.version);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(PK))
            .item("sk", text(SK))
            .item("version", number(circuit.version))
            .item("circuit", text(json))
            .item("expires_at", number(self.clock.now().plus(LIFE).seconds()));
        match put
            .condition_expression(expression)
            .set_expression_attribute_values(values)
            .send()
            .await
        {
            Ok(_) => Ok(Saved::Won),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => {
                Ok(Saved::Lost)
            }
            Err(error) => Err(unavailable(WRITING, error)),
        }
    }
}
