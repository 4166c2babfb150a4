//! A deployed stack and the clients of everything in it.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use adapters::{AwsSettings, ExtraRoots, SecretText, http_client, sdk_config};
use anyhow::{Context, Result, bail, ensure};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use local_stack::{Functions, LocalStack, Options};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::description::{Description, STACK_VARIABLE};
use crate::emulator::Emulator;
use crate::json::text;
use crate::sandbox::SandboxClient;
use crate::signing::sign;

/// What the local stack calls the provider's secret.
const SECRET_NAME: &str = "dual-verification-local/idenfy";
const SIGNING_SECRET_NAME: &str = "dual-verification-local/idenfy-signing";

/// S3's part of a transfer, up to the first byte of the answer.
const S3_ATTEMPT: Duration = Duration::from_secs(20);

/// Names a directory with the functions' programs: they are then not built. As for `cargo xtask
/// up`.
const PREBUILT_VARIABLE: &str = "LOCAL_STACK_PREBUILT";

/// One deployed stack as one test sees it.
#[derive(Debug)]
pub struct Stack {
    /// Where everything is.
    pub description: Description,
    /// For calls to the webhook and the sandbox. Follows no redirects.
    pub http: reqwest::Client,
    /// For adapters under test.
    pub sdk: SdkConfig,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// For services that are called without an SDK.
    pub emulator: Emulator,
    /// The provider's admin API.
    pub sandbox: SandboxClient,
}

impl Stack {
    /// The stack that all tests of a run share: the one that [`STACK_VARIABLE`] describes, or one
    /// that this program starts and that ends with it. Every call makes new clients: connections
    /// belong to the runtime of the test that opens them.
    ///
    /// # Errors
    /// The stack does not start.
    pub async fn shared() -> Result<Self> {
        static OWN: Mutex<Option<Description>> = Mutex::new(None);
        #[expect(
            clippy::disallowed_methods,
            reason = "for test programs, whose one setting this is"
        )]
        let given = std::env::var_os(STACK_VARIABLE);
        let description = match given {
            Some(path) => Description::read(&PathBuf::from(path))?,
            None => {
                tokio::task::spawn_blocking(|| {
                    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
                    let description = match own.take() {
                        Some(known) => known,
                        None => start_beside_the_tests()?,
                    };
                    *own = Some(description.clone());
                    anyhow::Ok(description)
                })
                .await??
            }
        };
        Self::connect(description)
    }

    /// The clients of a stack that runs already.
    ///
    /// # Errors
    /// A client cannot be built.
    pub fn connect(description: Description) -> Result<Self> {
        let http = http_client()?;
        // The emulator takes any credentials.
        let settings = AwsSettings {
            region: description.region.clone(),
            access_key_id: "test".to_owned(),
            secret_access_key: SecretText::new("test"),
            session_token: None,
            endpoint_url: Some(description.endpoint_url.clone()),
            extra_roots: ExtraRoots::default(),
        };
        let sdk = sdk_config(http.clone(), &settings);
        let s3 = aws_sdk_s3::config::Builder::from(&sdk)
            // Buckets of an emulator are paths, not host names.
            .force_path_style(true)
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(S3_ATTEMPT)
                    .build(),
            )
            .build();
        Ok(Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            emulator: Emulator::at(http.clone(), &description.endpoint_url, &description.region),
            sandbox: SandboxClient::new(&description.sandbox_url)?,
            http,
            sdk,
            description,
        })
    }

    /// The provider's secret, from the one or the two that the functions read.
    ///
    /// # Errors
    /// The emulator does not answer, or has no secret.
    pub async fn secret(&self) -> Result<Value> {
        let secret = self.secret_named(SECRET_NAME).await?;
        let mut secret = secret.context("the emulator has no secret")?;
        if let Some(signing) = self.secret_named(SIGNING_SECRET_NAME).await? {
            secret["signingKeys"] = signing["signingKeys"].clone();
        }
        Ok(secret)
    }

    /// Puts another secret in its place. For a [`DedicatedStack`] only.
    ///
    /// # Errors
    /// As for [`secret`](Self::secret).
    pub async fn replace_secret(&self, secret: &Value) -> Result<()> {
        let mut secret = secret.clone();
        if self.secret_named(SIGNING_SECRET_NAME).await?.is_some() {
            let keys = json!({"signingKeys": secret["signingKeys"].take()});
            self.put_secret(SIGNING_SECRET_NAME, &keys).await?;
            let members = secret.as_object_mut().context("a secret is an object")?;
            members.remove("signingKeys");
        }
        self.put_secret(SECRET_NAME, &secret).await
    }

    async fn put_secret(&self, name: &str, secret: &Value) -> Result<()> {
        let request = json!({
            "SecretId": name,
            "SecretString": secret.to_string(),
            "ClientRequestToken": Uuid::new_v4().to_string(),
        });
        let answer = self.secrets("PutSecretValue", &request).await?;
        let refused = answer["__type"].as_str();
        ensure!(refused.is_none(), "putting {name}: {refused:?}");
        Ok(())
    }

    /// `None`: there is no such secret.
    pub(crate) async fn secret_named(&self, name: &str) -> Result<Option<Value>> {
        let request = json!({"SecretId": name});
        let answer = self.secrets("GetSecretValue", &request).await?;
        match answer["__type"].as_str() {
            Some(refused) if refused.ends_with("ResourceNotFoundException") => Ok(None),
            Some(refused) => bail!("reading {name}: {refused}"),
            None => Ok(Some(serde_json::from_str(text(&answer, "SecretString")?)?)),
        }
    }

    async fn secrets(&self, operation: &str, request: &Value) -> Result<Value> {
        let target = format!("secretsmanager.{operation}");
        let emulator = &self.emulator;
        emulator
            .call("secretsmanager", &target, "1.1", request)
            .await
    }

    /// Sends a body to the webhook as iDenfy does, and returns the status of the answer.
    ///
    /// # Errors
    /// The webhook does not answer.
    pub async fn post_signed(&self, body: impl Into<Vec<u8>>) -> Result<u16> {
        let body = body.into();
        let secret = self.secret().await?;
        let key = secret["signingKeys"][0].as_str();
        let signature = sign(key.context("the secret has no signing key")?, &body);
        self.post(body, Some(&signature)).await
    }

    /// Sends a body to the webhook with this signature or none, and returns the status of the
    /// answer.
    ///
    /// # Errors
    /// The webhook does not answer.
    pub async fn post(&self, body: impl Into<Vec<u8>>, signature: Option<&str>) -> Result<u16> {
        let mut request = self
            .http
            .post(&self.description.webhook_url)
            .header("Content-Type", "application/json")
            .body(body.into());
        if let Some(signature) = signature {
            request = request.header("Idenfy-Signature", signature);
        }
        let answer = request.send().await;
        let answer = answer.context("the webhook does not answer")?;
        Ok(answer.status().as_u16())
    }
}

