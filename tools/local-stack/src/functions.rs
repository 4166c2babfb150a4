//! The functions' programs in Lambda's layout: one directory per function with a file `bootstrap`.
//!
//! They are built in the profile `local` with the features of the whole workspace, as the tests and
//! `cargo xtask` are: one build serves all three. So they are not the programs of `sam build`: the
//! same code, less optimised.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::Message;
use tokio::io::AsyncReadExt;

use crate::guard::GuardedCommand;
use crate::python::Python;
use crate::{environment, workspace};

/// Programs by name.
pub type Programs = BTreeMap<String, PathBuf>;

/// Where the functions' programs come from.
#[derive(Debug, Clone, Default)]
pub enum Functions {
    /// `cargo build`, with Cargo's own progress on standard error.
    #[default]
    Build,
    /// A directory with them under their own names, such as Cargo's `target/local`.
    Prebuilt(PathBuf),
    /// The unpacked archive of `cargo xtask release --bundle`. Its template and its settings are
    /// taken as well, and the deployment uses nothing else.
    Bundle(PathBuf),
}

impl Functions {
    /// The directory that has the template.
    pub(crate) fn root(&self) -> PathBuf {
        match self {
            Self::Bundle(directory) => directory.clone(),
            Self::Build | Self::Prebuilt(_) => workspace::root(),
        }
    }

    /// Makes sure that the programs exist.
    ///
    /// # Errors
    /// When the build fails or a program is not there.
    pub(crate) async fn programs(&self, python: &Python, names: &[String]) -> Result<Programs> {
        let found = match self {
            Self::Build => build(python, names).await?,
            // They are packed already.
            Self::Bundle(_) => return Ok(Programs::new()),
            Self::Prebuilt(directory) => names
                .iter()
                .map(|name| (name.clone(), directory.join(name)))
                .filter(|(_, path)| path.is_file())
                .collect(),
        };
        for name in names {
            ensure!(
                found.contains_key(name),
                "there is no program {name} for the function in template.yaml"
            );
        }
        Ok(found)
    }
}

async fn build(python: &Python, names: &[String]) -> Result<Programs> {
    // With the features of the whole workspace, but these programs alone: nothing is compiled
    // twice.
    let programs = names.iter().flat_map(|name| ["--bin", name.as_str()]);
    let mut cargo = GuardedCommand::new(python, "cargo")
        .args(["build", "--workspace", "--profile", "local"])
        .args(programs)
        .args(["--message-format", "json-render-diagnostics"])
        .with(|command| {
            environment::forget_own_package(command);
            command
                .current_dir(workspace::root())
                .stdout(Stdio::piped());
        })
        .start()?;
    let mut messages = Vec::new();
    if let Some(mut output) = cargo.take_stdout() {
        output.read_to_end(&mut messages).await?;
    }
    let status = cargo.wait().await?;
    if !status.success() {
        bail!("cargo build failed ({status})");
    }
    let mut programs = Programs::new();
    for message in Message::parse_stream(messages.as_slice()) {
        if let Message::CompilerArtifact(artifact) = message?
            && let Some(executable) = artifact.executable
        {
            programs.insert(artifact.target.name, executable.into_std_path_buf());
        }
    }
    Ok(programs)
}

/// Puts `program` into `directory` as `bootstrap`. Strips its symbols if the linker's `strip` is at
/// hand: packing and unpacking them would take most of the deployment's time.
///
/// # Errors
/// When it cannot be copied.
pub(crate) async fn package(python: &Python, program: &Path, directory: &Path) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    let bootstrap = directory.join("bootstrap");
    let stripped = GuardedCommand::new(python, "strip")
        .args(["-o".as_ref(), bootstrap.as_os_str(), program.as_os_str()])
        .with(|command| {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        })
        .run("strip")
        .await;
    if stripped.is_err() {
        std::fs::copy(program, &bootstrap)
            .with_context(|| format!("cannot copy {}", program.display()))?;
    }
    Ok(())
}
