//! What the drills have shown, for people and as JSON.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Time from a failure to its alarm.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detection {
    /// From the failure until the metric had crossed its threshold.
    #[serde(serialize_with = "seconds", rename = "measuredSeconds")]
    pub measured: Duration,
    /// Supposed to have passed, where an alarm is about inaction.
    #[serde(serialize_with = "seconds", rename = "supposedSeconds")]
    pub supposed: Duration,
    /// The breaching periods that the alarm's definition asks for.
    #[serde(serialize_with = "seconds", rename = "periodsSeconds")]
    pub periods: Duration,
}

impl Detection {
    /// At most, while the failure lasts; without CloudWatch's own delay.
    fn total(self) -> Duration {
        self.measured + self.supposed + self.periods
    }
}

fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 10.0).round() / 10.0)
}

/// One drill.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    pub alarm: &'static str,
    pub failure: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection: Option<Detection>,
    /// What was run, as it stands in the runbook.
    pub commands: Vec<String>,
    /// How long the commands took.
    #[serde(serialize_with = "seconds", rename = "commandsSeconds")]
    pub repair: Duration,
    /// Customers who were affected and are settled.
    pub settled: usize,
    pub is_quiet_again: bool,
    /// What was not as it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// All of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    pub rows: Vec<Row>,
}

impl Report {
    /// Whether every drill went as it should.
    pub fn is_clean(&self) -> bool {
        self.rows.iter().all(|row| row.failed.is_none())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detected = self.detection.map_or_else(
            || "not".to_owned(),
            |detection| format!("{:.0} s", detection.total().as_secs_f64()),
        );
        let programs: Vec<String> = self.commands.iter().map(|command| short(command)).collect();
        let settled = match &self.failed {
            None => format!("{} settled, quiet again", self.settled),
            Some(_) => "FAILED".to_owned(),
        };
        write!(
            f,
            "{:<50}  {:<26}  {detected:>7}  {:<72}  {settled}",
            self.failure,
            self.alarm,
            programs.join(" · ")
        )
    }
}

/// The program and what it is asked to do.
fn short(command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let program = words
        .iter()
        .position(|word| ["aws", "dvctl", "sam"].contains(word));
    let typed = words.get(program.unwrap_or(0)..).unwrap_or_default();
    let count = if typed.first() == Some(&"dvctl") {
        2
    } else {
        3
    };
    let named = typed
        .iter()
        .take_while(|word| !word.starts_with('-'))
        .take(count);
    named.copied().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<50}  {:<26}  {:>7}  {:<72}  end",
            "failure", "alarm", "red in", "commands of the runbook"
        )?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        writeln!(
            f,
            "Red in: until the metric had crossed its threshold (an age: if nobody acts), and the \
                periods that the alarm's definition then asks for.\n\
             CloudWatch itself needs some seconds to minutes more."
        )?;
        for row in &self.rows {
            if let Some(failed) = &row.failed {
                writeln!(f, "{}: {failed}", row.alarm)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_named_by_its_program_and_what_it_does() {
        assert_eq!(short("dvctl list --state parked --since 2h"), "dvctl list");
        assert_eq!(short("dvctl retry SCANREF"), "dvctl retry");
        assert_eq!(
            short("sam logs --stack-name \"$DVCTL_STACK\" \\\n  --name X"),
            "sam logs"
        );
        assert_eq!(
            short("aws sqs purge-queue --queue-url x"),
            "aws sqs purge-queue"
        );
        assert_eq!(
            short("(umask 077; aws secretsmanager get-secret-value --secret-id x > y)"),
            "aws secretsmanager get-secret-value"
        );
    }

    #[test]
    fn one_failed_drill_fails_the_report_and_says_why() {
        let row = |failed| Row {
            alarm: "PairingsParked",
            failure: "a file is not there",
            detection: Some(Detection {
                measured: Duration::from_secs(2),
                supposed: Duration::ZERO,
                periods: Duration::from_secs(300),
            }),
            commands: vec!["dvctl list --state parked".to_owned()],
            repair: Duration::from_secs(1),
            settled: 1,
            is_quiet_again: true,
            failed,
        };
        let clean = Report {
            rows: vec![row(None)],
        };
        assert!(
            clean.is_clean() && clean.to_string().contains("302 s"),
            "{clean}"
        );
        let broken = Report {
            rows: vec![row(None), row(Some("never red".to_owned()))],
        };
        assert!(
            !broken.is_clean() && broken.to_string().contains("PairingsParked: never red"),
            "{broken}"
        );
    }
}
