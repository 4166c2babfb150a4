//! Statistics of one period as CloudWatch computes them, and alarms as it judges them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use harness::text;
use serde_json::Value;

use super::expression::{Scope, evaluate};
use super::points::Point;
use super::template::{Template, filled_in};

/// The namespace of the functions' own metrics.
const NAMESPACE: &str = "DualVerification";

/// A statistic of the values of one period: `Sum`, `SampleCount`, `Minimum`, `Maximum`, `Average`
/// or a percentile such as `p99` (nearest rank). `None` without values.
///
/// # Errors
/// The statistic is none of these.
pub fn of_period(statistic: &str, values: &[f64]) -> Result<Option<f64>> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (sorted.first().copied(), sorted.last().copied()) else {
        return Ok(None);
    };
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let count = sorted.len() as f64;
    Ok(Some(match statistic {
        "Sum" => sorted.iter().sum(),
        "SampleCount" => count,
        "Minimum" => least,
        "Maximum" => most,
        "Average" => sorted.iter().sum::<f64>() / count,
        percentile => {
            let part: f64 = percentile
                .strip_prefix('p')
                .and_then(|part| part.parse().ok())
                .with_context(|| format!("{statistic} is no statistic"))?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 1 and the number of values"
            )]
            let rank = (count * part / 100.0).ceil().clamp(1.0, count) as usize;
            sorted.get(rank - 1).copied().unwrap_or(most)
        }
    }))
}

/// The data of one period of an alarm.
#[derive(Clone, Copy, Debug)]
pub struct Period<'a> {
    /// When it begins: milliseconds since 1970.
    pub begins: i64,
    /// All values of the period. AWS's own metrics name resources by their logical ids, as the
    /// template does.
    pub points: &'a [Point],
    pub stack_name: &'a str,
    /// Parameters that differ from their defaults.
    pub parameters: &'a BTreeMap<String, String>,
}

/// An alarm's judgement of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What is compared with the threshold; `None` without data.
    pub value: Option<f64>,
    /// Whether the period counts towards an alarm.
    pub is_breaching: bool,
}

/// The alarms that these points would turn red if they came in one period. Only alarms on the
/// functions' own metrics and without expressions. Missing data counts as each alarm says.
///
/// # Errors
/// The template has an alarm that is not understood here.
pub fn red_alarms(
    template: &Template,
    stack_name: &str,
    points: &[Point],
) -> Result<BTreeSet<String>> {
    let period = Period {
        begins: 0,
        points,
        stack_name,
        parameters: &BTreeMap::new(),
    };
    let mut red = BTreeSet::new();
    for (name, alarm) in template.metric_alarms() {
        if alarm["Namespace"] == NAMESPACE && template.judge(name, &period)?.is_breaching {
            red.insert(name.to_owned());
        }
    }
    Ok(red)
}

impl Template {
    /// Judges one period of an alarm on metrics.
    ///
    /// # Errors
    /// There is no such alarm, or it is not understood here.
    pub fn judge(&self, name: &str, period: &Period<'_>) -> Result<Verdict> {
        let alarms = self.metric_alarms();
        let alarm = alarms.get(name);
        let alarm = alarm.with_context(|| format!("{name} is no alarm on metrics"))?;
        let value = match alarm["Metrics"].as_array() {
            Some(queries) => {
                let mut returned = queries.iter().filter(|query| query["ReturnData"] != false);
                let returned = returned.next();
                let returned = returned.with_context(|| format!("{name} returns nothing"))?;
                self.query(queries, &returned["Id"], period)?
            }
            None => {
                let statistic = alarm["Statistic"]
                    .as_str()
                    .or(alarm["ExtendedStatistic"].as_str());
                let statistic = statistic.with_context(|| format!("{name}: no statistic"))?;
                of_period(statistic, &values(alarm, period)?)?
            }
        };
        Ok(Verdict {
            value,
            is_breaching: match value {
                Some(value) => self.compare(alarm, value, period.parameters)?,
                None => alarm["TreatMissingData"] == "breaching",
            },
        })
    }

