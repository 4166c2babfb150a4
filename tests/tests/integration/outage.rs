//! Faults for all customers at once. Each test has a stack of its own: all functions share one
//! circuit.

use api_contract::Application;
use std::time::Duration;

use adapters::{DynamoCircuits, SystemClock};
use futures_util::future::try_join_all;
use harness::{DedicatedStack, Session, Stack, eventually};
use local_stack::Options;
use reqwest::Method;
use serde_json::{Value, json};
use verification::circuit::Gate;
use verification::ports::{Circuits, Clock};

use crate::provider_faults::milliseconds;

const CUSTOMERS: usize = 40;

/// Faults that every customer meets, until [`recover`].
async fn break_down(stack: &Stack, routes: &[&str], fault: &Value) {
    for route in routes {
        let mut fault = fault.clone();
        fault["route"] = json!(route);
        fault["times"] = json!(100_000);
        stack
            .sandbox
            .admin(Method::POST, "/faults", fault)
            .await
            .unwrap();
    }
}

async fn recover(stack: &Stack) {
    stack
        .sandbox
        .admin(Method::DELETE, "/faults", json!({}))
        .await
        .unwrap();
}

async fn customers(stack: &Stack) -> Vec<Session<'_>> {
    let sessions = try_join_all((0..CUSTOMERS).map(|_| stack.session_with_documents()))
        .await
        .unwrap();
    try_join_all(
        sessions
            .iter()
            .map(|session| session.finish_expecting_200(json!({}))),
    )
    .await
    .unwrap();
    sessions
}

async fn requests(stack: &Stack, route: &str) -> Vec<Value> {
    let answer = stack
        .sandbox
        .admin(Method::GET, "/requests", json!({}))
        .await
        .unwrap();
    let requests = answer["requests"].as_array().unwrap();
    requests
        .iter()
        .filter(|request| request["route"] == route)
        .cloned()
        .collect()
}

async fn gate(stack: &Stack) -> Gate {
    let circuits = DynamoCircuits::new(
        &stack.sdk,
        &stack.description.pairing_table,
        std::sync::Arc::new(SystemClock),
    );
    circuits.circuit().await.unwrap().gate(SystemClock.now())
}

