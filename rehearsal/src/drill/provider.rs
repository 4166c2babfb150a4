//! iDenfy in trouble, and our account there.

use futures_util::future::join_all;
use harness::{Session, Stack, eventually_within};
use reqwest::Method;
use serde_json::{Value, json};

use super::cloudwatch::of_function;
use super::customers::forget_faults;
use super::exercise::{Exercise, PATIENCE};

/// Enough that ten calls fail, however fast, which is what opens the circuit at once.
const CROWD: usize = 12;

async fn everybody_meets(stack: &Stack, fault: Value) {
    stack.sandbox.admin(Method::POST, "/faults", fault).await;
}

pub async fn sessions_refused(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    everybody_meets(
        stack,
        json!({"route": "token", "kind": "status", "status": 503, "times": 100}),
    )
    .await;
    for _ in 0..3 {
        let answer = stack
            .api(
                Method::POST,
                "/sessions",
                Some(json!({"clientId": "drill"})),
            )
            .await;
        assert!(answer.status >= 500, "{answer:?}");
        exercise.measure(of_function("Url5xxCount", "ApiFunction", 1.0));
    }
    exercise.until_red().await;
    exercise.look_first(&[], &["provider_"]).await;
    forget_faults(stack).await;
    exercise.remedy(&[]).await;
    let (session, _) = stack.api_session(json!({})).await;
    session
        .upload(
            harness::FRONT,
            "image/jpeg",
            harness::pictures::jpeg(30_000),
        )
        .await;
    session
        .upload(harness::BACK, "image/png", harness::pictures::png(20_000))
        .await;
    session.finish_and_be_believed(json!({})).await;
    exercise.settles(&[&session]).await;
}

/// A customer for whom no Token 2 can be had.
async fn refused(stack: &Stack) -> Session<'_> {
    let customer = stack.session_with_documents().await;
    customer.finish_and_be_believed(json!({})).await;
    customer.until_parked("SecondTokenRefused").await;
    customer
}

pub async fn key_refused(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    let mut secret = stack.secret().await;
    let new = json!("the key that iDenfy takes now");
    stack.sandbox.settings(json!({"apiKey": new})).await;
    let customer = stack.session_with_documents().await;
    customer.finish_and_be_believed(json!({})).await;
    customer.until("Captured").await;
    exercise.until_red().await;
    exercise.look_first(&[], &["iDenfy"]).await;
    secret["apiKey"] = new;
    exercise.world.shell.will_edit(&secret.to_string());
    exercise.remedy(&[]).await;
    // The functions read a changed secret within a minute; what was asked in vain is asked again in
    // growing pauses.
    eventually_within(PATIENCE, "the new key is used", || async {
        stack.invoke("ReconcilerFunction", &json!({})).await;
        match customer.pairing().await {
            Some(pairing) if pairing.state == "Settled" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    exercise.settles(&[&customer]).await;
}

pub async fn out_of_credits(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    let no_funds = json!({"route": "token", "kind": "status", "status": 402, "identifier": "PERMISSIONS_ERROR",
        "message": "Partner reached token limit.", "times": 1});
    everybody_meets(stack, no_funds).await;
    let customer = refused(stack).await;
    exercise.until_red().await;
    exercise.look_first(&[], &[&customer.scan_ref]).await;
    forget_faults(stack).await;
    exercise.remedy(&[&customer]).await;
    exercise.settles(&[&customer]).await;
}

async fn crowd(stack: &Stack, size: usize) -> Vec<Session<'_>> {
    let customers = join_all((0..size).map(|_| stack.session_with_documents())).await;
    join_all(
        customers
            .iter()
            .map(|customer| customer.finish_and_be_believed(json!({}))),
    )
    .await;
    customers
}

pub async fn failing_now_and_then(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    everybody_meets(
        stack,
        json!({"route": "token", "kind": "status", "status": 503, "times": 5}),
    )
    .await;
    let customers = crowd(stack, 3).await;
    exercise.until_red().await;
    exercise.look_first(&[], &["server_error"]).await;
    forget_faults(stack).await;
    exercise.remedy(&[]).await;
    exercise
        .settles(&customers.iter().collect::<Vec<_>>())
        .await;
}

pub async fn down(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    everybody_meets(
        stack,
        json!({"route": "token", "kind": "status", "status": 503, "times": 1_000}),
    )
    .await;
    let customers = crowd(stack, CROWD).await;
    exercise.until_red().await;
    exercise.look_first(&[], &["circuit_opened"]).await;
    forget_faults(stack).await;
    exercise.remedy(&[]).await;
    exercise
        .settles(&customers.iter().collect::<Vec<_>>())
        .await;
}
