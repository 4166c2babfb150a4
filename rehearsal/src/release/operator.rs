//! The operator's command for a bundle, built like the functions: for the C library of Amazon Linux
//! 2023 and later.

use std::path::PathBuf;

use anyhow::Result;
use local_stack::{Toolchain, workspace};
use tokio::process::Command;

use super::{Architecture, build_environment, check_program};
use crate::process::run_to_end;

/// Where [`build`] puts it.
pub(super) fn program(architecture: Architecture) -> PathBuf {
    directory(architecture).join("dvctl").join("bootstrap")
}

fn directory(architecture: Architecture) -> PathBuf {
    let name = format!("operator-{architecture}");
    workspace::root().join("target").join(name)
}

/// Builds it and checks it.
///
/// # Errors
/// The build fails, or the program does not run on Amazon Linux 2023.
pub(super) async fn build(toolchain: &Toolchain, architecture: Architecture) -> Result<()> {
    let mut build = Command::new("cargo");
    build.args(["lambda", "build", "--profile", "operator", "--locked"]);
    build.args(["--package", "dvctl", "--bin", "dvctl"]);
    build.args(["--target", architecture.target(), "--lambda-dir"]);
    build.arg(directory(architecture));
    build_environment(&mut build, toolchain).await?;
    run_to_end(&mut build).await?;
    check_program(&program(architecture), architecture, None)
}
