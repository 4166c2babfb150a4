//! Metrics as CloudWatch reads them out of log lines in embedded metric format.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::stack::Stack;

/// The functions of the stack, by the names of their logs.
pub const FUNCTIONS: [&str; 6] = [
    "webhook",
    "processor",
    "api",
    "reconciler",
    "publisher",
    "pre-traffic",
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

impl Stack {
    /// Everything that the functions have counted so far.
    pub async fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        for function in FUNCTIONS {
            let lines = self.log_records(function, "CloudWatchMetrics").await;
            points.extend(lines.iter().flat_map(points_of));
        }
        points
    }
}

/// The values of one line, one for each set of dimensions.
fn points_of(line: &Value) -> Vec<Point> {
    let mut points = Vec::new();
    for directive in line["_aws"]["CloudWatchMetrics"]
        .as_array()
        .expect("directives")
    {
        for set in directive["Dimensions"]
            .as_array()
            .expect("sets of dimensions")
        {
            let names = set
                .as_array()
                .expect("names")
                .iter()
                .map(|name| name.as_str().expect("a name"));
            let dimensions: BTreeMap<String, String> = names
                .map(|name| {
                    (
                        name.to_owned(),
                        line[name]
                            .as_str()
                            .expect("a value for each dimension")
                            .to_owned(),
                    )
                })
                .collect();
            for metric in directive["Metrics"].as_array().expect("metrics") {
                let name = metric["Name"].as_str().expect("a name");
                points.push(Point {
                    at: line["_aws"]["Timestamp"].as_i64().expect("a time"),
                    namespace: directive["Namespace"]
                        .as_str()
                        .expect("a namespace")
                        .to_owned(),
                    metric: name.to_owned(),
                    dimensions: dimensions.clone(),
                    value: line[name].as_f64().expect("a value for each metric"),
                });
            }
        }
    }
    points
}
