//! `docs/OPERATIONS.md` as somebody on call uses it: an entry for each alarm, and the commands in
//! it.

use super::template::in_the_workspace;

/// The headings below which no alarm is explained.
const OTHER_HEADINGS: [&str; 2] = ["Where to look", "Deciding what alarms"];

/// The whole text, cut at its headings.
#[derive(Debug)]
pub struct Runbook {
    /// Everything, for links.
    pub text: String,
}

/// What is said about one alarm.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The alarm's name.
    pub heading: String,
    /// All of it.
    pub body: String,
}

impl Runbook {
    /// Reads the workspace's.
    pub fn read() -> Self {
        Self {
            text: std::fs::read_to_string(in_the_workspace("docs/OPERATIONS.md"))
                .expect("the runbook"),
        }
    }

    /// What is run once, before anything else.
    pub fn first_commands(&self) -> Vec<String> {
        commands_in(self.text.split("\n## ").next().unwrap_or_default())
    }

    /// Every heading, also of what explains no alarm.
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
    pub fn entry(&self, alarm: &str) -> Entry {
        let entry = self
            .entries()
            .into_iter()
            .find(|entry| entry.heading == alarm);
        entry.unwrap_or_else(|| panic!("the runbook has no entry {alarm}"))
    }

    fn sections(&self) -> impl Iterator<Item = (&str, &str)> {
        let sections = self.text.split("\n## ").skip(1);
        sections.map(|section| section.split_once('\n').expect("a heading and a body"))
    }
}

impl Entry {
    /// What each entry answers, in this order.
    pub const QUESTIONS: [&str; 3] = ["**Means**", "**Look first**", "**Remedy**"];

    /// The commands of all code blocks after `question` and before the next one, each as it is
    /// typed.
    pub fn commands(&self, question: &str) -> Vec<String> {
        let (_, answer) = self
            .body
            .split_once(question)
            .unwrap_or_else(|| panic!("{} has no {question}", self.heading));
        let end = Self::QUESTIONS
            .iter()
            .filter_map(|next| answer.find(next))
            .min();
        commands_in(
            answer
                .get(..end.unwrap_or(answer.len()))
                .unwrap_or_default(),
        )
    }
}

/// The commands of all code blocks of a text. One that does not end with its line ends that line
/// with a backslash.
fn commands_in(text: &str) -> Vec<String> {
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
