//! From a widget's entry and the points of a run to curves.

use std::collections::BTreeMap;

use integration_tests::operations::{Line, Point, of_period};

/// Into how many periods the run is cut.
const PERIODS: i64 = 36;

/// The time that the picture shows, cut into periods.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    begins: i64,
    period: i64,
}

impl Span {
    /// From the first point to the last; a period has at least a second.
    pub fn of(points: &[Point]) -> Self {
        let begins = points.iter().map(|point| point.at).min().unwrap_or_default();
        let ends = points.iter().map(|point| point.at).max().unwrap_or_default();
        let period = ((ends - begins) / PERIODS + 1).max(1_000);
        Self { begins, period }
    }

    pub fn period_seconds(self) -> f64 {
        f64::from(i32::try_from(self.period).unwrap_or(i32::MAX)) / 1_000.0
    }

    pub fn periods(self) -> usize {
        usize::try_from(PERIODS).unwrap_or_default() + 1
    }

    fn index(self, at: i64) -> usize {
        usize::try_from((at - self.begins) / self.period)
            .unwrap_or_default()
            .min(self.periods() - 1)
    }
}

/// One curve: a value for each period, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub label: String,
    pub is_right: bool,
    pub values: Vec<Option<f64>>,
    /// The same statistic over the whole run.
    pub total: Option<f64>,
}

/// The curves of one entry: one, or for a search one for each combination of values that there is.
pub fn curves(line: &Line, points: &[Point], stage: &str, span: Span) -> Vec<Curve> {
    let mut found: BTreeMap<String, Vec<&Point>> = BTreeMap::new();
    for point in points {
        if let Some(name) = belongs(line, point, stage) {
            found.entry(name).or_default().push(point);
        }
    }
    let curve = |(name, points): (String, Vec<&Point>)| {
        let mut periods: Vec<Vec<f64>> = vec![Vec::new(); span.periods()];
        for point in &points {
            if let Some(period) = periods.get_mut(span.index(point.at)) {
                period.push(point.value);
            }
        }
        let all: Vec<f64> = points.iter().map(|point| point.value).collect();
        Curve {
            label: if line.label.is_empty() { name } else { line.label.clone() },
            is_right: line.is_right,
            values: periods.iter().map(|values| of_period(&line.statistic, values)).collect(),
            total: of_period(&line.statistic, &all),
        }
    };
    found.into_iter().map(curve).collect()
}

/// The values of the dimensions that are searched for, if the point is one of the entry's.
fn belongs(line: &Line, point: &Point, stage: &str) -> Option<String> {
    let series = &line.series;
    if point.namespace != series.namespace || point.metric != series.metric || point.dimensions.len() != series.dimensions.len() {
        return None;
    }
    let mut searched = Vec::new();
    for (name, wanted) in &series.dimensions {
        let value = point.dimensions.get(name)?;
        match wanted.as_str() {
            "" => searched.push(value.as_str()),
            "Stage" if value == stage => {}
            wanted if wanted == value => {}
            _ => return None,
        }
    }
    Some(searched.join(" "))
}

#[cfg(test)]
mod tests {
    use integration_tests::operations::Series;

    use super::*;

    fn point(at: i64, operation: &str, value: f64) -> Point {
        let dimensions = [("Stage", "local"), ("Operation", operation)];
        Point {
            at,
            namespace: "DualVerification".to_owned(),
            metric: "ProviderDuration".to_owned(),
            dimensions: dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            value,
        }
    }

    fn search(statistic: &str) -> Line {
        let dimensions = [("Stage", "Stage"), ("Operation", "")];
        Line {
            series: Series {
                user: String::new(),
                namespace: "DualVerification".to_owned(),
                metric: "ProviderDuration".to_owned(),
                dimensions: dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            },
            statistic: statistic.to_owned(),
            label: String::new(),
            is_right: false,
        }
    }

    #[test]
    fn a_search_has_a_curve_for_each_value_and_a_value_for_each_period() {
        let points = [
            point(0, "Process", 1.0),
            point(999, "Process", 3.0),
            point(36_000, "Process", 8.0),
            point(500, "Status", 5.0),
        ];
        let span = Span::of(&points);
        let curves = curves(&search("Maximum"), &points, "local", span);
        let labels: Vec<&str> = curves.iter().map(|curve| curve.label.as_str()).collect();
        assert_eq!(labels, ["Process", "Status"]);
        let process = curves.first().unwrap();
        assert_eq!(process.values.first(), Some(&Some(3.0)));
        assert_eq!(process.values.iter().flatten().count(), 2);
        assert_eq!(process.total, Some(8.0));
    }

    #[test]
    fn another_stage_and_other_sets_of_dimensions_are_not_mixed_in() {
        let mut alone = point(0, "Process", 1.0);
        alone.dimensions.remove("Operation");
        let points = [alone, point(0, "Process", 2.0)];
        let span = Span::of(&points);
        assert!(curves(&search("Sum"), &points, "production", span).is_empty());
        let here = curves(&search("Sum"), &points, "local", span);
        assert_eq!(here.iter().map(|curve| curve.total).collect::<Vec<_>>(), [Some(2.0)]);
    }
}
