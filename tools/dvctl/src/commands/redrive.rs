//! `dvctl redrive`: moves dead letters back to the queue.
//!
//! SQS itself moves only a whole queue, unseen. Here an operator first sees why each message
//! failed.

use std::fmt;
use std::time::Duration;

use adapters::{DeadLetter, Letters, SqsDeadLetters};
use serde::Serialize;
use verification::Timestamp;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::Pairings;

use super::Context;
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::{self, Line};
use crate::next_step::next_step;

/// Show the dead letters with their reasons, and move them back to their queue
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl redrive                        shows them, asks, moves them
    dvctl --json redrive --dry-run       shows them and leaves them
    dvctl redrive --yes --discard-unreadable
    dvctl redrive --outcomes             those that the application did not take

A submission becomes a dead letter after ten attempts, about half an hour. An outcome becomes one
after fifteen, almost three days, or at once if the application answers 410. Find the cause first,
or they come back. Foreign messages are shown by size and checksum. They are kept unless
--discard-unreadable is given. Letters are held for ten minutes while you decide; then others can
take those that were not moved. Ctrl-C stops between two letters; the same command goes on.
Exit status 4: some were kept, or could not be moved.")]
pub struct Arguments {
    /// Letters of outcomes that were pushed to the application, not of submissions
    #[arg(long)]
    outcomes: bool,

    /// Show them, and move nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask for confirmation
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,

    /// Remove messages that nobody can read, instead of keeping them
    #[arg(long, conflicts_with = "dry_run")]
    discard_unreadable: bool,

    /// At most so many letters
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..=1_000)
    )]
    limit: u16,
}

#[derive(Serialize)]
struct Redriven {
    letters: Vec<Shown>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at: Option<Timestamp>,
    bytes: usize,
    sha256: Digest256,
    /// Absent: not a message of this project.
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_ref: Option<ScanRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<Standing>,
    /// The function's newest log lines about it.
    log: Vec<String>,
    outcome: Outcome,
}

/// The verification's present state.
#[derive(Serialize)]
struct Standing {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    next: String,
    history: Vec<Line>,
}

/// The queue and its dead letters.
struct Place {
    letters: SqsDeadLetters,
    queue_url: String,
    /// Its function's log.
    log: &'static str,
}

