//! An operator's terminal: the runbook's programs, credentials of the local stack, and an empty
//! directory.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::Description;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::progress;
use crate::process::search_path;

/// Deadline of one command. The slowest, `dvctl resume`, waits for AWS.
const DEADLINE: Duration = Duration::from_secs(120);

/// Commands of `dvctl` that ask for their own name before they act.
const CONFIRMED: [&str; 2] = ["redrive", "replay"];

/// The end of a command.
#[derive(Clone, Debug)]
pub struct Ended {
    /// `None`: killed.
    pub status: Option<i32>,
    /// Standard output, then standard error.
    pub text: String,
}

pub struct Shell {
    directory: TempDir,
    variables: Vec<(&'static str, String)>,
    show: bool,
}

impl Shell {
    /// `programs` are on the search path under their own names.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn new(stack: &Description, programs: &[PathBuf], show: bool) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let bin = directory.path().join("bin");
        std::fs::create_dir(&bin)?;
        for program in programs {
            write_launcher(&bin, program)?;
        }
        write_script(&bin.join("edited"), "cp edited \"$1\"")?;
        let path = search_path(&[&bin])?
            .into_string()
            .ok()
            .context("the search path is no text")?;
        let variables = vec![
            ("PATH", path),
            ("HOME", directory.path().display().to_string()),
            ("DVCTL_STACK", stack.stack_name.clone()),
            ("AWS_REGION", stack.region.clone()),
            ("AWS_DEFAULT_REGION", stack.region.clone()),
            ("AWS_ENDPOINT_URL", stack.endpoint_url.clone()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_PAGER", String::new()),
            ("SAM_CLI_TELEMETRY", "0".to_owned()),
            ("SAM_CLI_CHECK_VERSION_UPDATES", "0".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("EDITOR", "edited".to_owned()),
        ];
        Ok(Self {
            directory,
            variables,
            show,
        })
    }

    /// Sets the content that the editor leaves in every file.
    ///
    /// # Errors
    /// The directory takes no file.
    pub fn will_edit(&self, text: &str) -> Result<()> {
        Ok(std::fs::write(self.directory.path().join("edited"), text)?)
    }

    /// Runs a command that sets a variable, perhaps to nothing, for all later commands.
    ///
    /// # Errors
    /// The command fails.
    pub async fn export(&mut self, name: &'static str, command: &str) -> Result<()> {
        let value = self
            .must(&format!("{command}\nprintf %s \"${name}\""))
            .await?;
        self.variables.push((name, value));
        Ok(())
    }

    /// Runs one command as it is typed, and confirms where it asks.
    ///
    /// # Errors
    /// It cannot be run, or does not end within 120 s.
    pub async fn run(&self, command: &str) -> Result<Ended> {
        let mut bash = Command::new("bash");
        bash.args(["-o", "pipefail", "-c", command]).env_clear();
        bash.envs(
            self.variables
                .iter()
                .map(|(name, value)| (name, value.as_str())),
        );
        bash.current_dir(self.directory.path()).kill_on_drop(true);
        bash.stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = bash.spawn().context("bash does not start")?;
        let mut input = child.stdin.take().context("bash has no input")?;
        let word = CONFIRMED
            .iter()
            .find(|word| command.contains(&format!("dvctl {word}")));
        // It may have ended without reading.
        drop(
            input
                .write_all(format!("{}\n", word.unwrap_or(&"")).as_bytes())
                .await,
        );
        drop(input);
        let ended = tokio::time::timeout(DEADLINE, child.wait_with_output()).await;
        let output = ended.with_context(|| format!("not within {DEADLINE:?}: {command}"))??;
        let text = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .concat();
        if self.show {
            progress(&format!("$ {command}\n{text}"));
        }
        Ok(Ended {
            status: output.status.code(),
            text,
        })
    }

    /// As [`run`](Self::run), for a command that must succeed. Returns what it printed.
    ///
    /// # Errors
    /// The command fails.
    pub async fn must(&self, command: &str) -> Result<String> {
        let ended = self.run(command).await?;
        ensure!(ended.status == Some(0), "{command}: {}", ended.text);
        Ok(ended.text.trim().to_owned())
    }
}

/// The SAM CLI finds the emulator by `AWS_ENDPOINT_URL`. The AWS CLI ignores it for SQS, and
/// `dvctl` asks AWS by default.
fn write_launcher(bin: &Path, program: &Path) -> Result<()> {
    let name = program.file_name().context("a program has a name")?;
    let endpoint = match name.to_str() {
        Some("dvctl") => r#" --endpoint "$AWS_ENDPOINT_URL""#,
        Some("aws") => r#" --endpoint-url "$AWS_ENDPOINT_URL""#,
        _ => "",
    };
    write_script(
        &bin.join(name),
        &format!("exec '{}'{endpoint} \"$@\"", program.display()),
    )
}

fn write_script(path: &Path, command: &str) -> Result<()> {
    std::fs::write(path, format!("#!/bin/sh\n{command}\n"))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o755))?;
    Ok(())
}
