//! `dvctl park`: parks a verification through the API.

use std::fmt;

use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};
use verification::ParkNote;
use verification::identifiers::ScanRef;

use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Set a verification aside, so that nobody works on it until it is retried
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
    dvctl park 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10 --reason 'stops the processor'

Nothing is lost. `dvctl retry` takes it up again from where it was. So does a newer upload or result
of the customer.")]
pub struct Arguments {
    /// Either token's scanRef
    #[arg(value_name = "SCANREF")]
    scan_ref: ScanRef,

    /// Why, for other operators: 1 to 200 printable ASCII characters that name nobody
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
}

fn reason(text: &str) -> Result<String, String> {
    let note: Result<ParkNote, _> = text.parse();
    note.map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Parked {
    scan_ref: ScanRef,
    state: &'static str,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { scan_ref, reason } = arguments;
    let path = format!("/verifications/{scan_ref}/park");
    let api = context.api().await?;
    api.ask::<Value>(Method::POST, &path, Some(&json!({"reason": reason})))
        .await?;
    let state = "Parked";
    context.output.answer(&Parked { scan_ref, state })?;
    Ok(Exit::Done)
}

impl fmt::Display for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}  set aside; `dvctl retry {}` takes it up again",
            self.scan_ref, self.scan_ref
        )
    }
}
