//! What is done after a callback's answer, and what follows when it is not done.

use verification::CaptureTask;

use super::*;

async fn answered(flow: &Flow) -> CaptureTask {
    let content = approved("first", "client");
    flow.world.serve(&content);
    let (accepted, task) = flow
        .accept
        .accept(content, b"{}", flow.until())
        .await
        .unwrap();
    assert_eq!(accepted, Accepted::Changed("FirstResultQualified"));
    task.expect("files are to be copied")
}

#[tokio::test]
async fn the_answer_does_not_wait_for_files() {
    let flow = Flow::new();
    let task = answered(&flow).await;
    assert_eq!(flow.world.archived().len(), 1, "the body is durable");
    assert_eq!(flow.state().name(), "Capturing", "the pairing is claimed");
    assert!(flow.world.object_keys().is_empty(), "no file was fetched");

    flow.accept.capture(task).await.unwrap();
    assert_eq!(flow.state().name(), "Captured");
    assert_eq!(flow.world.take_messages().len(), 1, "the processor is told");
}

#[tokio::test]
async fn a_death_after_the_answer_costs_a_minute() {
    let flow = Flow::new();
    drop(answered(&flow).await);
    let lease = Duration::from_secs(60 + 5);
    flow.world.wait(lease);
    assert!(
        flow.world.take_messages().is_empty(),
        "no message comes while the lease is held"
    );
    flow.world.wait(Duration::from_secs(1));
    assert_eq!(flow.world.take_messages().len(), 1);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn a_result_that_cannot_be_recorded_is_the_processors() {
    for operation in ["save", "enqueue"] {
        let flow = Flow::new();
        let task = answered(&flow).await;
        flow.world.fault(operation, Fault::Unavailable);
        assert!(flow.accept.capture(task).await.is_err(), "{operation}");
        flow.world.wait(Duration::from_secs(66));
        assert!(!flow.world.take_messages().is_empty(), "{operation}");
        assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    }
}

#[tokio::test]
async fn the_spare_message_finds_nothing_to_do() {
    let flow = Flow::new();
    let task = answered(&flow).await;
    flow.accept.capture(task).await.unwrap();
    flow.process().await;
    let version = flow.world.pairing("first").version;
    flow.world.take_messages();
    flow.world.wait(Duration::from_secs(66));
    assert_eq!(flow.world.take_messages().len(), 1);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.world.pairing("first").version, version);
    assert_eq!(flow.world.submissions().len(), 1);
}
