//! Customers who stand still, each for another reason.

use std::time::Duration;

use harness::{Session, Stack, eventually};
use reqwest::Method;
use serde_json::json;

use super::cloudwatch::of_queue;
use super::exercise::Exercise;

/// Seconds that the alarm on the oldest message allows, and one more.
const TWENTY_MINUTES: Duration = Duration::from_secs(1_201);

pub async fn links_nearly_dead(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    let customer = stack.session_with_documents().await;
    // Ten minutes are what links have left when a callback comes fifty minutes late.
    stack
        .sandbox
        .settings(json!({"fileLinkSeconds": 600}))
        .await;
    customer.finish_and_be_believed(json!({})).await;
    exercise.until_red().await;
    exercise.look_first(&[], &[]).await;
    stack
        .sandbox
        .settings(json!({"fileLinkSeconds": null}))
        .await;
    exercise.remedy(&[]).await;
    exercise.settles(&[&customer]).await;
}

pub async fn parked(exercise: &mut Exercise<'_>) {
    let customer = exercise.stack().session_with_documents().await;
    customer
        .fault(json!({"route": "file", "kind": "status", "status": 404, "times": 100}))
        .await;
    customer.finish(json!({})).await;
    customer.until("Parked").await;
    exercise.until_red().await;
    exercise
        .look_first(&[&customer], &[&customer.scan_ref])
        .await;
    forget_faults(exercise.stack()).await;
    exercise.remedy(&[&customer]).await;
    exercise.settles(&[&customer]).await;
}

pub async fn forget_faults(stack: &Stack) {
    stack
        .sandbox
        .admin(Method::DELETE, "/faults", json!({}))
        .await;
}

/// A customer whose second result has never come, and who waits for it for longer than anybody
/// should.
pub async fn forgotten(stack: &Stack) -> Session<'_> {
    let customer = stack.session_with_documents().await;
    let lost = json!({"route": "callback", "kind": "drop", "skip": 1, "times": 20});
    customer.fault(lost).await;
    customer.finish_and_be_believed(json!({})).await;
    customer.until("Submitted").await;
    eventually("the provider has tried to tell the result", || async {
        let deliveries = stack.sandbox.deliveries_to(&customer.client_id).await;
        let second = deliveries
            .iter()
            .any(|delivery| delivery["scanRef"] != customer.scan_ref.as_str());
        if second { Ok(()) } else { Err("not yet") }
    })
    .await;
    customer
}

pub async fn overdue(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    let customer = forgotten(stack).await;
    customer
        .fault(json!({"route": "status", "kind": "html", "times": 100}))
        .await;
    assert!(customer.age().await, "nobody else has changed it");
    stack.invoke("ReconcilerFunction", &json!({})).await;
    exercise.until_red().await;
    exercise
        .look_first(&[], &[&customer.scan_ref, "reconciled"])
        .await;
    forget_faults(stack).await;
    // An overdue result is asked for in growing pauses; the next one has passed by the time that
    // somebody is called.
    assert!(customer.age().await, "nobody else has changed it");
    exercise.remedy(&[]).await;
    exercise.settles(&[&customer]).await;
}

pub async fn nobody_looks(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    let shell = &exercise.world.shell;
    let reconciler = stack.function_name("ReconcilerFunction").await;
    let arn = format!(
        "$(aws lambda get-function --function-name {reconciler} --query Configuration.FunctionArn --output text)"
    );
    let rule = shell
        .must(&format!(
            "aws events list-rule-names-by-target --target-arn \"{arn}\" --query RuleNames[0] --output text"
        ))
        .await;
    shell
        .must(&format!("aws events disable-rule --name {rule}"))
        .await;
    let customer = forgotten(stack).await;
    assert!(customer.age().await, "nobody else has changed it");
    exercise.until_red().await;
    exercise.look_first(&[], &["reconciled"]).await;
    exercise.remedy(&[]).await;
    let state = shell
        .must(&format!(
            "aws events describe-rule --name {rule} --query State --output text"
        ))
        .await;
    assert_eq!(state, "ENABLED", "the rule calls the reconciler again");
    exercise.settles(&[&customer]).await;
}

/// A customer whose message waits, because the processor is paused.
async fn waiting<'stack>(exercise: &Exercise<'stack>) -> Session<'stack> {
    exercise.world.shell.must("dvctl pause").await;
    let customer = exercise.stack().session_with_documents().await;
    customer.finish_and_be_believed(json!({})).await;
    customer.until("Captured").await;
    customer
}

pub async fn given_up(exercise: &mut Exercise<'_>) {
    let stack = exercise.stack();
    let customer = waiting(exercise).await;
    // Ten attempts take half an hour: the message is moved as SQS would move it then.
    let message = stack.take_from_submission_queue(&customer.scan_ref).await;
    stack.give_up_on(&[&message]).await;
    exercise.until_red().await;
    exercise.look_first(&[], &[&customer.scan_ref]).await;
    exercise.world.shell.must("dvctl resume").await;
    exercise.remedy(&[]).await;
    exercise.settles(&[&customer]).await;
}

pub async fn late(exercise: &mut Exercise<'_>) {
    let customer = waiting(exercise).await;
    let age = exercise.stack().age_of_oldest_submission().await;
    let supposed = TWENTY_MINUTES.saturating_sub(age);
    exercise.measure(of_queue(
        "ApproximateAgeOfOldestMessage",
        "SubmissionQueue",
        (age + supposed).as_secs_f64(),
    ));
    exercise.until_red_if_it_goes_on_for(supposed).await;
    exercise.look_first(&[], &["paused"]).await;
    exercise.remedy(&[]).await;
    exercise.settles(&[&customer]).await;
}
