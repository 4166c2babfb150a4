//! `dvctl erase`: removes everything about one verification through the API.

use std::fmt;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use verification::Timestamp;
use verification::identifiers::ScanRef;

use super::Context;
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;

/// Erase everything about one customer's verification, here and at iDenfy
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl erase 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10
    dvctl --json erase --yes 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10 > receipt.json

Removes files, archived callbacks and records, and deletes both verifications at iDenfy. It cannot
be taken back. The answer is a receipt: what was removed where, what remains, why, and when to ask
again.
Exit status 4: asking again can remove more. The reconciler also tries it by itself.")]
pub struct Arguments {
    /// Either token's scanRef
    #[arg(value_name = "SCANREF")]
    scan_ref: ScanRef,

    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// The API's receipt. Unknown members are not printed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    scan_ref: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    second_scan_ref: Option<String>,
    erased_at: Timestamp,
    complete: bool,
    removed: Vec<Removed>,
    remaining: Vec<Remaining>,
}

#[derive(Serialize, Deserialize)]
struct Removed {
    #[serde(rename = "where")]
    place: String,
    what: String,
    count: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Remaining {
    #[serde(rename = "where")]
    place: String,
    what: String,
    why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ask_again_at: Option<Timestamp>,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { scan_ref, yes } = arguments;
    if !yes {
        let question = format!(
            "This erases {scan_ref} in {} and at iDenfy, for good.",
            context.stack.name
        );
        confirm(context.output, &question, scan_ref.as_str()).await?;
    }
    let api = context.erasure().await?;
    let receipt: Receipt = api
        .ask(Method::DELETE, &format!("/verifications/{scan_ref}"), None)
        .await?;
    context.output.answer(&receipt)?;
    Ok(if receipt.complete {
        Exit::Done
    } else {
        Exit::Partly
    })
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let complete = if self.complete {
            "completely"
        } else {
            "in part"
        };
        writeln!(
            f,
            "{} erased {complete} at {}",
            self.scan_ref, self.erased_at
        )?;
        if let Some(second) = &self.second_scan_ref {
            writeln!(f, "  with the second verification {second}")?;
        }
        for Removed { place, what, count } in &self.removed {
            writeln!(f, "removed    {place}: {count} × {what}")?;
        }
        for Remaining {
            place,
            what,
            why,
            ask_again_at,
        } in &self.remaining
        {
            write!(f, "remaining  {place}: {what}; {why}")?;
            match ask_again_at {
                Some(at) => writeln!(f, "; ask again after {at}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
