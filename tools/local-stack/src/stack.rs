//! The running local stack: its options, its addresses and its end.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use url::Url;

use crate::Progress;
use crate::aws::EmulatorClient;
use crate::deployment::{self, Package};
use crate::emulator::{Emulator, Settings};
use crate::functions::Functions;
use crate::parameters::{self, Parameters};
use crate::provider::Provider;
use crate::python::Python;
use crate::secret::{ProviderSecret, push_secret};
use crate::toolchain::Toolchain;
use crate::workspace::RunDirectory;

/// The names of the secrets in the emulator's Secrets Manager.
const SECRET_NAME: &str = "dual-verification-local/idenfy";
const SIGNING_SECRET_NAME: &str = "dual-verification-local/idenfy-signing";

/// The name of the secret that pushed outcomes are signed with.
const PUSH_SECRET_NAME: &str = "dual-verification-local/outcome-push";

/// What to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// Origin of the provider; none starts the sandbox.
    pub provider_url: Option<Url>,
    /// File with the provider's secret; none makes one up.
    pub secret: Option<PathBuf>,
    /// Whether the signing keys are a secret of their own.
    pub parts_secret: bool,
    /// Port of the emulator on 127.0.0.1; none takes a free one.
    pub port: Option<u16>,
    /// Where the functions reach the AWS services; `None`: at the emulator. For a proxy in between.
    pub functions_endpoint: Option<Url>,
    /// Whether the emulator keeps its state when it ends, for a
    /// [restart](LocalStack::restart_emulator).
    pub keeps_state: bool,
    /// Template parameters that differ from the local defaults.
    pub parameters: Parameters,
    /// Where the functions' programs come from.
    pub functions: Functions,
    /// Told about each step.
    pub progress: Progress,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            provider_url: None,
            secret: None,
            parts_secret: false,
            port: None,
            functions_endpoint: None,
            keeps_state: false,
            parameters: Parameters::new(),
            functions: Functions::default(),
            progress: |_| {},
        }
    }
}

/// Everything that was checked before anything is started.
struct Plan {
    template: String,
    secret: ProviderSecret,
    given_secret: bool,
    /// Made up where outcomes are pushed.
    push_secret: Option<String>,
}

impl Options {
    /// Reads and checks what the caller gave.
    fn check(&self) -> Result<Plan> {
        let path = self.functions.root().join("template.yaml");
        let template = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        parameters::check(&self.parameters, &template)?;
        if let Some(url) = &self.provider_url
            && (!matches!(url.scheme(), "http" | "https")
                || url.path() != "/"
                || url.query().is_some())
        {
            bail!(
                "the provider {url} must be an origin: http or https, a host and a port, without \
                    a path"
            );
        }
        let secret = match &self.secret {
            Some(path) => ProviderSecret::read(path)?,
            None => ProviderSecret::generate(),
        };
        let pushes = self.parameters.get("OutcomePushUrl");
        Ok(Plan {
            push_secret: pushes.filter(|url| !url.is_empty()).map(|_| push_secret()),
            template,
            secret,
            given_secret: self.secret.is_some(),
        })
    }
}

/// A deployed stack. Dropping it ends everything without waiting; [`stop`](Self::stop) waits.
#[derive(Debug)]
pub struct LocalStack {
    // Drop order: the emulator before the directory that it writes to.
    emulator: Emulator,
    provider: Provider,
    outputs: BTreeMap<String, String>,
    toolchain: Toolchain,
    settings: Settings,
    generated_secret: Option<ProviderSecret>,
    directory: RunDirectory,
}

impl LocalStack {
    /// Starts everything and returns when the webhook answers. Dropping the future undoes it.
    ///
    /// # Errors
    /// At once for a parameter, secret, provider or port that will not do; later when a tool, a
    /// build, the emulator or the deployment fails.
    pub async fn start(options: Options) -> Result<Self> {
        let plan = options.check()?;
        let progress = options.progress;
        let directory = RunDirectory::create()?;
        let python = Python::find()?;

        let package_directory = directory.path().join("package");
        let package = async {
            if matches!(options.functions, Functions::Build) {
                progress("building the functions; Cargo tells how many crates are left");
            }
            Package::make(
                &python,
                &options.functions,
                &plan.template,
                &options.parameters,
                &package_directory,
            )
            .await
        };
        let settings = Settings {
            port: options.port,
            functions_endpoint: options.functions_endpoint.clone(),
            keeps_state: options.keeps_state,
        };
        // Beside the build: fetching the tools waits for the network, compiling for the processor.
        let services = async {
            let toolchain = Toolchain::prepare(progress).await?;
            let provider = Provider::start(options.provider_url.clone(), &plan.secret).await?;
            let emulator = Emulator::start(&toolchain, directory.path(), &settings).await?;
            let client = emulator.client()?;
            let mut secrets = create_secrets(&client, &plan.secret, options.parts_secret).await?;
            if let Some(secret) = &plan.push_secret {
                let arn = client.create_secret(PUSH_SECRET_NAME, secret).await?;
                secrets.insert("OutcomePushSecretArn".to_owned(), arn);
                progress(&format!(
                    "outcomes are signed by the secret {PUSH_SECRET_NAME}"
                ));
            }
            progress(&format!("the emulator answers at {}", emulator.endpoint()));
            Ok((toolchain, provider, emulator, client, secrets))
        };
        let (package, (toolchain, provider, emulator, client, secrets)) =
            tokio::try_join!(package, services)?;

        progress("deploying template.yaml with the SAM CLI");
        let parameters = local_parameters(&options.parameters, &provider, &emulator, secrets);
        let outputs = package
            .deploy(
                &toolchain,
                &client,
                emulator.endpoint(),
                &parameters,
                directory.path(),
            )
            .await?;
        let mut stack = Self {
            emulator,
            provider,
            outputs,
            toolchain,
            settings,
            generated_secret: (!plan.given_secret).then_some(plan.secret),
            directory,
        };
        stack.connect(&client).await?;
        Ok(stack)
    }

