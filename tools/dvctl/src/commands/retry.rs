//! `dvctl retry`: retries parked verifications through the API.

use std::fmt;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use verification::identifiers::ScanRef;

use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Take parked verifications up again, once the cause is gone
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl retry 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10
    dvctl --json list --state parked --since 1d | jq -r '.items[].scanRef' | xargs dvctl retry

A retry may cost a credit at iDenfy, because it may create another Token 2. `dvctl show` tells why a
verification is parked and what to do first.
Exit status 4: some were taken up and some were not.")]
pub struct Arguments {
    /// Either token's scanRef; several may be given
    #[arg(value_name = "SCANREF", required = true)]
    scan_refs: Vec<ScanRef>,
}

#[derive(Deserialize)]
struct Answer {
    state: String,
}

#[derive(Serialize)]
struct Retried {
    results: Vec<OneResult>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OneResult {
    scan_ref: ScanRef,
    taken_up: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
    #[serde(skip)]
    exit: Exit,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let api = context.api().await?;
    let mut results = Vec::new();
    let mut waiting = arguments.scan_refs.into_iter();
    for scan_ref in waiting.by_ref() {
        let path = format!("/verifications/{scan_ref}/retry");
        let answer = api.ask::<Answer>(Method::POST, &path, None).await;
        results.push(OneResult::new(scan_ref, answer));
        context
            .output
            .progress(format_args!("{} done", results.len()));
        if context.interruption().came() {
            break;
        }
    }
    let left: Vec<String> = waiting.map(|scan_ref| scan_ref.to_string()).collect();
    let exit = Exit::of_all(results.iter().map(|result| result.exit));
    context.output.answer(&Retried { results })?;
    if left.is_empty() {
        return Ok(exit);
    }
    context.output.note(format_args!(
        "interrupted; to go on: dvctl retry {}",
        left.join(" ")
    ));
    Ok(Exit::Interrupted)
}

impl OneResult {
    fn new(scan_ref: ScanRef, answer: Result<Answer, Failure>) -> Self {
        match answer {
            Ok(Answer { state }) => Self {
                scan_ref,
                taken_up: true,
                state: Some(state),
                why_not: None,
                advice: None,
                exit: Exit::Done,
            },
            Err(failure) => Self {
                scan_ref,
                taken_up: false,
                state: None,
                why_not: Some(failure.message()),
                advice: failure.advice().map(str::to_owned),
                exit: failure.exit,
            },
        }
    }
}

impl fmt::Display for Retried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in &self.results {
            match (&result.state, &result.why_not) {
                (Some(state), _) => writeln!(f, "{}  taken up, {state}", result.scan_ref)?,
                (None, why_not) => writeln!(
                    f,
                    "{}  not taken up: {}",
                    result.scan_ref,
                    why_not.as_deref().unwrap_or_default()
                )?,
            }
            if let Some(advice) = &result.advice {
                writeln!(f, "  do: {advice}")?;
            }
        }
        Ok(())
    }
}
