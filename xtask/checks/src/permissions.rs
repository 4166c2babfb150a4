//! Holds the recorded calls of the functions against the policies of `template.yaml`.
//!
//! The emulator allows every call, so a missing permission would show in AWS only. The integration
//! test `permissions` records the calls. Here SAM's own translator makes the CloudFormation
//! template, and a simulator of IAM judges each call. See `tests/permissions`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use local_stack::{Toolchain, workspace};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use rehearsal::process::{progress, run_to_end};

/// The step's name. As a filter of `cargo xtask test` it names the test that records as well.
pub(crate) const NAME: &str = "permissions";

/// What npm installs the simulator by: exact versions, and the hash of each package.
const PINS: [&str; 2] = ["package.json", "package-lock.json"];

/// Removes the calls of an earlier run.
///
/// # Errors
/// They cannot be removed.
pub(crate) fn forget_calls() -> Result<()> {
    let path = written_to().join("calls.json");
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Prints a table of the functions with their calls and grants.
///
/// # Errors
/// A call is denied, a grant is needed by no call, or something is allowed that must be refused.
pub(crate) async fn check(toolchain: &Toolchain) -> Result<()> {
    let calls = written_to().join("calls.json");
    ensure!(
        calls.is_file(),
        "the test {NAME} has written no {}",
        calls.display()
    );
    let template = written_to().join("template.json");
    translate(toolchain, &template).await?;
    let tools = simulator().await?;
    let mut command = Command::new("node");
    command.arg(sources().join("check.mjs"));
    run_to_end(command.args([tools, template, calls]))
        .await
        .context(
            "the functions' calls and their roles do not match; what is printed above says where",
        )
}

fn sources() -> PathBuf {
    workspace::root().join("tests").join("permissions")
}

fn written_to() -> PathBuf {
    workspace::root().join("target").join("permissions")
}

/// Writes the CloudFormation template that SAM makes.
pub(crate) async fn translate(toolchain: &Toolchain, to: &Path) -> Result<()> {
    let mut command = Command::new(toolchain.sam_directory().join("python"));
    command
        .arg("-I")
        .arg(sources().join("translate.py"))
        .arg(workspace::root().join("template.yaml"))
        .stdout(std::fs::File::create(to)?);
    run_to_end(&mut command)
        .await
        .context("SAM does not translate template.yaml")
}

/// The directory that has the simulator. It is installed once for each set of pins.
async fn simulator() -> Result<PathBuf> {
    let mut digest = Sha256::new();
    for name in PINS {
        digest.update(std::fs::read(sources().join(name))?);
    }
    let digest: String = hex::encode(digest.finalize()).chars().take(12).collect();
    let parent = workspace::kept_directory().join("toolchain");
    let target = parent.join(format!("{NAME}-{digest}"));
    if target.exists() {
        return Ok(target);
    }
    progress("installing the simulator of IAM (once)");
    std::fs::create_dir_all(&parent)?;
    // Made beside its place and moved there: it is never seen half made.
    let unfinished = tempfile::tempdir_in(&parent)?;
    for name in PINS {
        std::fs::copy(sources().join(name), unfinished.path().join(name))?;
    }
    let mut install = Command::new("npm");
    install
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(unfinished.path())
        .stdin(Stdio::null());
    run_to_end(&mut install)
        .await
        .context("cannot install the simulator of IAM")?;
    std::fs::rename(unfinished.keep(), &target)?;
    Ok(target)
}
