//! What was found: one line per thing that was measured, with its budget and whether it is kept.

use std::collections::BTreeMap;

use serde::Serialize;

/// Who takes part in a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Ours,
    /// The least that could be, such as a program that does nothing.
    Floor,
    Python,
    Node,
}

/// One number of each.
pub type Figures = BTreeMap<Who, f64>;

/// One thing that was measured. All numbers of a line have its unit.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The measurement that it belongs to; what `--only` takes.
    pub measurement: &'static str,
    pub what: String,
    pub unit: &'static str,
    pub ours: f64,
    /// The least that could be, such as a program that does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<f64>,
    /// Empty where DESIGN gives none and the number only explains another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// A bound, in words, and whether it is kept.
#[derive(Clone, Debug, Serialize)]
pub struct Budget {
    pub bound: String,
    pub met: bool,
}

impl Line {
    /// The measured values of all programs.
    pub fn new(
        measurement: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        figures: &Figures,
    ) -> Self {
        let of = |who| figures.get(&who).copied();
        Self {
            measurement,
            what: what.into(),
            unit,
            ours: of(Who::Ours).unwrap_or(f64::NAN),
            floor: of(Who::Floor),
            python: of(Who::Python),
            node: of(Who::Node),
            budget: None,
        }
    }

    /// A number of ours alone.
    pub fn alone(
        measurement: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        ours: f64,
    ) -> Self {
        Self::new(measurement, what, unit, &[(Who::Ours, ours)].into())
    }

    /// Held to a bound in the line's own unit.
    pub fn at_most(self, bound: f64) -> Self {
        let (met, words) = (
            self.ours <= bound,
            format!("≤ {} {}", number(bound), self.unit),
        );
        self.budget(met, words)
    }

    /// Held to any bound.
    pub fn budget(mut self, met: bool, bound: impl Into<String>) -> Self {
        let bound = bound.into();
        self.budget = Some(Budget { bound, met });
        self
    }

    fn cells(&self) -> [String; 8] {
        let optional = |value: Option<f64>| value.map(number).unwrap_or_default();
        let ratio = |value: Option<f64>| {
            value
                .map(|value| format!("{}×", number(value / self.ours)))
                .unwrap_or_default()
        };
        [
            self.what.clone(),
            self.budget
                .as_ref()
                .map(|budget| budget.bound.clone())
                .unwrap_or_default(),
            format!("{} {}", number(self.ours), self.unit),
            optional(self.floor),
            optional(self.python),
            optional(self.node),
            [ratio(self.python), ratio(self.node)]
                .into_iter()
                .filter(|ratio| !ratio.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
            self.budget
                .as_ref()
                .map(|budget| if budget.met { "met" } else { "MISSED" }.to_owned())
                .unwrap_or_default(),
        ]
    }
}

const HEADINGS: [&str; 8] = [
    "What",
    "Budget",
    "Ours",
    "Floor",
    "Python",
    "Node.js",
    "Peers ÷ ours",
    "Verdict",
];

/// Everything that was measured, in order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub lines: Vec<Line>,
    /// What could not be measured here, and why.
    #[serde(rename = "leftOut")]
    pub left_out: Vec<String>,
}

impl Report {
    /// Whether every budget is kept.
    pub fn all_met(&self) -> bool {
        self.lines
            .iter()
            .filter_map(|line| line.budget.as_ref())
            .all(|budget| budget.met)
    }

    /// A Markdown table whose columns also line up as plain text.
    pub fn table(&self) -> String {
        let headings = HEADINGS.map(str::to_owned);
        let rows: Vec<[String; 8]> = std::iter::once(headings)
            .chain(self.lines.iter().map(Line::cells))
            .collect();
        let mut widths = [0; 8];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let mut table = String::new();
        for (index, row) in rows.iter().enumerate() {
            let cells = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!(" {cell:<width$} "));
            push_row(&mut table, cells);
            if index == 0 {
                push_row(&mut table, widths.iter().map(|width| "-".repeat(width + 2)));
            }
        }
        for left_out in &self.left_out {
            table.extend(["\nNot measured: ", left_out, "\n"]);
        }
        table
    }
}

fn push_row(table: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    table.extend(["|", &cells.join("|"), "|\n"]);
}

/// Three significant digits, which is more than repeated runs agree on.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_its_peers_as_multiples_and_its_verdict() {
        let figures = [(Who::Ours, 4.0), (Who::Python, 400.0), (Who::Node, 200.0)].into();
        let line = Line::new("start", "webhook", "ms", &figures).at_most(3.0);
        let report = Report {
            lines: vec![line],
            left_out: vec!["nothing".to_owned()],
        };
        assert!(!report.all_met());
        let table = report.table();
        let row = table.lines().nth(2).unwrap();
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert_eq!(
            cells,
            [
                "webhook",
                "≤ 3.00 ms",
                "4.00 ms",
                "",
                "400",
                "200",
                "100×, 50.0×",
                "MISSED"
            ]
        );
        assert!(table.ends_with("Not measured: nothing\n"));
    }

    #[test]
    fn a_report_without_budgets_has_missed_none() {
        let report = Report {
            lines: vec![Line::alone("start", "webhook", "ms", 4.0)],
            left_out: Vec::new(),
        };
        assert!(report.all_met());
    }
}
