//! What the dashboard's widgets show.

use std::collections::BTreeMap;

use serde_json::Value;

use super::template::Series;

/// One entry of a widget's metrics: a line, or with a search as many lines as there are series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// For a search with empty values where any will do.
    pub series: Series,
    /// As CloudWatch names it.
    pub statistic: String,
    /// Empty: named by the dimensions' values.
    pub label: String,
    /// Belongs to the axis on the right.
    pub is_right: bool,
}

/// The entries of a widget, none for one that is no graph.
pub fn lines_of(widget: &Value) -> Vec<Line> {
    let properties = &widget["properties"];
    let title = properties["title"].as_str().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let metrics = properties["metrics"].as_array().into_iter().flatten();
    metrics
        .map(|metric| {
            let entry = metric.as_array().expect("a list");
            let options = entry
                .last()
                .filter(|last| last.is_object())
                .cloned()
                .unwrap_or_default();
            let parts: Vec<&str> = entry.iter().filter_map(Value::as_str).collect();
            let (series, searched_statistic) = match parts.as_slice() {
                [namespace, name, dimensions @ ..] => {
                    let dimensions = dimensions
                        .chunks_exact(2)
                        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
                    (series(title, namespace, name, dimensions.collect()), None)
                }
                _ => searched(
                    title,
                    options["expression"].as_str().expect("an expression"),
                ),
            };
            Line {
                series,
                statistic: searched_statistic
                    .or(text(&options["stat"]))
                    .or(text(&properties["stat"]))
                    .expect("a statistic"),
                label: text(&options["label"]).unwrap_or_default(),
                is_right: options["yAxis"] == "right",
            }
        })
        .collect()
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

/// What `SEARCH('{Namespace,Dimension,…} MetricName="Name" Stage="…"', 'Statistic', …)` finds.
fn searched(title: &str, expression: &str) -> (Series, Option<String>) {
    let scheme = expression.strip_prefix("SEARCH('{").expect("a search");
    let (schema, terms) = scheme.split_once('}').expect("a schema");
    let mut names = schema.split(',');
    let namespace = names.next().expect("a namespace");
    let mut dimensions: BTreeMap<String, String> =
        names.map(|name| (name.to_owned(), String::new())).collect();
    let term = |name: &str| {
        let (_, rest) = terms.split_once(&format!("{name}=\"")).expect("a term");
        rest.split_once('"').expect("a value").0.to_owned()
    };
    dimensions.insert("Stage".to_owned(), term("Stage"));
    let statistic = terms.split('\'').nth(2).expect("a statistic").to_owned();
    (
        series(title, namespace, &term("MetricName"), dimensions),
        Some(statistic),
    )
}
