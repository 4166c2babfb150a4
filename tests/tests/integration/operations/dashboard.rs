//! The dashboard shows every written metric, and fits on the page.

use std::collections::BTreeSet;

use lambda_support::{METRICS, NAMESPACE};
use operations::{Series, Template, lines_of};
use serde_json::Value;

use super::alarms::assert_is_written;

/// The columns of CloudWatch's grid.
const COLUMNS: u64 = 24;

fn series_of(widget: &Value) -> Vec<Series> {
    lines_of(widget)
        .unwrap()
        .into_iter()
        .map(|line| line.series)
        .collect()
}

#[test]
fn widgets_show_only_what_is_written() {
    let template = Template::read().unwrap();
    let mut shown = 0;
    for series in template.widgets().unwrap().iter().flat_map(series_of) {
        assert_is_written(&template, &series);
        shown += 1;
    }
    assert!(shown > 50, "{shown} series");
}

#[test]
fn whatever_is_written_is_shown_or_watched() {
    let template = Template::read().unwrap();
    let mut used: BTreeSet<String> = BTreeSet::new();
    let shown = template
        .widgets()
        .unwrap()
        .iter()
        .flat_map(series_of)
        .collect::<Vec<Series>>();
    for series in shown.into_iter().chain(template.watched().unwrap()) {
        if series.namespace == NAMESPACE {
            used.insert(series.metric);
        }
    }
    let written: BTreeSet<String> = METRICS
        .iter()
        .map(|metric| metric.name.to_owned())
        .collect();
    assert_eq!(used, written);
}

#[test]
fn widgets_lie_side_by_side_on_the_grid() {
    let mut taken = BTreeSet::new();
    for widget in Template::read().unwrap().widgets().unwrap() {
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
    let template = Template::read().unwrap();
    let widgets = template.widgets().unwrap();
    let shown = widgets
        .iter()
        .find(|widget| widget["type"] == "alarm")
        .unwrap();
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
