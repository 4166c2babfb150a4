//! `docs/BENCHMARKS.md`: the figures of one complete run, with the time, the commit and the machine
//! that they belong to. Text and figures are written together, so neither goes stale.

use std::fmt::Write as _;
use std::process::Stdio;

use local_stack::workspace;
use tokio::process::Command;

use crate::chart;
use crate::measurements::Measurement;
use crate::report::{Line, Report, table};

const TEMPLATE: &str = include_str!("document.md");

/// What a run's figures belong to.
#[derive(Clone, Debug)]
pub struct Setting {
    date: String,
    /// With `-dirty` if anything but this document differs from it.
    commit: String,
    machine: String,
    versions: String,
    load_before: String,
}

impl Setting {
    /// Looks around. Call it before the measurements: the load is that of now.
    pub async fn find() -> Self {
        let changed = output(
            "git",
            &["status", "--porcelain", "--", ".", ":!docs/BENCHMARKS.md"],
        )
        .await;
        let dirty = if changed.is_empty() { "" } else { "-dirty" };
        let commit = output("git", &["rev-parse", "--short", "HEAD"]).await;
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let kernel = output("uname", &["-srm"]).await;
        let mut versions = Vec::new();
        for (program, name) in [("rustc", ""), ("python3", ""), ("node", "Node.js ")] {
            let version = output(program, &["--version"]).await;
            if !version.is_empty() {
                versions.push(format!("{name}{version}"));
            }
        }
        Self {
            date: output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).await,
            commit: format!("{commit}{dirty}"),
            machine: format!("{cores} processors, {}, {kernel}", processor()),
            versions: versions.join(", "),
            load_before: load(),
        }
    }

    /// The whole document. Call it right after the measurements: the load is that of now.
    pub fn document(&self, report: &Report) -> String {
        self.fill(report, &load())
    }

    fn fill(&self, report: &Report, load_after: &str) -> String {
        let setting = format!(
            "| | |\n|---|---|\n| Date | {} |\n| Commit | `{}` |\n| Machine | {} |\n| Versions | {} \
             |\n| Load before (1, 5, 15 minutes) | {} |\n| Load after | {load_after} |",
            self.date, self.commit, self.machine, self.versions, self.load_before,
        );
        TEMPLATE
            .replace("{{setting}}", &setting)
            .replace("{{missed}}", &missed(report))
            .replace("{{lost}}", &lost(report))
            .replace("{{pictures}}", &pictures(report))
            .replace("{{tables}}", &tables(report))
    }
}

/// The budgets that were missed, and by how much.
fn missed(report: &Report) -> String {
    let missed = |line: &Line| {
        let budget = line.budget.as_ref().filter(|budget| !budget.met)?;
        Some(format!(
            "- {}: {}, budget {}; by {:.0} %",
            line.what,
            line.figure(),
            budget.bound,
            budget.missed_by_percent
        ))
    };
    list(report.lines.iter().filter_map(missed))
}

fn lost(report: &Report) -> String {
    let lost = |line: &Line| Some(format!("- {}: {}", line.what, line.lost()?));
    list(report.lines.iter().filter_map(lost))
}

fn list(lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        "None.".to_owned()
    } else {
        lines.join("\n")
    }
}

/// What a reader compares first: lines that all programs share, and how long answers take.
fn pictures(report: &Report) -> String {
    const BARS: [&str; 5] = [
        "answer, 2 × 10 MB: median",
        "CPU of copying 1 MB",
        "start of WebhookFunction, least",
        "CPU from start to the first callback answered and done, with TLS",
        "CPU of a first submission of 14 MB",
    ];
    let bars = BARS.iter().filter_map(|name| {
        let mut lines = report.lines.iter();
        chart::bars(lines.find(|line| line.what.starts_with(name))?)
    });
    let curves = report.lines.iter().filter_map(chart::distribution);
    let pictures: Vec<String> = bars.chain(curves).collect();
    pictures.join("\n").trim_end().to_owned()
}

fn tables(report: &Report) -> String {
    let mut text = String::new();
    for measurement in Measurement::ALL {
        let lines = || {
            let own = |line: &&Line| line.measurement == measurement.name();
            report.lines.iter().filter(own)
        };
        if lines().next().is_some() {
            let (title, about) = (measurement.title(), measurement.about());
            // Writing to a string does not fail.
            write!(text, "### {title}\n\n{about}\n\n{}\n", table(lines())).ok();
        }
    }
    for left_out in report.left_out.iter().chain(&report.failed) {
        write!(text, "Not measured: {left_out}\n\n").ok();
    }
    text.trim_end().to_owned()
}

/// The average numbers of processes that want a processor.
fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = load.split(' ').take(3).collect();
    averages.join(", ")
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "model name").then(|| value.trim().to_owned())
    });
    name.unwrap_or_else(|| "unknown".to_owned())
}

/// What a program prints, trimmed; nothing if it does not run.
async fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .output()
        .await;
    let printed = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&printed).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Who;

    #[test]
    fn the_document_names_what_is_missed_and_lost() {
        let setting = Setting {
            date: "2026-01-01".to_owned(),
            commit: "abc-dirty".to_owned(),
            machine: "a machine".to_owned(),
            versions: "versions".to_owned(),
            load_before: "1.00, 2.00, 3.00".to_owned(),
        };
        let figures = [(Who::Ours, 4.0), (Who::Node, 2.0)].into();
        let report = Report {
            lines: vec![Line::new("size", "size of it", "MB", &figures).bound(3.2)],
            left_out: vec!["the Python peer, because".to_owned()],
            ..Report::default()
        };
        let document = setting.fill(&report, "4.00, 5.00, 6.00");
        for expected in [
            "| Commit | `abc-dirty` |",
            "| Load after | 4.00, 5.00, 6.00 |",
            "- size of it: 4.00 MB, budget ≤ 3.20 MB; by 25 %\n",
            "- size of it: ours 4.00 MB, Node.js 2.00 MB\n",
            "### Size of the programs",
            "Not measured: the Python peer, because\n",
        ] {
            assert!(document.contains(expected), "{expected} in {document}");
        }
        assert!(!document.contains("{{"), "{document}");
    }
}
