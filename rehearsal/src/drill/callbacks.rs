//! What can be wrong between iDenfy and the webhook.

use std::time::Duration;

use anyhow::Result;
use harness::{ActiveFault, Call, DEADLINE, Look, Session, Side, wait_for};
use serde_json::json;

use super::exercise::Exercise;

/// Four of these in a row take more than 8 s and less than the 10 s that iDenfy waits.
const SLOW: Duration = Duration::from_millis(2_100);

fn refuse_writes(exercise: &Exercise<'_>) -> ActiveFault {
    exercise
        .world
        .services()
        .refuse(|call| call.operation == "TransactWriteItems")
}

pub async fn not_acknowledged(exercise: &mut Exercise<'_>) -> Result<()> {
    let customer = exercise.stack().session_with_documents().await?;
    let broken = refuse_writes(exercise);
    customer.finish(json!({})).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &["callback_not_durable"]).await?;
    drop(broken);
    exercise.remedy(&[&customer]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn customers_affected(exercise: &mut Exercise<'_>) -> Result<()> {
    let customer = exercise.stack().session_with_documents().await?;
    let broken = refuse_writes(exercise);
    customer.finish(json!({})).await?;
    exercise.until_red().await?;
    exercise
        .look_first(&[], &["CallbacksNotAcknowledged"])
        .await?;
    drop(broken);
    exercise.remedy(&[&customer]).await?;
    // As that alarm's entry says.
    customer.send_again(json!({})).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn throttled(exercise: &mut Exercise<'_>) -> Result<()> {
    let world = exercise.world;
    let [slow, refused] = [
        world.stack().session_with_documents().await?,
        world.stack().session_with_documents().await?,
    ];
    world.reserve("WebhookFunction", 1).await?;
    // The emulator does not bound a published version, the alias's target.
    let unpublished = world.open_unpublished("WebhookFunction").await?;
    world
        .stack()
        .sandbox
        .settings(json!({"callbackUrl": unpublished}))
        .await?;
    let held = world.services().hold(Side::Before, archives(&slow));
    let busy = slow.finish(json!({}));
    let meanwhile = async {
        let held = held.held().await?;
        refused.finish(json!({})).await?;
        held.release();
        Ok(())
    };
    tokio::try_join!(busy, meanwhile)?;
    exercise.until_red().await?;
    exercise
        .look_first(&[], &["\"ReservedConcurrentExecutions\": 1"])
        .await?;
    world.share_the_pool("WebhookFunction").await?;
    let callback_url = &world.stack().description.webhook_url;
    world
        .stack()
        .sandbox
        .settings(json!({"callbackUrl": callback_url}))
        .await?;
    exercise.remedy(&[]).await?;
    refused.send_again(json!({})).await?;
    exercise.settles(&[&slow, &refused]).await?;
    Ok(())
}

/// Recognises the archiving of a session's callback.
pub fn archives(session: &Session<'_>) -> impl Fn(&Call) -> bool + Send + use<> {
    let folder = format!("/callbacks/{}/", session.scan_ref);
    move |call| call.method == "PUT" && call.path.contains(&folder)
}

pub async fn signatures_rejected(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let mut secret = stack.secret().await?;
    let (old, new) = (
        secret["signingKeys"][0].clone(),
        json!("the key that iDenfy signs with now"),
    );
    let customer = stack.session_with_documents().await?;
    stack.sandbox.settings(json!({"signingKey": new})).await?;
    customer.finish(json!({})).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &["accepted"]).await?;
    secret["signingKeys"] = json!([new, old]);
    exercise.world.shell.will_edit(&secret.to_string())?;
    exercise.remedy(&[]).await?;
    send_until_taken(&customer).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

/// The functions read a changed secret within a minute.
async fn send_until_taken(session: &Session<'_>) -> Result<()> {
    wait_for(DEADLINE, "the callback is taken", async || {
        let deliveries = session.send_again(json!({})).await?;
        let is_taken = deliveries.iter().any(|delivery| delivery["status"] == 200);
        Ok(if is_taken {
            Look::Found(())
        } else {
            Look::NotYet(format!("{deliveries:?}"))
        })
    })
    .await
}

pub async fn unreadable(exercise: &mut Exercise<'_>) -> Result<()> {
    let customer = exercise.stack().session_with_documents().await?;
    customer
        .finish_expecting_200(json!({"overrides": {"scanRef": {"value": "in another form"}}}))
        .await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &["callback_unreadable"]).await?;
    exercise.remedy(&[]).await?;
    // No version with the new form can be deployed here: iDenfy goes back to the old one.
    customer.finish_expecting_200(json!({})).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn slow(exercise: &mut Exercise<'_>) -> Result<()> {
    let customer = exercise.stack().session_with_documents().await?;
    let slow = exercise.world.services().delay(SLOW, |call| {
        let archives = call.method == "PUT" && call.path.contains("/callbacks/");
        archives || call.operation == "TransactWriteItems" || call.operation == "SendMessage"
    });
    customer.finish(json!({})).await?;
    exercise.until_red().await?;
    exercise
        .look_first(&[], &["callback_answered", "duration_ms"])
        .await?;
    drop(slow);
    exercise.remedy(&[]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn silent(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let customer = stack.session_with_documents().await?;
    stack
        .sandbox
        .settings(json!({"callbackUrl": "http://127.0.0.1:9/"}))
        .await?;
    customer.finish(json!({})).await?;
    exercise.until_red().await?;
    exercise.look_first(&[], &["lambda-url"]).await?;
    exercise.remedy(&[]).await?;
    stack
        .sandbox
        .settings(json!({"callbackUrl": stack.description.webhook_url}))
        .await?;
    customer.send_again(json!({})).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}
