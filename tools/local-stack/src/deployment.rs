//! Deploys `template.yaml` with the real SAM CLI. Template, `samconfig.toml` (environment `local`)
//! and command are the same as in AWS. Only the place of the programs and the address of the
//! services differ. A [bundle](crate::bundle) is deployed with its own settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::Instant;
use url::Url;

use crate::aws::EmulatorClient;
use crate::bundle::Bundle;
use crate::functions::{self, Functions};
use crate::guard::GuardedCommand;
use crate::outputs;
use crate::parameters::{self, Parameters};
use crate::python::Python;
use crate::toolchain::Toolchain;
use crate::{REGION, STACK_NAME, environment, workspace};

/// The bucket that `samconfig.toml` names for the environment `local`.
const ARTIFACT_BUCKET: &str = "sam-artifacts";
/// The first call starts the function's process: seconds on a machine that is compiling.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

const CODE_URI: &str = "CodeUri: functions/";

/// The names of the programs that the template deploys: the last parts of its `CodeUri`s.
pub(crate) fn programs_in(template: &str) -> Vec<String> {
    code_uris(template)
        .map(|(_, name)| name.to_owned())
        .collect()
}

fn code_uris(template: &str) -> impl Iterator<Item = (&str, &str)> {
    template
        .lines()
        .filter_map(|line| Some((line, line.trim_start().strip_prefix(CODE_URI)?)))
}

/// A template whose functions have been packaged.
#[derive(Debug)]
pub(crate) struct Package {
    template: PathBuf,
    bundle: Option<Bundle>,
}

impl Package {
    /// Builds the functions if asked to. Writes a copy of the template that leads to them. Needs no
    /// emulator.
    ///
    /// # Errors
    /// When a program cannot be built, found or copied.
    pub(crate) async fn make(
        python: &Python,
        functions: &Functions,
        template: &str,
        parameters: &Parameters,
        directory: &Path,
    ) -> Result<Self> {
        if let Functions::Bundle(unpacked) = functions {
            let bundle = Bundle::copy(unpacked, &for_emulator(template, parameters))?;
            return Ok(Self {
                template: bundle.template(),
                bundle: Some(bundle),
            });
        }
        let programs = functions.programs(python, &programs_in(template)).await?;
        let mut copy = template.to_owned();
        for (line, name) in code_uris(template) {
            let program = programs
                .get(name)
                .with_context(|| format!("no program {name}"))?;
            functions::package(python, program, &directory.join(name)).await?;
            // Relative to the template's copy.
            copy = copy.replace(line, &line.replace("functions/", ""));
        }
        let path = directory.join("template.yaml");
        std::fs::write(&path, for_emulator(&copy, parameters))?;
        Ok(Self {
            template: path,
            bundle: None,
        })
    }

    /// Deploys it and returns the stack's outputs, reachable from this machine.
    ///
    /// # Errors
    /// When the SAM CLI fails; the message holds what it printed.
    pub(crate) async fn deploy(
        &self,
        toolchain: &Toolchain,
        client: &EmulatorClient,
        endpoint: &Url,
        parameters: &Parameters,
        directory: &Path,
    ) -> Result<BTreeMap<String, String>> {
        let (deploy, place) = match &self.bundle {
            Some(bundle) => (bundle.deploy(toolchain, parameters)?, bundle.path()),
            None => {
                client.create_bucket(ARTIFACT_BUCKET).await?;
                (self.sam_deploy(toolchain, parameters), directory)
            }
        };
        deploy
            .with(|command| {
                environment::clear(command, place);
                if self.bundle.is_some() {
                    // No Cargo, no compiler.
                    command.env("PATH", place).env("AWS_DEFAULT_REGION", REGION);
                }
                command
                    .current_dir(place)
                    .env("AWS_ACCESS_KEY_ID", "test")
                    .env("AWS_SECRET_ACCESS_KEY", "test")
                    .env("AWS_ENDPOINT_URL", endpoint.as_str().trim_end_matches('/'))
                    .env("AWS_EC2_METADATA_DISABLED", "true")
                    .env("SAM_CLI_TELEMETRY", "0")
                    .env("SAM_CLI_CHECK_VERSION_UPDATES", "0")
                    // Seconds between two looks at the stack's progress. The default is for AWS,
                    // where a stack takes minutes.
                    .env("SAM_CLI_POLL_DELAY", "0.2");
            })
            .run_quietly("sam deploy", &directory.join("deploy.log"))
            .await?;
        let found = client.stack_outputs(STACK_NAME).await?;
        Ok(outputs::make_reachable(found, endpoint))
    }

