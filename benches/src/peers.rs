//! The peers: the same flow in Python and Node.js, installed below `.local` from files that pin
//! every package by hash.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use local_stack::{Progress, workspace};
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::program::Program;
use crate::report::Who;

/// The two functions that the peers have, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Webhook,
    Processor,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Processor => "processor",
        }
    }
}

/// One peer, ready to be started.
#[derive(Clone, Debug)]
pub struct Peer {
    pub who: Who,
    executable: PathBuf,
    directory: PathBuf,
}

impl Peer {
    /// Python 3 with boto3 and Powertools, run by Lambda's own runtime client. A first time takes
    /// half a minute.
    ///
    /// # Errors
    /// A package cannot be fetched or does not have the recorded hash.
    pub async fn python(progress: Progress) -> Result<Self> {
        let requirements = include_str!("../peers/python/requirements.txt");
        let environment =
            local_stack::python_environment("python-peer", requirements, progress).await?;
        Ok(Self {
            who: Who::Python,
            executable: environment.join("bin").join("python"),
            directory: sources().join("python"),
        })
    }

    /// Node.js with the AWS SDK v3 and Powertools, in one minified file per function, as `sam
    /// build` makes it with esbuild.
    ///
    /// # Errors
    /// There is no Node.js or npm, or a package cannot be fetched or does not have the recorded
    /// hash.
    pub async fn node(progress: Progress) -> Result<Self> {
        let executable = executable("node").await?;
        let mut digest = Sha256::new();
        for name in NODE_FILES {
            digest.update(std::fs::read(sources().join("node").join(name))?);
        }
        let digest: String = hex::encode(digest.finalize()).chars().take(12).collect();
        let parent = workspace::kept_directory().join("toolchain");
        let target = parent.join(format!("node-peer-{digest}"));
        if !target.join("dist").exists() {
            progress("installing the Node.js peer (once)");
            std::fs::create_dir_all(&parent)?;
            // Made beside its place and then moved there, so that it is never seen half made.
            let unfinished = tempfile::tempdir_in(&parent)?;
            install_node(unfinished.path()).await?;
            std::fs::rename(unfinished.keep(), &target)?;
        }
        Ok(Self {
            who: Who::Node,
            executable,
            directory: target.join("dist"),
        })
    }

    /// The peer in one role, without variables of its own.
    pub fn program(&self, role: Role) -> Program {
        let arguments = match self.who {
            Who::Python => vec![
                "-m".into(),
                "awslambdaric".into(),
                format!("{}.handler", role.name()).into(),
            ],
            _ => vec![
                "runtime.mjs".into(),
                format!("./{}.mjs", role.name()).into(),
            ],
        };
        Program {
            name: format!("the {:?} {}", self.who, role.name()),
            executable: self.executable.clone(),
            arguments,
            variables: [(
                "LAMBDA_TASK_ROOT".to_owned(),
                self.directory.display().to_string(),
            )]
            .into(),
            directory: self.directory.clone(),
        }
    }
}

const NODE_FILES: [&str; 6] = [
    "package.json",
    "package-lock.json",
    "clients.mjs",
    "webhook.mjs",
    "processor.mjs",
    "runtime.mjs",
];

fn sources() -> PathBuf {
    workspace::root().join("benches").join("peers")
}

async fn install_node(directory: &Path) -> Result<()> {
    for name in NODE_FILES {
        std::fs::copy(sources().join("node").join(name), directory.join(name))?;
    }
    npm(
        directory,
        &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    )
    .await?;
    npm(directory, &["run", "build"]).await
}

async fn npm(directory: &Path, arguments: &[&str]) -> Result<()> {
    let output = Command::new("npm")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("there is no npm")?;
    let printed = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "npm {} failed:\n{printed}",
        arguments.join(" ")
    );
    Ok(())
}

/// Where a program really is, past wrappers that choose a version at each start and would be
/// measured with it.
async fn executable(name: &str) -> Result<PathBuf> {
    let output = Command::new(name)
        .args(["-p", "process.execPath"])
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("there is no {name}"))?;
    ensure!(output.status.success(), "{name} does not run");
    Ok(PathBuf::from(String::from_utf8(output.stdout)?.trim()))
}
