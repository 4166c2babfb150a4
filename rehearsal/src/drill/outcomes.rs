//! Applications that are not told.

use std::time::Duration;

use adapters::SystemClock;
use anyhow::{Result, ensure};
use api_contract::Application;
use harness::{Call, Reply, Session, Side};
use reqwest::Method;
use serde_json::json;
use verification::Timestamp;
use verification::ports::Clock;

use super::cloudwatch::of_function;
use super::exercise::Exercise;

/// What the alarm on outcomes that wait allows, and a second more.
const FIVE_MINUTES: Duration = Duration::from_secs(301);

/// In milliseconds, the sum of the first four pauses.
const TWELVE_MINUTES_AND_A_HALF: i64 = 755_000;

/// Lambda's letter for a discarded batch. It has nothing of the record. (Source: "Retain discarded
/// batch records for a DynamoDB event source in Lambda".)
const LETTER: &str = r#"{"requestContext":{"condition":"RetryAttemptsExhausted","approximateInvokeCount":11},"DDBStreamBatchInfo":{"batchSize":1}}"#;

/// A settled customer whose event the application does not hear.
async fn unheard<'stack>(exercise: &Exercise<'stack>) -> Result<Session<'stack>> {
    let customer = exercise.stack().session_with_documents().await?;
    customer.finish_expecting_200(json!({})).await?;
    customer.until_settled().await?;
    Ok(customer)
}

pub async fn late(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    exercise.world.reserve("PublisherFunction", 0).await?;
    let customer = unheard(exercise).await?;
    let listener = stack.listen(&[&customer.client_id]).await?;
    exercise.measure(of_function(
        "IteratorAge",
        "PublisherFunction",
        FIVE_MINUTES.as_secs_f64() * 1_000.0,
    ));
    exercise.until_red_if_it_goes_on_for(FIVE_MINUTES).await?;
    exercise.look_first(&[], &[]).await?;
    exercise.world.share_the_pool("PublisherFunction").await?;
    exercise.remedy(&[]).await?;
    listener
        .until("DualVerificationSettled", &customer.client_id)
        .await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn given_up(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let broken = exercise
        .world
        .services()
        .refuse(|call| call.operation == "PutEvents");
    let customer = unheard(exercise).await?;
    stack
        .until_logged("publisher", "outcome_not_published")
        .await?;
    // The emulator drops a record after one attempt; Lambda sets it aside after eleven.
    stack
        .send(
            &stack.queue_url("PublisherDeadLetterQueue").await?,
            &[LETTER],
        )
        .await?;
    exercise.until_red().await?;
    exercise
        .look_first(&[], &["outcome_not_published", &customer.scan_ref])
        .await?;
    drop(broken);
    exercise.remedy(&[]).await?;
    let asked = stack
        .api(
            Method::GET,
            &format!("/verifications/{}", customer.scan_ref),
            None,
        )
        .await?;
    let asked = asked.expect(200)?;
    ensure!(
        asked["state"] == "Settled",
        "the application that asks hears {asked}"
    );
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn crashed(exercise: &mut Exercise<'_>) -> Result<()> {
    let customer = exercise.stack().session_with_documents().await?;
    let listener = exercise.stack().listen(&[&customer.client_id]).await?;
    let held = exercise
        .world
        .services()
        .hold(Side::Before, publishes(&customer));
    customer.finish_expecting_200(json!({})).await?;
    let killed = held.held().await?.kill_caller()?;
    ensure!(killed.contains("PublisherFunction"), "{killed}");
    exercise.measure(of_function("Errors", "PublisherFunction", 1.0));
    exercise.until_red().await?;
    exercise.look_first(&[], &[]).await?;
    exercise.remedy(&[]).await?;
    listener
        .until("DualVerificationSettled", &customer.client_id)
        .await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

/// A fifth attempt comes after 12.5 minutes. A copy of the outcome, that much older, stands for it.
pub async fn not_taken(exercise: &mut Exercise<'_>) -> Result<()> {
    let application = &exercise.world.application;
    application.answers([], Reply::Status(503));
    let customer = unheard(exercise).await?;
    let refused = application.until_answered(&customer.scan_ref, 503).await?;
    let mut older = refused.json()?;
    let at = SystemClock.now().milliseconds() - TWELVE_MINUTES_AND_A_HALF;
    older["data"]["occurredAt"] = json!(Timestamp::from_milliseconds(at));
    let event = json!({"detail-type": older["type"], "detail": older["data"]});
    let stack = exercise.stack();
    let queue = stack.queue_url_named("outcome-push").await?;
    stack.send(&queue, &[&event.to_string()]).await?;
    exercise.until_red().await?;
    exercise
        .look_first(&[], &["push_attempted", "server_error", &customer.scan_ref])
        .await?;
    application.answers([], Reply::Status(204));
    exercise.remedy(&[]).await?;
    application.until_answered(&customer.scan_ref, 204).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn not_wanted(exercise: &mut Exercise<'_>) -> Result<()> {
    let application = &exercise.world.application;
    application.answers([], Reply::Status(410));
    let customer = unheard(exercise).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &[&customer.scan_ref]).await?;
    application.answers([], Reply::Status(204));
    exercise.remedy(&[]).await?;
    application.until_answered(&customer.scan_ref, 204).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

fn publishes(session: &Session<'_>) -> impl Fn(&Call) -> bool + Send + use<> {
    let scan_ref = session.scan_ref.clone();
    move |call| call.operation == "PutEvents" && call.body.contains(&scan_ref)
}
