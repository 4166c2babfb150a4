//! The commands of documents that only AWS can run: do the programs take them?
//!
//! A command's options and values are read, and it does nothing else. The runbook's commands need
//! no such check, because the drill runs them.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use local_stack::{Toolchain, workspace};
use operations::commands_in;
use tokio::process::Command;

use rehearsal::drill::operators_command;
use rehearsal::process::{progress, search_path};

/// The step's name.
pub(crate) const NAME: &str = "commands of documents";

const DOCUMENTS: [&str; 2] = ["docs/DEPLOYING.md", "docs/FIRST-DAY.md"];

/// How each program reads its arguments without acting on them. The AWS CLI acts once it has found
/// every value valid, and then reaches nobody.
const PROGRAMS: [(&str, &str); 3] = [("aws", ""), ("dvctl", "--help"), ("sam", "--help")];

/// Has each command of [`DOCUMENTS`] read by its program.
///
/// # Errors
/// A program does not take a command.
pub(crate) async fn check(toolchain: &Toolchain) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let aws = toolchain.operator(progress).await?.join("aws");
    let programs = [aws, operators_command().await?, toolchain.sam()];
    for ((name, option), program) in PROGRAMS.iter().zip(programs) {
        write_shim(&directory.path().join(name), &program, option)?;
    }
    let mut count = 0;
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(workspace::root().join(document))?;
        for command in commands_in(&text).into_iter().filter(|one| is_ours(one)) {
            ask(&command, directory.path())
                .await
                .with_context(|| format!("{document}: {command}"))?;
            count += 1;
        }
    }
    ensure!(count > 0, "no command was found");
    progress(&format!("commands that their programs take: {count}"));
    Ok(())
}

/// Whether it begins with one of [`PROGRAMS`], or keeps the answer of one in a variable.
fn is_ours(command: &str) -> bool {
    let command = command.split_once("=$(").map_or(command, |(_, rest)| rest);
    let word = command.split_whitespace().next().unwrap_or_default();
    // The high-level commands of S3 can only act.
    PROGRAMS.iter().any(|(name, _)| *name == word) && !command.starts_with("aws s3 ")
}

fn write_shim(path: &Path, program: &Path, option: &str) -> Result<()> {
    let text = format!("#!/bin/sh\nexec '{}' \"$@\" {option}\n", program.display());
    std::fs::write(path, text)?;
    Ok(std::fs::set_permissions(
        path,
        Permissions::from_mode(0o755),
    )?)
}

/// Files that commands name. The AWS CLI reads them.
const FILES: [&str; 2] = ["large", "secret.json"];

/// What the AWS CLI says of a valid request to [`VARIABLES`]' endpoint.
const REACHES_NOBODY: &str = "Could not connect to the endpoint URL";

/// Variables that commands use. The last ones keep a command from reaching anything.
const VARIABLES: [(&str, &str); 10] = [
    ("DVCTL_STACK", "dual-verification"),
    ("webhook", "webhook"),
    ("processor", "processor"),
    ("bucket", "bucket"),
    ("SAM_CLI_TELEMETRY", "0"),
    ("AWS_DEFAULT_REGION", local_stack::REGION),
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ("AWS_MAX_ATTEMPTS", "1"),
];

async fn ask(command: &str, programs: &Path) -> Result<()> {
    for name in FILES {
        std::fs::write(programs.join(name), "{}")?;
    }
    let mut bash = Command::new("bash");
    // A variable's command counts, too.
    bash.args(["-e", "-o", "pipefail", "-c", command])
        .env("PATH", search_path(&[programs])?)
        .envs(VARIABLES)
        .current_dir(programs)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = bash.output().await.context("bash does not start")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() || errors.contains(REACHES_NOBODY),
        "{errors}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_before_and_in_assignments() {
        assert!(is_ours("aws sts get-caller-identity"));
        assert!(is_ours("bucket=$(aws s3api list-buckets)"));
        assert!(!is_ours("export AWS_DEFAULT_REGION=eu-west-1"));
        assert!(!is_ours("cargo install --path tools/dvctl"));
        assert!(!is_ours("aws s3 rm s3://bucket --recursive"));
    }
}
