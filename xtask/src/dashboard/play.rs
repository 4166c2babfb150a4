//! Customers, most of whom have a good day. Who meets what follows from the number, so that each run shows the same.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::iter;
use integration_tests::{BACK, FRONT, Stack, eventually, pictures, sign};
use serde_json::{Value, json};

use super::progress;

/// How many customers are busy at the same time.
const AT_ONCE: usize = 4;

/// In place of the schedule's five minutes.
const RECONCILED_EVERY: Duration = Duration::from_secs(3);

/// Plays everybody to the end.
pub async fn play(stack: &Stack, customers: u32) {
    progress(&format!("{customers} customers"));
    let everybody = iter(0..customers).for_each_concurrent(AT_ONCE, |number| customer(stack, number));
    tokio::select! {
        () = everybody => {}
        () = stack.keep_reconciling(RECONCILED_EVERY) => {}
    }
    // A run after the last customer, so that the picture ends well.
    stack.invoke("ReconcilerFunction", &json!({})).await;
}

/// Trouble that the provider makes for one customer.
fn fault(number: u32) -> Option<Value> {
    Some(match number % 24 {
        3 => json!({"route": "token", "kind": "status", "status": 503}),
        8 => json!({"route": "process", "kind": "status", "status": 429, "identifier": "TOO_MANY_REQUESTS"}),
        13 => json!({"route": "file", "kind": "slow", "milliseconds": 1_500}),
        17 => json!({"route": "file", "kind": "reset", "times": 2}),
        21 => json!({"route": "token", "kind": "slow", "milliseconds": 2_000}),
        _ => return None,
    })
}

async fn customer(stack: &Stack, number: u32) {
    let (session, _) = stack.api_session(json!({})).await;
    session.upload(FRONT, "image/jpeg", pictures::jpeg(bytes(number, 400_000))).await;
    session.upload(BACK, "image/png", pictures::png(bytes(number, 250_000))).await;
    if let Some(fault) = fault(number) {
        session.fault(fault).await;
    }
    if number % 40 == 19 {
        let body = format!("not iDenfy's {number}");
        stack.post(body.clone(), Some(&sign("another key", body.as_bytes()))).await;
    }
    let (result, end): (Value, &[&str]) = match number % 16 {
        5 => (json!({"overall": "DENIED"}), &["Declined"]),
        9 => (json!({"overall": "EXPIRED"}), &["Expired"]),
        14 if number % 48 == 14 => (json!({"overrides": {"fileUrls": {FRONT: "http://localhost:1/file"}}}), &["Parked"]),
        _ => (json!({}), &["Settled"]),
    };
    session
        .outcome(json!({"overall": if number % 20 == 11 { "DENIED" } else { "APPROVED" }}))
        .await;
    session.finish(result).await;
    eventually(format!("customer {number} is {end:?}"), || async {
        match session.pairing().await {
            Some(pairing) if end.contains(&pairing.state.as_str()) => Ok(()),
            Some(pairing) => Err(pairing.state),
            None => Err("unknown".to_owned()),
        }
    })
    .await;
    if number.is_multiple_of(6) {
        session.send_again(json!({})).await;
    }
}

/// From half to one and a half of `typical`.
fn bytes(number: u32, typical: usize) -> usize {
    let hundredths = usize::try_from(number * 37 % 100).unwrap_or_default();
    typical / 2 + typical * hundredths / 100
}
