//! `cargo xtask release`: the programs that `sam build` makes for AWS: that it makes them, how
//! large they are, and that Lambda can run them. With `--bundle`, the archive that has them.

mod archive;
mod auditable;
mod bundle;
mod changelog;
mod components;
mod licences;
mod operator;
mod sbom;
mod template;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use local_stack::{Toolchain, workspace};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::process::{progress, run_to_end, search_path};

pub use bundle::Bundle;

/// The bound for each stripped program, in bytes: what is small starts fast. The goal is 6,500,000.
/// The processor has 8.4 million since it decodes pictures with libjpeg, the others up to 7.8,
/// so this holds what is reached until somebody finds the rest.
const MAXIMUM_PROGRAM_BYTES: u64 = 8_600_000;

/// The C library of Amazon Linux 2023, which Lambda runs `provided.al2023` on. (Source: "Amazon
/// Linux 2023 release notes".)
const NEWEST_GLIBC: (u32, u32) = (2, 34);

/// Build what goes to AWS with the SAM CLI, and check it
///
/// Builds every function as `sam build` does, and looks at each program: for which processor it is,
/// how large it is, and that it needs no newer C library than Lambda's Amazon Linux 2023 has.
///
/// With --bundle it writes target/bundle/dual-verification-VERSION-ARCHITECTURE.zip for each
/// processor whose Rust target is installed. `sam deploy --guided` deploys such an archive, without
/// Rust and without this repository. Its bytes follow from the programs and the commit.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Processor of the functions, as the template's parameter Architecture names it; by default
    /// x86_64, and with --bundle every one whose target is installed
    #[arg(long, value_enum)]
    architecture: Option<Architecture>,

    /// Write the archive that is deployed without a compiler
    #[arg(long)]
    bundle: bool,
}

/// Processor of the functions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Architecture {
    #[default]
    #[value(name = "x86_64")]
    X86,
    #[value(name = "arm64")]
    Arm,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86 => "x86_64",
            Self::Arm => "arm64",
        })
    }
}

impl Architecture {
    const fn target(self) -> &'static str {
        match self {
            Self::X86 => "x86_64-unknown-linux-gnu",
            Self::Arm => "aarch64-unknown-linux-gnu",
        }
    }

    /// The processor's number in a program's header. (Source: "System V Application Binary
    /// Interface", `e_machine`.)
    const fn machine(self) -> u8 {
        match self {
            Self::X86 => 62,
            Self::Arm => 183,
        }
    }
}