    /// Waits for the webhook and tells the sandbox about it.
    async fn connect(&mut self, client: &EmulatorClient) -> Result<()> {
        let webhook = self.output("WebhookUrl")?.to_owned();
        deployment::wait_until_answering(client, &webhook)
            .await
            .with_context(|| {
                format!(
                    "the end of the emulator's log is\n{}",
                    self.emulator.log_tail()
                )
            })?;
        self.provider.send_callbacks_to(client, &webhook).await
    }

    /// The stack's outputs by name, as addresses that work on this machine.
    pub fn outputs(&self) -> &BTreeMap<String, String> {
        &self.outputs
    }

    /// One output.
    ///
    /// # Errors
    /// When the template has no such output.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("the stack has no output {name}"))
    }

    /// Where every AWS service answers, such as `http://127.0.0.1:41234`; any credentials will do.
    pub fn endpoint_url(&self) -> &str {
        self.emulator.endpoint().as_str().trim_end_matches('/')
    }

    /// Where the sandbox answers, if one was started.
    pub fn sandbox_url(&self) -> Option<&str> {
        self.provider.sandbox_url()
    }

    /// The end of the emulator's log, for messages such as why a function did not start.
    pub fn emulator_log_tail(&self) -> String {
        self.emulator.log_tail()
    }

    /// The secret, if it was made up for this run.
    pub fn generated_secret(&self) -> Option<&ProviderSecret> {
        self.generated_secret.as_ref()
    }

    /// Returns an error when the emulator ends by itself. May be given up and called again.
    ///
    /// # Errors
    /// Always.
    pub async fn failed(&mut self) -> Result<std::convert::Infallible> {
        self.emulator.failed().await
    }

    /// Ends the emulator and all functions in it, as a power failure does. Starts it again at the
    /// same address with its kept state. Events that its table streams have not delivered yet are
    /// lost.
    ///
    /// # Errors
    /// When the stack was started without `keeps_state`, or the emulator does not start again or
    /// has forgotten the webhook.
    pub async fn restart_emulator(mut self) -> Result<Self> {
        ensure!(
            self.settings.keeps_state,
            "the emulator was not told to keep its state"
        );
        let port = self.emulator.endpoint().port();
        self.emulator.stop().await;
        self.settings.port = port;
        self.emulator =
            Emulator::start(&self.toolchain, self.directory.path(), &self.settings).await?;
        let client = self.emulator.client()?;
        self.connect(&client).await?;
        Ok(self)
    }

    /// Ends everything and removes its files, within some 10 s.
    pub async fn stop(self) {
        self.emulator.stop().await;
        self.provider.stop().await;
        drop(self.directory);
    }
}

/// Creates one secret or two. Returns the parameters that name them.
async fn create_secrets(
    client: &EmulatorClient,
    secret: &ProviderSecret,
    parts: bool,
) -> Result<Parameters> {
    let mut all = serde_json::to_value(secret)?;
    let keys = all.as_object_mut().filter(|_| parts);
    let keys = keys.and_then(|members| members.remove_entry("signingKeys"));
    let arn = client.create_secret(SECRET_NAME, &all.to_string()).await?;
    let mut parameters = Parameters::from([("IdenfySecretArn".to_owned(), arn)]);
    if let Some((name, keys)) = keys {
        let keys = serde_json::json!({ name: keys }).to_string();
        let arn = client.create_secret(SIGNING_SECRET_NAME, &keys).await?;
        parameters.insert("SigningSecretArn".to_owned(), arn);
    }
    Ok(parameters)
}

/// Parameters from the emulator and the provider; the caller's own override them.
fn local_parameters(
    given: &Parameters,
    provider: &Provider,
    emulator: &Emulator,
    secrets: Parameters,
) -> Parameters {
    let mut parameters = Parameters::from([("Stage".to_owned(), "local".to_owned())]);
    parameters.insert("IdenfyBaseUrl".to_owned(), provider.origin());
    parameters.extend(
        provider
            .file_origins()
            .map(|origins| ("FileOrigins".to_owned(), origins)),
    );
    parameters.extend(given.clone());
    let endpoint = emulator
        .endpoint()
        .as_str()
        .trim_end_matches('/')
        .to_owned();
    parameters.insert("AwsEndpointUrl".to_owned(), endpoint);
    parameters.extend(secrets);
    parameters
}
