//! `dvctl replay`: archived callbacks, sent to the webhook again.
//!
//! The archived bytes are signed with the current key and posted to `WebhookUrl`, like iDenfy's.
//! Callbacks that the webhook would ignore are shown with the reason, not sent.

mod selection;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use idenfy::SIGNATURE_HEADER;
use serde::Serialize;
use verification::Timestamp;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::Pairings;

use self::selection::{Choice, Chosen, Selection};
use super::Context;
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::when::When;

/// Send archived callbacks to the webhook again, signed with the current key
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl replay --dry-run 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10
    dvctl replay 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10
    dvctl replay --since 2h --until 1h --failed
    dvctl replay --failed --yes

Callbacks that the webhook would ignore are shown with the reason and not sent: a body has its
effect once, and replaced documents are not submitted. --failed takes only unreadable bodies,
callbacks that no verification knows, and callbacks that a verification is waiting for. Oldest
first. The functions confirm with iDenfy what would reverse a decision. Links in bodies die after an
hour; the processor then asks iDenfy for fresh ones. Without a scanRef the whole archive is listed,
a thousand callbacks per request. Ctrl-C stops between two callbacks; the same command goes on.
Exit status 3: nothing is archived there. 4: some were not accepted.")]
pub struct Arguments {
    /// Either token's scanRef: only the callbacks that name it
    #[arg(value_name = "SCANREF", required_unless_present_any = ["since", "failed"])]
    scan_ref: Option<ScanRef>,

    /// Only callbacks that came since then: 90s, 15m, 2h, 7d, or a time such as
    /// 2026-11-23T08:00:00Z
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,

    /// Only callbacks that came before then
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,

    /// Only callbacks that can still have an effect
    #[arg(long)]
    failed: bool,

    /// Show what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,

    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,

