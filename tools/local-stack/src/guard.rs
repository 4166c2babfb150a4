//! Child processes that end with this one, however it ends: by return, panic, signal or SIGKILL.
//! The script `python/guard.py` starts the command. It ends the command and its process group when
//! the pipe to its standard input closes; the kernel closes it in every case.

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

/// Shorter than the deadline above.
const LAST_WORDS_SECONDS: &str = "8";

/// A command that is about to be run under the guard.
#[derive(Debug)]
pub struct GuardedCommand(Command);

impl GuardedCommand {
    /// `program` with this process's environment and outputs, in a process group of its own. Ctrl-C
    /// at a terminal reaches only this process, which then ends the rest in order.
    pub fn new(python: &Python, program: impl AsRef<OsStr>) -> Self {
        Self::prepare(python, &[], program)
    }

    /// As [`new`](Self::new). Removes `directory` at the end, even if this process is killed.
    pub fn removing(python: &Python, directory: &Path, program: impl AsRef<OsStr>) -> Self {
        Self::prepare(
            python,
            &["--remove".as_ref(), directory.as_os_str()],
            program,
        )
    }

    /// As [`new`](Self::new), for a program that writes its state down at its end: it has 8 s for
    /// that.
    pub fn with_last_words(python: &Python, program: impl AsRef<OsStr>) -> Self {
        Self::prepare(
            python,
            &["--grace".as_ref(), LAST_WORDS_SECONDS.as_ref()],
            program,
        )
    }

    fn prepare(python: &Python, options: &[&OsStr], program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(python.path());
        // Isolated from the user's Python settings and without site packages: it starts in some 15
        // ms.
        command.args(["-I", "-S", "-c", SCRIPT]);
        command.args(options).arg("--").arg(program);
        command.process_group(0).stdin(Stdio::piped());
        Self(command)
    }

    /// Adds an argument of the program.
    pub fn arg(self, argument: impl AsRef<OsStr>) -> Self {
        self.args([argument])
    }

    /// Adds arguments of the program.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(arguments);
        self
    }

    /// Sets environment, working directory and outputs. The standard input is the guard's.
    pub fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.0);
        self.0.stdin(Stdio::piped());
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the interpreter does not start. A program that is not there is reported by the exit
    /// status 127.
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
        let file = std::fs::File::create(log)
            .with_context(|| format!("cannot write {}", log.display()))?;
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
        // `Child::wait` would close the standard input: the lifeline was taken out before.
        self.child
            .wait()
            .await
            .context("cannot wait for a child process")
    }

    /// The standard output, if it was piped and not taken yet.
    pub fn take_stdout(&mut self) -> Option<tokio::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends the command and all its processes, and waits for that: at most 10 s.
    pub async fn stop(mut self) {
        drop(self.lifeline.take());
        // Past the deadline the guard hangs. Killing it makes the kernel kill the command.
        if tokio::time::timeout(STOP_DEADLINE, self.child.wait())
            .await
            .is_err()
        {
            drop(self.child.start_kill());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command as Program;
    use std::time::Instant;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(20);

    /// A shell that starts a process of its own, ignores polite requests to end, and tells who they
    /// are.
    const STUBBORN: &str =
        "trap '' TERM; sleep 600 & echo $$ $! > pids.new; mv pids.new pids; sleep 600; sleep 600";

    fn start_stubborn(directory: &Path) -> Guarded {
        let python = Python::find().unwrap();
        GuardedCommand::removing(&python, directory, "sh")
            .args(["-c", STUBBORN])
            .with(|command| {
                command.current_dir(directory);
            })
            .start()
            .unwrap()
    }

    fn is_alive(pid: &str) -> bool {
        let state = Program::new("ps")
            .args(["-o", "stat=", "-p", pid])
            .output()
            .unwrap();
        let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
        !state.is_empty() && !state.starts_with('Z')
    }

    async fn until(what: &str, mut condition: impl FnMut() -> bool) {
        let began = Instant::now();
        while !condition() {
            assert!(began.elapsed() < DEADLINE, "never happened: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn pids(directory: &Path) -> Vec<String> {
        let file = directory.join("pids");
        until("the command tells its processes", || file.exists()).await;
        let text = std::fs::read_to_string(file).unwrap();
        let pids: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        assert!(pids.len() == 2 && pids.iter().all(|pid| is_alive(pid)));
        pids
    }

    #[tokio::test]
    async fn stopping_ends_the_command_and_what_it_started() {
        let directory = tempfile::tempdir().unwrap();
        let guarded = start_stubborn(directory.path());
        let pids = pids(directory.path()).await;
        guarded.stop().await;
        assert!(!pids.iter().any(|pid| is_alive(pid)));
        assert!(!directory.path().exists());
    }

    #[tokio::test]
    async fn dropping_does_the_same_without_being_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let guarded = start_stubborn(directory.path());
        let pids = pids(directory.path()).await;
        drop(guarded);
        until("the directory is gone", || !directory.path().exists()).await;
        assert!(!pids.iter().any(|pid| is_alive(pid)));
    }

    #[tokio::test]
    async fn what_a_command_leaves_running_ends_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let python = Python::find().unwrap();
        let pid = directory.path().join("pid");
        GuardedCommand::new(&python, "sh")
            .args(["-c", "sleep 600 & echo $! > pid"])
            .with(|command| {
                command.current_dir(directory.path());
            })
            .run("sh")
            .await
            .unwrap();
        let pid = std::fs::read_to_string(pid).unwrap();
        until("the process is gone", || !is_alive(pid.trim())).await;
    }

    #[tokio::test]
    async fn a_failure_is_told_with_what_was_printed() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let python = Python::find().unwrap();
        let error = GuardedCommand::new(&python, "sh")
            .args(["-c", "echo the reason >&2; exit 7"])
            .run_quietly("the attempt", &log)
            .await
            .unwrap_err();
        let message = error.to_string();
        assert!(
            message.contains("the attempt failed")
                && message.contains("7")
                && message.contains("the reason")
        );

        let missing = GuardedCommand::new(&python, "no-such-program")
            .run_quietly("it", &log)
            .await;
        assert!(missing.unwrap_err().to_string().contains("No such file"));
    }
}
