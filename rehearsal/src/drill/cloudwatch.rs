//! What CloudWatch would have since a moment: the functions' own metrics out of their log lines,
//! and of AWS's own what the emulator measures or shows: errors and throttles of functions, refused
//! callbacks, dead letters.

use std::collections::BTreeMap;

use adapters::SystemClock;
use harness::Stack;
use harness::operations::Point;
use serde_json::{Value, json};
use verification::ports::Clock;

use super::progress;

/// The functions by logical id.
const FUNCTIONS: [&str; 5] = [
    "WebhookFunction",
    "ProcessorFunction",
    "ApiFunction",
    "ReconcilerFunction",
    "PublisherFunction",
];

/// What the emulator counts for each invocation through Lambda's API, and throttles of all.
const COUNTED: [&str; 2] = ["Errors", "Throttles"];

/// A moment from which on values count.
#[derive(Clone, Debug)]
pub struct Since {
    at: i64,
    /// What the emulator had counted by then, by metric and function.
    counted: BTreeMap<(&'static str, &'static str), f64>,
    /// The number of the last delivery by then.
    delivery: u64,
}

impl Since {
    /// From now on.
    pub async fn now(stack: &Stack) -> Self {
        Self {
            at: SystemClock.now().milliseconds(),
            counted: counted(stack).await,
            delivery: deliveries(stack)
                .await
                .iter()
                .filter_map(|delivery| delivery["sequence"].as_u64())
                .max()
                .unwrap_or(0),
        }
    }

    /// Milliseconds since 1970.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// Everything that was measured since.
    pub async fn points(&self, stack: &Stack) -> Vec<Point> {
        let mut points: Vec<Point> = stack
            .points()
            .await
            .into_iter()
            .filter(|point| point.at >= self.at)
            .collect();
        for ((metric, function), count) in counted(stack).await {
            let before = self
                .counted
                .get(&(metric, function))
                .copied()
                .unwrap_or(0.0);
            points.push(of_function(metric, function, count - before));
        }
        for delivery in deliveries(stack).await {
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
        for queue in ["SubmissionDeadLetterQueue", "PublisherDeadLetterQueue"] {
            let visible = stack.messages_on(&stack.queue_url(queue).await).await;
            #[expect(clippy::cast_precision_loss, reason = "a few letters")]
            points.push(of_queue(
                "ApproximateNumberOfMessagesVisible",
                queue,
                visible as f64,
            ));
        }
        points
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

async fn deliveries(stack: &Stack) -> Vec<Value> {
    stack.sandbox.all("deliveries").await
}

async fn counted(stack: &Stack) -> BTreeMap<(&'static str, &'static str), f64> {
    let mut counted = BTreeMap::new();
    for function in FUNCTIONS {
        let name = stack.function_name(function).await;
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
            let answer = stack.cloudwatch("GetMetricStatistics", &request).await;
            let points = answer["Datapoints"].as_array().expect("points").iter();
            counted.insert(
                (metric, function),
                points.filter_map(|point| point["Sum"].as_f64()).sum(),
            );
        }
    }
    counted
}

/// Turns the deployed alarm red or quiet, as CloudWatch would, so that the operator's commands find
/// it so. The emulator does not have those with metric math, nor those that are made of others.
pub async fn set_alarm(stack: &Stack, alarm: &str, is_red: bool) {
    let name = format!("{}-{alarm}", stack.description.stack_name);
    let state = if is_red { "ALARM" } else { "OK" };
    let answer = stack
        .cloudwatch(
            "SetAlarmState",
            &json!({"AlarmName": name, "StateValue": state, "StateReason": "drill"}),
        )
        .await;
    if !answer["__type"].is_null() {
        progress(&format!("the emulator does not have {alarm}"));
    }
}
