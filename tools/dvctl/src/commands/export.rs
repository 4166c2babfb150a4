//! `dvctl export`: everything that is kept about one customer, for a request of access.

mod folder;
mod manifest;

use std::collections::BTreeMap;
use std::path::PathBuf;

use adapters::{KeptObject, S3Export};
use serde::Serialize;
use serde_json::{Value, json};
use verification::Pairing;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::Pairings;

use self::folder::Folder;
use self::manifest::{ExportedFile, Manifest};
use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Copy everything that is kept about one customer into a new directory
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl export 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10
    dvctl export --to request-17 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10
    jq -r '.files[] | \"\\(.sha256)  \\(.path)\"' request-17/manifest.json | (cd request-17 && sha256sum -c)

For a request of access (GDPR Art. 15). The directory has the records and their history, the
archived callbacks as iDenfy signed them, the second document's files and their converted copies. A
manifest says what each file is, where it was kept and since when, with its SHA-256, and what is
kept elsewhere. Tokens and the customer's link are left out. Directories get mode 0700, files 0600.
Read it before you hand it over: callbacks may name other customers' verifications (duplicateFaces).
An export that is broken off removes what it has written; after a crash, a directory without a
manifest remains, whose name ends in .incomplete.
Exit status 3: nothing is kept. 4: a file is not what the record says, or it changed meanwhile.")]
pub struct Arguments {
    /// Either token's scanRef
    #[arg(value_name = "SCANREF")]
    scan_ref: ScanRef,

    /// The new directory; without it, export-SCANREF here
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { scan_ref, to } = arguments;
    let to = to.unwrap_or_else(|| PathBuf::from(format!("export-{scan_ref}")));
    let pairings = context.pairings()?;
    let pairing = pairings.find(&scan_ref).await?;
    let scan_refs = match &pairing {
        Some(pairing) => pairing.scan_refs(),
        // Other events are archived without a pairing, and late files outlive it.
        None => vec![scan_ref.clone()],
    };
    let bucket = context.stack.output("DocumentBucketName")?.to_owned();
    let store = S3Export::new(context.aws.sdk(), &bucket);
    let mut kept = Vec::new();
    for name in &scan_refs {
        kept.extend(store.list(name).await?);
    }
    if pairing.is_none() && kept.is_empty() {
        if pairings.is_forgotten(&scan_ref).await? {
            return Err(Failure::not_found(format!(
                "the verification {scan_ref} was erased; only that is remembered"
            )));
        }
        return Err(Failure::no_verification(&scan_ref));
    }
    let folder = Folder::begin(&to)?;
    let mut manifest = Manifest::new(context, &scan_refs, pairing.as_ref())?;
    if let Some(pairing) = &pairing {
        let records = records(pairings.records(pairing).await?);
        let bytes = pretty(&records)?;
        let table = context.stack.output("PairingTableName")?;
        manifest.files.push(ExportedFile {
            path: "records.json".to_owned(),
            what: "records about the verification, and their history".to_owned(),
            kept_in: format!("dynamodb://{table}/PAIRING#{}", pairing.first),
            kept_at: Some(pairing.updated_at),
            bytes: bytes.len() as u64,
            sha256: Digest256::of(&bytes).to_string(),
        });
        folder.write("records.json", &bytes)?;
    }
    copy(
        context,
        &store,
        &bucket,
        &kept,
        pairing.as_ref(),
        &folder,
        &mut manifest,
    )
    .await?;
    if let Some(before) = &pairing {
        let after = pairings.find(&before.first).await?;
        if after.is_none_or(|after| after.version != before.version) {
            manifest
                .problems
                .push("the verification changed during the export: export it again".to_owned());
        }
    }
    let exit = match manifest.problems.is_empty() {
        true => Exit::Done,
        false => Exit::Partly,
    };
    let bytes = pretty(&manifest)?;
    folder.write("manifest.json", &bytes)?;
    folder.finish()?;
    context.output.answer(&manifest.summary(&to))?;
    Ok(exit)
}

fn pretty(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec_pretty(value)
        .map_err(|error| Failure::new("the export cannot be written as JSON").because(error))
}

/// The table's records by what they are.
fn records(records: Vec<Value>) -> Value {
    let mut parts = json!({"pairing": null, "history": [], "aliases": [], "session": null});
    for record in records {
        let part = match record.get("sk").and_then(Value::as_str).unwrap_or_default() {
            "PAIRING" => "pairing",
            "ALIAS" => "aliases",
            "SESSION" => "session",
            _ => "history",
        };
        match parts.get_mut(part) {
            Some(Value::Array(list)) => list.push(record),
            Some(place) => *place = record,
            None => {}
        }
    }
    parts
}

/// Copies the bucket's files, and compares each with what the record says.
async fn copy(
    context: &mut Context<'_>,
    store: &S3Export,
    bucket: &str,
    kept: &[KeptObject],
    pairing: Option<&Pairing>,
    folder: &Folder,
    manifest: &mut Manifest,
) -> Result<(), Failure> {
    let mut expected = pairing.map(recorded).unwrap_or_default();
    for (position, object) in kept.iter().enumerate() {
        if context.interruption().came() {
            return Err(Failure::new("interrupted; nothing was kept of the export")
                .with_exit(Exit::Interrupted)
                .advise("run the same command again"));
        }
        context.output.progress(format_args!(
            "copying file {} of {}",
            position + 1,
            kept.len()
        ));
        let Some(bytes) = store.read(&object.key).await? else {
            manifest
                .problems
                .push(format!("{} was removed during the export", object.key));
            continue;
        };
        let sha256 = Digest256::of(&bytes);
        let recorded = expected.remove(&object.key).or_else(|| named(&object.key));
        if recorded.is_some_and(|recorded| recorded != sha256) {
            manifest
                .problems
                .push(format!("{} is not what the record says", object.key));
        }
        manifest.files.push(ExportedFile {
            path: object.key.clone(),
            what: manifest::what(&object.key).to_owned(),
            kept_in: format!("s3://{bucket}/{}", object.key),
            kept_at: object.kept_at,
            bytes: bytes.len() as u64,
            sha256: sha256.to_string(),
        });
        folder.write(&object.key, &bytes)?;
    }
    manifest.not_there.extend(expected.into_keys());
    Ok(())
}

/// The documents that the record lists, with their digests.
fn recorded(pairing: &Pairing) -> BTreeMap<String, Digest256> {
    let mut recorded = BTreeMap::new();
    for document in &pairing.documents {
        recorded.insert(document.key(&pairing.first), document.sha256.clone());
        recorded.insert(
            document.submitted_key(&pairing.first),
            document.submitted_sha256().clone(),
        );
    }
    recorded
}

/// The digest in the name of a callback.
fn named(key: &str) -> Option<Digest256> {
    let name = key.strip_prefix("callbacks/")?.rsplit_once('/')?.1;
    name.strip_suffix(".json")?.parse().ok()
}