async fn until_open(stack: &Stack) {
    eventually("the circuit is open", || async {
        match gate(stack).await {
            Gate::Open { .. } => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
    .unwrap();
}

/// How often a function has logged an event.
async fn logged(stack: &Stack, function: &str, event: &str) -> usize {
    let records = stack.log_records(function, event).await.unwrap();
    records
        .iter()
        .filter(|record| record["event"] == event)
        .count()
}

async fn assert_no_dead_letters(stack: &Stack) {
    assert_eq!(
        stack
            .messages_on(&stack.description.dead_letter_queue_url)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_costs_nobody_anything() {
    let dedicated = DedicatedStack::start(Options::default()).await.unwrap();
    let stack = &dedicated.stack;
    break_down(
        stack,
        &["token", "process", "status"],
        &json!({"kind": "status", "status": 503}),
    )
    .await;
    let sessions = customers(stack).await;
    until_open(stack).await;
    // The first pause ends with a probe, which costs nothing. It is not answered, and the next
    // pause is longer.
    eventually("the provider was tried and is still away", || async {
        match logged(stack, "processor", "circuit_opened").await {
            0 | 1 => Err("not tried yet"),
            _ => Ok(()),
        }
    })
    .await
    .unwrap();
    until_open(stack).await;
    let tokens = requests(stack, "token").await;
    println!(
        "{} token requests of {CUSTOMERS} customers, {} questions",
        tokens.len(),
        requests(stack, "status").await.len()
    );
    assert!(
        tokens.len() <= CUSTOMERS,
        "nobody asks twice while nobody should ask: {}",
        tokens.len()
    );
    // Before a token is spent, each pairing asks whether its first result holds.
    let questions = requests(stack, "status").await.len();
    assert!(
        questions <= CUSTOMERS + 3,
        "then one at a time, and not in a row: {questions}"
    );
    recover(stack).await;

    for session in &sessions {
        session.until_settled().await.unwrap();
        assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    }
    assert_eq!(gate(stack).await, Gate::Closed);
    assert_eq!(logged(stack, "processor", "circuit_closed").await, 1);
    assert_no_dead_letters(stack).await;
    dedicated.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn used_up_funds_park_the_first_and_let_the_others_wait() {
    let dedicated = DedicatedStack::start(Options::default()).await.unwrap();
    let stack = &dedicated.stack;
    let no_funds = json!({"kind": "status", "status": 402, "identifier": "PERMISSIONS_ERROR",
        "message": "Partner reached token limit."});
    break_down(stack, &["token"], &no_funds).await;
    let sessions = customers(stack).await;
    until_open(stack).await;
    recover(stack).await;

    let mut parked = Vec::new();
    for session in &sessions {
        let ended = eventually(
            format_args!("{} is settled or parked", session.scan_ref),
            || async {
                match session.pairing().await.unwrap() {
                    Some(pairing) if pairing.state == "Settled" || pairing.state == "Parked" => {
                        Ok(pairing)
                    }
                    other => Err(other.map_or("nothing".to_owned(), |pairing| pairing.to_string())),
                }
            },
        )
        .await
        .unwrap();
        if ended.state == "Parked" {
            assert_eq!(ended.reason.as_deref(), Some("SecondTokenRefused"));
            assert!(
                ended.pairing.to_string().contains("out_of_funds"),
                "{}",
                ended.pairing
            );
            parked.push(session);
        }
    }
    println!("{} of {CUSTOMERS} parked", parked.len());
    assert!(
        (1..CUSTOMERS).contains(&parked.len()),
        "{} parked",
        parked.len()
    );
    let metric = |name: &'static str, dimension: &'static str, value: &'static str| async move {
        let lines = stack.log_records("processor", name).await.unwrap();
        lines
            .iter()
            .filter(|line| line[name] == 1 && line[dimension] == value)
            .count()
    };
    assert_eq!(
        metric("PairingsParked", "Reason", "SecondTokenRefused").await,
        parked.len()
    );
    assert!(metric("CircuitOpened", "Cause", "Account").await >= 1);

    for session in &parked {
        let path = format!("/verifications/{}/retry", session.scan_ref);
        stack
            .api(Method::POST, &path, None)
            .await
            .unwrap()
            .expect(202)
            .unwrap();
        session.until_settled().await.unwrap();
    }
    for session in &sessions {
        assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    }
    assert_no_dead_letters(stack).await;
    dedicated.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_but_waiting_customers_keeps_a_pause() {
    let dedicated = DedicatedStack::start(Options::default()).await.unwrap();
    let stack = &dedicated.stack;
    let told = Duration::from_secs(60);
    let limited = json!({"route": "token", "kind": "status", "status": 429,
        "retryAfterSeconds": told.as_secs()});
    stack
        .sandbox
        .admin(Method::POST, "/faults", limited)
        .await
        .unwrap();
    let first = stack.session_with_documents().await.unwrap();
    first.finish_expecting_200(json!({})).await.unwrap();
    until_open(stack).await;
    let second = stack.session_with_documents().await.unwrap();
    second.finish_expecting_200(json!({})).await.unwrap();
    // A customer who is waiting for a session gets it.
    stack.api_session(json!({})).await.unwrap();

    for session in [&first, &second] {
        session.until_settled().await.unwrap();
        assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    }
    let refused = first.requests("token").await.unwrap();
    for request in [
        &first.requests("token").await.unwrap()[1],
        &second.requests("token").await.unwrap()[0],
    ] {
        let waited = milliseconds(request) - milliseconds(&refused[0]);
        assert!(
            u128::try_from(waited).unwrap() >= told.as_millis(),
            "{waited} ms"
        );
    }
    dedicated.stop().await;
}
