//! `docs/OPERATIONS.md` as an operator uses it: an entry for each alarm, and its commands.

use anyhow::{Context, Result};
use local_stack::workspace;

/// Headings that are no alarms.
const OTHER_HEADINGS: [&str; 3] = [
    "A customer asks for their data",
    "Where to look",
    "Deciding what alarms",
];

/// The whole text, cut at its headings.
#[derive(Debug)]
pub struct Runbook {
    /// Everything, for links.
    pub text: String,
}

/// The entry of one alarm.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The alarm's name.
    pub heading: String,
    /// All of it.
    pub body: String,
}

impl Runbook {
    /// Reads the workspace's.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read() -> Result<Self> {
        let path = workspace::root().join("docs/OPERATIONS.md");
        let text = std::fs::read_to_string(path).context("cannot read the runbook")?;
        Ok(Self { text })
    }

    /// The commands that are run once, before anything else.
    pub fn first_commands(&self) -> Vec<String> {
        commands_in(self.text.split("\n## ").next().unwrap_or_default())
    }

    /// Every heading.
    pub fn headings(&self) -> impl Iterator<Item = &str> {
        self.sections().map(|(heading, _)| heading)
    }

    /// The entries of alarms.
    pub fn entries(&self) -> Vec<Entry> {
        let alarms = self
            .sections()
            .filter(|(heading, _)| !OTHER_HEADINGS.contains(heading));
        alarms
            .map(|(heading, body)| Entry {
                heading: heading.to_owned(),
                body: body.to_owned(),
            })
            .collect()
    }

    /// The entry of one alarm.
    ///
    /// # Errors
    /// There is none.
    pub fn entry(&self, alarm: &str) -> Result<Entry> {
        let entry = self
            .entries()
            .into_iter()
            .find(|entry| entry.heading == alarm);
        entry.with_context(|| format!("the runbook has no entry {alarm}"))
    }

    fn sections(&self) -> impl Iterator<Item = (&str, &str)> {
        let sections = self.text.split("\n## ").skip(1);
        sections.map(|section| section.split_once('\n').unwrap_or((section, "")))
    }
}

impl Entry {
    /// The questions of each entry, in this order.
    pub const QUESTIONS: [&str; 3] = ["**Means**", "**Look first**", "**Remedy**"];

    /// The commands of all code blocks between `question` and the next one, each as it is typed.
    ///
    /// # Errors
    /// The entry has no such question.
    pub fn commands(&self, question: &str) -> Result<Vec<String>> {
        let found = self.body.split_once(question);
        let (_, answer) = found.with_context(|| format!("{} has no {question}", self.heading))?;
        let end = Self::QUESTIONS
            .iter()
            .filter_map(|next| answer.find(next))
            .min();
        let answer = answer.get(..end.unwrap_or(answer.len()));
        Ok(commands_in(answer.unwrap_or_default()))
    }
}

/// The commands of all code blocks of a text. A line that ends with a backslash goes on in the
/// next.
pub fn commands_in(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    // Every second part stands between fences.
    for line in text
        .split("```")
        .skip(1)
        .step_by(2)
        .flat_map(|block| block.lines().skip(1))
    {
        match commands.last_mut().filter(|_| goes_on) {
            Some(command) => {
                command.push('\n');
                command.push_str(line);
            }
            None => commands.push(line.to_owned()),
        }
        goes_on = line.ends_with('\\');
    }
    commands
}
