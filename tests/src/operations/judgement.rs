//! Statistics as CloudWatch computes them for one period, and alarms as it judges them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::points::Point;
use super::template::Template;

/// The namespace of the functions' own metrics.
const NAMESPACE: &str = "DualVerification";

/// A statistic of the values of one period: `Sum`, `SampleCount`, `Minimum`, `Maximum`, `Average` or a percentile such as `p99` (nearest
/// rank). `None` if there are none.
pub fn of_period(statistic: &str, values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, most) = (*sorted.first()?, *sorted.last()?);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let count = sorted.len() as f64;
    Some(match statistic {
        "Sum" => sorted.iter().sum(),
        "SampleCount" => count,
        "Minimum" => least,
        "Maximum" => most,
        "Average" => sorted.iter().sum::<f64>() / count,
        percentile => {
            let part: f64 = percentile
                .strip_prefix('p')
                .and_then(|part| part.parse().ok())
                .expect("a statistic");
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 1 and the number of values"
            )]
            let rank = (count * part / 100.0).ceil().clamp(1.0, count) as usize;
            sorted[rank - 1]
        }
    })
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
    let values: Vec<f64> = points.iter().filter(belongs).map(|point| point.value).collect();
    let statistic = alarm["Statistic"]
        .as_str()
        .or(alarm["ExtendedStatistic"].as_str())
        .expect("a statistic");
    let Some(value) = of_period(statistic, &values) else {
        return alarm["TreatMissingData"] == "breaching";
    };
    let threshold = alarm["Threshold"].as_f64().expect("a threshold and a comparison");
    match alarm["ComparisonOperator"].as_str().expect("a threshold and a comparison") {
        "GreaterThanThreshold" => value > threshold,
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "LessThanThreshold" => value < threshold,
        other => panic!("{name}: {other}"),
    }
}