    /// Whether a composite alarm is red when these alarms are.
    ///
    /// # Errors
    /// There is no such alarm, or its rule is no `OR` of alarms.
    pub fn is_composite_red(&self, name: &str, red: &BTreeSet<String>) -> Result<bool> {
        let alarms = self.alarms();
        let alarm = alarms.get(name);
        let alarm = alarm.with_context(|| format!("there is no alarm {name}"))?;
        let rule = filled_in(text(alarm, "AlarmRule")?);
        let members = rule.split(" OR ").map(|term| {
            let member = term.trim().strip_prefix("ALARM(\"");
            let member = member.and_then(|term| term.strip_suffix("\")"));
            member.with_context(|| format!("{name}: not ALARM(\"…\"): {term}"))
        });
        let members: Vec<&str> = members.collect::<Result<_>>()?;
        Ok(members.into_iter().any(|member| red.contains(member)))
    }

    /// How long breaching periods must go on until an alarm is red; zero for a composite alarm.
    ///
    /// # Errors
    /// The alarm has no period.
    pub fn time_to_alarm(&self, name: &str) -> Result<Duration> {
        let alarms = self.metric_alarms();
        let Some(alarm) = alarms.get(name) else {
            return Ok(Duration::ZERO);
        };
        let mut periods = alarm["Metrics"].as_array().into_iter().flatten();
        let seconds = alarm["Period"]
            .as_u64()
            .or(periods.find_map(|query| query["MetricStat"]["Period"].as_u64()));
        let count = alarm["DatapointsToAlarm"]
            .as_u64()
            .or(alarm["EvaluationPeriods"].as_u64());
        let seconds = seconds.zip(count).map(|(seconds, count)| seconds * count);
        let seconds = seconds.with_context(|| format!("{name} has no period"))?;
        Ok(Duration::from_secs(seconds))
    }

    fn query(&self, queries: &[Value], id: &Value, period: &Period<'_>) -> Result<Option<f64>> {
        let query = queries.iter().find(|query| query["Id"] == *id);
        let query = query.with_context(|| format!("there is no query {id}"))?;
        let stat = &query["MetricStat"];
        if !stat.is_null() {
            return of_period(text(stat, "Stat")?, &values(&stat["Metric"], period)?);
        }
        let scope = Scope {
            value: &|name| self.query(queries, &Value::from(name), period),
            at: period.begins,
        };
        evaluate(
            &self.expression(&query["Expression"], period.parameters)?,
            &scope,
        )
    }

    /// Text, or `!Sub` with names for parts of parameters: `{From: !Select [0, !Split ["-", !Ref
    /// Parameter]]}`.
    fn expression(
        &self,
        expression: &Value,
        parameters: &BTreeMap<String, String>,
    ) -> Result<String> {
        if let Some(text) = expression.as_str() {
            return Ok(text.to_owned());
        }
        let failed = || anyhow!("not understood: {expression}");
        let mut text = expression[0].as_str().ok_or_else(failed)?.to_owned();
        for (name, selected) in expression[1].as_object().ok_or_else(failed)? {
            let split = &selected[1];
            let parameter = split[1].as_str().ok_or_else(failed)?;
            let value = self.parameter_value(parameter, parameters);
            let place = selected[0].as_u64().ok_or_else(failed)?.try_into()?;
            let mut parts = value.split(split[0].as_str().ok_or_else(failed)?);
            let part = parts.nth(place).ok_or_else(failed)?;
            text = text.replace(&format!("${{{name}}}"), part);
        }
        Ok(text)
    }

    fn compare(
        &self,
        alarm: &Value,
        value: f64,
        parameters: &BTreeMap<String, String>,
    ) -> Result<bool> {
        let threshold = match alarm["Threshold"].as_f64() {
            Some(threshold) => threshold,
            None => self
                .parameter_value(text(alarm, "Threshold")?, parameters)
                .parse()?,
        };
        Ok(match text(alarm, "ComparisonOperator")? {
            "GreaterThanThreshold" => value > threshold,
            "GreaterThanOrEqualToThreshold" => value >= threshold,
            "LessThanThreshold" => value < threshold,
            other => bail!("not known here: {other}"),
        })
    }
}

/// The values of a metric in a period. `metric` names namespace, name and dimensions.
fn values(metric: &Value, period: &Period<'_>) -> Result<Vec<f64>> {
    let mut watched = Template::watched_by("", metric)?;
    let mut series = watched.pop().context("a metric without its name")?;
    if let Some(stack_name) = series.dimensions.get_mut("StackName") {
        period.stack_name.clone_into(stack_name);
    }
    let belongs = |point: &&Point| {
        point.namespace == series.namespace
            && point.metric == series.metric
            // AWS measures its own also without dimensions, over everything.
            && (point.dimensions == series.dimensions || series.dimensions.is_empty())
    };
    let values = period.points.iter().filter(belongs);
    Ok(values.map(|point| point.value).collect())
}
