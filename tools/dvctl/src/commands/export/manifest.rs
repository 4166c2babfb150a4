//! What an export contains, and what is kept elsewhere.

use std::fmt;
use std::path::Path;

use serde::Serialize;
use verification::identifiers::ScanRef;
use verification::{Pairing, Timestamp};

use crate::commands::Context;
use crate::failure::Failure;

/// `manifest.json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    stack: String,
    region: String,
    exported_at: Timestamp,
    /// Every verification of the customer, the first one first.
    scan_refs: Vec<ScanRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// When records go by themselves, if nothing changes. Files have their own time.
    retention_days: String,
    pub files: Vec<ExportedFile>,
    /// Files that the record lists and that the bucket has no more.
    pub not_there: Vec<String>,
    /// What is wrong with the export.
    pub problems: Vec<String>,
    left_out: &'static [LeftOut],
    kept_elsewhere: &'static [Elsewhere],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportedFile {
    pub path: String,
    pub what: String,
    pub kept_in: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_at: Option<Timestamp>,
    pub bytes: u64,
    pub sha256: String,
}

#[derive(Serialize)]
struct LeftOut {
    what: &'static str,
    why: &'static str,
}

#[derive(Serialize)]
struct Elsewhere {
    #[serde(rename = "where")]
    place: &'static str,
    what: &'static str,
    how: &'static str,
}

const LEFT_OUT: &[LeftOut] = &[LeftOut {
    what: "Token 1, the link that contains it, and Token 2",
    why: "credentials, with which one could act as the customer",
}];

const ELSEWHERE: &[Elsewhere] = &[
    Elsewhere {
        place: "iDenfy",
        what: "both verifications: pictures of both documents, face, data and results",
        how: "from iDenfy's dashboard, by the scanRefs",
    },
    Elsewhere {
        place: "logs (CloudWatch)",
        what: "scanRefs, states, sizes and times; nothing that names the customer",
        how: "the saved query one-verification, for 30 days",
    },
    Elsewhere {
        place: "backups (DynamoDB point-in-time recovery)",
        what: "earlier versions of the records",
        how: "by restoring the table; for 35 days",
    },
    Elsewhere {
        place: "the bucket's earlier versions",
        what: "files that the lifecycle or somebody has removed",
        how: "by listing versions; for a day",
    },
    Elsewhere {
        place: "your applications",
        what: "events with scanRefs, clientId and verdict, and what you keep under the clientId",
        how: "in your own systems",
    },
];

/// What a key of the bucket holds.
pub fn what(key: &str) -> &'static str {
    match key.split('/').collect::<Vec<_>>().as_slice() {
        ["callbacks", ..] => "a callback as iDenfy signed it",
        ["documents", _, "prepared", ..] => {
            "a converted copy of the second document, for submission"
        }
        ["documents", ..] => "a file of the second document, as the customer uploaded it",
        _ => "a file",
    }
}

impl Manifest {
    /// Of no files yet.
    ///
    /// # Errors
    /// The stack has no parameter RetentionDays.
    pub fn new(
        context: &Context<'_>,
        scan_refs: &[ScanRef],
        pairing: Option<&Pairing>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            stack: context.stack.name.clone(),
            region: context.aws.region().to_owned(),
            exported_at: context.now(),
            scan_refs: scan_refs.to_vec(),
            state: pairing.map(|pairing| pairing.state.name()),
            retention_days: context.stack.parameter("RetentionDays")?.to_owned(),
            files: Vec::new(),
            not_there: Vec::new(),
            problems: Vec::new(),
            left_out: LEFT_OUT,
            kept_elsewhere: ELSEWHERE,
        })
    }

    /// What is printed: nothing personal.
    pub fn summary<'a>(&'a self, directory: &'a Path) -> Summary<'a> {
        Summary {
            directory,
            files: self.files.len(),
            bytes: self.files.iter().map(|file| file.bytes).sum(),
            scan_refs: &self.scan_refs,
            not_there: &self.not_there,
            problems: &self.problems,
            kept_elsewhere: self.kept_elsewhere,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary<'a> {
    directory: &'a Path,
    files: usize,
    bytes: u64,
    scan_refs: &'a [ScanRef],
    not_there: &'a [String],
    problems: &'a [String],
    kept_elsewhere: &'static [Elsewhere],
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "directory  {}", self.directory.display())?;
        let (files, bytes) = (self.files, self.bytes);
        writeln!(f, "files      {files}, {bytes} bytes, and manifest.json")?;
        for scan_ref in self.scan_refs {
            writeln!(f, "scanRef    {scan_ref}")?;
        }
        for key in self.not_there {
            writeln!(f, "not there  {key}: the record lists it")?;
        }
        for problem in self.problems {
            writeln!(f, "PROBLEM    {problem}")?;
        }
        for Elsewhere { place, what, how } in self.kept_elsewhere {
            writeln!(f, "elsewhere  {place}: {what}; {how}")?;
        }
        Ok(())
    }
}
