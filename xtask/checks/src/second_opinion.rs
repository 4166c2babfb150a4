//! The stores' conformance suites against another program that plays AWS.
//!
//! The emulator and moto were written apart from each other, so a fault of one is seldom in the
//! other. See `tests/second_opinion`.

use std::process::Stdio;

use anyhow::{Context, Result};
use harness::STACK_VARIABLE;
use local_stack::{Toolchain, python_environment, workspace};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use rehearsal::process::{progress, run_to_end};

use crate::permissions::translate;
use crate::test::is_installed;

/// The step's name. As a filter of `cargo xtask test` it names no test.
pub(crate) const NAME: &str = "second_opinion";

const REQUIREMENTS: &str = include_str!("../../../tests/second_opinion/requirements.txt");

/// # Errors
/// A suite does not hold there, or moto does not start.
pub(crate) async fn check(toolchain: &Toolchain) -> Result<()> {
    let written_to = workspace::root().join("target").join(NAME);
    std::fs::create_dir_all(&written_to)?;
    let template = written_to.join("template.json");
    translate(toolchain, &template).await?;
    let python = python_environment("second-opinion", REQUIREMENTS, progress).await?;
    let script = workspace::root().join("tests/second_opinion/stores.py");
    let mut stores = Command::new(python.join("bin").join("python"))
        .arg("-I")
        .arg(script)
        .arg(template)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // It tells of each request there.
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let output = stores.stdout.take().context("its output is a pipe")?;
    let mut description = String::new();
    let mut lines = BufReader::new(output);
    lines.read_line(&mut description).await?;
    anyhow::ensure!(!description.is_empty(), "moto has not made the stores");
    let described = written_to.join("stack.json");
    std::fs::write(&described, description)?;
    let mut command = Command::new("cargo");
    if is_installed("cargo-nextest").await {
        command.args(["nextest", "run", "--cargo-profile", "local", "--workspace"]);
        command.args(["-E", "binary(integration) & test(/^adapters::/)"]);
    } else {
        command.args(["test", "--profile", "local", "--workspace"]);
        command.args(["--test", "integration", "adapters::"]);
    }
    let outcome = run_to_end(command.env(STACK_VARIABLE, described)).await;
    drop(stores.stdin.take());
    stores.wait().await?;
    outcome.context("the emulator allows what moto does not, or the other way round")
}
