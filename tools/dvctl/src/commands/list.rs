//! `dvctl list`: verifications by state, age or client.
//!
//! There is no index by state. Three ways do without:
//!
//! 1. The sparse index by attention has exactly the verifications in work.
//! 2. The index by client has every verification with a known `clientId`, in some 300 bytes.
//! 3. The table has the rest.
//!
//! An index of parked verifications would write every park and retry twice. An operator asks some
//! times a week, at a cent per million verifications. Functions never read like this.

use std::fmt;
use std::time::Duration;

use adapters::{DynamoPairings, Inspection, InspectionPlace};
use clap::ValueEnum;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use verification::Timestamp;
use verification::identifiers::{ClientId, ScanRef};
use verification::ports::{Overdue, PageStart, PairingSummary, Pairings};

use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::when::{When, relative};

/// List verifications by state, age or client
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl list --state parked --since 2h
    dvctl list --state capturing,captured,submitting         what is in work, from a small index
    dvctl list --client customer-1
    dvctl --json list --state parked | jq -r '.items[].scanRef' | xargs dvctl retry

What is read: With --client, one bounded query of an index. With only states that are in work
(awaiting-callback to submitted, erasing), the index of what is due, soonest first. Otherwise the
whole index by client, some 300 bytes per verification, at most --read-units per second. That index
lacks verifications without a known clientId (parked as ClientUnknown or ClientUnusable). Add
--whole-table to see those, too; it reads some thirty times as much. Ctrl-C stops the command;
--after goes on from there.")]
pub struct Arguments {
    /// Only verifications in these states; may be repeated or separated by commas
    #[arg(
        long = "state",
        value_name = "STATE",
        value_delimiter = ',',
        ignore_case = true
    )]
    states: Vec<StateName>,

    /// Only what has changed since then: 90s, 15m, 2h, 7d, or a time such as 2026-11-23T08:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,

    /// Only verifications of this client
    #[arg(long, value_name = "CLIENTID")]
    client: Option<ClientId>,

    /// At most so many; more may follow with --after
    #[arg(
        long,
        value_name = "N",
        default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    limit: u16,

    /// Go on where an earlier call ended, with what it printed
    #[arg(long, value_name = "PLACE")]
    after: Option<String>,

    /// Read the table itself, histories and all
    #[arg(long, conflicts_with = "client")]
    whole_table: bool,

    /// Read units per second that may be spent at most; one is 8 KB
    #[arg(
        long,
        value_name = "N",
        default_value_t = 500,
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    read_units: u32,
}

/// States as the command line names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StateName {
    /// The name as `show` prints it is taken as well.
    #[value(alias = "awaitingcallback")]
    AwaitingCallback,
    Capturing,
    Captured,
    Authorizing,
    Authorized,
    Submitting,
    Submitted,
    Settled,
    Declined,
    Expired,
    Parked,
    Erasing,
}

impl StateName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingCallback => "AwaitingCallback",
            Self::Capturing => "Capturing",
            Self::Captured => "Captured",
            Self::Authorizing => "Authorizing",
            Self::Authorized => "Authorized",
            Self::Submitting => "Submitting",
            Self::Submitted => "Submitted",
            Self::Settled => "Settled",
            Self::Declined => "Declined",
            Self::Expired => "Expired",
            Self::Parked => "Parked",
            Self::Erasing => "Erasing",
        }
    }

    /// The index by attention has these states.
    const fn is_in_work(self) -> bool {
        !matches!(
            self,
            Self::Settled | Self::Declined | Self::Expired | Self::Parked
        )
    }
}

/// What to list, however it is read.
struct Filter {
    states: Vec<&'static str>,
    since: Option<Timestamp>,
}

impl Filter {
    fn takes(&self, summary: &PairingSummary) -> bool {
        (self.states.is_empty() || self.states.contains(&summary.state.as_str()))
            && self.since.is_none_or(|since| summary.updated_at >= since)
    }
}

