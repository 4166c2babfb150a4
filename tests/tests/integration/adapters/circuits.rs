//! The circuit's item. Each test has a table of its own: a table has one circuit.

use std::sync::Arc;

use adapters::DynamoCircuits;
use harness::Stack;
use verification::ports::Circuits;
use verification::testing::conformance;

use super::SettableClock;
use super::pairings::private_table;

#[tokio::test]
async fn the_circuit_conforms() {
    let stack = Stack::shared().await.unwrap();
    let table = private_table(&stack).await;
    conformance::circuits(&DynamoCircuits::new(
        &stack.sdk,
        table,
        Arc::new(SettableClock::new()),
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_write_the_same_version_exactly_one_wins() {
    let stack = Stack::shared().await.unwrap();
    let table = private_table(&stack).await;
    let stores: Vec<Arc<dyn Circuits>> = (0..16)
        .map(|_| {
            Arc::new(DynamoCircuits::new(
                &stack.sdk,
                &table,
                Arc::new(SettableClock::new()),
            )) as Arc<dyn Circuits>
        })
        .collect();
    conformance::circuits_race(&stores).await;
}
