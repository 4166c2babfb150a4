//! Functions that crash, and functions that are not let in.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use harness::{Session, Side, writes};
use serde_json::json;

use super::callbacks::archives;
use super::cloudwatch::{of_account, of_function};
use super::customers::forgotten;
use super::exercise::Exercise;

/// `ConcurrencyAlarmThreshold` here: this many functions at once are no alarm yet.
pub const CONCURRENCY: &str = "3";

const CROWD: usize = 4;

pub async fn processor_crashed(exercise: &mut Exercise<'_>) -> Result<()> {
    let customer = exercise.stack().session_with_documents().await?;
    let held = exercise
        .world
        .services()
        .hold(Side::Before, writes(&customer.scan_ref, "Authorizing"));
    customer.finish_expecting_200(json!({})).await?;
    let killed = held.held().await?.kill_caller()?;
    ensure!(killed.contains("ProcessorFunction"), "{killed}");
    exercise.measure(of_function("Errors", "ProcessorFunction", 1.0));
    exercise.until_red().await?;
    exercise.look_first(&[], &[]).await?;
    exercise.remedy(&[]).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn reconciler_failed(exercise: &mut Exercise<'_>) -> Result<()> {
    let stack = exercise.stack();
    let customer = exercise.stack().session_with_documents().await?;
    let broken = exercise
        .world
        .services()
        .refuse(|call| call.operation == "Query" && call.body.contains("by-attention"));
    let run = stack.try_invoke("ReconcilerFunction", &json!({})).await;
    ensure!(run.is_err(), "{run:?}");
    exercise.until_red().await?;
    exercise.look_first(&[], &["ERROR"]).await?;
    drop(broken);
    exercise.remedy(&[]).await?;
    stack.invoke("ReconcilerFunction", &json!({})).await?;
    customer.finish_expecting_200(json!({})).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn throttled(exercise: &mut Exercise<'_>) -> Result<()> {
    let (world, stack) = (exercise.world, exercise.stack());
    let customer = forgotten(stack).await?;
    ensure!(customer.age().await?, "the pairing was changed meanwhile");
    world.reserve("ReconcilerFunction", 0).await?;
    drop(stack.try_invoke("ReconcilerFunction", &json!({})).await);
    exercise.until_red().await?;
    exercise.look_first(&[], &["ConcurrentExecutions"]).await?;
    exercise.remedy(&[]).await?;
    world.share_the_pool("ReconcilerFunction").await?;
    stack.invoke("ReconcilerFunction", &json!({})).await?;
    exercise.settles(&[&customer]).await?;
    Ok(())
}

pub async fn crowded(exercise: &mut Exercise<'_>) -> Result<()> {
    let world = exercise.world;
    let sessions: Vec<Session<'_>> =
        try_join_all((0..CROWD).map(|_| world.stack().session_with_documents())).await?;
    let customers: Vec<&Session<'_>> = sessions.iter().collect();
    let watching: Vec<_> = customers
        .iter()
        .map(|customer| world.services().hold(Side::Before, archives(customer)))
        .collect();
    let busy = try_join_all(customers.iter().map(|customer| customer.finish(json!({}))));
    let counting = async {
        let held = try_join_all(watching.into_iter().map(|watching| watching.held())).await?;
        let callers: Vec<_> = held.iter().map(|held| held.caller().clone()).collect();
        let others = |position: usize| callers.iter().skip(position + 1);
        let repeated = callers
            .iter()
            .enumerate()
            .filter(|(position, caller)| others(*position).any(|other| other == *caller))
            .count();
        for held in held {
            held.release();
        }
        Ok(callers.len() - repeated)
    };
    let (_, at_once) = tokio::try_join!(busy, counting)?;
    #[expect(clippy::cast_precision_loss, reason = "a few processes")]
    exercise.measure(of_account("ConcurrentExecutions", at_once as f64));
    exercise.until_red().await?;
    exercise.look_first(&[], &["limit"]).await?;
    exercise.remedy(&[]).await?;
    exercise.settles(&customers).await?;
    Ok(())
}
