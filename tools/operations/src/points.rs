//! Metrics as CloudWatch reads them out of log lines in embedded metric format.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use harness::{Stack, list, text};
use serde_json::Value;

/// The functions of the stack, by the names of their logs.
pub const FUNCTIONS: [&str; 7] = [
    "webhook",
    "processor",
    "api",
    "reconciler",
    "publisher",
    "pre-traffic",
    "outcome-push",
];

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Milliseconds since 1970.
    pub at: i64,
    /// `DualVerification`.
    pub namespace: String,
    /// The metric's name.
    pub metric: String,
    /// Names and values.
    pub dimensions: BTreeMap<String, String>,
    /// In the metric's unit.
    pub value: f64,
}

/// A stack whose functions' metrics are read.
#[expect(
    async_fn_in_trait,
    reason = "for one type, whose futures can go to other threads"
)]
pub trait Measured {
    /// Every value that the functions have written so far.
    ///
    /// # Errors
    /// The emulator does not answer, or a line is not in embedded metric format.
    async fn points(&self) -> Result<Vec<Point>>;
}

impl Measured for Stack {
    async fn points(&self) -> Result<Vec<Point>> {
        let mut points = Vec::new();
        for function in FUNCTIONS {
            for line in self.log_records(function, "CloudWatchMetrics").await? {
                points.extend(points_of(&line)?);
            }
        }
        Ok(points)
    }
}

/// The values of one line, one for each set of dimensions.
fn points_of(line: &Value) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for directive in list(&line["_aws"], "CloudWatchMetrics")? {
        for set in list(directive, "Dimensions")? {
            let mut dimensions = BTreeMap::new();
            for name in set.as_array().context("a set of dimensions is no list")? {
                let name = name.as_str().context("a dimension without a name")?;
                dimensions.insert(name.to_owned(), text(line, name)?.to_owned());
            }
            for metric in list(directive, "Metrics")? {
                let name = text(metric, "Name")?;
                let value = line[name].as_f64();
                points.push(Point {
                    at: line["_aws"]["Timestamp"].as_i64().context("no time")?,
                    namespace: text(directive, "Namespace")?.to_owned(),
                    metric: name.to_owned(),
                    dimensions: dimensions.clone(),
                    value: value.with_context(|| format!("{name} has no value"))?,
                });
            }
        }
    }
    Ok(points)
}
