//! `template.yaml` as data. CloudFormation's tags are dropped: `!Ref Name` reads as the name.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use harness::{list, text};
use local_stack::workspace;
use serde_json::{Map, Value};

/// A series that an alarm watches or a widget shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// The alarm's logical id or the widget's title.
    pub user: String,
    /// `DualVerification`, or one of AWS's own.
    pub namespace: String,
    /// The metric's name.
    pub metric: String,
    /// Names and values; the value is empty where a search takes any.
    pub dimensions: BTreeMap<String, String>,
}

impl Series {
    /// The names alone.
    pub fn dimension_names(&self) -> BTreeSet<&str> {
        self.dimensions.keys().map(String::as_str).collect()
    }
}

/// The whole of it.
#[derive(Debug)]
pub struct Template {
    text: String,
    globals: Value,
    parameters: Map<String, Value>,
    resources: Map<String, Value>,
}

impl Template {
    /// Reads the workspace's.
    ///
    /// # Errors
    /// It cannot be read, or has no parameters or resources.
    pub fn read() -> Result<Self> {
        let path = workspace::root().join("template.yaml");
        let text = std::fs::read_to_string(path).context("cannot read template.yaml")?;
        let document: Value = serde_saphyr::from_str(&text).context("cannot read template.yaml")?;
        let section = |name: &str| {
            let section = document[name].as_object().cloned();
            section.with_context(|| format!("template.yaml has no {name}"))
        };
        let mut resources = section("Resources")?;
        resources.values_mut().for_each(without_http_api);
        Ok(Self {
            parameters: section("Parameters")?,
            resources,
            globals: document["Globals"]["Function"].clone(),
            text,
        })
    }

    /// The parameters in the order of the file, which data does not keep.
    pub fn parameter_names(&self) -> Vec<String> {
        let place = |name: &String| self.text.find(&format!("\n  {name}:\n"));
        let mut names: Vec<String> = self.parameters.keys().cloned().collect();
        names.sort_by_key(place);
        names
    }

    /// By name; `null` if there is none.
    pub fn parameter(&self, name: &str) -> &Value {
        self.parameters.get(name).unwrap_or(&Value::Null)
    }

    /// By logical id.
    pub fn resources(&self) -> &Map<String, Value> {
        &self.resources
    }

    /// The properties that all functions share.
    pub fn globals(&self) -> &Value {
        &self.globals
    }

    /// Logical ids and properties.
    pub fn resources_of_type<'a>(
        &'a self,
        resource_type: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.resources()
            .iter()
            .filter(move |(_, resource)| resource["Type"] == resource_type)
            .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
    }

    /// The alarms on metrics.
    pub fn metric_alarms(&self) -> BTreeMap<&str, &Value> {
        self.resources_of_type("AWS::CloudWatch::Alarm").collect()
    }

    /// All alarms, composite ones included.
    pub fn alarms(&self) -> BTreeMap<&str, &Value> {
        let mut alarms = self.metric_alarms();
        alarms.extend(self.resources_of_type("AWS::CloudWatch::CompositeAlarm"));
        alarms
    }

    /// The series of one alarm: its own, or those of its expressions.
    ///
    /// # Errors
    /// A metric lacks its namespace or name.
    pub fn watched_by(name: &str, alarm: &Value) -> Result<Vec<Series>> {
        let series = |metric: &Value| {
            let mut dimensions = BTreeMap::new();
            for dimension in metric["Dimensions"].as_array().into_iter().flatten() {
                let name = text(dimension, "Name")?.to_owned();
                dimensions.insert(name, text(dimension, "Value")?.to_owned());
            }
            Ok(Series {
                user: name.to_owned(),
                namespace: text(metric, "Namespace")?.to_owned(),
                metric: text(metric, "MetricName")?.to_owned(),
                dimensions,
            })
        };
        match alarm["Metrics"].as_array() {
            Some(metrics) => metrics
                .iter()
                .map(|metric| &metric["MetricStat"]["Metric"])
                .filter(|metric| !metric.is_null())
                .map(series)
                .collect(),
            None => Ok(vec![series(alarm)?]),
        }
    }

    /// The series of all alarms.
    ///
    /// # Errors
    /// As for [`watched_by`](Self::watched_by).
    pub fn watched(&self) -> Result<Vec<Series>> {
        let mut watched = Vec::new();
        for (name, alarm) in self.metric_alarms() {
            watched.extend(Self::watched_by(name, alarm)?);
        }
        Ok(watched)
    }

    /// The value of a parameter: as given, or its default.
    pub fn parameter_value(&self, name: &str, given: &BTreeMap<String, String>) -> String {
        let default = &self.parameter(name)["Default"];
        let default = default
            .as_str()
            .map_or_else(|| default.to_string(), str::to_owned);
        given.get(name).cloned().unwrap_or(default)
    }

    /// The dashboard's widgets. Names stand for what CloudFormation fills in.
    ///
    /// # Errors
    /// The template has no dashboard, or its body is not JSON.
    pub fn widgets(&self) -> Result<Vec<Value>> {
        let dashboard = self.resources.get("Dashboard");
        let dashboard = dashboard.context("the template has no Dashboard")?;
        let body = filled_in(text(&dashboard["Properties"], "DashboardBody")?);
        let body: Value = serde_json::from_str(&body).context("the dashboard's body")?;
        Ok(list(&body, "widgets")?.to_vec())
    }
}

/// Chooses what an `!If` has for a webhook with a function URL.
fn without_http_api(value: &mut Value) {
    let function_url = match value.as_array().map(Vec::as_slice) {
        Some([condition, _, function_url]) if condition == "HasHttpApi" => function_url.clone(),
        _ => {
            match value {
                Value::Array(items) => items.iter_mut().for_each(without_http_api),
                Value::Object(members) => members.values_mut().for_each(without_http_api),
                _ => {}
            }
            return;
        }
    };
    *value = function_url;
}

/// A text without the marks around names that CloudFormation fills in.
pub(crate) fn filled_in(text: &str) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        filled.push_str(name);
        filled.push_str(rest);
    }
    filled
}