/// A stack with other parameters, for the one test that starts it. Takes some 6 s to start.
#[derive(Debug)]
pub struct DedicatedStack {
    /// How it is used.
    pub stack: Stack,
    local: LocalStack,
}

impl DedicatedStack {
    /// Starts a stack. The options' functions are replaced by those that all tests use.
    ///
    /// # Errors
    /// The stack does not start.
    pub async fn start(options: Options) -> Result<Self> {
        let local = start(options).await?;
        Ok(Self {
            stack: Stack::connect(Description::of(&local)?)?,
            local,
        })
    }

    /// Ends the emulator and all functions in it at once. Starts it again with the state that it
    /// has kept.
    ///
    /// # Errors
    /// The emulator does not start again.
    pub async fn restart_emulator(self) -> Result<Self> {
        let local = self.local.restart_emulator().await;
        let local = local.context("the emulator does not start again")?;
        // New clients: the connections of the old ones are gone.
        Ok(Self {
            stack: Stack::connect(Description::of(&local)?)?,
            local,
        })
    }

    /// Ends it and waits until it has ended.
    pub async fn stop(self) {
        self.local.stop().await;
    }
}

async fn start(options: Options) -> Result<LocalStack> {
    #[expect(
        clippy::disallowed_methods,
        reason = "for test programs, which take no arguments"
    )]
    let prebuilt = std::env::var_os(PREBUILT_VARIABLE);
    let functions = match prebuilt {
        Some(directory) => Functions::Prebuilt(PathBuf::from(directory)),
        None => Functions::Build,
    };
    let started = LocalStack::start(Options {
        functions,
        ..options
    })
    .await;
    started.context("the local stack does not start")
}

/// Starts a stack on a thread and a runtime of its own, which live as long as the program. Every
/// part of the stack ends with the program, see `local_stack`.
#[expect(
    clippy::print_stderr,
    reason = "the tests that use the stack cannot know why it is gone"
)]
fn start_beside_the_tests() -> Result<Description> {
    let (sender, receiver) = mpsc::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let started = runtime.context("no runtime").map(|runtime| {
            runtime.block_on(async {
                let started = match start(Options::default()).await {
                    Ok(stack) => Description::of(&stack).map(|description| (description, stack)),
                    Err(error) => Err(error),
                };
                match started {
                    Ok((description, mut stack)) => {
                        drop(sender.send(Ok(description)));
                        let Err(error) = stack.failed().await;
                        eprintln!("{error:?}");
                    }
                    Err(error) => drop(sender.send(Err(error))),
                }
            });
        });
        drop(started);
    };
    std::thread::Builder::new()
        .name("stack".to_owned())
        .spawn(run)?;
    receiver.recv().context("the stack does not start")?
}
