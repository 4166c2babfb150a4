//! Memory of the functions with documents of the maximum size.

use harness::{BACK, DedicatedStack, FRONT, pictures};
use local_stack::Options;
use serde_json::{Value, json};

/// Bound for the tests' unoptimised profile. The benchmarks hold the release build to less.
const MOST_KILOBYTES: u64 = 32 * 1_024;
const SEVEN_MEGABYTES: usize = 7_000_000;

fn peak(lines: &[Value], event: &str) -> u64 {
    let peaks = lines
        .iter()
        .filter(|line| line["event"] == event)
        .map(|line| line["peak_memory_kb"].as_u64());
    peaks
        .map(|peak| peak.expect("a number"))
        .max()
        .expect("a line about the session")
}

#[tokio::test]
async fn the_largest_documents_pass_through_without_being_held() {
    // A process's peak is that of its whole life: nothing else may have passed through it.
    let dedicated = DedicatedStack::start(Options::default()).await.unwrap();
    let stack = &dedicated.stack;
    let session = stack.session().await.unwrap();
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(SEVEN_MEGABYTES))
        .await
        .unwrap();
    session
        .upload(BACK, "application/pdf", pictures::pdf(SEVEN_MEGABYTES))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), "Settled");

    let webhook = peak(
        &stack
            .log_records("webhook", &session.scan_ref)
            .await
            .unwrap(),
        "callback_answered",
    );
    let processor = peak(
        &stack
            .log_records("processor", &session.scan_ref)
            .await
            .unwrap(),
        "pairing_advanced",
    );
    println!("peak memory: webhook {webhook} kB, processor {processor} kB");
    assert!(webhook <= MOST_KILOBYTES, "webhook: {webhook} kB");
    assert!(processor <= MOST_KILOBYTES, "processor: {processor} kB");
    dedicated.stop().await;
}
