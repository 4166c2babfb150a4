//! `cargo auditable`: release builds carry the list of the crates that they are made of.
//!
//! `cargo audit bin`, syft, trivy and grype read that list from a program, years later. So does
//! [`components`](super::components), for the bill of materials.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use local_stack::workspace;
use tokio::process::Command;

use crate::process::{progress, run_to_end};

/// Compiles in a minute. crates.io never changes a published version, and `--locked` takes the
/// dependencies whose hashes are in the version's own lock file.
const VERSION: &str = "0.7.7";

/// The directories that must come first on the search path of a release build.
///
/// The SAM CLI runs `cargo`. The first directory has a program of that name that runs `cargo
/// auditable` instead. (Source: cargo-auditable, "Using cargo auditable as a drop-in replacement
/// for cargo".)
///
/// # Errors
/// It cannot be installed.
pub(super) async fn directories() -> Result<[PathBuf; 2]> {
    let parent = workspace::kept_directory().join("toolchain");
    let installed = parent.join(format!("cargo-auditable-{VERSION}"));
    if !installed.is_dir() {
        install(&parent, &installed).await?;
    }
    let replacement = installed.join("replacement");
    write_replacement(&replacement)?;
    Ok([replacement, installed.join("bin")])
}

async fn install(parent: &Path, target: &Path) -> Result<()> {
    progress("installing cargo-auditable (once)");
    std::fs::create_dir_all(parent)?;
    // Made beside its place and moved there: it is never seen half made.
    let unfinished = tempfile::tempdir_in(parent)?;
    let mut install = Command::new("cargo");
    install
        .args(["install", "--quiet", "--locked", "--no-track"])
        .args(["--version", VERSION, "--root"])
        .args([unfinished.path()])
        .arg("cargo-auditable");
    run_to_end(&mut install)
        .await
        .context("cannot install cargo-auditable")?;
    std::fs::rename(unfinished.keep(), target)?;
    Ok(())
}

fn write_replacement(directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    let unfinished = tempfile::NamedTempFile::new_in(directory)?;
    let script = format!("#!/bin/sh\nexec '{}' auditable \"$@\"\n", env!("CARGO"));
    std::fs::write(unfinished.path(), script)?;
    std::fs::set_permissions(unfinished.path(), std::fs::Permissions::from_mode(0o755))?;
    unfinished.persist(directory.join("cargo"))?;
    Ok(())
}
