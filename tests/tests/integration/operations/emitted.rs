//! Metrics as CloudWatch reads them out of log lines, and alarms as it judges them.

use std::collections::{BTreeMap, BTreeSet};

use integration_tests::Stack;
use lambda_support::NAMESPACE;
use serde_json::Value;

use super::template::Template;

pub const FUNCTIONS: [&str; 5] = ["webhook", "processor", "api", "reconciler", "publisher"];

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub metric: String,
    pub dimensions: BTreeMap<String, String>,
    pub value: f64,
}

/// Everything that the functions of a stack have counted so far.
pub async fn points(stack: &Stack) -> Vec<Point> {
    let mut points = Vec::new();
    for function in FUNCTIONS {
        let lines = stack.log_records(function, "CloudWatchMetrics").await;
        points.extend(lines.iter().flat_map(points_of));
    }
    points
}

/// The series that one line in embedded metric format adds a value to.
fn points_of(line: &Value) -> Vec<Point> {
    let mut points = Vec::new();
    for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive["Namespace"], NAMESPACE);
        for set in directive["Dimensions"].as_array().unwrap() {
            let names = set.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            let dimensions: BTreeMap<String, String> = names
                .map(|name| (name.to_owned(), line[name].as_str().expect("a value for each dimension").to_owned()))
                .collect();
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                points.push(Point {
                    metric: name.to_owned(),
                    dimensions: dimensions.clone(),
                    value: line[name].as_f64().expect("a value for each metric"),
                });
            }
        }
    }
    points
}

/// The alarms on metrics of the functions' own, without expressions, that these points would turn red if they came in one period.
/// Points that were never written count as CloudWatch is told to treat them.
pub fn red_alarms(template: &Template, stage: &str, points: &[Point]) -> BTreeSet<String> {
    let alarms = template.metric_alarms();
    let ours = alarms.iter().filter(|(_, alarm)| alarm["Namespace"] == NAMESPACE);
    ours.filter(|(name, alarm)| is_red(name, alarm, stage, points))
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

fn is_red(name: &str, alarm: &Value, stage: &str, points: &[Point]) -> bool {
    let mut series = Template::watched_by(name, alarm).remove(0);
    series.dimensions.insert("Stage".to_owned(), stage.to_owned());
    let belongs = |point: &&Point| point.metric == series.metric && point.dimensions == series.dimensions;
    let mut values: Vec<f64> = points.iter().filter(belongs).map(|point| point.value).collect();
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else {
        return alarm["TreatMissingData"] == "breaching";
    };
    let statistic = alarm["Statistic"].as_str().or(alarm["ExtendedStatistic"].as_str()).unwrap();
    let value = match statistic {
        "Sum" => values.iter().sum(),
        "Minimum" => *least,
        // Of fewer than a hundred values the 99th percentile is the largest.
        "Maximum" | "p99" => *most,
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        "SampleCount" => values.len() as f64,
        other => panic!("{name}: {other}"),
    };
    let threshold = alarm["Threshold"].as_f64().unwrap();
    match alarm["ComparisonOperator"].as_str().unwrap() {
        "GreaterThanThreshold" => value > threshold,
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "LessThanThreshold" => value < threshold,
        other => panic!("{name}: {other}"),
    }
}
