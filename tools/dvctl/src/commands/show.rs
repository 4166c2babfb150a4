//! `dvctl show`: one verification as the table has it.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use verification::comparison::Comparison;
use verification::file_number::FileNumber;
use verification::identifiers::{ScanRef, Side};
use verification::ports::Pairings;
use verification::result::Tag;
use verification::{Pairing, State, Timestamp};

use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::{self, Line};
use crate::next_step::next_step;
use crate::when::relative;

/// Show one verification: state, reason, documents, history, and what happens next
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl show 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10
    dvctl --json show 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10 | jq -r .state

Of the documents, sizes and checksums are shown, which are those of the files in the bucket.
Exit status 3: no verification has this scanRef; the message says whether it was erased.")]
pub struct Arguments {
    /// Either token's scanRef
    #[arg(value_name = "SCANREF")]
    scan_ref: ScanRef,

    /// Also show the clientId, which is personal if your application made it so
    #[arg(long)]
    show_client_ids: bool,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let pairings = context.pairings()?;
    let Some(pairing) = pairings.find(&arguments.scan_ref).await? else {
        if pairings.is_forgotten(&arguments.scan_ref).await? {
            return Err(Failure::not_found(format!(
                "the verification {} was erased; only that is remembered",
                arguments.scan_ref
            )));
        }
        return Err(Failure::no_verification(&arguments.scan_ref));
    };
    let history = pairings.history(&pairing.first, history::LIMIT).await?;
    let history = history.into_iter().map(Line::from).collect();
    let remedy = context.policy()?.remedy(&pairing);
    let answer = Shown {
        remedy,
        ..Shown::new(pairing, history, context.now(), arguments.show_client_ids)
    };
    context.output.answer(&answer)?;
    Ok(Exit::Done)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    scan_ref: ScanRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// A step, a side or the provider's identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<Value>,
    /// What to change before a retry, if the steps tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<&'static str>,
    first: Verification,
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<Verification>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    superseded: Vec<ScanRef>,
    documents: Vec<Document>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    attention_at: Option<Timestamp>,
    next: String,
    history: Vec<Line>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    scan_ref: ScanRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    overall: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
struct Document {
    upload: String,
    step: String,
    /// Number of the step's file. Absent for the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<u8>,
    /// Absent if unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
    bytes: u64,
    sha256: String,
}

impl Shown {
    fn new(pairing: Pairing, history: Vec<Line>, now: Timestamp, with_client_id: bool) -> Self {
        let verification = |scan_ref: &ScanRef,
                            overall: Option<verification::result::Overall>,
                            tags: &[Tag]| Verification {
            scan_ref: scan_ref.clone(),
            overall: overall.map(|overall| overall.as_str()),
            tags: tags.to_vec(),
        };
        let documents = pairing.documents.iter().map(|document| Document {
            upload: document.upload.to_string(),
            step: document.step.to_string(),
            file: (document.file != FileNumber::FIRST).then(|| document.file.get()),
            side: document.side.map(Side::as_str),
            bytes: document.bytes,
            sha256: document.sha256.to_string(),
        });
        Self {
            client_id: pairing
                .client_id
                .as_ref()
                .filter(|_| with_client_id)
                .map(ToString::to_string),
            state: pairing.state.name(),
            reason: pairing.reason(),
            about: about(&pairing.state),
            remedy: None,
            verdict: pairing.state.verdict().map(|verdict| verdict.as_str()),
            revoked: pairing.revoked.map(|reason| reason.as_str()),
            first: verification(&pairing.first, pairing.first_overall, &pairing.first_tags),
            second: pairing
                .second
                .as_ref()
                .map(|second| verification(&second.scan_ref, second.overall, &second.tags)),
            superseded: pairing.superseded.clone(),
            documents: documents.collect(),
            comparison: pairing.comparison,
            created_at: pairing.created_at,
            updated_at: pairing.updated_at,
            attention_at: pairing.attention_at(),
            next: next_step(&pairing, now),
            scan_ref: pairing.first,
            history,
            now,
        }
    }
}

/// The reason's members, without its name.
fn about(state: &State) -> Option<Value> {
    let State::Parked { cause, .. } = state else {
        return None;
    };
    let Ok(Value::Object(mut members)) = serde_json::to_value(cause) else {
        return None;
    };
    members.retain(|name, value| name != "reason" && !value.is_null());
    (!members.is_empty()).then_some(Value::Object(members))
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            writeln!(f, "{name:<12} {value}")
        };
        let time = |then: Timestamp| format!("{then} ({})", relative(then, self.now));
        let verification = |verification: &Verification| {
            let tags: String = verification
                .tags
                .iter()
                .map(|tag| format!("  {}", tag.as_str()))
                .collect();
            format!(
                "{}  {}{tags}",
                verification.scan_ref,
                verification.overall.unwrap_or("no result yet")
            )
        };
        line(f, "scanRef", &self.scan_ref)?;
        if let Some(client_id) = &self.client_id {
            line(f, "clientId", client_id)?;
        }
        line(f, "state", &self.state)?;
        if let Some(reason) = self.reason {
            line(f, "reason", &reason)?;
        }
        for (name, value) in self.about.iter().filter_map(Value::as_object).flatten() {
            line(f, &format!("  {name}"), &value.as_str().unwrap_or_default())?;
        }
        if let Some(remedy) = &self.remedy {
            line(f, "remedy", remedy)?;
        }
        if let Some(verdict) = self.verdict {
            line(f, "verdict", &verdict)?;
        }
        if let Some(revoked) = self.revoked {
            line(f, "revoked", &revoked)?;
        }
        line(f, "first", &verification(&self.first))?;
        if let Some(second) = &self.second {
            line(f, "second", &verification(second))?;
        }
        for superseded in &self.superseded {
            line(f, "superseded", superseded)?;
        }
        if let Some(comparison) = &self.comparison {
            let (person, document) = (comparison.person.as_str(), comparison.document.as_str());
            line(
                f,
                "comparison",
                &format_args!("person {person}, document {document}"),
            )?;
        }
        for document in &self.documents {
            let Document {
                upload,
                step,
                file,
                side,
                bytes,
                sha256,
            } = document;
            let file = file.map_or_else(String::new, |file| format!(", file {file}"));
            let side = side.unwrap_or("side not known");
            line(
                f,
                "document",
                &format_args!("{upload}/{step}{file} ({side})  {bytes} bytes  sha256 {sha256}"),
            )?;
        }
        line(f, "created", &time(self.created_at))?;
        line(f, "updated", &time(self.updated_at))?;
        if let Some(attention_at) = self.attention_at {
            line(f, "attention", &time(attention_at))?;
        }
        line(f, "next", &self.next)?;
        writeln!(f, "history")?;
        self.history
            .iter()
            .try_for_each(|entry| writeln!(f, "  {entry}"))
    }
}
