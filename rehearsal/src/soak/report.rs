//! What a soak has shown, for people and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::Settings;
use super::customer::CustomerResult;
use super::evidence::Evidence;
use super::figures::Percentiles;

/// The result of a soak.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub pairings: u32,
    pub concurrency: u32,
    pub trouble_percent: u32,
    pub seed: u64,
    pub seconds: f64,
    pub pairings_per_second: f64,
    /// Customers for whom at least one thing was to go wrong.
    pub troubled: usize,
    pub processes_killed: usize,
    /// From the first result to the pairing's end, of customers without faults.
    pub untroubled_end: Percentiles,
    /// The same for all customers.
    pub end: Percentiles,
    #[serde(flatten)]
    pub evidence: Evidence,
}

impl Report {
    /// Puts together what was played and what was found.
    pub fn new(
        settings: Settings,
        took: Duration,
        everybody: &[CustomerResult],
        mut evidence: Evidence,
    ) -> Self {
        let arrived = u32::try_from(everybody.len()).unwrap_or(u32::MAX);
        // A customer who could not arrive before the deadline is lost, too.
        let missing =
            usize::try_from(settings.pairings.saturating_sub(arrived)).unwrap_or_default();
        evidence.broken.pairings_lost += missing;
        let times = |untroubled: bool| {
            let chosen = everybody
                .iter()
                .filter(move |played| !untroubled || played.plan.troubles.is_empty());
            Percentiles::of_durations(chosen.filter_map(|played| played.took))
        };
        let ended = u32::try_from(
            everybody
                .iter()
                .filter(|played| played.took.is_some())
                .count(),
        )
        .unwrap_or(u32::MAX);
        Self {
            pairings: settings.pairings,
            concurrency: settings.concurrency,
            trouble_percent: settings.trouble,
            seed: settings.seed,
            seconds: took.as_secs_f64(),
            pairings_per_second: f64::from(ended) / took.as_secs_f64(),
            troubled: everybody
                .iter()
                .filter(|played| !played.plan.troubles.is_empty())
                .count(),
            processes_killed: everybody.iter().map(|played| played.killed).sum(),
            untroubled_end: times(true),
            end: times(false),
            evidence,
        }
    }

    /// Whether nothing was lost, doubled or forgotten.
    pub fn is_clean(&self) -> bool {
        self.evidence.broken == super::evidence::Broken::default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = &self.evidence;
        let broken = &evidence.broken;
        writeln!(
            f,
            "{} pairings, {} at a time, {} % of everything going wrong, seed {}",
            self.pairings, self.concurrency, self.trouble_percent, self.seed
        )?;
        writeln!(
            f,
            "{:.1} s, {:.2} pairings/s; the reconciler ran every 3 s, leases lasted 15 s and \
                messages came back after 25 s",
            self.seconds, self.pairings_per_second
        )?;
        writeln!(f)?;
        for (what, count) in [
            ("pairings lost", broken.pairings_lost),
            ("double submissions", broken.double_submissions),
            (
                "callbacks answered 200 and not durable",
                broken.callbacks_not_durable,
            ),
            (
                "messages acknowledged and unfinished",
                broken.messages_unfinished,
            ),
            (
                "pairings without attention_at in a non-terminal state",
                broken.pairings_forgotten,
            ),
            (
                "unapproved documents submitted",
                broken.unapproved_submitted,
            ),
            (
                "settled without the uploaded files submitted",
                broken.settled_without_submission,
            ),
            ("files stored twice, broken or missing", broken.files_wrong),
            ("denials forgotten", broken.denials_forgotten),
        ] {
            writeln!(f, "{what:<54}{count:>6}")?;
        }
        writeln!(f)?;
        writeln!(f, "{:<30}{}", "customers in trouble", self.troubled)?;
        writeln!(f, "{:<30}{}", "processes killed", self.processes_killed)?;
        writeln!(
            f,
            "{:<30}{}",
            "submissions accepted", evidence.submissions_accepted
        )?;
        writeln!(f, "{:<30}{}", "files stored", evidence.files_stored)?;
        writeln!(
            f,
            "{:<30}{}",
            "duplicates absorbed", evidence.duplicates_absorbed
        )?;
        writeln!(f, "{:<30}{}", "tokens given up", evidence.tokens_given_up)?;
        writeln!(f, "{:<30}{}", "dead letters", evidence.dead_letters)?;
        writeln!(f, "{:<30}{}", "messages left", evidence.messages_left)?;
        writeln!(
            f,
            "{:<30}{}",
            "callback answered", evidence.callback_answered
        )?;
        writeln!(f, "{:<30}{}", "to the end, no trouble", self.untroubled_end)?;
        writeln!(f, "{:<30}{}", "to the end, all", self.end)?;
        list(f, "ends", &evidence.ends)?;
        list(f, "callback attempts", &evidence.deliveries)?;
        list(f, "faults met", &evidence.faults_met)?;
        for stuck in &evidence.stuck {
            writeln!(f, "STUCK {stuck}")?;
        }
        Ok(())
    }
}

fn list(f: &mut fmt::Formatter<'_>, name: &str, counts: &BTreeMap<String, usize>) -> fmt::Result {
    let counts: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{what} {count}"))
        .collect();
    writeln!(f, "{name:<30}{}", counts.join(", "))
}
