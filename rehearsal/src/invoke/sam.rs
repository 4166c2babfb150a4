//! `sam local invoke`: the programs that `sam build` has made, in containers of Lambda's base
//! image, with the environment that the local stack's own functions have.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use harness::DeployedFunction;
use local_stack::{GuardedCommand, LocalStack, REGION, Toolchain, clear_environment};
use serde_json::{Map, Value, json};
use url::Url;

use super::deployed;
use super::docker::Docker;
use super::relay::Relay;
use crate::events::Function;
use crate::release;

/// The name by which containers know this machine, and the only one besides its own that the
/// functions take plain HTTP from.
const HOST_NAME: &str = "host.docker.internal";

/// Longer than the longest timeout in the template and the start of a container on a busy machine.
const INVOCATION_DEADLINE: Duration = Duration::from_secs(150);

/// Docker's words for a port that is taken.
const PORT_TAKEN: [&str; 2] = ["port is already allocated", "address already in use"];

/// The SAM CLI, ready to invoke.
#[derive(Debug)]
pub struct Sam {
    toolchain: Toolchain,
    docker: Docker,
    directory: PathBuf,
    environment: PathBuf,
    /// What containers reach, as long as this value lives.
    _relays: Vec<Relay>,
}

impl Sam {
    /// Leads containers to the stack, and writes down the environment that functions have there.
    ///
    /// # Errors
    /// Nothing has been built, or the bridge's address cannot be used.
    pub async fn new(
        toolchain: Toolchain,
        docker: Docker,
        stack: &LocalStack,
        functions: &[DeployedFunction],
        directory: &Path,
    ) -> Result<Self> {
        let template = template();
        ensure!(
            template.is_file(),
            "{} is missing: run `sam build` first",
            template.display()
        );
        let mut relays = Vec::new();
        for url in [Some(stack.endpoint_url()), stack.sandbox_url()]
            .into_iter()
            .flatten()
        {
            let port = Url::parse(url)?
                .port()
                .context("an address without a port")?;
            relays.push(Relay::start(docker.gateway, port).await?);
        }
        let environment = directory.join("environment.json");
        std::fs::write(
            &environment,
            for_containers(functions, stack, docker.gateway)?.to_string(),
        )?;
        Ok(Self {
            toolchain,
            docker,
            directory: directory.to_path_buf(),
            environment,
            _relays: relays,
        })
    }

    /// Invokes a function and waits for its answer, which may be an error of its own. `number` is
    /// one that no other event has.
    ///
    /// # Errors
    /// The SAM CLI fails or takes too long, or the answer is not JSON; the message holds the end of
    /// what it printed.
    pub async fn invoke(&self, number: usize, function: Function, event: &Value) -> Result<Value> {
        let event_file = self.directory.join(format!("event-{number}.json"));
        std::fs::write(&event_file, event.to_string())?;
        let first = self.attempt(number, function, &event_file).await;
        match first {
            // It chooses a free port at random and takes it later. The function has not been called
            // yet.
            Err(error)
                if PORT_TAKEN
                    .iter()
                    .any(|words| error.to_string().contains(words)) =>
            {
                self.attempt(number, function, &event_file).await
            }
            result => result,
        }
    }

    async fn attempt(&self, number: usize, function: Function, event_file: &Path) -> Result<Value> {
        let output = self.directory.join(format!("answer-{number}"));
        let log = self.directory.join(format!("sam-{number}.log"));
        let (answer, errors) = (
            std::fs::File::create(&output)?,
            std::fs::File::create(&log)?,
        );
        let mut running = GuardedCommand::new(self.toolchain.python(), self.toolchain.sam())
            .args([
                "local",
                "invoke",
                function.logical_id(),
                "--skip-pull-image",
            ])
            .args([
                "--region",
                REGION,
                "--add-host",
                &format!("{HOST_NAME}:{}", self.docker.gateway),
            ])
            .args([
                "--template-file".as_ref(),
                template().as_os_str(),
                "--event".as_ref(),
                event_file.as_os_str(),
            ])
            .args(["--env-vars".as_ref(), self.environment.as_os_str()])
            .with(|command| {
                clear_environment(command, &self.directory);
                self.docker.apply(command);
                command
                    .current_dir(&self.directory)
                    .env("AWS_ACCESS_KEY_ID", "test")
                    .env("AWS_SECRET_ACCESS_KEY", "test")
                    .env("AWS_EC2_METADATA_DISABLED", "true")
                    .env("SAM_CLI_TELEMETRY", "0")
                    .env("SAM_CLI_CHECK_VERSION_UPDATES", "0")
                    .stdout(answer)
                    .stderr(errors);
            })
            .start()?;
        let ended = tokio::time::timeout(INVOCATION_DEADLINE, running.wait()).await;
        running.stop().await;
        let answer = std::fs::read_to_string(&output)?;
        let printed = std::fs::read(&log).unwrap_or_default();
        let printed = String::from_utf8_lossy(&printed);
        // AWS's runtime emulator has the Extensions API, which the other one lacks.
        ensure!(
            !printed.contains("extension_not_registered"),
            "{} registers no extension:\n{printed}",
            function.logical_id()
        );
        // The exit status says whether the function failed, which is an answer as well.
        match (ended, serde_json::from_str(&answer)) {
            (Ok(_), Ok(answer)) => Ok(answer),
            (ended, _) => {
                let what = if ended.is_ok() {
                    "gave no answer"
                } else {
                    "took too long"
                };
                bail!("sam local invoke {what}: {answer}\n{}", printed.trim_end());
            }
        }
    }

    /// The origin of an address on this machine, as containers reach it.
    pub fn seen_from_containers(origin: &str) -> String {
        origin.replace("127.0.0.1", HOST_NAME)
    }

    /// Ends what was started for it.
    pub async fn stop(self) {
        self.docker.stop().await;
    }
}

/// The template that `sam build` has written beside the programs.
fn template() -> PathBuf {
    release::directory().join("template.yaml")
}

/// What `--env-vars` takes: the environment of each function, with this machine as containers see
/// it. The services' endpoint is an address and not a name, because the SDK puts a bucket's name
/// before a name.
fn for_containers(
    functions: &[DeployedFunction],
    stack: &LocalStack,
    gateway: IpAddr,
) -> Result<Value> {
    let endpoint = stack.endpoint_url();
    let endpoint_for_containers = endpoint.replace("127.0.0.1", &gateway.to_string());
    let all = [
        Function::Webhook,
        Function::Processor,
        Function::Api,
        Function::Reconciler,
        Function::Publisher,
        Function::PreTraffic,
        Function::OutcomePush,
    ];
    let mut environments = Map::new();
    for function in all {
        let variables: BTreeMap<String, String> = deployed(functions, function)?
            .variables
            .clone()
            .into_iter()
            .map(|(name, value)| {
                (
                    name,
                    Sam::seen_from_containers(&value.replace(endpoint, &endpoint_for_containers)),
                )
            })
            .collect();
        environments.insert(function.logical_id().to_owned(), json!(variables));
    }
    Ok(Value::Object(environments))
}
