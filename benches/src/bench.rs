//! One run: who takes part, and what they are asked to do.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use local_stack::Progress;
use serde_json::Value;
use uuid::Uuid;

use crate::peers::{Peer, Role};
use crate::program::{Invocation, Program, Running};
use crate::report::Who;
use crate::world::{LOGICAL_IDS, World};

/// The release programs.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The functions, by logical id.
    pub functions: BTreeMap<String, PathBuf>,
    /// Polls and answers nothing.
    pub does_nothing: PathBuf,
    /// Copies files and does nothing else.
    pub plain_copy: PathBuf,
}

/// Everything that measurements need.
#[derive(Debug)]
pub struct Bench {
    pub(crate) programs: Programs,
    pub(crate) peers: Vec<Peer>,
    pub(crate) world: World,
    pub(crate) progress: Progress,
    pub(crate) left_out: Vec<String>,
    // Holds the programs under the names that the deployment looks for; kept until the end.
    _directory: tempfile::TempDir,
}

impl Bench {
    /// Installs the peers and starts the stack. A peer whose language is not on this machine is
    /// left out, and the report says so.
    ///
    /// # Errors
    /// A program is not there, or the stack does not start.
    pub async fn start(programs: Programs, progress: Progress) -> Result<Self> {
        let mut peers = Vec::new();
        let mut left_out = Vec::new();
        for (name, peer) in [
            ("the Python peer", Peer::python(progress).await),
            ("the Node.js peer", Peer::node(progress).await),
        ] {
            match peer {
                Ok(peer) => peers.push(peer),
                Err(error) => left_out.push(format!("{name}, because {error:#}")),
            }
        }
        let directory = tempfile::tempdir()?;
        for id in LOGICAL_IDS {
            ensure!(
                programs.functions.contains_key(id),
                "there is no program of {id}"
            );
        }
        // All of them: the template deploys those that are not measured as well.
        for (id, program) in &programs.functions {
            std::os::unix::fs::symlink(program, directory.path().join(program_name(id)))?;
        }
        let world = World::start(directory.path(), progress).await?;
        Ok(Self {
            programs,
            peers,
            world,
            progress,
            left_out,
            _directory: directory,
        })
    }

    /// Ends everything that was started.
    pub async fn end(self) {
        self.world.end().await;
    }

    /// One of our functions, with the variables that it is deployed with but its own table, bucket
    /// and queue.
    pub(crate) fn function(
        &self,
        logical_id: &str,
        table: &str,
        file_origin: &str,
    ) -> Result<Program> {
        let executable = self
            .programs
            .functions
            .get(logical_id)
            .context("there is no such program")?;
        Ok(Program {
            name: logical_id.to_owned(),
            directory: executable
                .parent()
                .context("a program is in a directory")?
                .to_owned(),
            executable: executable.clone(),
            arguments: Vec::new(),
            variables: self.world.variables(logical_id, table, file_origin)?,
        })
    }

    /// Ours and the peers' program in one role, with the same variables.
    pub(crate) fn contestants(
        &self,
        role: Role,
        table: &str,
        file_origin: &str,
    ) -> Result<Vec<(Who, Program)>> {
        let logical_id = match role {
            Role::Webhook => "WebhookFunction",
            Role::Processor => "ProcessorFunction",
        };
        let ours = self.function(logical_id, table, file_origin)?;
        let mut contestants = Vec::new();
        for peer in &self.peers {
            let mut program = peer.program(role);
            program.variables.extend(ours.variables.clone());
            contestants.push((peer.who, program));
        }
        contestants.insert(0, (Who::Ours, ours));
        Ok(contestants)
    }
}

/// `PreTrafficFunction` is `pre-traffic`.
fn program_name(logical_id: &str) -> String {
    let mut name = String::new();
    for letter in logical_id.trim_end_matches("Function").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// A new `scanRef`.
pub(crate) fn new_scan_ref() -> String {
    Uuid::new_v4().to_string()
}

/// Hands a callback to a webhook and shows that it is taken.
pub(crate) async fn deliver(webhook: &mut Running, event: &Value) -> Result<Invocation> {
    let invocation = webhook.invoke(event).await?;
    let status = invocation.answer.get("statusCode").and_then(Value::as_u64);
    ensure!(
        status == Some(200),
        "the callback was answered with {}; {}",
        invocation.answer,
        webhook.printed()
    );
    Ok(invocation)
}

/// Hands a claim check to a processor and shows that it does not come back.
pub(crate) async fn process(processor: &mut Running, event: &Value) -> Result<Invocation> {
    let invocation = processor.invoke(event).await?;
    let failures = invocation
        .answer
        .get("batchItemFailures")
        .and_then(Value::as_array);
    ensure!(
        failures.is_some_and(Vec::is_empty),
        "the batch was answered with {}; {}",
        invocation.answer,
        processor.printed()
    );
    Ok(invocation)
}
