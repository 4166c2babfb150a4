//! The submission queue, on a queue that no function reads.

use std::time::Duration;

use adapters::SqsSubmissionQueue;
use harness::{Stack, eventually};
use tokio::time::Instant;
use verification::ports::SubmissionQueue;

use super::new_scan_ref;

#[tokio::test]
async fn a_message_is_a_claim_check_and_nothing_else() {
    let stack = Stack::shared().await.unwrap();
    let url = stack.private_queue(Duration::from_secs(60)).await.unwrap();
    let first = new_scan_ref();
    SqsSubmissionQueue::new(&stack.sdk, &url)
        .enqueue(&first)
        .await
        .unwrap();

    let messages = stack.receive(&url, Duration::from_secs(60)).await.unwrap();
    assert_eq!(messages.len(), 1);
    let body = format!(r#"{{"type":"SubmitDocumentsV1","scanRef":"{first}"}}"#);
    assert_eq!(messages[0].body(), Some(body.as_str()));
    assert!(
        messages[0]
            .message_attributes()
            .is_none_or(|attributes| attributes.is_empty())
    );
}

#[tokio::test]
async fn a_postponed_message_comes_again_after_its_pause() {
    let stack = Stack::shared().await.unwrap();
    let url = stack.private_queue(Duration::from_secs(600)).await.unwrap();
    let queue = SqsSubmissionQueue::new(&stack.sdk, &url);
    queue.enqueue(&new_scan_ref()).await.unwrap();
    let received = stack.receive(&url, Duration::from_secs(600)).await.unwrap();

    let postponed = Instant::now();
    let receipt = received[0].receipt_handle().unwrap();
    queue
        .postpone(receipt, Duration::from_millis(1_001))
        .await
        .unwrap();
    let again = eventually("the message is shown again", || async {
        stack
            .receive(&url, Duration::from_secs(600))
            .await
            .unwrap()
            .pop()
            .ok_or("nothing")
    })
    .await
    .unwrap();
    assert!(
        postponed.elapsed() >= Duration::from_millis(1_900),
        "{:?}",
        postponed.elapsed()
    );
    assert_eq!(again.body(), received[0].body());
}

#[tokio::test]
async fn a_pause_longer_than_sqs_allows_is_shortened() {
    let stack = Stack::shared().await.unwrap();
    let url = stack.private_queue(Duration::from_secs(1)).await.unwrap();
    let queue = SqsSubmissionQueue::new(&stack.sdk, &url);
    queue.enqueue(&new_scan_ref()).await.unwrap();
    let received = stack.receive(&url, Duration::from_secs(5)).await.unwrap();
    let receipt = received[0].receipt_handle().unwrap();
    queue
        .postpone(receipt, Duration::from_secs(7 * 24 * 60 * 60))
        .await
        .unwrap();
    queue.postpone(receipt, Duration::MAX).await.unwrap();
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_unavailable() {
    let stack = Stack::shared().await.unwrap();
    let queue = SqsSubmissionQueue::new(
        &stack.sdk,
        format!("{}-not-there", stack.description.submission_queue_url),
    );
    assert!(queue.enqueue(&new_scan_ref()).await.is_err());
    assert!(queue.postpone("no receipt", Duration::ZERO).await.is_err());
}
