//! A deployed stack and the clients of everything in it.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::mpsc;

use adapters::{AwsSettings, SecretText, http_client, sdk_config};
use api_client::{ApiClient, Credentials};
use aws_types::SdkConfig;
use local_stack::{Functions, LocalStack, Options};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::description::{Description, STACK_VARIABLE};
use crate::sandbox::SandboxClient;
use crate::signing::sign;

/// What the local stack calls the provider's secret.
const SECRET_NAME: &str = "dual-verification-local/idenfy";

/// Names a directory with the functions' programs, so that they need not be built; as for `cargo
/// xtask up`.
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
    pub(crate) api: ApiClient,
    /// The provider's admin API.
    pub sandbox: SandboxClient,
}

impl Stack {
    /// The stack that all tests of a run share: the one that [`STACK_VARIABLE`] tells of, or one
    /// that this program starts and that ends with it. Clients are new, because connections belong
    /// to the runtime of the test that opens them.
    pub async fn shared() -> Self {
        static OWN: OnceLock<Description> = OnceLock::new();
        let description = match std::env::var_os(STACK_VARIABLE) {
            Some(path) => Description::read(&PathBuf::from(path)),
            None => tokio::task::spawn_blocking(|| OWN.get_or_init(start_beside_the_tests).clone())
                .await
                .expect("a stack"),
        };
        Self::connect(description)
    }

    /// The clients of a stack that runs already.
    pub fn connect(description: Description) -> Self {
        let http = http_client().expect("an HTTP client");
        let settings = AwsSettings {
            region: description.region.clone(),
            access_key_id: "test".to_owned(),
            secret_access_key: SecretText::new("test"),
            session_token: None,
            endpoint_url: Some(description.endpoint_url.clone()),
        };
        let sdk = sdk_config(http.clone(), &settings);
        let s3 = aws_sdk_s3::config::Builder::from(&sdk)
            .force_path_style(true)
            .build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            api: ApiClient::new(
                http.clone(),
                &description.api_url,
                description.region.clone(),
                // The emulator takes any.
                Credentials::new("test", "test", None, None, "emulator"),
            ),
            sandbox: SandboxClient::new(&description.sandbox_url),
            http,
            sdk,
            description,
        }
    }

    /// The provider's secret, as the functions read it.
    pub async fn secret(&self) -> Value {
        let request = json!({"SecretId": SECRET_NAME});
        let target = "secretsmanager.GetSecretValue";
        let answer = self.call("secretsmanager", target, &request).await;
        serde_json::from_str(answer["SecretString"].as_str().expect("text")).expect("JSON")
    }

    /// Puts another secret in its place. For a [`DedicatedStack`] only.
    pub async fn replace_secret(&self, secret: &Value) {
        self.put_secret(SECRET_NAME, &secret.to_string()).await;
    }

    /// Puts another text into any secret, by name or ARN.
    pub async fn put_secret(&self, id: &str, text: &str) {
        let token = Uuid::new_v4().to_string();
        let request = json!({"SecretId": id, "SecretString": text, "ClientRequestToken": token});
        let target = "secretsmanager.PutSecretValue";
        self.call("secretsmanager", target, &request).await;
    }

    /// Sends a body to the webhook as iDenfy does, and returns the status of the answer.
    pub async fn post_signed(&self, body: impl Into<Vec<u8>>) -> u16 {
        let body = body.into();
        let secret = self.secret().await;
        let signature = sign(secret["signingKeys"][0].as_str().expect("a key"), &body);
        self.post(body, Some(&signature)).await
    }

    /// Sends a body to the webhook with any signature or none, and returns the status of the
    /// answer.
    pub async fn post(&self, body: impl Into<Vec<u8>>, signature: Option<&str>) -> u16 {
        let mut request = self.http.post(&self.description.webhook_url);
        request = request
            .header("Content-Type", "application/json")
            .body(body.into());
        if let Some(signature) = signature {
            request = request.header("Idenfy-Signature", signature);
        }
        request.send().await.expect("an answer").status().as_u16()
    }
}

/// A stack with other parameters, for the one test that starts it. Costs some six seconds.
#[derive(Debug)]
pub struct DedicatedStack {
    /// How it is used.
    pub stack: Stack,
    local: LocalStack,
}

impl DedicatedStack {
    /// Starts a stack; the options' functions are replaced by those that all tests use.
    pub async fn start(options: Options) -> Self {
        let local = start(options).await;
        Self {
            stack: Stack::connect(Description::of(&local)),
            local,
        }
    }

    /// Ends the emulator and all functions in it, wherever they are, and starts it again with the
    /// state that it has kept.
    pub async fn restart_emulator(self) -> Self {
        let local = self.local.restart_emulator().await;
        let local =
            local.unwrap_or_else(|error| panic!("the emulator does not start again: {error:?}"));
        // New clients: the connections of the old ones are gone.
        Self {
            stack: Stack::connect(Description::of(&local)),
            local,
        }
    }

    /// Ends it and waits until it has ended.
    pub async fn stop(self) {
        self.local.stop().await;
    }
}

async fn start(options: Options) -> LocalStack {
    let functions = match std::env::var_os(PREBUILT_VARIABLE) {
        Some(directory) => Functions::Prebuilt(PathBuf::from(directory)),
        None => Functions::Build,
    };
    let started = LocalStack::start(Options {
        functions,
        ..options
    })
    .await;
    started.unwrap_or_else(|error| panic!("the local stack does not start: {error:?}"))
}

/// Starts a stack on a thread and a runtime of its own, which live as long as the program. What the
/// stack consists of ends with the program, see `local_stack`.
fn start_beside_the_tests() -> Description {
    let (sender, receiver) = mpsc::channel();
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut stack = start(Options::default()).await;
            sender
                .send(Description::of(&stack))
                .expect("somebody waits");
            let Err(error) = stack.failed().await;
            panic!("{error:?}");
        });
    };
    std::thread::Builder::new()
        .name("stack".to_owned())
        .spawn(run)
        .expect("a thread");
    receiver.recv().expect("the stack starts")
}
