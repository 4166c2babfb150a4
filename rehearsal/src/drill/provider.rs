//! iDenfy in trouble, and our account there.

use anyhow::{Result, ensure};
use api_contract::Application;
use futures_util::future::try_join_all;
use harness::{Look, Session, Stack, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

use super::cloudwatch::of_function;
use super::customers::forget_faults;
use super::exercise::{Exercise, PATIENCE};

/// Enough for ten failing calls, which open the circuit at once.
const CROWD: usize = 12;

async fn everybody_meets(stack: &Stack, fault: Value) -> Result<()> {
    stack.sandbox.admin(Method::POST, "/faults", fault).await?;
    Ok(())
}

pub async fn sessions_refused(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    everybody_meets(
        stack,
        json!({"route": "token", "kind": "status", "status": 503, "times": 100}),
    )
    .await?;
    for _ in 0..3 {
        let answer = stack
            .api(
                Method::POST,
                "/sessions",
                Some(json!({"clientId": "drill"})),
            )
            .await?;
        ensure!(answer.status >= 500, "{answer:?}");
        exercise.measure(of_function("Url5xxCount", "ApiFunction", 1.0));
    }
    exercise.until_red().await?;
    exercise.look_first(&[], &["provider_"]).await?;
    forget_faults(stack).await?;
    exercise.remedy(&[]).await?;
    let (session, _) = stack.api_session(json!({})).await?;
    session.upload_both(30_000, 20_000).await?;
    session.finish_expecting_200(json!({})).await?;
    exercise.settles(&[&session]).await?;
    Ok(())
}

/// A customer for whom no Token 2 can be had.
async fn refused(stack: &Stack) -> Result<Session<'_>> {
    let customer = stack.session_with_documents().await?;
    customer.finish_expecting_200(json!({})).await?;
    customer.until_parked("SecondTokenRefused").await?;
    Ok(customer)
}

pub async fn key_refused(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let mut secret = stack.secret().await?;
    let new = json!("the key that iDenfy takes now");
    stack.sandbox.settings(json!({"apiKey": new})).await?;
    let customer = stack.session_with_documents().await?;
    customer.finish_expecting_200(json!({})).await?;
    customer.until("Captured").await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &["iDenfy"]).await?;
    secret["apiKey"] = new;
    exercise.world.shell.will_edit(&secret.to_string())?;
    exercise.remedy(&[]).await?;
    // The functions read a changed secret within a minute. Failed calls are repeated in growing
    // pauses.
    wait_for(PATIENCE, "the new key is used", async || {
        stack.invoke("ReconcilerFunction", &json!({})).await?;
        Ok(match customer.pairing().await? {
            Some(pairing) if pairing.state == "Settled" => Look::Found(()),
            other => Look::NotYet(format!("{other:?}")),
        })
    })
    .await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn out_of_credits(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let no_funds = json!({"route": "token", "kind": "status", "status": 402,
        "identifier": "PERMISSIONS_ERROR",
        "message": "Partner reached token limit.", "times": 1});
    everybody_meets(stack, no_funds).await?;
    let customer = refused(stack).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &[&customer.scan_ref]).await?;
    forget_faults(stack).await?;
    exercise.remedy(&[&customer]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

async fn crowd(stack: &Stack, size: usize) -> Result<Vec<Session<'_>>> {
    let customers = try_join_all((0..size).map(|_| stack.session_with_documents())).await?;
    try_join_all(
        customers
            .iter()
            .map(|customer| customer.finish_expecting_200(json!({}))),
    )
    .await?;
    Ok(customers)
}

pub async fn failing_now_and_then(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    everybody_meets(
        stack,
        json!({"route": "token", "kind": "status", "status": 503, "times": 5}),
    )
    .await?;
    let customers = crowd(stack, 3).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &["server_error"]).await?;
    forget_faults(stack).await?;
    exercise.remedy(&[]).await?;
    exercise
        .settles(&customers.iter().collect::<Vec<_>>())
        .await?;
    Ok(())
}

pub async fn down(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    everybody_meets(
        stack,
        json!({"route": "token", "kind": "status", "status": 503, "times": 1_000}),
    )
    .await?;
    let customers = crowd(stack, CROWD).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &["circuit_opened"]).await?;
    forget_faults(stack).await?;
    exercise.remedy(&[]).await?;
    exercise
        .settles(&customers.iter().collect::<Vec<_>>())
        .await?;
    Ok(())
}
