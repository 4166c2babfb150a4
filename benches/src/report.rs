//! What was found: one line per thing that was measured, with its budget and whether it is kept.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::chart::PERCENTILES;
use crate::statistics::Sample;

/// Who takes part in a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
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
    /// True for throughput and for counts of what went well.
    pub more_is_better: bool,
    /// Each program's values at [`PERCENTILES`]. Empty where only one number is told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub distribution: BTreeMap<Who, Vec<f64>>,
    /// Empty where there is none and the number only explains another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// A bound, in words, and whether it is kept.
#[derive(Clone, Debug, Serialize)]
pub struct Budget {
    pub bound: String,
    pub met: bool,
    /// By how many percent of the bound it is missed; 0 if it is kept.
    pub missed_by_percent: f64,
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
            more_is_better: false,
            distribution: BTreeMap::new(),
            budget: None,
        }
    }

    /// Keeps how the measurements behind the number are distributed.
    pub fn with_distribution(mut self, measured: &BTreeMap<Who, Vec<f64>>) -> Self {
        let distribution = measured.iter().map(|(who, values)| {
            let sample = Sample::of(values.iter().copied());
            let values = PERCENTILES.map(|percent| sample.percentile(percent));
            (*who, values.to_vec())
        });
        self.distribution = distribution.collect();
        self
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

    /// For throughput and for counts of what went well.
    pub fn more_is_better(mut self) -> Self {
        self.more_is_better = true;
        self
    }

    /// Held to a bound in the line's own unit: an upper one, or a lower one where more is better.
    pub fn bound(self, bound: f64) -> Self {
        let words = format!("{} {} {}", self.sign(), number(bound), self.unit);
        self.held(bound, words.trim_end().to_owned())
    }

    /// Held to a multiple of the floor.
    pub fn times_floor(self, times: f64) -> Self {
        let words = format!("{} {times} × floor", self.sign());
        let bound = self.floor.unwrap_or(f64::NAN) * times;
        self.held(bound, words)
    }

    /// Held to being no worse than any peer. Without peers there is nothing to be held to.
    pub fn first_among_peers(self) -> Self {
        let best = self.peers().reduce(f64::min);
        match best {
            Some(best) => self.held(best, "first among the peers".to_owned()),
            None => self,
        }
    }

    fn sign(&self) -> &'static str {
        if self.more_is_better { "≥" } else { "≤" }
    }

    fn held(mut self, limit: f64, bound: String) -> Self {
        let (worse, better) = if self.more_is_better {
            (limit, self.ours)
        } else {
            (self.ours, limit)
        };
        let met = worse <= better;
        let missed_by_percent = if met {
            0.0
        } else {
            (self.ours - limit).abs() / limit * 100.0
        };
        self.budget = Some(Budget {
            bound,
            met,
            missed_by_percent,
        });
        self
    }

    fn peers(&self) -> impl Iterator<Item = f64> {
        [self.python, self.node].into_iter().flatten()
    }

    /// The figure with its unit.
    pub fn figure(&self) -> String {
        format!("{} {}", number(self.ours), self.unit)
            .trim_end()
            .to_owned()
    }

    /// By what ours is worse than the peers that are better, in words; `None` if no peer is.
    pub fn lost(&self) -> Option<String> {
        let peers = [("Python", self.python), ("Node.js", self.node)];
        let lost = peers.into_iter().filter_map(|(name, peer)| {
            let peer = peer?;
            let is_better = if self.more_is_better {
                peer > self.ours
            } else {
                peer < self.ours
            };
            is_better.then(|| format!("{name} {} {}", number(peer), self.unit))
        });
        let lost: Vec<String> = lost.collect();
        (!lost.is_empty()).then(|| format!("ours {}, {}", self.figure(), lost.join(", ")))
    }

    fn cells(&self) -> [String; COLUMNS] {
        let optional = |value: Option<f64>| value.map(number).unwrap_or_default();
        let ratio = |value: f64, to: f64| format!("{}×", number(value / to));
        let budget = self.budget.as_ref();
        let peers = self.peers().map(|peer| ratio(peer, self.ours));
        [
            self.what.clone(),
            budget
                .map(|budget| budget.bound.clone())
                .unwrap_or_default(),
            self.figure(),
            optional(self.floor),
            self.floor
                .map(|floor| ratio(self.ours, floor))
                .unwrap_or_default(),
            optional(self.python),
            optional(self.node),
            peers.collect::<Vec<_>>().join(", "),
            budget.map(Budget::verdict).unwrap_or_default(),
        ]
    }
}

