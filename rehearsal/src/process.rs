//! Other programs, run to their end.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use local_stack::workspace;
use tokio::process::Command;

/// Runs a program in the workspace's root, and is content with status 0 alone.
///
/// # Errors
/// It cannot be started, or ends with another status.
pub async fn run_to_end(command: &mut Command) -> Result<()> {
    local_stack::forget_own_package(command);
    if command.as_std().get_current_dir().is_none() {
        command.current_dir(workspace::root());
    }
    let status = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let status = status.with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}

/// Says what is being done.
pub fn progress(line: &str) {
    eprintln!("[test] {line}");
}

/// The search path with more directories before it.
///
/// # Errors
/// A directory's name has a colon.
#[expect(
    clippy::disallowed_methods,
    reason = "not configuration: the search path is handed on to a child process"
)]
pub fn search_path(first: &[impl AsRef<Path>]) -> Result<std::ffi::OsString> {
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let first = first.iter().map(|path| path.as_ref().to_path_buf());
    let paths = first.chain(std::env::split_paths(&inherited));
    Ok(std::env::join_paths(paths)?)
}
