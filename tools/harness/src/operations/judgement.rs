//! Statistics as CloudWatch computes them for one period, and alarms as it judges them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::expression::{Scope, evaluate};
use super::points::Point;
use super::template::{Template, filled_in};

/// The namespace of the functions' own metrics.
const NAMESPACE: &str = "DualVerification";

/// A statistic of the values of one period: `Sum`, `SampleCount`, `Minimum`, `Maximum`, `Average`
/// or a percentile such as `p99` (nearest rank). `None` if there are none.
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

/// What CloudWatch has for one period of an alarm.
#[derive(Clone, Copy, Debug)]
pub struct Period<'a> {
    /// When it begins: milliseconds since 1970.
    pub begins: i64,
    /// Whatever came in it. Those of AWS's own metrics name resources by their logical ids, as the
    /// template does.
    pub points: &'a [Point],
    /// The stack's `Stage`.
    pub stage: &'a str,
    /// Parameters that differ from their defaults.
    pub parameters: &'a BTreeMap<String, String>,
}

/// What an alarm makes of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What is compared with the threshold; `None` without data.
    pub value: Option<f64>,
    /// Whether the period counts towards an alarm.
    pub is_breaching: bool,
}

/// The alarms on metrics of the functions' own, without expressions, that these points would turn
/// red if they came in one period. Points that were never written count as CloudWatch is told to
/// treat them.
pub fn red_alarms(template: &Template, stage: &str, points: &[Point]) -> BTreeSet<String> {
    let period = Period {
        begins: 0,
        points,
        stage,
        parameters: &BTreeMap::new(),
    };
    let alarms = template.metric_alarms();
    let ours = alarms
        .iter()
        .filter(|(_, alarm)| alarm["Namespace"] == NAMESPACE);
    ours.filter(|(name, _)| template.judge(name, &period).is_breaching)
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

impl Template {
    /// Judges one period of an alarm on metrics.
    pub fn judge(&self, name: &str, period: &Period<'_>) -> Verdict {
        let alarms = self.metric_alarms();
        let alarm = alarms
            .get(name)
            .unwrap_or_else(|| panic!("{name} is an alarm on metrics"));
        let value = match alarm["Metrics"].as_array() {
            Some(queries) => {
                let returned = queries
                    .iter()
                    .find(|query| query["ReturnData"] != false)
                    .expect("one that counts");
                self.query(queries, &returned["Id"], period)
            }
            None => {
                let statistic = alarm["Statistic"]
                    .as_str()
                    .or(alarm["ExtendedStatistic"].as_str());
                of_period(statistic.expect("a statistic"), &values(alarm, period))
            }
        };
        Verdict {
            value,
            is_breaching: match value {
                Some(value) => self.compare(alarm, value, period.parameters),
                None => alarm["TreatMissingData"] == "breaching",
            },
        }
    }

    /// Whether an alarm that is made of others is red when these are.
    pub fn is_composite_red(&self, name: &str, red: &BTreeSet<String>) -> bool {
        let rule = filled_in(self.alarms()[name]["AlarmRule"].as_str().expect("a rule"));
        rule.split(" OR ").any(|term| {
            let member = term
                .trim()
                .strip_prefix("ALARM(\"")
                .and_then(|term| term.strip_suffix("\")"));
            red.contains(member.expect("ALARM(\"…\")"))
        })
    }

    /// How long breaching periods must go on until an alarm is red; none for one that is made of
    /// others.
    pub fn time_to_alarm(&self, name: &str) -> Duration {
        let alarms = self.metric_alarms();
        let Some(alarm) = alarms.get(name) else {
            return Duration::ZERO;
        };
        let mut periods = alarm["Metrics"].as_array().into_iter().flatten();
        let seconds = alarm["Period"]
            .as_u64()
            .or(periods.find_map(|query| query["MetricStat"]["Period"].as_u64()));
        let count = alarm["DatapointsToAlarm"]
            .as_u64()
            .or(alarm["EvaluationPeriods"].as_u64());
        Duration::from_secs(seconds.expect("a period") * count.expect("periods"))
    }

    fn query(&self, queries: &[Value], id: &Value, period: &Period<'_>) -> Option<f64> {
        let query = queries
            .iter()
            .find(|query| query["Id"] == *id)
            .expect("a query of that id");
        let stat = &query["MetricStat"];
        if !stat.is_null() {
            return of_period(
                stat["Stat"].as_str().expect("a statistic"),
                &values(&stat["Metric"], period),
            );
        }
        let scope = Scope {
            value: &|name| self.query(queries, &Value::from(name), period),
            at: period.begins,
        };
        evaluate(
            &self.expression(&query["Expression"], period.parameters),
            &scope,
        )
    }

    /// Text, or `!Sub` with names for parts of parameters: `{From: !Select [0, !Split ["-", !Ref
    /// Parameter]]}`.
    fn expression(&self, expression: &Value, parameters: &BTreeMap<String, String>) -> String {
        let [text, names] = expression.as_array().map(Vec::as_slice).unwrap_or_default() else {
            return expression.as_str().expect("text").to_owned();
        };
        let mut text = text.as_str().expect("text").to_owned();
        for (name, selected) in names.as_object().expect("names") {
            let split = &selected[1];
            let value = self.parameter_value(split[1].as_str().expect("a parameter"), parameters);
            let parts: Vec<&str> = value
                .split(split[0].as_str().expect("a separator"))
                .collect();
            let part = usize::try_from(selected[0].as_u64().expect("a place")).expect("small");
            text = text.replace(&format!("${{{name}}}"), parts[part]);
        }
        text
    }

    fn compare(&self, alarm: &Value, value: f64, parameters: &BTreeMap<String, String>) -> bool {
        let threshold = alarm["Threshold"].as_f64().unwrap_or_else(|| {
            let parameter = alarm["Threshold"].as_str().expect("a threshold");
            self.parameter_value(parameter, parameters)
                .parse()
                .expect("a number")
        });
        match alarm["ComparisonOperator"].as_str().expect("a comparison") {
            "GreaterThanThreshold" => value > threshold,
            "GreaterThanOrEqualToThreshold" => value >= threshold,
            "LessThanThreshold" => value < threshold,
            other => panic!("not known here: {other}"),
        }
    }
}

/// The values of a metric in a period. `metric` names namespace, name and dimensions.
fn values(metric: &Value, period: &Period<'_>) -> Vec<f64> {
    let mut series = Template::watched_by("", metric).remove(0);
    if let Some(stage) = series.dimensions.get_mut("Stage") {
        period.stage.clone_into(stage);
    }
    let belongs = |point: &&Point| {
        point.namespace == series.namespace
            && point.metric == series.metric
            // AWS measures its own also without dimensions, over everything.
            && (point.dimensions == series.dimensions || series.dimensions.is_empty())
    };
    period
        .points
        .iter()
        .filter(belongs)
        .map(|point| point.value)
        .collect()
}
