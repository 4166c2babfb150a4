//! The environment of the measured programs: the deployed stack on the emulator, the sandbox, and a
//! table, a bucket and a queue of the measurements' own. No deployed function reads these.

use std::collections::BTreeMap;
use std::path::Path;

use adapters::{AwsSettings, ExtraRoots, SecretText, http_client, sdk_config};
use anyhow::{Context, Result, ensure};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use harness::{Description, Emulator, SandboxClient, Stack};
use idenfy_sandbox::{Sandbox, Secret, Settings};
use local_stack::{Functions, LocalStack, Options, Progress, ProviderSecret, REGION};
use reqwest::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::callbacks::Callbacks;
use crate::provider::TimedProvider;

const BUCKET: &str = "measurements";
const QUEUE: &str = "measurements";

/// The running world. [`end`](Self::end) waits for its end; dropping it does not.
#[derive(Debug)]
pub struct World {
    stack: LocalStack,
    pub sandbox: Sandbox,
    /// What the deployed functions take for the provider.
    pub provider: TimedProvider,
    pub http: reqwest::Client,
    emulator: Emulator,
    /// The deployed stack with its customers, whose provider is the sandbox.
    pub system: Stack,
    /// The admin API of the sandbox.
    customers: SandboxClient,
    s3: aws_sdk_s3::Client,
    pub callbacks: Callbacks,
    pub secret: ProviderSecret,
    /// The deployed functions' variables, by logical id.
    deployed: BTreeMap<String, BTreeMap<String, String>>,
    queue_url: String,
}

