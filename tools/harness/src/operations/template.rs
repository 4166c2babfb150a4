//! `template.yaml` as data. CloudFormation's tags are dropped, so that `!Ref Name` reads as the
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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
pub struct Template(Value);

/// A path below the workspace's root.
pub fn in_the_workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

impl Template {
    /// Reads the workspace's.
    pub fn read() -> Self {
        let text = std::fs::read_to_string(in_the_workspace("template.yaml")).unwrap();
        Self(serde_saphyr::from_str(&text).unwrap())
    }

    /// The parameters in the order in which they stand in the file, which data does not keep.
    pub fn parameter_names(&self) -> Vec<String> {
        let text = std::fs::read_to_string(in_the_workspace("template.yaml")).unwrap();
        let names = self.0["Parameters"].as_object().unwrap().keys();
        let place = |name: &String| {
            text.find(&format!("\n  {name}:\n"))
                .expect("it stands in the file")
        };
        let mut names: Vec<String> = names.cloned().collect();
        names.sort_by_key(place);
        names
    }

    /// By name; `null` if there is none.
    pub fn parameter(&self, name: &str) -> &Value {
        &self.0["Parameters"][name]
    }

    /// By logical id.
    pub fn resources(&self) -> &Map<String, Value> {
        self.0["Resources"].as_object().unwrap()
    }

    /// What all functions have.
    pub fn globals(&self) -> &Value {
        &self.0["Globals"]["Function"]
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

    /// All alarms, also those that are made of others.
    pub fn alarms(&self) -> BTreeMap<&str, &Value> {
        let mut alarms = self.metric_alarms();
        alarms.extend(self.resources_of_type("AWS::CloudWatch::CompositeAlarm"));
        alarms
    }

    /// What one alarm watches: one series, or those that its expressions are made of.
    pub fn watched_by(name: &str, alarm: &Value) -> Vec<Series> {
        let series = |metric: &Value| Series {
            user: name.to_owned(),
            namespace: metric["Namespace"].as_str().unwrap().to_owned(),
            metric: metric["MetricName"].as_str().unwrap().to_owned(),
            dimensions: metric["Dimensions"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|dimension| {
                    ["Name", "Value"]
                        .map(|member| dimension[member].as_str().unwrap().to_owned())
                        .into()
                })
                .collect(),
        };
        match alarm["Metrics"].as_array() {
            Some(metrics) => metrics
                .iter()
                .map(|metric| &metric["MetricStat"]["Metric"])
                .filter(|metric| !metric.is_null())
                .map(series)
                .collect(),
            None => vec![series(alarm)],
        }
    }

    /// What all alarms watch.
    pub fn watched(&self) -> Vec<Series> {
        let alarms = self.metric_alarms();
        alarms
            .iter()
            .flat_map(|(name, alarm)| Self::watched_by(name, alarm))
            .collect()
    }

    /// What a parameter is: as given, or its default.
    pub fn parameter_value(&self, name: &str, given: &BTreeMap<String, String>) -> String {
        let default = &self.parameter(name)["Default"];
        let default = default
            .as_str()
            .map_or_else(|| default.to_string(), str::to_owned);
        given.get(name).cloned().unwrap_or(default)
    }

    /// The dashboard's widgets. What CloudFormation fills in reads as its name.
    pub fn widgets(&self) -> Vec<Value> {
        let body = self.resources()["Dashboard"]["Properties"]["DashboardBody"]
            .as_str()
            .unwrap();
        let body: Value = serde_json::from_str(&filled_in(body)).unwrap();
        body["widgets"].as_array().unwrap().clone()
    }
}

/// A text without the marks around names that CloudFormation fills in.
pub fn filled_in(text: &str) -> String {
    let mut parts = text.split("${");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap();
        filled.push_str(name);
        filled.push_str(rest);
    }
    filled
}
