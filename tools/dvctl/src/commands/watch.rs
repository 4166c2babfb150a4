//! `dvctl watch`: shows what is in work, again and again.
//!
//! Clears and rewrites the screen without terminal modes. However the program ends, the terminal is
//! as it was.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use adapters::{Depth, DynamoPairings, queue_depth};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use verification::Timestamp;
use verification::circuit::Gate;
use verification::identifiers::ScanRef;
use verification::ports::{Overdue, Pairings};

use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::when::{When, relative};

/// Watch what is in work, the queues, and what was decided last
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl watch
    dvctl watch --every 30
    dvctl --json watch --once | jq .queues

Verifications in work are counted from the index of what is due. Each is read once, and again when
it has moved. The newest decisions are from the logs of WebhookFunction and ProcessorFunction.
Ctrl-C ends it.")]
pub struct Arguments {
    /// Seconds between two looks
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(2..=3_600)
    )]
    every: u64,

    /// Look once and end
    #[arg(long)]
    once: bool,

    /// How many of the newest decisions are shown
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(0..=1_000)
    )]
    newest: u16,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    at: Timestamp,
    stack: String,
    in_work: BTreeMap<&'static str, u64>,
    /// More are in work than were counted.
    more_in_work: bool,
    overdue: u64,
    /// `Called`, `CircuitOpen` while the circuit is open, or `Tried` while it is half open.
    provider: &'static str,
    queues: Queues,
    newest: Vec<Decision>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Queues {
    submissions: Waiting,
    dead_letters: Waiting,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Waiting {
    waiting: u64,
    in_flight: u64,
}

#[derive(Clone, Serialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
struct Decision {
    at: Timestamp,
    scan_ref: String,
    by: &'static str,
    what: String,
}

/// States as last read. A state changes together with its attention time.
type Known = HashMap<(ScanRef, Timestamp), &'static str>;

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let mut known = Known::new();
    loop {
        let view = look(context, &mut known, usize::from(arguments.newest)).await?;
        if context.output.is_terminal && !context.output.is_json() && !arguments.once {
            // Cursor to the top left, then clear below.
            context.output.raw("\x1b[H\x1b[2J")?;
        }
        context.output.answer(&view)?;
        if arguments.once {
            return Ok(Exit::Done);
        }
        context
            .interruption()
            .pause(Duration::from_secs(arguments.every))
            .await;
        if context.interruption().came() {
            return Ok(Exit::Done);
        }
    }
}

/// Counting ends here.
const MOST: u16 = 1_000;
const AT_ONCE: usize = 16;

/// Later than every due time.
const END_OF_TIME: Timestamp = Timestamp::from_milliseconds(253_402_300_799_999);

/// The reconciler runs every five minutes.
const TOLERANCE: Duration = Duration::from_secs(10 * 60);

async fn look(context: &Context<'_>, known: &mut Known, newest: usize) -> Result<View, Failure> {
    let now = context.now();
    let pairings = context.pairings()?;
    let due = pairings.overdue(END_OF_TIME, MOST).await?;
    let overdue = due
        .iter()
        .filter(|due| now.since(due.attention_at) > TOLERANCE)
        .count();
    let states = states(&pairings, &due, known).await?;
    let mut in_work = BTreeMap::new();
    for state in states.values() {
        *in_work.entry(*state).or_insert(0) += 1;
    }
    *known = states;
    let submissions = depth(context, "SubmissionQueueUrl").await?;
    let dead_letters = depth(context, "SubmissionDeadLetterQueueUrl").await?;
    Ok(View {
        at: now,
        stack: context.stack.name.clone(),
        in_work,
        more_in_work: due.len() >= usize::from(MOST),
        provider: match context.provider_gate().await? {
            Gate::Closed => "Called",
            Gate::Open { .. } => "CircuitOpen",
            Gate::HalfOpen { .. } => "Tried",
        },
        overdue: u64::try_from(overdue).unwrap_or(u64::MAX),
        queues: Queues {
            submissions,
            dead_letters,
        },
        newest: decisions(context, now, newest).await?,
    })
}

