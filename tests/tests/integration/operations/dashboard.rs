//! The dashboard shows what is written, all of it, and fits on the page.

use std::collections::{BTreeMap, BTreeSet};

use lambda_support::{METRICS, NAMESPACE};
use serde_json::Value;

use super::alarms::assert_is_written;
use super::template::{Series, Template};

/// The columns of CloudWatch's grid.
const COLUMNS: u64 = 24;

fn series_of(widget: &Value) -> Vec<Series> {
    let title = widget["properties"]["title"].as_str().unwrap_or_default();
    let metrics = widget["properties"]["metrics"].as_array().into_iter().flatten();
    metrics
        .map(|metric| {
            let parts: Vec<&str> = metric.as_array().unwrap().iter().filter_map(Value::as_str).collect();
            if let [namespace, name, dimensions @ ..] = parts.as_slice() {
                return Series {
                    user: title.to_owned(),
                    namespace: (*namespace).to_owned(),
                    metric: (*name).to_owned(),
                    dimensions: dimensions.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect(),
                };
            }
            searched(title, metric[0]["expression"].as_str().unwrap())
        })
        .collect()
}

/// What `SEARCH('{Namespace,Dimension,…} MetricName="Name" Stage="…"', …)` finds.
fn searched(title: &str, expression: &str) -> Series {
    let scheme = expression.strip_prefix("SEARCH('{").unwrap();
    let (schema, terms) = scheme.split_once('}').unwrap();
    let mut names = schema.split(',');
    let namespace = names.next().unwrap().to_owned();
    let mut dimensions: BTreeMap<String, String> = names.map(|name| (name.to_owned(), String::new())).collect();
    let term = |name: &str| {
        let (_, rest) = terms.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    dimensions.insert("Stage".to_owned(), term("Stage").unwrap());
    Series {
        user: title.to_owned(),
        namespace,
        metric: term("MetricName").unwrap(),
        dimensions,
    }
}

#[test]
fn widgets_show_only_what_is_written() {
    let template = Template::read();
    let mut shown = 0;
    for series in template.widgets().iter().flat_map(series_of) {
        assert_is_written(&template, &series);
        shown += 1;
    }
    assert!(shown > 50, "{shown} series");
}

#[test]
fn whatever_is_written_is_shown_or_watched() {
    let template = Template::read();
    let mut used: BTreeSet<String> = BTreeSet::new();
    let shown = template.widgets().iter().flat_map(series_of).collect::<Vec<Series>>();
    for series in shown.into_iter().chain(template.watched()) {
        if series.namespace == NAMESPACE {
            used.insert(series.metric);
        }
    }
    let written: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(used, written);
}

#[test]
fn widgets_lie_side_by_side_on_the_grid() {
    let mut taken = BTreeSet::new();
    for widget in Template::read().widgets() {
        let number = |name: &str| widget[name].as_u64().unwrap();
        assert!(number("x") + number("width") <= COLUMNS, "{widget}");
        for column in number("x")..number("x") + number("width") {
            for row in number("y")..number("y") + number("height") {
                assert!(taken.insert((column, row)), "lies on another: {widget}");
            }
        }
    }
}

#[test]
fn the_dashboard_shows_every_alarm_that_is_always_there() {
    let template = Template::read();
    let widgets = template.widgets();
    let shown = widgets.iter().find(|widget| widget["type"] == "alarm").unwrap();
    let shown: BTreeSet<String> = shown["properties"]["alarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|alarm| alarm.as_str().unwrap().trim_end_matches(".Arn").to_owned())
        .collect();
    let unconditional = template
        .metric_alarms()
        .into_keys()
        .filter(|name| template.resources()[*name]["Condition"].is_null());
    assert_eq!(shown, unconditional.map(str::to_owned).collect());
}
