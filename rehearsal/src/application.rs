//! What an application does: creates sessions and asks through the API, signed for AWS, and listens
//! on the bus, by a rule with a queue behind it.

use std::sync::OnceLock;
use std::time::Duration;

use adapters::{AwsSettings, SecretText, ServiceCalls, sdk_config};
use anyhow::{Context, Result, ensure};
use api_client::{ApiClient, Credentials};
use aws_sdk_sqs::types::QueueAttributeName;
use local_stack::{LocalStack, REGION};
use reqwest::{Method, StatusCode};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use verification::identifiers::ScanRef;

/// The rule: every event of this project.
pub const PATTERN: &str = r#"{"source": ["dual-verification"]}"#;

/// The rule and the queue behind it.
const LISTENER: &str = "local-application";

/// The API answers in milliseconds, the provider behind it within ten seconds.
const CALL_DEADLINE: Duration = Duration::from_secs(20);

/// The application.
#[derive(Debug)]
pub struct Application {
    api: ApiClient,
    eventbridge: ServiceCalls,
    sqs: aws_sdk_sqs::Client,
    bus: String,
    queue_url: OnceLock<String>,
}

/// A session, as the API answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub scan_ref: String,
    pub redirect_url: String,
    pub expires_at: String,
}

/// The part of a verification that the demo looks at.
#[derive(Debug, Deserialize)]
pub struct Verification {
    pub state: String,
    pub verdict: Option<String>,
    /// None if the stack does not compare.
    pub comparison: Option<Comparison>,
}

/// What the data of both results say: of the person, and of the two documents.
#[derive(Debug, Deserialize)]
pub struct Comparison {
    pub person: String,
    pub document: String,
}

/// An event as EventBridge delivers it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Event {
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    pub detail: Map<String, Value>,
}

impl Application {
    /// Of a stack that runs.
    ///
    /// # Errors
    /// When the stack lacks an output.
    pub fn of(stack: &LocalStack, http: reqwest::Client) -> Result<Self> {
        // The emulator takes any credentials.
        let settings = AwsSettings {
            region: REGION.to_owned(),
            access_key_id: "test".to_owned(),
            secret_access_key: SecretText::new("test"),
            session_token: None,
            endpoint_url: Some(stack.endpoint_url().to_owned()),
        };
        let sdk = sdk_config(http.clone(), &settings);
        let credentials = Credentials::new("test", "test", None, None, "emulator");
        Ok(Self {
            api: ApiClient::new(http.clone(), stack.output("ApiUrl")?, REGION, credentials),
            eventbridge: ServiceCalls::new(http, &sdk, "events"),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            bus: stack.output("EventBusName")?.to_owned(),
            queue_url: OnceLock::new(),
        })
    }

    /// Listens from now on.
    ///
    /// # Errors
    /// When the rule or its queue cannot be made.
    pub async fn listen(&self) -> Result<()> {
        let queue = self
            .sqs
            .create_queue()
            .queue_name(LISTENER)
            .send()
            .await
            .context("cannot make a queue")?;
        let queue_url = queue.queue_url.context("the queue has no address")?;
        let arn = QueueAttributeName::QueueArn;
        let answer = self
            .sqs
            .get_queue_attributes()
            .queue_url(&queue_url)
            .attribute_names(arn.clone());
        let attributes = answer
            .send()
            .await
            .context("cannot ask the queue")?
            .attributes
            .unwrap_or_default();
        let queue_arn = attributes.get(&arn).context("the queue has no ARN")?;

        let rule = json!({"Name": LISTENER, "EventBusName": self.bus, "EventPattern": PATTERN});
        self.eventbridge
            .json::<IgnoredAny>("AWSEvents.PutRule", &rule)
            .await
            .context("cannot make a rule")?;
        let targets = json!([{"Id": "queue", "Arn": queue_arn}]);
        let targets = json!({"Rule": LISTENER, "EventBusName": self.bus, "Targets": targets});
        let answer: Value = self
            .eventbridge
            .json("AWSEvents.PutTargets", &targets)
            .await
            .context("cannot lead the rule to the queue")?;
        let failed = answer.get("FailedEntryCount").and_then(Value::as_u64);
        ensure!(failed == Some(0), "the bus refuses the rule's target");
        self.queue_url
            .set(queue_url)
            .ok()
            .context("listens already")
    }

    /// Creates a session for a customer who is asked for `steps` besides the first document.
    ///
    /// # Errors
    /// When the API does not answer 201.
    pub async fn create_session(&self, client_id: &str, steps: &[&str]) -> Result<Session> {
        let step = json!({
            "type": "UPLOAD",
            "texts": { "en": { "name": "Second document", "description": "A photo or scan of your second document" } },
            "settings": { "canUpload": true, "canCapture": true, "canUploadPDF": true },
            "fields": [],
        });
        let steps: Map<String, Value> = steps
            .iter()
            .map(|&name| (name.to_owned(), step.clone()))
            .collect();
        let wanted =
            json!({ "clientId": client_id, "additionalSteps": { "ALL": { "ALL": steps } } });
        self.call(Method::POST, "/sessions", Some(wanted), StatusCode::CREATED)
            .await
    }

    /// Asks how a verification stands, by either token's `scanRef`.
    ///
    /// # Errors
    /// When the API does not answer 200.
    pub async fn verification(&self, scan_ref: &ScanRef) -> Result<Verification> {
        self.call(
            Method::GET,
            &format!("/verifications/{scan_ref}"),
            None,
            StatusCode::OK,
        )
        .await
    }

    /// Takes the events that have come since the last time.
    ///
    /// # Errors
    /// When nobody listens, or the queue cannot be read.
    pub async fn receive(&self) -> Result<Vec<Event>> {
        let queue_url = self.queue_url.get().context("nobody listens")?;
        let answer = self
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .max_number_of_messages(10)
            .send();
        let mut events = Vec::new();
        for message in answer
            .await
            .context("cannot read the queue")?
            .messages
            .unwrap_or_default()
        {
            events.push(
                serde_json::from_str(message.body().unwrap_or_default())
                    .context("an event that is none")?,
            );
            let receipt = message.receipt_handle().unwrap_or_default();
            let delete = self
                .sqs
                .delete_message()
                .queue_url(queue_url)
                .receipt_handle(receipt)
                .send();
            delete
                .await
                .context("cannot take an event from the queue")?;
        }
        Ok(events)
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        expected: StatusCode,
    ) -> Result<T> {
        let bytes = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let answer =
            tokio::time::timeout(CALL_DEADLINE, self.api.send(method.clone(), path, bytes))
                .await??;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(
            status == expected,
            "{method} {path}: expected {expected}, saw {status}: {text}"
        );
        serde_json::from_str(&text)
            .with_context(|| format!("{method} {path} answered something else than documented"))
    }
}
