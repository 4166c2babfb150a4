//! The metrics since a moment, as CloudWatch would have them. The functions' own come from their
//! log lines. Of AWS's own, the emulator measures or shows errors and throttles of functions,
//! refused callbacks and dead letters.

use std::collections::BTreeMap;

use adapters::SystemClock;
use anyhow::Result;
use harness::{Stack, list};
use operations::{Measured, Point};
use serde_json::{Value, json};
use verification::ports::Clock;

use super::progress;

/// The functions by logical id.
const FUNCTIONS: [&str; 6] = [
    "WebhookFunction",
    "ProcessorFunction",
    "ApiFunction",
    "ReconcilerFunction",
    "PublisherFunction",
    "OutcomePushFunction",
];

/// The queues of dead letters by logical id.
const DEAD_LETTERS: [&str; 3] = [
    "SubmissionDeadLetterQueue",
    "PublisherDeadLetterQueue",
    "OutcomePushDeadLetterQueue",
];

/// Counted by the emulator: errors of invocations through Lambda's API, and all throttles.
const COUNTED: [&str; 2] = ["Errors", "Throttles"];

/// The start of a measurement.
#[derive(Clone, Debug)]
pub struct Since {
    at: i64,
    /// The emulator's counts by then, by metric and function.
    counted: BTreeMap<(&'static str, &'static str), f64>,
    /// The number of the last delivery by then.
    delivery: u64,
}

impl Since {
    /// From now on.
    ///
    /// # Errors
    /// The emulator does not answer; so for all that follow.
    pub async fn now(stack: &Stack) -> Result<Self> {
        Ok(Self {
            at: SystemClock.now().milliseconds(),
            counted: counted(stack).await?,
            delivery: deliveries(stack)
                .await?
                .iter()
                .filter_map(|delivery| delivery["sequence"].as_u64())
                .max()
                .unwrap_or(0),
        })
    }

    /// Milliseconds since 1970.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// Everything that was measured since.
    pub async fn points(&self, stack: &Stack) -> Result<Vec<Point>> {
        let mut points: Vec<Point> = stack
            .points()
            .await?
            .into_iter()
            .filter(|point| point.at >= self.at)
            .collect();
        for ((metric, function), count) in counted(stack).await? {
            let before = self
                .counted
                .get(&(metric, function))
                .copied()
                .unwrap_or(0.0);
            points.push(of_function(metric, function, count - before));
        }
        for delivery in deliveries(stack).await? {
            let is_new = delivery["sequence"]
                .as_u64()
                .is_some_and(|number| number > self.delivery);
            if is_new
                && delivery["status"]
                    .as_u64()
                    .is_some_and(|status| status >= 500)
            {
                points.push(of_function("Url5xxCount", "WebhookFunction", 1.0));
            }
        }
        for queue in DEAD_LETTERS {
            let visible = stack.messages_on(&stack.queue_url(queue).await?).await?;
            #[expect(clippy::cast_precision_loss, reason = "a few letters")]
            points.push(of_queue(
                "ApproximateNumberOfMessagesVisible",
                queue,
                visible as f64,
            ));
        }
        Ok(points)
    }
}

/// A value of a metric that Lambda writes about a function.
pub fn of_function(metric: &str, function: &str, value: f64) -> Point {
    of_aws(
        "AWS/Lambda",
        metric,
        &[("FunctionName", function.to_owned())],
        value,
    )
}

/// A value of a metric that SQS writes about a queue.
pub fn of_queue(metric: &str, queue: &str, value: f64) -> Point {
    of_aws(
        "AWS/SQS",
        metric,
        &[("QueueName", format!("{queue}.QueueName"))],
        value,
    )
}

/// A value of a metric that Lambda writes about the account.
pub fn of_account(metric: &str, value: f64) -> Point {
    of_aws("AWS/Lambda", metric, &[], value)
}

fn of_aws(namespace: &str, metric: &str, dimensions: &[(&str, String)], value: f64) -> Point {
    Point {
        at: SystemClock.now().milliseconds(),
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        dimensions: dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        value,
    }
}

async fn deliveries(stack: &Stack) -> Result<Vec<Value>> {
    stack.sandbox.all("deliveries").await
}

async fn counted(stack: &Stack) -> Result<BTreeMap<(&'static str, &'static str), f64>> {
    let mut counted = BTreeMap::new();
    for function in FUNCTIONS {
        let name = stack.function_name(function).await?;
        for metric in COUNTED {
            let request = json!({
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": name}],
                "Period": 60,
                "StartTime": "2020-01-01T00:00:00Z",
                "EndTime": "2100-01-01T00:00:00Z",
                "Statistics": ["Sum"],
            });
            let emulator = &stack.emulator;
            let answer = emulator.cloudwatch("GetMetricStatistics", &request).await?;
            let points = list(&answer, "Datapoints")?.iter();
            counted.insert(
                (metric, function),
                points.filter_map(|point| point["Sum"].as_f64()).sum(),
            );
        }
    }
    Ok(counted)
}

/// Turns the deployed alarm red or quiet as CloudWatch would, for the operator's commands. The
/// emulator has neither alarms with metric math nor composite ones.
///
/// # Errors
/// The emulator does not answer.
pub async fn set_alarm(stack: &Stack, alarm: &str, is_red: bool) -> Result<()> {
    let name = format!("{}-{alarm}", stack.description.stack_name);
    let state = if is_red { "ALARM" } else { "OK" };
    let answer = stack
        .emulator
        .cloudwatch(
            "SetAlarmState",
            &json!({"AlarmName": name, "StateValue": state, "StateReason": "drill"}),
        )
        .await?;
    if !answer["__type"].is_null() {
        progress(&format!("the emulator does not have {alarm}"));
    }
    Ok(())
}