impl Budget {
    fn verdict(&self) -> String {
        if self.met {
            "met".to_owned()
        } else {
            format!("MISSED by {} %", number(self.missed_by_percent))
        }
    }
}

const COLUMNS: usize = 9;

const HEADINGS: [&str; COLUMNS] = [
    "What",
    "Budget",
    "Ours",
    "Floor",
    "Ours ÷ floor",
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
    /// Measurements that failed, and why.
    pub failed: Vec<String>,
}

impl Report {
    /// Whether every budget is kept.
    pub fn all_met(&self) -> bool {
        self.lines
            .iter()
            .filter_map(|line| line.budget.as_ref())
            .all(|budget| budget.met)
    }

    /// All lines as one table, and what was not measured.
    pub fn table(&self) -> String {
        let mut text = table(self.lines.iter());
        for left_out in self.left_out.iter().chain(&self.failed) {
            text.extend(["\nNot measured: ", left_out, "\n"]);
        }
        text
    }
}

/// A Markdown table whose columns also line up as plain text.
pub fn table<'line>(lines: impl Iterator<Item = &'line Line>) -> String {
    let headings = HEADINGS.map(str::to_owned);
    let rows: Vec<[String; COLUMNS]> = std::iter::once(headings)
        .chain(lines.map(Line::cells))
        .collect();
    let mut widths = [0; COLUMNS];
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
    table
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

    fn start(ours: f64) -> Line {
        let figures = [
            (Who::Ours, ours),
            (Who::Floor, 2.0),
            (Who::Python, 400.0),
            (Who::Node, 200.0),
        ];
        Line::new("start", "webhook", "ms", &figures.into())
    }

    #[test]
    fn a_line_shows_its_ratios_and_its_verdict() {
        let report = Report {
            lines: vec![start(4.0).bound(3.0)],
            left_out: vec!["nothing".to_owned()],
            ..Report::default()
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
                "2.00",
                "2.00×",
                "400",
                "200",
                "100×, 50.0×",
                "MISSED by 33.3 %"
            ]
        );
        assert!(table.ends_with("Not measured: nothing\n"));
    }

    #[test]
    fn bounds_may_be_upper_or_lower() {
        let met = |line: Line| line.budget.unwrap().met;
        assert!(met(start(4.0).times_floor(2.0)));
        assert!(!met(start(4.1).times_floor(2.0)));
        assert!(met(start(1.9).more_is_better().times_floor(0.95)));
        assert!(!met(start(1.8).more_is_better().times_floor(0.95)));
        assert!(met(start(200.0).first_among_peers()));
        assert!(!met(start(201.0).first_among_peers()));
    }

    #[test]
    fn a_peer_that_is_better_is_named() {
        assert_eq!(start(4.0).lost(), None);
        let lost = start(300.0).lost();
        assert_eq!(lost.as_deref(), Some("ours 300 ms, Node.js 200 ms"));
        let lost = start(300.0).more_is_better().lost();
        assert_eq!(lost.as_deref(), Some("ours 300 ms, Python 400 ms"));
    }

    #[test]
    fn a_report_without_budgets_has_missed_none() {
        let report = Report {
            lines: vec![Line::alone("start", "webhook", "ms", 4.0)],
            ..Report::default()
        };
        assert!(report.all_met());
    }
}