    /// At most so many, the oldest first
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    limit: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replayed {
    callbacks: Vec<Callback>,
    /// Ignored by the webhook, and why. Not sent.
    passed_over: Vec<Callback>,
    /// Number of other callbacks that were looked at.
    left_out: usize,
    dry_run: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Callback {
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_ref: Option<ScanRef>,
    sha256: Digest256,
    came_at: Timestamp,
    why: &'static str,
    /// The webhook's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// The verification's state after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let now = context.now();
    let selection = Selection {
        since: arguments.since.map(|since| since.before(now)),
        until: arguments.until.map(|until| until.before(now)),
        choice: if arguments.failed {
            Choice::Failed
        } else {
            Choice::WithoutEffect
        },
        limit: usize::try_from(arguments.limit).unwrap_or(usize::MAX),
    };
    let chosen = selection
        .collect(context, arguments.scan_ref.as_ref())
        .await?;
    if chosen.looked_at == 0 {
        return Err(
            Failure::not_found("no callbacks are archived there").advise(
                "check the scanRef, the times and --stack; bodies are removed RetentionDays \
                after they came",
            ),
        );
    }
    if context.interruption().came() {
        context.output.note("interrupted; nothing was sent");
        return Ok(Exit::Interrupted);
    }
    let Chosen {
        callbacks,
        passed_over,
        looked_at,
    } = chosen;
    let left_out = looked_at
        .saturating_sub(callbacks.len())
        .saturating_sub(passed_over.len());
    let mut replayed = Replayed {
        callbacks: callbacks.into_iter().map(Callback::from).collect(),
        passed_over: passed_over.into_iter().map(Callback::from).collect(),
        left_out,
        dry_run: arguments.dry_run,
    };
    let exit = if arguments.dry_run || replayed.callbacks.is_empty() {
        Exit::Done
    } else {
        if arguments.scan_ref.is_none() && !arguments.yes {
            let question = format!(
                "{} callbacks will be sent to {}.",
                replayed.callbacks.len(),
                context.stack.name
            );
            confirm(context.output, &question, "replay").await?;
        }
        send_all(context, &mut replayed.callbacks).await?
    };
    context.output.answer(&replayed)?;
    Ok(exit)
}

/// Time for a cold start, within a person's patience.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// More than the minute for which an environment of the webhook may keep a replaced signing key.
const ROTATION_PAUSES: [Duration; 7] = [Duration::from_secs(10); 7];

/// The webhook takes at most eight seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

async fn send_all(context: &mut Context<'_>, callbacks: &mut [Callback]) -> Result<Exit, Failure> {
    let archive = context.archive()?;
    let pairings = context.pairings()?;
    let keys = context.signing_keys().await?;
    let all = callbacks.len();
    for (index, callback) in callbacks.iter_mut().enumerate() {
        if context.interruption().came() {
            context.output.note(format_args!(
                "interrupted after {index} of {all}; the same command goes on"
            ));
            return Ok(Exit::Interrupted);
        }
        context
            .output
            .progress(format_args!("{index} of {all} sent; Ctrl-C stops"));
        let Some(body) = archive
            .body(callback.scan_ref.as_ref(), &callback.sha256)
            .await?
        else {
            continue;
        };
        let signature = keys.current().sign(&body);
        callback.status = send(context, &body, &signature).await?;
        if callback.status == Some(403) {
            return Err(
                Failure::new("the webhook refuses this machine's address (HTTP 403)").advise(
                    "run it from an address in the parameter AllowedSourceIps, or allow \
                    yours for as long as it takes",
                ),
            );
        }
        if callback.status == Some(401) {
            return Err(
                Failure::new("the webhook refuses the signature (HTTP 401)").advise(
                    "the functions had a minute to read a changed secret: see `dvctl doctor`",
                ),
            );
        }
        if let Some(scan_ref) = &callback.scan_ref {
            callback.state = pairings
                .find(scan_ref)
                .await?
                .map(|pairing| pairing.state.name());
        }
    }
    Ok(Exit::of_all(callbacks.iter().map(
        |callback| match callback.status {
            Some(200) => Exit::Done,
            _ => Exit::Failed,
        },
    )))
}

/// The last answer's status. `None`: no answer.
///
/// Repeats after 5xx, as iDenfy does, and after 401, which may be the age of a function's secret.
async fn send(
    context: &mut Context<'_>,
    body: &Bytes,
    signature: &str,
) -> Result<Option<u16>, Failure> {
    let url = context.stack.output("WebhookUrl")?;
    let mut pauses = PAUSES.into_iter();
    let mut rotation_pauses = ROTATION_PAUSES.into_iter();
    loop {
        let request = context
            .http()
            .post(url)
            .timeout(ANSWER_TIMEOUT)
            .body(body.clone());
        let request = request
            .header("content-type", "application/json")
            .header(SIGNATURE_HEADER, signature);
        let status = request
            .send()
            .await
            .ok()
            .map(|answer| answer.status().as_u16());
        let pause = match status {
            Some(401) => {
                context.output.progress(format_args!(
                    "HTTP 401: the webhook may not have read a changed secret yet; \
                    waiting for up to a minute"
                ));
                rotation_pauses.next()
            }
            None | Some(429 | 500..) => pauses.next(),
            Some(_) => None,
        };
        match pause {
            Some(pause) if !context.interruption().came() => {
                context.interruption().pause(pause).await
            }
            _ => return Ok(status),
        }
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, callback: &Callback| {
            let name = callback
                .scan_ref
                .as_ref()
                .map_or("unreadable", ScanRef::as_str);
            let digest: String = callback.sha256.as_str().chars().take(12).collect();
            write!(
                f,
                "{}  {name:<36}  {digest}…  {}",
                callback.came_at, callback.why
            )
        };
        for callback in &self.passed_over {
            line(f, callback)?;
            writeln!(f, "  passed over")?;
        }
        for callback in &self.callbacks {
            line(f, callback)?;
            match (self.dry_run, callback.status) {
                (true, _) => writeln!(f, "  would be sent")?,
                (_, Some(200)) => {
                    writeln!(f, "  accepted, now {}", callback.state.unwrap_or("unknown"))?
                }
                (_, Some(status)) => writeln!(f, "  not accepted (HTTP {status})")?,
                (_, None) => writeln!(f, "  not sent")?,
            }
        }
        writeln!(f, "{} left out", self.left_out)
    }
}
