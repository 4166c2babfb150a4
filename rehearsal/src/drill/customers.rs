//! Customers whose pairing does not go on, each for another reason.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{DEADLINE, Look, Session, Stack, wait_for};
use reqwest::Method;
use serde_json::{Value, json};

use super::cloudwatch::of_queue;
use super::exercise::Exercise;

/// Seconds that the alarm on the oldest message allows, and one more.
const TWENTY_MINUTES: Duration = Duration::from_secs(1_201);

pub async fn links_nearly_dead(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let customer = stack.session_with_documents().await?;
    // Links have ten minutes left when a callback comes fifty minutes late.
    stack
        .sandbox
        .settings(json!({"fileLinkSeconds": 600}))
        .await?;
    customer.finish_expecting_200(json!({})).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &[]).await?;
    stack
        .sandbox
        .settings(json!({"fileLinkSeconds": null}))
        .await?;
    exercise.remedy(&[]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn parked(exercise: &mut Exercise<'_>) -> Result<()> {
    let customer = exercise.stack().session_with_documents().await?;
    customer
        .fault(json!({"route": "file", "kind": "status", "status": 404, "times": 100}))
        .await?;
    customer.finish(json!({})).await?;
    customer.until("Parked").await?;
    exercise.until_red().await?;
    exercise
        .look_first(&[&customer], &[&customer.scan_ref])
        .await?;
    forget_faults(exercise.stack()).await?;
    exercise.remedy(&[&customer]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn forget_faults(stack: &Stack) -> Result<()> {
    stack
        .sandbox
        .admin(Method::DELETE, "/faults", json!({}))
        .await?;
    Ok(())
}

/// A customer whose second result never comes.
pub async fn forgotten(stack: &Stack) -> Result<Session<'_>> {
    let customer = stack.session_with_documents().await?;
    let lost = json!({"route": "callback", "kind": "drop", "skip": 1, "times": 20});
    customer.fault(lost).await?;
    customer.finish_expecting_200(json!({})).await?;
    customer.until("Submitted").await?;
    wait_for(DEADLINE, "the provider has sent the result", async || {
        let deliveries = stack.sandbox.deliveries_to(&customer.client_id).await?;
        let is_second = |delivery: &Value| delivery["scanRef"] != customer.scan_ref.as_str();
        Ok(if deliveries.iter().any(is_second) {
            Look::Found(())
        } else {
            Look::NotYet("not yet".to_owned())
        })
    })
    .await?;
    Ok(customer)
}

pub async fn overdue(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let customer = forgotten(stack).await?;
    customer
        .fault(json!({"route": "status", "kind": "html", "times": 100}))
        .await?;
    ensure!(customer.age().await?, "the pairing was changed meanwhile");
    stack.invoke("ReconcilerFunction", &json!({})).await?;
    exercise.until_red().await?;
    exercise
        .look_first(&[], &[&customer.scan_ref, "reconciled"])
        .await?;
    forget_faults(stack).await?;
    // The reconciler asks for an overdue result in growing pauses. The next one has passed by the
    // time that an operator is called.
    ensure!(customer.age().await?, "the pairing was changed meanwhile");
    exercise.remedy(&[]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn nobody_looks(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let shell = &exercise.world.shell;
    let reconciler = stack.function_name("ReconcilerFunction").await?;
    let arn = format!(
        "$(aws lambda get-function --function-name {reconciler} \
         --query Configuration.FunctionArn --output text)"
    );
    let rule = shell
        .must(&format!(
            "aws events list-rule-names-by-target --target-arn \"{arn}\" \
             --query RuleNames[0] --output text"
        ))
        .await?;
    shell
        .must(&format!("aws events disable-rule --name {rule}"))
        .await?;
    let customer = forgotten(stack).await?;
    ensure!(customer.age().await?, "the pairing was changed meanwhile");
    exercise.until_red().await?;
    exercise.look_first(&[], &["reconciled"]).await?;
    exercise.remedy(&[]).await?;
    let state = shell
        .must(&format!(
            "aws events describe-rule --name {rule} --query State --output text"
        ))
        .await?;
    ensure!(state == "ENABLED", "the reconciler's rule is {state}");
    exercise.settles(&[&customer]).await?;
    Ok(())
}

/// A customer whose message waits: the processor is paused.
async fn waiting<'stack>(exercise: &Exercise<'stack>) -> Result<Session<'stack>> {
    exercise.world.shell.must("dvctl pause").await?;
    let customer = exercise.stack().session_with_documents().await?;
    customer.finish_expecting_200(json!({})).await?;
    customer.until("Captured").await?;
    Ok(customer)
}

pub async fn given_up(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let customer = waiting(exercise).await?;
    // Ten attempts take half an hour: the message is moved as SQS would move it then.
    let message = stack.take_from_submission_queue(&customer.scan_ref).await?;
    stack.give_up_on(&[&message]).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &[&customer.scan_ref]).await?;
    exercise.world.shell.must("dvctl resume").await?;
    exercise.remedy(&[]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn late(exercise: &mut Exercise<'_>) -> Result<()> {
    let customer = waiting(exercise).await?;
    let age = exercise.stack().age_of_oldest_submission().await?;
    let supposed = TWENTY_MINUTES.saturating_sub(age);
    exercise.measure(of_queue(
        "ApproximateAgeOfOldestMessage",
        "SubmissionQueue",
        (age + supposed).as_secs_f64(),
    ));
    exercise.until_red_if_it_goes_on_for(supposed).await?;
    exercise.look_first(&[], &["paused"]).await?;
    exercise.remedy(&[]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}