#[derive(Serialize)]
struct Listed {
    items: Vec<Item>,
    /// For --after. Absent: there is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(skip)]
    now: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    scan_ref: ScanRef,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<PairingSummary> for Item {
    fn from(summary: PairingSummary) -> Self {
        Self {
            scan_ref: summary.first,
            state: summary.state,
            reason: summary.reason,
            verdict: summary.verdict,
            created_at: summary.created_at,
            updated_at: summary.updated_at,
        }
    }
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let now = context.now();
    let filter = Filter {
        states: arguments
            .states
            .iter()
            .map(|state| state.as_str())
            .collect(),
        since: arguments.since.map(|since| since.before(now)),
    };
    let pairings = context.pairings()?;
    let in_work =
        !arguments.states.is_empty() && arguments.states.iter().all(|state| state.is_in_work());
    let (items, after) = match &arguments.client {
        Some(client) => of_client(&pairings, client, &filter, &arguments).await?,
        None if in_work && !arguments.whole_table => {
            in_work_only(&pairings, &filter, &arguments).await?
        }
        None => inspected(context, &pairings, &filter, &arguments).await?,
    };
    let listed = Listed {
        items: items.into_iter().map(Item::from).collect(),
        after,
        now: Some(now),
    };
    context.output.answer(&listed)?;
    Ok(if context.interruption().came() {
        Exit::Interrupted
    } else {
        Exit::Done
    })
}

type Found = (Vec<PairingSummary>, Option<String>);

/// The API's page size.
const CLIENT_PAGE: u16 = 100;

async fn of_client(
    pairings: &DynamoPairings,
    client: &ClientId,
    filter: &Filter,
    arguments: &Arguments,
) -> Result<Found, Failure> {
    let mut start = match &arguments.after {
        Some(after) => Some(client_start(pairings, after).await?),
        None => None,
    };
    let mut found = Vec::new();
    let limit = usize::from(arguments.limit);
    loop {
        let page = pairings
            .of_client(client, start.as_ref(), CLIENT_PAGE)
            .await?;
        let mut summaries = page.pairings.into_iter();
        for summary in summaries.by_ref() {
            let first = summary.first.to_string();
            if filter.takes(&summary) {
                found.push(summary);
            }
            if found.len() == limit {
                let has_more = !summaries.as_slice().is_empty() || page.next.is_some();
                return Ok((found, has_more.then_some(first)));
            }
        }
        start = page.next;
        if start.is_none() {
            return Ok((found, None));
        }
    }
}

async fn client_start(pairings: &DynamoPairings, after: &str) -> Result<PageStart, Failure> {
    let first: ScanRef = after
        .parse()
        .map_err(|_| Failure::usage("--after takes what an earlier call printed"))?;
    let pairing = pairings.find(&first).await?;
    let pairing = pairing.ok_or_else(|| {
        Failure::not_found("the verification to go on after is gone")
            .advise("start again without --after")
    })?;
    Ok(PageStart {
        first: pairing.first,
        created_at: pairing.created_at,
    })
}

/// Later than every due time.
const END_OF_TIME: Timestamp = Timestamp::from_milliseconds(253_402_300_799_999);

/// As many pairings as are read at once.
const AT_ONCE: usize = 16;

/// What is in work, soonest due first. The index has names only, so each is read, as it is now.
async fn in_work_only(
    pairings: &DynamoPairings,
    filter: &Filter,
    arguments: &Arguments,
) -> Result<Found, Failure> {
    if arguments.after.is_some() {
        return Err(
            Failure::usage("--after does not go with states that are in work only")
                .advise("this list changes all the time: ask for more at once with --limit"),
        );
    }
    let due = pairings.overdue(END_OF_TIME, u16::MAX).await?;
    let mut read = stream::iter(due)
        .map(|Overdue { first, .. }| async move { pairings.find(&first).await })
        .buffered(AT_ONCE);
    let mut found = Vec::new();
    while let Some(pairing) = read.try_next().await? {
        let summary = pairing.map(|pairing| PairingSummary {
            state: pairing.state.name().to_owned(),
            reason: pairing.state.reason().map(str::to_owned),
            verdict: pairing
                .state
                .verdict()
                .map(|verdict| verdict.as_str().to_owned()),
            created_at: pairing.created_at,
            updated_at: pairing.updated_at,
            first: pairing.first,
        });
        found.extend(summary.filter(|summary| filter.takes(summary)));
        if found.len() == usize::from(arguments.limit) {
            break;
        }
    }
    Ok((found, None))
}

/// Reads an index or the table as a whole, slowly, until there are enough, newest first in the end.
async fn inspected(
    context: &mut Context<'_>,
    pairings: &DynamoPairings,
    filter: &Filter,
    arguments: &Arguments,
) -> Result<Found, Failure> {
    let inspection = Inspection {
        place: if arguments.whole_table {
            InspectionPlace::Table
        } else {
            InspectionPlace::ClientIndex
        },
        states: filter.states.clone(),
        changed_since: filter.since,
    };
    let limit = usize::from(arguments.limit);
    let mut after = arguments.after.clone();
    let mut found: Vec<PairingSummary> = Vec::new();
    let mut read: u64 = 0;
    loop {
        let page = pairings.inspect(&inspection, after.as_ref()).await?;
        read = read.saturating_add(page.items_read);
        found.extend(page.pairings);
        after = page.next;
        if let Some((_, [_, ..])) = found.split_at_checked(limit) {
            // The page has more than was asked for: the next call starts behind the last one that
            // is shown.
            found.truncate(limit);
            after = found.last().map(|last| inspection.place.after(&last.first));
        }
        context.output.progress(format_args!(
            "{read} items read, {} found; Ctrl-C stops",
            found.len()
        ));
        if after.is_none() || found.len() >= limit || context.interruption().came() {
            break;
        }
        let pause = Duration::try_from_secs_f64(page.read_units / f64::from(arguments.read_units))
            .unwrap_or(Duration::ZERO);
        context.interruption().pause(pause).await;
    }
    found.sort_by_key(|summary| std::cmp::Reverse(summary.updated_at));
    Ok((found, after))
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for item in &self.items {
            let why = item
                .reason
                .as_deref()
                .or(item.verdict.as_deref())
                .unwrap_or("-");
            let changed = self
                .now
                .map(|now| relative(item.updated_at, now))
                .unwrap_or_default();
            writeln!(
                f,
                "{:<36}  {:<16}  {:<22}  {}  {changed}",
                item.scan_ref, item.state, why, item.updated_at
            )?;
        }
        match (&self.after, self.items.len()) {
            (Some(after), _) => writeln!(f, "there may be more: add --after '{after}'"),
            (None, 0) => writeln!(f, "none"),
            (None, _) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_states_and_changes_since() {
        let summary = |state: &str, seconds: i64| PairingSummary {
            first: "a".parse().unwrap(),
            state: state.to_owned(),
            reason: None,
            verdict: None,
            created_at: Timestamp::from_milliseconds(0),
            updated_at: Timestamp::from_milliseconds(seconds * 1_000),
        };
        let filter = Filter {
            states: vec!["Parked"],
            since: Some(Timestamp::from_milliseconds(5_000)),
        };
        assert!(filter.takes(&summary("Parked", 5)));
        assert!(!filter.takes(&summary("Parked", 4)));
        assert!(!filter.takes(&summary("Settled", 6)));
    }
}
