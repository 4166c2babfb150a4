//! What the dashboard's widgets show.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use harness::text;
use serde_json::Value;

use super::template::Series;

/// One entry of a widget's metrics: one line, or one for each series that a search finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of a search: with empty values where it takes any.
    pub series: Series,
    /// As CloudWatch names it.
    pub statistic: String,
    /// Empty: named by the dimensions' values.
    pub label: String,
    /// Belongs to the axis on the right.
    pub is_right: bool,
}

/// The entries of a widget; none for one that is not a graph.
///
/// # Errors
/// An entry is neither a metric nor a search.
pub fn lines_of(widget: &Value) -> Result<Vec<Line>> {
    let metrics = widget["properties"]["metrics"].as_array();
    let metrics = metrics.into_iter().flatten();
    metrics.map(|metric| line(widget, metric)).collect()
}

fn line(widget: &Value, metric: &Value) -> Result<Line> {
    let properties = &widget["properties"];
    let title = properties["title"].as_str().unwrap_or_default();
    let entry = metric.as_array().context("a metric that is no list")?;
    let options = entry.last().filter(|last| last.is_object());
    let options = options.cloned().unwrap_or_default();
    let parts: Vec<&str> = entry.iter().filter_map(Value::as_str).collect();
    let (series, searched_statistic) = match parts.as_slice() {
        [namespace, name, dimensions @ ..] => {
            let dimensions = dimensions.chunks_exact(2).filter_map(|pair| match pair {
                [name, value] => Some(((*name).to_owned(), (*value).to_owned())),
                _ => None,
            });
            (series(title, namespace, name, dimensions.collect()), None)
        }
        _ => searched(title, text(&options, "expression")?)?,
    };
    let word = |value: &Value| value.as_str().map(str::to_owned);
    Ok(Line {
        series,
        statistic: searched_statistic
            .or(word(&options["stat"]))
            .or(word(&properties["stat"]))
            .with_context(|| format!("{title}: no statistic"))?,
        label: word(&options["label"]).unwrap_or_default(),
        is_right: options["yAxis"] == "right",
    })
}

fn series(
    user: &str,
    namespace: &str,
    metric: &str,
    dimensions: BTreeMap<String, String>,
) -> Series {
    Series {
        user: user.to_owned(),
        namespace: namespace.to_owned(),
        metric: metric.to_owned(),
        dimensions,
    }
}

/// The series and the statistic of
/// `SEARCH('{Namespace,Dimension,…} MetricName="Name" StackName="…"', 'Statistic', …)`.
fn searched(title: &str, expression: &str) -> Result<(Series, Option<String>)> {
    let failed = || format!("{title}: not a search: {expression}");
    let scheme = expression.strip_prefix("SEARCH('{");
    let (schema, terms) = scheme
        .and_then(|scheme| scheme.split_once('}'))
        .with_context(failed)?;
    let mut names = schema.split(',');
    let namespace = names.next().unwrap_or_default();
    let mut dimensions: BTreeMap<String, String> =
        names.map(|name| (name.to_owned(), String::new())).collect();
    let term = |name: &str| {
        let (_, rest) = terms.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    dimensions.insert(
        "StackName".to_owned(),
        term("StackName").with_context(failed)?,
    );
    let metric = term("MetricName").with_context(failed)?;
    let statistic = terms.split('\'').nth(2).with_context(failed)?.to_owned();
    let series = series(title, namespace, &metric, dimensions);
    Ok((series, Some(statistic)))
}
