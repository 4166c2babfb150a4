//! The program, started once per question.

use std::process::{Output, Stdio};

use harness::{DEADLINE, Stack};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// The program on one stack.
pub struct Dvctl {
    stack_name: String,
    endpoint: String,
}

/// How it ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: Option<i32>,
    pub answer: String,
    pub notes: String,
}

/// The program with an empty environment.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dvctl"));
    command.args(arguments).env_clear().kill_on_drop(true);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Starts it, types `typed`, and waits for its end.
pub async fn play(mut command: Command, typed: &str) -> Ended {
    let mut child = command.spawn().expect("the program starts");
    let mut input = child.stdin.take().expect("an input");
    // It may have ended without reading.
    drop(input.write_all(typed.as_bytes()).await);
    drop(input);
    let ended = tokio::time::timeout(DEADLINE, child.wait_with_output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = ended
        .expect("it ends in time")
        .expect("it can be waited for");
    Ended {
        status: status.code(),
        answer: String::from_utf8(stdout).expect("text"),
        notes: String::from_utf8(stderr).expect("text"),
    }
}

impl Dvctl {
    pub fn of(stack: &Stack) -> Self {
        Self {
            stack_name: stack.description.stack_name.clone(),
            endpoint: stack.description.endpoint_url.clone(),
        }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let global = ["--stack", &self.stack_name, "--endpoint", &self.endpoint];
        command(&[&global, arguments].concat())
    }

    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.type_into(arguments, "").await
    }

    pub async fn type_into(&self, arguments: &[&str], typed: &str) -> Ended {
        play(self.command(arguments), typed).await
    }

    /// With `--json`: the status and the answer.
    pub async fn ask(&self, arguments: &[&str]) -> (Option<i32>, Value) {
        let ended = self.run(&[&["--json"], arguments].concat()).await;
        let answer = serde_json::from_str(&ended.answer)
            .unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        assert_eq!(ended.answer.lines().count(), 1, "one line: {ended:?}");
        (ended.status, answer)
    }
}

impl Ended {
    /// The same, if the status is this.
    pub fn with_status(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:?}");
        self
    }
}