impl Place {
    fn of(context: &Context<'_>, outcomes: bool) -> Result<Self, Failure> {
        let (letters, dead_letters, queue, log) = if outcomes {
            let queue = "OutcomePushQueueUrl";
            let dead_letters = "OutcomePushDeadLetterQueueUrl";
            (Letters::Outcomes, dead_letters, queue, "outcome-push")
        } else {
            let queue = "SubmissionQueueUrl";
            let dead_letters = "SubmissionDeadLetterQueueUrl";
            (Letters::Submissions, dead_letters, queue, "processor")
        };
        let url = context.stack.output(dead_letters)?;
        Ok(Self {
            letters: SqsDeadLetters::new(context.aws.sdk(), url, letters),
            queue_url: context.stack.output(queue)?.to_owned(),
            log,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Moved,
    Discarded,
    Kept,
    /// Moving failed. The letter comes back within ten minutes.
    Failed,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let place = Place::of(context, arguments.outcomes)?;
    let Place {
        letters, queue_url, ..
    } = &place;
    let held = take(context, letters, usize::from(arguments.limit)).await?;
    let shown = explain_and_confirm(context, &held, &place, &arguments).await;
    let mut shown = match shown {
        Ok(shown) => shown,
        Err(failure) => {
            put_back(letters, &held).await;
            return Err(failure);
        }
    };
    let mut interrupted = false;
    for (letter, shown) in held.iter().zip(&mut shown.letters) {
        interrupted = interrupted || context.interruption().came();
        shown.outcome = if interrupted || arguments.dry_run {
            Outcome::Kept
        } else {
            act(letter, letters, queue_url, arguments.discard_unreadable).await
        };
        if shown.outcome == Outcome::Kept {
            put_back(letters, std::slice::from_ref(letter)).await;
        }
    }
    let exits = shown.letters.iter().map(|letter| match letter.outcome {
        Outcome::Moved | Outcome::Discarded => Exit::Done,
        Outcome::Kept if arguments.dry_run => Exit::Done,
        Outcome::Kept => Exit::Partly,
        Outcome::Failed => Exit::Failed,
    });
    let exit = Exit::of_all(exits);
    context.output.answer(&shown)?;
    if interrupted {
        context.output.note("interrupted; the same command goes on");
        return Ok(Exit::Interrupted);
    }
    Ok(exit)
}

/// Takes letters until enough are held or none are left.
async fn take(
    context: &mut Context<'_>,
    letters: &SqsDeadLetters,
    limit: usize,
) -> Result<Vec<DeadLetter>, Failure> {
    let mut held: Vec<DeadLetter> = Vec::new();
    while held.len() < limit && !context.interruption().came() {
        let more = letters.take().await?;
        if more.is_empty() {
            break;
        }
        held.extend(more);
        context
            .output
            .progress(format_args!("{} dead letters read", held.len()));
    }
    let surplus = held.split_off(held.len().min(limit));
    put_back(letters, &surplus).await;
    Ok(held)
}

/// Letters that are not put back return after ten minutes.
async fn put_back(letters: &SqsDeadLetters, held: &[DeadLetter]) {
    for letter in held {
        drop(letters.put_back(letter).await);
    }
}

async fn explain_and_confirm(
    context: &mut Context<'_>,
    held: &[DeadLetter],
    place: &Place,
    arguments: &Arguments,
) -> Result<Redriven, Failure> {
    let mut letters = Vec::new();
    for letter in held {
        letters.push(explain(context, letter, place.log).await?);
        context.output.progress(format_args!(
            "{} of {} explained",
            letters.len(),
            held.len()
        ));
    }
    let shown = Redriven { letters };
    if !(arguments.yes || arguments.dry_run || held.is_empty()) {
        context.output.note(&shown);
        let question = format!(
            "{} letters go back to the queue of {}.",
            held.len(),
            context.stack.name
        );
        confirm(context.output, &question, "redrive").await?;
    }
    Ok(shown)
}

/// Ten attempts take about half an hour. Of outcomes, the first attempts are shown. Dead letters
/// are not logged about.
const LOG_WINDOW: Duration = Duration::from_secs(3 * 60 * 60);
const LOG_LINES: usize = 3;

async fn explain(context: &Context<'_>, letter: &DeadLetter, log: &str) -> Result<Shown, Failure> {
    let pairings = context.pairings()?;
    let verification = match &letter.scan_ref {
        Some(scan_ref) => match pairings.find(scan_ref).await? {
            Some(pairing) => {
                let history = pairings.history(&pairing.first, history::LIMIT).await?;
                Some(Standing {
                    state: pairing.state.name(),
                    reason: pairing.state.reason(),
                    next: next_step(&pairing, context.now()),
                    history: history.into_iter().map(Line::from).collect(),
                })
            }
            None => None,
        },
        None => None,
    };
    let log = match letter.sent_at {
        Some(sent_at) => {
            let text = letter
                .scan_ref
                .as_ref()
                .map_or(letter.message_id.as_str(), ScanRef::as_str);
            let until = sent_at.plus(LOG_WINDOW);
            let lines = context
                .aws
                .log_lines(&context.stack.log_group(log), text, sent_at, until)
                .await?;
            let newest = lines.len().saturating_sub(LOG_LINES);
            lines.iter().skip(newest).map(describe).collect()
        }
        None => Vec::new(),
    };
    Ok(Shown {
        message_id: letter.message_id.clone(),
        sent_at: letter.sent_at,
        bytes: letter.bytes,
        sha256: letter.sha256.clone(),
        scan_ref: letter.scan_ref.clone(),
        verification,
        log,
        outcome: Outcome::Kept,
    })
}

fn describe(line: &crate::aws::logs::LogLine) -> String {
    let fields = [
        "event", "outcome", "why", "error", "cause", "kind", "receives",
    ];
    let told = fields
        .iter()
        .filter_map(|name| line.field(name).map(|value| format!("{name}={value}")));
    format!("{} {}", line.at, told.collect::<Vec<_>>().join(" "))
}

/// Sends first, then removes. A crash in between duplicates the message. The processor absorbs
/// that, and applications must expect it of outcomes.
async fn act(
    letter: &DeadLetter,
    letters: &SqsDeadLetters,
    queue_url: &str,
    discard_unreadable: bool,
) -> Outcome {
    let (done, outcome) = match &letter.scan_ref {
        Some(_) => (letters.send_to(queue_url, letter).await, Outcome::Moved),
        None if discard_unreadable => (Ok(()), Outcome::Discarded),
        None => return Outcome::Kept,
    };
    if done.is_ok() && letters.discard(letter).await.is_ok() {
        outcome
    } else {
        Outcome::Failed
    }
}

impl fmt::Display for Redriven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.letters.is_empty() {
            return writeln!(f, "no dead letters");
        }
        for letter in &self.letters {
            let name = letter
                .scan_ref
                .as_ref()
                .map_or("unreadable", ScanRef::as_str);
            let sent = letter.sent_at.map(|at| at.to_string()).unwrap_or_default();
            writeln!(f, "{name}  message {}  sent {sent}", letter.message_id)?;
            match (&letter.verification, &letter.scan_ref) {
                (Some(standing), _) => {
                    writeln!(
                        f,
                        "  state {} {}",
                        standing.state,
                        standing.reason.unwrap_or_default()
                    )?;
                    writeln!(f, "  next  {}", standing.next)?;
                    standing
                        .history
                        .iter()
                        .rev()
                        .take(3)
                        .rev()
                        .try_for_each(|line| writeln!(f, "  {line}"))?;
                }
                (None, Some(_)) => writeln!(f, "  no verification has this scanRef any more")?,
                (None, None) => writeln!(
                    f,
                    "  no message of this project's: {} bytes, sha256 {}",
                    letter.bytes, letter.sha256
                )?,
            }
            letter
                .log
                .iter()
                .try_for_each(|line| writeln!(f, "  log   {line}"))?;
            let outcome = match letter.outcome {
                Outcome::Moved => "moved back to the queue",
                Outcome::Discarded => "discarded",
                Outcome::Kept => "kept",
                Outcome::Failed => "could not be moved; it comes back within ten minutes",
            };
            writeln!(f, "  {outcome}")?;
        }
        Ok(())
    }
}