async fn depth(context: &Context<'_>, output: &str) -> Result<Waiting, Failure> {
    let Depth {
        waiting,
        in_flight,
        delayed,
    } = queue_depth(context.aws.sdk(), context.stack.output(output)?).await?;
    Ok(Waiting {
        waiting: waiting.saturating_add(delayed),
        in_flight,
    })
}

/// The states of what is due. Reads only what has moved.
async fn states(
    pairings: &DynamoPairings,
    due: &[Overdue],
    known: &Known,
) -> Result<Known, Failure> {
    let keys = due.iter().map(|due| (due.first.clone(), due.attention_at));
    let (old, new): (Vec<_>, Vec<_>) = keys.partition(|key| known.contains_key(key));
    let mut states: Known = old
        .into_iter()
        .filter_map(|key| known.get(&key).map(|state| (key, *state)))
        .collect();
    let read: Vec<_> = stream::iter(new)
        .map(|key| async move { pairings.find(&key.0).await.map(|pairing| (key, pairing)) })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let in_work = read.into_iter().filter_map(|(key, pairing)| {
        let state = pairing?.state;
        (!state.is_terminal()).then(|| (key, state.name()))
    });
    states.extend(in_work);
    Ok(states)
}

const LOG_WINDOW: Duration = Duration::from_secs(60 * 60);

/// The last hour's decisions in the logs of webhook and processor.
async fn decisions(
    context: &Context<'_>,
    now: Timestamp,
    newest: usize,
) -> Result<Vec<Decision>, Failure> {
    if newest == 0 {
        return Ok(Vec::new());
    }
    let since = When::Ago(LOG_WINDOW).before(now);
    let mut decisions = Vec::new();
    for (function, event) in [
        ("webhook", "callback_answered"),
        ("processor", "pairing_advanced"),
    ] {
        let lines = context
            .aws
            .log_lines(&context.stack.log_group(function), event, since, now)
            .await?;
        decisions.extend(lines.iter().filter_map(|line| {
            let what = [line.field("outcome"), line.field("why")];
            Some(Decision {
                at: line.at,
                scan_ref: line.field("scan_ref")?,
                by: function,
                what: what.into_iter().flatten().collect::<Vec<_>>().join(" "),
            })
        }));
    }
    decisions.sort_by(|a, b| b.cmp(a));
    decisions.truncate(newest);
    Ok(decisions)
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  {}", self.stack, self.at)?;
        writeln!(f, "\nin work")?;
        if self.in_work.is_empty() {
            writeln!(f, "  nothing")?;
        }
        self.in_work
            .iter()
            .try_for_each(|(state, count)| writeln!(f, "  {state:<18}{count:>6}"))?;
        if self.more_in_work {
            writeln!(f, "  and more")?;
        }
        if self.overdue > 0 {
            writeln!(f, "  overdue for more than ten minutes: {}", self.overdue)?;
        }
        if self.provider != "Called" {
            writeln!(f, "  iDenfy fails for everybody: {}", self.provider)?;
        }
        let queue = |f: &mut fmt::Formatter<'_>, name: &str, queue: &Waiting| {
            writeln!(
                f,
                "  {name:<18}{:>6} waiting {:>6} in flight",
                queue.waiting, queue.in_flight
            )
        };
        writeln!(f, "\nqueues")?;
        queue(f, "submissions", &self.queues.submissions)?;
        queue(f, "dead letters", &self.queues.dead_letters)?;
        writeln!(f, "\nnewest decisions")?;
        if self.newest.is_empty() {
            writeln!(f, "  none in the last hour")?;
        }
        self.newest.iter().try_for_each(|decision| {
            let Decision {
                at,
                scan_ref,
                by,
                what,
            } = decision;
            writeln!(
                f,
                "  {:>12}  {scan_ref:<36}  {by:<9}  {what}",
                relative(*at, self.at)
            )
        })
    }
}