    fn sam_deploy(&self, toolchain: &Toolchain, parameters: &Parameters) -> GuardedCommand {
        let overrides = parameters
            .iter()
            .map(|(name, value)| format!("{name}=\"{value}\""));
        GuardedCommand::new(toolchain.python(), toolchain.sam())
            .args(["deploy", "--config-env", "local", "--config-file"])
            .arg(workspace::root().join("samconfig.toml"))
            .arg("--template-file")
            .arg(&self.template)
            .args(["--stack-name", STACK_NAME, "--region", REGION])
            .args(["--no-progressbar", "--s3-bucket", ARTIFACT_BUCKET])
            .arg("--parameter-overrides")
            .args(overrides)
    }
}

/// Waits for at most 30 s until the function behind `url` answers a GET without a failure of its
/// own.
///
/// # Errors
/// When it does not.
pub(crate) async fn wait_until_answering(client: &EmulatorClient, url: &str) -> Result<()> {
    let deadline = Instant::now() + ANSWER_DEADLINE;
    loop {
        let status = client.status(url).await;
        if status.is_some_and(|status| status < 500) {
            return Ok(());
        }
        if Instant::now() > deadline {
            let seen = status.map_or_else(|| "nothing".to_owned(), |status| status.to_string());
            bail!("the function at {url} does not work: its last answer was {seen}");
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// What the emulator needs to be otherwise.
fn for_emulator(template: &str, parameters: &Parameters) -> String {
    without_code_deploy(&with_literal_concurrency(template, parameters))
}

/// The emulator passes a parameter on as text. Comparing that text with a number, it stops polling
/// every queue. So the one number that it compares is written out.
fn with_literal_concurrency(template: &str, parameters: &Parameters) -> String {
    const NAME: &str = "MaxProcessorConcurrency";
    let value = parameters
        .get(NAME)
        .map(String::as_str)
        .or_else(|| parameters::default_of(template, NAME))
        .unwrap_or("5");
    template.replace(
        &format!("MaximumConcurrency: !Ref {NAME}"),
        &format!("MaximumConcurrency: {value}"),
    )
}

/// The emulator refuses a template with unknown types, such as CodeDeploy's. Without CodeDeploy the
/// webhook's alias moves to a new version at once, untested. All else is as in AWS.
fn without_code_deploy(template: &str) -> String {
    template.replace(
        WITH_CODE_DEPLOY,
        "DeploymentPreference:\n        Enabled: false",
    )
}

const WITH_CODE_DEPLOY: &str = "DeploymentPreference:\n        Enabled: true";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_concurrency_is_a_number_for_the_emulator() {
        let template = std::fs::read_to_string(workspace::root().join("template.yaml")).unwrap();
        let literal = with_literal_concurrency(&template, &Parameters::new());
        assert!(literal.contains("MaximumConcurrency: 5"));
        let given = Parameters::from([("MaxProcessorConcurrency".to_owned(), "7".to_owned())]);
        assert!(with_literal_concurrency(&template, &given).contains("MaximumConcurrency: 7"));
    }

    #[test]
    fn code_deploy_is_left_out_for_the_emulator() {
        let template = std::fs::read_to_string(workspace::root().join("template.yaml")).unwrap();
        assert!(template.contains(WITH_CODE_DEPLOY));
        assert!(!without_code_deploy(&template).contains(WITH_CODE_DEPLOY));
    }

    #[test]
    fn every_function_of_the_template_is_found() {
        let template = std::fs::read_to_string(workspace::root().join("template.yaml")).unwrap();
        let programs = programs_in(&template);
        assert!(
            programs.starts_with(&["webhook".to_owned(), "processor".to_owned()]),
            "{programs:?}"
        );
        let functions = template.matches("Type: AWS::Serverless::Function").count();
        assert_eq!(programs.len(), functions);
    }
}
