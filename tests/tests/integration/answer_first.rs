//! A callback is answered before its files are copied. The same invocation copies them.

use harness::Stack;
use serde_json::json;

/// Longer than iDenfy waits for an answer.
const MILLISECONDS_OF_A_FILE: u32 = 14_000;

#[tokio::test]
async fn the_answer_does_not_wait_for_slow_links() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({
            "route": "file",
            "kind": "slow",
            "milliseconds": MILLISECONDS_OF_A_FILE,
            "times": 2,
        }))
        .await
        .unwrap();

    session.finish_expecting_200(json!({})).await.unwrap();
    let pairing = session.pairing().await.unwrap().unwrap();
    assert_eq!(pairing.state, "Capturing", "claimed, and answered");
    assert!(session.documents().await.unwrap().is_empty());

    session.until_settled().await.unwrap();
    let history = session.history().await.unwrap();
    assert_eq!(
        history[..2],
        ["FirstResultQualified", "DocumentsCaptured"],
        "the webhook copied them, without the processor"
    );
    let lines = stack.log_lines("webhook", "capture_ended").await.unwrap();
    assert!(
        lines.iter().any(|line| line.contains(&session.scan_ref)),
        "what is logged after the answer is kept"
    );
    let fallbacks = stack.log_lines("webhook", "extension_not_registered").await;
    assert_eq!(fallbacks.unwrap(), [""; 0]);
}
