//! A worker is held up for a moment and overtaken. Its knowledge is out of date: it changes nothing
//! and makes no call.

use harness::{ProcessorTuning, Side, WatchedStack, eventually, writes};
use local_stack::Options;
use serde_json::json;

/// One message at a time: the second goes to another process. And time enough for a held call.
const ONE_BY_ONE: ProcessorTuning = ProcessorTuning {
    timeout_seconds: 40,
    visibility_seconds: 60,
    batch_size: 1,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_overtaken_changes_nothing() {
    let world = WatchedStack::start(Options::default()).await.unwrap();
    world.stack().tune_processor(ONE_BY_ONE).await.unwrap();
    tokio::join!(
        a_write_that_comes_late_is_lost(&world, "Authorizing"),
        a_write_that_comes_late_is_lost(&world, "Submitting"),
        what_the_callback_settled_stays_settled(&world),
        nobody_else_begins_what_somebody_is_at(&world),
    );
    world.assert_queues_empty().await.unwrap();
    world.stop().await;
}

/// The version is what keeps it from being written.
async fn a_write_that_comes_late_is_lost(world: &WatchedStack, state: &'static str) {
    let stack = world.stack();
    let session = stack.session_with_documents().await.unwrap();
    let late = world
        .services
        .hold(Side::Before, writes(&session.scan_ref, state));
    session.finish_expecting_200(json!({})).await.unwrap();
    let late = late.held().await.unwrap();
    let message = json!({"type": "SubmitDocumentsV1", "scanRef": session.scan_ref}).to_string();
    stack.send_to_submission_queue(&[&message]).await.unwrap();
    let settled = session.until_settled().await.unwrap();
    late.release();
    assert_eq!(
        stack.nudge(&session.scan_ref).await.unwrap(),
        "Settled",
        "{state}"
    );
    world.assert_queues_empty().await.unwrap();
    assert_eq!(session.pairing().await.unwrap(), Some(settled), "{state}");
    assert_eq!(session.requests("token").await.unwrap().len(), 1, "{state}");
    assert_eq!(
        session.requests("process").await.unwrap().len(),
        1,
        "{state}"
    );
}

/// The callback comes before the worker has recorded that the documents were accepted.
async fn what_the_callback_settled_stays_settled(world: &WatchedStack) {
    let session = world.stack().session_with_documents().await.unwrap();
    let late = world
        .services
        .hold(Side::Before, writes(&session.scan_ref, "Submitted"));
    session.finish_expecting_200(json!({})).await.unwrap();
    let late = late.held().await.unwrap();
    let settled = session.until_settled().await.unwrap();
    late.release();
    world.assert_queues_empty().await.unwrap();
    assert_eq!(session.pairing().await.unwrap(), Some(settled));
}

/// The lease is what keeps others away.
async fn nobody_else_begins_what_somebody_is_at(world: &WatchedStack) {
    let stack = world.stack();
    let session = stack.session_with_documents().await.unwrap();
    let client = session.client_id.clone();
    let asking = world.provider.hold(Side::Before, move |call| {
        call.path == "/api/v2/token" && call.body.contains(&client)
    });
    session.finish_expecting_200(json!({})).await.unwrap();
    let asking = asking.held().await.unwrap();
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), "Held");
    asking.release();
    session.until_settled().await.unwrap();
    eventually("one token was asked for", || async {
        match session.requests("token").await.unwrap().len() {
            1 => Ok(()),
            others => Err(others),
        }
    })
    .await
    .unwrap();
    assert_eq!(session.requests("process").await.unwrap().len(), 1);
}