impl World {
    /// Starts everything; `programs` is a directory with the functions' programs under their own
    /// names.
    ///
    /// # Errors
    /// A part does not start.
    pub async fn start(programs: &Path, progress: Progress) -> Result<Self> {
        let http = http_client()?;
        let secret = ProviderSecret::generate();
        let signing_key = secret
            .signing_keys
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        let sandbox = Sandbox::start(Settings {
            api_key: Secret::new(&secret.api_key),
            api_secret: Secret::new(&secret.api_secret),
            signing_key: Secret::new(signing_key),
            ..Settings::default()
        })
        .await?;
        let provider = TimedProvider::start(http.clone(), sandbox.url()).await?;
        let secret_file = tempfile::NamedTempFile::new()?;
        std::fs::write(secret_file.path(), serde_json::to_vec(&secret)?)?;
        let stack = LocalStack::start(Options {
            provider_url: Some(provider.url.parse()?),
            secret: Some(secret_file.path().to_owned()),
            functions: Functions::Prebuilt(programs.to_owned()),
            progress,
            ..Options::default()
        })
        .await?;
        let sdk = sdk_config(
            http.clone(),
            &AwsSettings {
                region: REGION.to_owned(),
                access_key_id: "test".to_owned(),
                secret_access_key: SecretText::new("test"),
                session_token: None,
                endpoint_url: Some(stack.endpoint_url().to_owned()),
                extra_roots: ExtraRoots::default(),
            },
        );
        let s3 = aws_sdk_s3::config::Builder::from(&sdk)
            .force_path_style(true)
            .build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        let region = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from(REGION))
            .build();
        s3.create_bucket()
            .bucket(BUCKET)
            .create_bucket_configuration(region)
            .send()
            .await?;
        let sqs = aws_sdk_sqs::Client::new(&sdk);
        let queue = sqs.create_queue().queue_name(QUEUE).send().await?;
        let emulator = Emulator::at(http.clone(), stack.endpoint_url(), REGION);
        let deployed = deployed_variables(&emulator).await?;
        let system = Stack::connect(Description {
            sandbox_url: sandbox.url().to_owned(),
            ..Description::of(&stack)?
        })?;
        Ok(Self {
            callbacks: Callbacks::read(signing_key)?,
            customers: SandboxClient::new(sandbox.url())?,
            emulator,
            system,
            s3,
            queue_url: queue.queue_url.context("the queue has no address")?,
            deployed,
            stack,
            sandbox,
            provider,
            http,
            secret,
        })
    }

    /// A new, empty table like the deployed one, but without its stream.
    ///
    /// # Errors
    /// It cannot be created.
    pub async fn table(&self, name: &str) -> Result<String> {
        let deployed = self.stack.output("PairingTableName")?;
        let described = self
            .dynamodb("DescribeTable", &json!({ "TableName": deployed }))
            .await?;
        let like = described.get("Table").context("there is no table")?;
        let of = |value: &Value, names: &[&str]| -> Map<String, Value> {
            let members = names
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), value.get(*name)?.clone())));
            members.collect()
        };
        let mut wanted = of(like, &["AttributeDefinitions", "KeySchema"]);
        let indexes = like.get("GlobalSecondaryIndexes").and_then(Value::as_array);
        let indexes = indexes.context("the table has no indexes")?.iter();
        let indexes: Vec<_> = indexes
            .map(|index| of(index, &["IndexName", "KeySchema", "Projection"]))
            .collect();
        wanted.insert("GlobalSecondaryIndexes".to_owned(), json!(indexes));
        wanted.insert("TableName".to_owned(), json!(name));
        wanted.insert("BillingMode".to_owned(), json!("PAY_PER_REQUEST"));
        self.dynamodb("CreateTable", &Value::Object(wanted)).await?;
        Ok(name.to_owned())
    }

    /// Without the SDK: the emulator describes tables in words that the SDK does not take.
    async fn dynamodb(&self, operation: &str, request: &Value) -> Result<Value> {
        let target = format!("DynamoDB_20120810.{operation}");
        let answer = self.emulator.call("dynamodb", &target, "1.0", request);
        let answer = answer.await?;
        ensure!(answer.get("__type").is_none(), "{operation}: {answer}");
        Ok(answer)
    }

    /// What a function or a peer finds in its environment here: what the template sets, pointed at
    /// the measurements' own resources.
    ///
    /// # Errors
    /// There is no such function.
    pub fn variables(
        &self,
        logical_id: &str,
        table: &str,
        file_origin: &str,
    ) -> Result<BTreeMap<String, String>> {
        let mut variables = self
            .deployed
            .get(logical_id)
            .with_context(|| format!("there is no function {logical_id}"))?
            .clone();
        let changes = [
            ("PAIRING_TABLE", table),
            ("DOCUMENT_BUCKET", BUCKET),
            ("SUBMISSION_QUEUE_URL", &self.queue_url),
            ("FILE_ORIGINS", file_origin),
            ("IDENFY_BASE_URL", self.sandbox.url()),
            ("AWS_ENDPOINT_URL", self.stack.endpoint_url()),
        ];
        variables.extend(changes.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(variables)
    }

    /// The address of an object in the measurements' bucket.
    pub fn object_url(&self, key: &str) -> String {
        format!("{}/{BUCKET}/{key}", self.stack.endpoint_url())
    }

    /// Where the emulator listens.
    pub fn endpoint_url(&self) -> &str {
        self.stack.endpoint_url()
    }

    /// An output of the deployed stack.
    ///
    /// # Errors
    /// There is no such output.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.stack.output(name)
    }

    /// The digests of all objects below `prefix`, in the order of their names, and removes them:
    /// the emulator keeps them in memory.
    ///
    /// # Errors
    /// The bucket cannot be read.
    pub async fn take_digests(&self, prefix: &str) -> Result<Vec<String>> {
        let listed = self
            .s3
            .list_objects_v2()
            .bucket(BUCKET)
            .prefix(prefix)
            .send()
            .await?;
        let mut digests = Vec::new();
        for object in listed.contents() {
            let key = object.key().context("an object has a key")?;
            let file = self.s3.get_object().bucket(BUCKET).key(key).send().await?;
            digests.push(hex::encode(Sha256::digest(
                file.body.collect().await?.into_bytes(),
            )));
            self.s3
                .delete_object()
                .bucket(BUCKET)
                .key(key)
                .send()
                .await?;
        }
        Ok(digests)
    }

    /// The `scanRef` of a first verification that the provider has approved. The processor asks the
    /// provider before it submits, so an invented one would not do.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn approved_scan_ref(&self) -> Result<String> {
        let customer = json!({"clientId": uuid::Uuid::new_v4().to_string()});
        let opened = self.customers.admin(Method::POST, "/sessions", customer);
        let opened = opened.await?;
        let scan_ref = opened.get("scanRef").and_then(Value::as_str);
        let scan_ref = scan_ref.context("a session without scanRef")?.to_owned();
        // The callback is the measurement's own; this one has no receiver.
        let approved = json!({"overall": "APPROVED", "additionalSteps": "VALID"});
        let path = format!("/sessions/{scan_ref}/finish");
        self.customers.admin(Method::POST, &path, approved).await?;
        Ok(scan_ref)
    }

    /// Whether the provider sends its callbacks to the deployed stack. It does not at first: the
    /// programs that are measured by themselves get theirs otherwise.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn connect_provider(&self, is_connected: bool) -> Result<()> {
        let url = &self.system.description.webhook_url;
        let patch = json!({
            "callbackUrl": is_connected.then_some(url),
            // The deployed functions fetch files from there alone.
            "publicUrl": is_connected.then_some(&self.provider.url),
        });
        self.customers.settings(patch).await
    }

    /// What the provider was asked about a customer on one route.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn requests(&self, client_id: &str, route: &str) -> Result<Vec<Value>> {
        let mut requests = self.customers.requests_of(client_id).await?;
        requests.retain(|request| request.get("route").is_some_and(|name| name == route));
        Ok(requests)
    }

    /// Ends everything.
    pub async fn end(self) {
        self.stack.stop().await;
        self.sandbox.shutdown().await;
    }
}

async fn deployed_variables(
    emulator: &Emulator,
) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut deployed = BTreeMap::new();
    for logical_id in LOGICAL_IDS {
        let function = emulator.function(logical_id).await?;
        deployed.insert(logical_id.to_owned(), function.variables);
    }
    Ok(deployed)
}

/// The functions in `template.yaml`.
pub const LOGICAL_IDS: [&str; 5] = [
    "WebhookFunction",
    "ProcessorFunction",
    "ApiFunction",
    "ReconcilerFunction",
    "PublisherFunction",
];
