//! What was lost is found by the reconciler of the deployed stack.

use std::time::Duration;

use adapters::DynamoPairings;
use integration_tests::{Session, Stack, eventually};
use serde_json::json;
use verification::ports::{HistoryEntry, PairingWrite, Pairings, Saved};
use verification::{Pairing, State, Timestamp};

const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
const LONG_AGO: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);

/// Makes the pairing overdue, as if it had been left alone since.
async fn age(stack: &Stack, session: &Session<'_>) {
    let store = DynamoPairings::new(&stack.sdk, stack.description.pairing_table.clone(), RETENTION);
    let pairing = store.find(&session.scan_ref.parse().unwrap()).await.unwrap().unwrap();
    let mut aged = Pairing {
        version: pairing.version + 1,
        updated_at: LONG_AGO,
        ..pairing
    };
    match &mut aged.state {
        State::Submitted { check_at, .. } => *check_at = LONG_AGO,
        State::Submitting { lease_until, .. } => *lease_until = LONG_AGO,
        _ => {}
    }
    let history = HistoryEntry {
        at: LONG_AGO,
        what: "Aged".to_owned(),
        state: aged.state.name().to_owned(),
        callback: None,
    };
    let write = PairingWrite {
        pairing: aged,
        history,
        announcement: None,
    };
    assert_eq!(store.save(&write).await.unwrap(), Saved::Won);
}

#[tokio::test]
async fn a_second_callback_that_never_came_is_asked_for() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "callback", "kind": "drop", "skip": 1, "times": 20}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    session.until("Submitted").await;
    eventually("the provider has tried to tell the result", || async {
        let deliveries = stack.sandbox.deliveries_to(&session.client_id).await;
        let second = deliveries.iter().any(|delivery| delivery["scanRef"] != session.scan_ref.as_str());
        if second { Ok(()) } else { Err(format!("{deliveries:?}")) }
    })
    .await;
    age(&stack, &session).await;
    let run = stack.invoke("ReconcilerFunction", &json!({})).await;
    assert!(run["moved"].as_u64() >= Some(1), "{run}");
    session.until_settled().await;
    assert_eq!(session.accepted_submissions().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_does_not_come_is_sent_again() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    // The processor puts its message away for an hour.
    let busy = json!({"route": "token", "kind": "status", "status": 429, "identifier": "TOO_MANY_REQUESTS", "retryAfterSeconds": 3_600});
    session.fault(busy).await;
    session.finish_and_be_believed(json!({})).await;
    eventually("the provider was busy", || async {
        let tokens = session.requests("token").await;
        if tokens.is_empty() { Err("not asked yet") } else { Ok(()) }
    })
    .await;
    session.until("Captured").await;
    age(&stack, &session).await;
    let run = stack.invoke("ReconcilerFunction", &json!({})).await;
    assert!(run["enqueued"].as_u64() >= Some(1), "{run}");
    session.until_settled().await;
    assert_eq!(session.accepted_submissions().await.len(), 1);
}
