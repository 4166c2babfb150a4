//! Child processes that cannot outlive this one, however this one ends: returned, panicked, interrupted or killed with
//! SIGKILL. A small script, `python/guard.py`, starts the command and ends it and its whole process group when the pipe to
//! its standard input closes, which the kernel does for every way of ending.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, ChildStdin, Command};

use crate::python::Python;

const SCRIPT: &str = include_str!("../python/guard.py");

/// Longer than the script's own grace period, after which it uses SIGKILL.
const STOP_DEADLINE: Duration = Duration::from_secs(10);

/// A command that is about to be run under the guard.
#[derive(Debug)]
pub struct GuardedCommand(Command);

impl GuardedCommand {
    /// `program` with this process's environment and outputs, in a process group of its own, so that Ctrl-C at a terminal
    /// reaches only this process, which then ends the rest in order.
    pub fn new(python: &Python, program: impl AsRef<OsStr>) -> Self {
        Self::prepare(python, None, program)
    }

    /// As [`new`](Self::new), and removes `directory` at the end, even when this process cannot any more.
    pub fn removing(python: &Python, directory: &Path, program: impl AsRef<OsStr>) -> Self {
        Self::prepare(python, Some(directory), program)
    }

    fn prepare(python: &Python, remove: Option<&Path>, program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(python.path());
        // Isolated from the user's Python settings, without site packages: it starts in some 15 ms.
        command.args(["-I", "-S", "-c", SCRIPT]);
        if let Some(directory) = remove {
            command.arg("--remove").arg(directory);
        }
        command.arg("--").arg(program);
        command.process_group(0).stdin(Stdio::piped());
        Self(command)
    }

    /// Adds arguments of the program.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(arguments);
        self
    }

    /// Sets everything else: environment, working directory, outputs. The standard input is the guard's.
    pub fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.0);
        self.0.stdin(Stdio::piped());
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the interpreter does not start. A program that is not there is reported by the exit status 127.
    pub fn start(mut self) -> Result<Guarded> {
        let mut child = self.0.spawn().context("cannot start a child process")?;
        let lifeline = child.stdin.take();
        Ok(Guarded { child, lifeline })
    }

    /// Runs it to its end, with the outputs as set.
    ///
    /// # Errors
    /// When it does not start or does not succeed; `what` completes the sentence "… failed".
    pub async fn run(self, what: &str) -> Result<()> {
        let mut guarded = self.start()?;
        let status = guarded.wait().await?;
        if !status.success() {
            bail!("{what} failed ({status})");
        }
        Ok(())
    }

    /// Runs it to its end and returns what it printed, both outputs in one text.
    ///
    /// # Errors
    /// When it does not start or does not succeed; the message holds what it printed.
    pub async fn run_quietly(self, what: &str, log: &Path) -> Result<String> {
        let file = std::fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = file.try_clone()?;
        let mut guarded = self
            .with(|command| {
                command.stdout(file).stderr(errors);
            })
            .start()?;
        let status = guarded.wait().await?;
        let printed = String::from_utf8_lossy(&std::fs::read(log)?).into_owned();
        if !status.success() {
            bail!("{what} failed ({status}):\n{}", printed.trim_end());
        }
        Ok(printed)
    }
}

/// A running command. Dropping it ends the command without waiting for that.
#[derive(Debug)]
pub struct Guarded {
    child: Child,
    lifeline: Option<ChildStdin>,
}

impl Guarded {
    /// Waits for the command to end by itself. May be given up and called again.
    ///
    /// # Errors
    /// When the operating system cannot tell.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        // `Child::wait` would close the standard input, which is the lifeline; it was taken out for that reason.
        self.child.wait().await.context("cannot wait for a child process")
    }

    /// The standard output, if it was piped and not taken yet.
    pub fn take_stdout(&mut self) -> Option<tokio::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends the command and everything it started, and waits until they are gone: at most 10 s.
    pub async fn stop(mut self) {
        drop(self.lifeline.take());
        // Past the deadline the guard itself is stuck; killing it makes the kernel kill the command.
        if tokio::time::timeout(STOP_DEADLINE, self.child.wait()).await.is_err() {
            drop(self.child.start_kill());
        }
    }
}
