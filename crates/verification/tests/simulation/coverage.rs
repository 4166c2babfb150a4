//! What the runs have covered. A simulation that stops exploring fails.

use std::collections::{BTreeMap, BTreeSet};

/// How often something was seen, by its name.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    pub states: BTreeMap<&'static str, u64>,
    pub changes: BTreeMap<String, u64>,
    /// Faults and everything else that the world outside did.
    pub happened: BTreeMap<&'static str, u64>,
}

impl Coverage {
    pub fn count(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    pub fn change(&mut self, state: &'static str, what: &str) {
        *self.states.entry(state).or_default() += 1;
        match self.changes.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.changes.insert(what.to_owned(), 1)),
        }
    }

    pub fn add(&mut self, other: Self) {
        for (name, count) in other.states {
            *self.states.entry(name).or_default() += count;
        }
        for (name, count) in other.changes {
            *self.changes.entry(name).or_default() += count;
        }
        for (name, count) in other.happened {
            *self.happened.entry(name).or_default() += count;
        }
    }

    pub fn report(&self) -> String {
        let mut report = String::new();
        let mut section = |title: &str, counts: &mut dyn Iterator<Item = (&str, u64)>| {
            report.push_str(&format!("{title}\n"));
            for (name, count) in counts {
                report.push_str(&format!("  {count:>10}  {name}\n"));
            }
        };
        section(
            "states entered",
            &mut self.states.iter().map(|(name, count)| (*name, *count)),
        );
        section(
            "changes",
            &mut self
                .changes
                .iter()
                .map(|(name, count)| (name.as_str(), *count)),
        );
        section(
            "what happened",
            &mut self.happened.iter().map(|(name, count)| (*name, *count)),
        );
        report
    }
}

/// The state machine's complete table, with every state and every change.
const TABLE: &str = include_str!(
    "../snapshots/transition_table__every_state_answers_every_event_as_the_table_says.snap"
);

/// The changes that the table names: `Capturing [FirstResultQualified] +capture`.
pub fn known_changes() -> BTreeSet<String> {
    let change = |line: &str| Some(line.split_once('[')?.1.split_once(']')?.0.to_owned());
    TABLE
        .lines()
        .filter(|line| line.starts_with("    "))
        .filter_map(change)
        .collect()
}

/// The states that head the table's sections, without variants such as `Capturing (held)`.
pub fn known_states() -> BTreeSet<String> {
    let is_head = |line: &&str| line.starts_with(|first: char| first.is_ascii_uppercase());
    let body = TABLE
        .splitn(3, "---\n")
        .nth(2)
        .expect("a snapshot has a head");
    body.lines()
        .filter(is_head)
        .map(|line| line.split(' ').next().unwrap_or(line).to_owned())
        .collect()
}

/// Every change of state that `docs/ARCHITECTURE.md` shows, as `(from, to)`.
pub fn documented_edges() -> BTreeSet<(String, String)> {
    let document = include_str!("../../../../docs/ARCHITECTURE.md");
    let diagram = document
        .split("```mermaid\nstateDiagram-v2\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("the document shows the states");
    let edge = |line: &str| {
        let (from, to) = line.trim().split_once(" --> ")?;
        Some((
            from.to_owned(),
            to.split(" : ").next().unwrap_or(to).trim().to_owned(),
        ))
    };
    diagram.lines().filter_map(edge).collect()
}
