//! What each set of parameters would create, resolved and linted. See `tests/parameters`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use local_stack::{Toolchain, python_environment, workspace};
use tokio::process::Command;

use rehearsal::process::{progress, run_to_end};

use crate::permissions::translate;

/// The step's name. As a filter of `cargo xtask test` it names tests of parameters as well.
pub(crate) const NAME: &str = "parameters";

const REQUIREMENTS: &str = include_str!("../../../tests/parameters/requirements.txt");

/// Writes the template of each set, then has two linters look at all of them.
///
/// # Errors
/// A set is refused or incomplete, or a linter finds what `accepted.json` does not explain.
pub(crate) async fn check(toolchain: &Toolchain) -> Result<()> {
    let sources = workspace::root().join("tests").join("parameters");
    let written_to = workspace::root().join("target").join("parameters");
    // A set that was taken out must not be linted.
    if written_to.exists() {
        std::fs::remove_dir_all(&written_to)?;
    }
    let resolved = written_to.join("resolved");
    std::fs::create_dir_all(&resolved)?;
    let template = written_to.join("template.json");
    translate(toolchain, &template).await?;
    let linters = python_environment("template-linters", REQUIREMENTS, progress).await?;
    let script = |name: &str, arguments: [PathBuf; 2]| {
        let mut command = Command::new(linters.join("bin").join("python"));
        command.arg("-I").arg(sources.join(name)).args(arguments);
        command
    };
    let mut resolve = script("resolve.py", [template, sources.join("sets.json")]);
    run_to_end(resolve.arg(&resolved))
        .await
        .context("tests/parameters/sets.json and template.yaml do not fit")?;
    run_to_end(&mut script(
        "lint.py",
        [resolved, sources.join("accepted.json")],
    ))
    .await
    .context("tests/parameters/accepted.json does not explain what the linters find")
}