/// Runs the command to its end.
///
/// # Errors
/// As for [`check`].
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let toolchain = Toolchain::prepare(progress).await?;
    if !arguments.bundle {
        check(&toolchain, arguments.architecture.unwrap_or_default()).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(architecture) = arguments.architecture {
        check(&toolchain, architecture).await?;
        print(&bundle(&toolchain, architecture).await?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for architecture in [Architecture::X86, Architecture::Arm] {
        if let Err(missing) = ensure_installed(architecture.target()).await {
            progress(&format!(
                "LEFT OUT: the archive for {architecture}: {missing:#}"
            ));
            continue;
        }
        check(&toolchain, architecture).await?;
        print(&bundle(&toolchain, architecture).await?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Packs the programs that [`check`] has built, and the operator's command, which it builds.
/// Returns the archive's path.
///
/// # Errors
/// The command does not compile, or a part is missing.
pub async fn bundle(toolchain: &Toolchain, architecture: Architecture) -> Result<PathBuf> {
    operator::build(toolchain, architecture).await?;
    Bundle::pack(architecture)?.write()
}

/// As `sha256sum` does.
fn print(archive: &Path) -> Result<()> {
    let digest = hex::encode(Sha256::digest(std::fs::read(archive)?));
    println!("{digest}  {}", archive.display());
    Ok(())
}

/// Builds with the real SAM CLI and checks each program.
///
/// # Errors
/// The target is not installed, the build fails, or a program is for another processor, too large
/// or in need of a newer C library.
pub async fn check(toolchain: &Toolchain, architecture: Architecture) -> Result<()> {
    ensure_installed(architecture.target()).await?;
    build_for(toolchain, architecture).await?;
    let directory = directory_of(architecture);
    let mut programs = 0;
    for entry in std::fs::read_dir(&directory)
        .with_context(|| format!("cannot read {}", directory.display()))?
    {
        let path = entry?.path().join("bootstrap");
        if path.is_file() {
            check_program(&path, architecture, Some(MAXIMUM_PROGRAM_BYTES))?;
            programs += 1;
        }
    }
    ensure!(programs > 0, "sam build made no program");
    Ok(())
}

/// Where the programs for x86_64 are afterwards, each as `<logical id>/bootstrap`.
pub fn directory() -> PathBuf {
    directory_of(Architecture::X86)
}

fn directory_of(architecture: Architecture) -> PathBuf {
    workspace::root().join("target").join(match architecture {
        Architecture::X86 => "sam-build",
        Architecture::Arm => "sam-build-arm64",
    })
}

/// Asks the compiler where the target's standard library is, and looks whether it is there; not
/// everybody has rustup to ask.
async fn ensure_installed(target: &str) -> Result<()> {
    let mut question = Command::new("rustc");
    question
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(workspace::root());
    let answer = question.output().await.context("cannot run rustc")?;
    let directory = PathBuf::from(String::from_utf8_lossy(&answer.stdout).trim());
    if !answer.status.success() || !directory.is_dir() {
        bail!("the Rust target {target} is not installed; with rustup: rustup target add {target}");
    }
    Ok(())
}

/// Builds for x86_64 with the real SAM CLI.
///
/// # Errors
/// The build fails.
pub async fn build(toolchain: &Toolchain) -> Result<()> {
    build_for(toolchain, Architecture::X86).await
}

async fn build_for(toolchain: &Toolchain, architecture: Architecture) -> Result<()> {
    let mut build = Command::new(toolchain.sam());
    build
        .arg("build")
        .arg("--build-dir")
        .arg(directory_of(architecture));
    build
        .arg("--parameter-overrides")
        .arg(format!("Architecture={architecture}"));
    build
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_DEFAULT_REGION", local_stack::REGION);
    build_environment(&mut build, toolchain).await?;
    run_to_end(&mut build).await
}

/// What every build for a release has in common: `cargo auditable` in Cargo's place, and programs
/// that do not say where Cargo keeps the sources on this machine.
async fn build_environment(build: &mut Command, toolchain: &Toolchain) -> Result<()> {
    let [replacement, auditable] = auditable::directories().await?;
    let directories = [replacement, auditable, toolchain.sam_directory()];
    let cargo_home = cargo_home().context("there is no home directory")?;
    let remap = format!("--remap-path-prefix={}=/cargo", cargo_home.display());
    build
        .env("PATH", search_path(&directories)?)
        // Besides the flags of cargo-lambda, which name the processor. `RUSTFLAGS` would replace
        // them.
        .env_remove("RUSTFLAGS")
        .env("CARGO_BUILD_RUSTFLAGS", remap);
    Ok(())
}

/// (Source: The Cargo Book, "Cargo Home".)
#[expect(
    clippy::disallowed_methods,
    reason = "not configuration: a variable of Cargo's own"
)]
fn cargo_home() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| Some(std::env::home_dir()?.join(".cargo")))
}

fn check_program(path: &Path, architecture: Architecture, maximum: Option<u64>) -> Result<()> {
    let name = path
        .parent()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let program = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bytes = program.len() as u64;
    ensure!(
        is_for(&program, architecture),
        "{name} is not a program for {architecture}"
    );
    let glibc =
        newest_glibc(&program).with_context(|| format!("{name} is not linked against glibc"))?;
    progress(&format!(
        "{name}: {architecture}, {:.1} MB, glibc {}.{}",
        bytes as f64 / 1e6,
        glibc.0,
        glibc.1
    ));
    if let Some(maximum) = maximum {
        ensure!(
            bytes <= maximum,
            "{name} has {bytes} bytes, more than {maximum}"
        );
    }
    ensure!(
        glibc <= NEWEST_GLIBC,
        "{name} needs glibc {}.{}, and Lambda has {}.{}",
        glibc.0,
        glibc.1,
        NEWEST_GLIBC.0,
        NEWEST_GLIBC.1
    );
    Ok(())
}

/// Whether the header of an ELF program names the processor; its number is at byte 18, and both
/// have the low byte first.
fn is_for(program: &[u8], architecture: Architecture) -> bool {
    program.starts_with(b"\x7fELF") && program.get(18..20) == Some(&[architecture.machine(), 0])
}

/// The newest version among the symbol versions `GLIBC_x.y`, which stand as text in the program's
/// dynamic string table.
fn newest_glibc(program: &[u8]) -> Option<(u32, u32)> {
    const PREFIX: &[u8] = b"GLIBC_";
    let positions = program
        .windows(PREFIX.len())
        .enumerate()
        .filter(|(_, window)| *window == PREFIX);
    positions
        .filter_map(|(position, _)| {
            let text = program
                .get(position + PREFIX.len()..)?
                .split(|byte| *byte == 0)
                .next()?;
            let mut numbers = std::str::from_utf8(text)
                .ok()?
                .split('.')
                .map(str::parse::<u32>);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::{Architecture, ensure_installed, is_for, newest_glibc};

    #[test]
    fn a_program_is_for_the_processor_that_its_header_names() {
        let mut program = b"\x7fELF".to_vec();
        program.resize(18, 0);
        program.extend([183, 0, 1]);
        assert!(is_for(&program, Architecture::Arm));
        assert!(!is_for(&program, Architecture::X86));
        assert!(!is_for(b"#!/bin/sh", Architecture::X86));
    }

    #[tokio::test]
    async fn a_target_that_is_not_installed_is_named_with_what_to_do() {
        let error = ensure_installed("s390x-unknown-linux-gnu")
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("rustup target add s390x-unknown-linux-gnu"),
            "{error}"
        );
    }

    #[test]
    fn the_newest_symbol_version_counts() {
        assert_eq!(
            newest_glibc(b"\0GLIBC_2.4\0GLIBC_2.30\0GLIBC_2.2.5\0GLIBC_PRIVATE\0"),
            Some((2, 30))
        );
        assert_eq!(newest_glibc(b"static"), None);
    }
}
