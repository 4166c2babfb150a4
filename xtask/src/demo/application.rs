//! What the application does: creates sessions and asks through the API, signed for AWS, and listens on the bus, by a rule with a queue
//! behind it.

use std::sync::Mutex;
use std::time::Duration;

use adapters::{AwsSettings, SecretText, sdk_config};
use anyhow::{Context, Result, ensure};
use api_client::{ApiClient, Credentials};
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::QueueAttributeName;
use local_stack::{LocalStack, REGION};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use verification::identifiers::ScanRef;

use crate::demo::check::{Look, wait_for};

/// The rule: every event of this project.
pub const PATTERN: &str = r#"{"source": ["dual-verification"]}"#;

/// The rule and the queue behind it.
const LISTENER: &str = "demo-application";

/// The API answers in milliseconds, the provider behind it within ten seconds.
const CALL_DEADLINE: Duration = Duration::from_secs(20);

/// The application.
#[derive(Debug)]
pub struct Application {
    api: ApiClient,
    eventbridge: aws_sdk_eventbridge::Client,
    sqs: aws_sdk_sqs::Client,
    bus: String,
    inbox: Mutex<Inbox>,
}

#[derive(Debug, Default)]
struct Inbox {
    queue_url: Option<String>,
    events: Vec<Event>,
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
}

/// An event as EventBridge delivers it.
#[derive(Clone, Debug, Deserialize)]
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
            api: ApiClient::new(http, stack.output("ApiUrl")?, REGION, credentials),
            eventbridge: aws_sdk_eventbridge::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            bus: stack.output("EventBusName")?.to_owned(),
            inbox: Mutex::default(),
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
        let answer = self.sqs.get_queue_attributes().queue_url(&queue_url).attribute_names(arn.clone());
        let attributes = answer.send().await.context("cannot ask the queue")?.attributes.unwrap_or_default();
        let queue_arn = attributes.get(&arn).context("the queue has no ARN")?;

        let rule = self.eventbridge.put_rule().name(LISTENER).event_bus_name(&self.bus);
        rule.event_pattern(PATTERN).send().await.context("cannot make a rule")?;
        let target = Target::builder().id("queue").arn(queue_arn).build()?;
        let targets = self.eventbridge.put_targets().rule(LISTENER).event_bus_name(&self.bus);
        let answer = targets.targets(target).send().await.context("cannot lead the rule to the queue")?;
        ensure!(answer.failed_entry_count() == 0, "the bus refuses the rule's target");
        self.inbox().queue_url = Some(queue_url);
        Ok(())
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
        let steps: Map<String, Value> = steps.iter().map(|&name| (name.to_owned(), step.clone())).collect();
        let wanted = json!({ "clientId": client_id, "additionalSteps": { "ALL": { "ALL": steps } } });
        self.call(Method::POST, "/sessions", Some(wanted), StatusCode::CREATED).await
    }

    /// Asks how a verification stands, by either token's `scanRef`.
    ///
    /// # Errors
    /// When the API does not answer 200.
    pub async fn verification(&self, scan_ref: &ScanRef) -> Result<Verification> {
        self.call(Method::GET, &format!("/verifications/{scan_ref}"), None, StatusCode::OK)
            .await
    }

    /// Waits for the event about a verification; there must be one only.
    ///
    /// # Errors
    /// When none comes in time, or more than one.
    pub async fn heard(&self, first: &ScanRef) -> Result<Event> {
        wait_for("an event on the bus", async || {
            self.receive().await?;
            let inbox = self.inbox();
            let is_about = |event: &&Event| event.detail.get("scanRef").and_then(Value::as_str) == Some(first.as_str());
            let about: Vec<&Event> = inbox.events.iter().filter(is_about).collect();
            ensure!(about.len() < 2, "expected one event, saw {about:?}");
            Ok(match about.first() {
                Some(&event) => Look::Found(event.clone()),
                None => Look::NotYet(format!("{} events about others", inbox.events.len())),
            })
        })
        .await
    }

    async fn receive(&self) -> Result<()> {
        let queue_url = self.inbox().queue_url.clone().context("nobody listens")?;
        let answer = self.sqs.receive_message().queue_url(&queue_url).max_number_of_messages(10).send();
        for message in answer.await.context("cannot read the queue")?.messages.unwrap_or_default() {
            let event = serde_json::from_str(message.body().unwrap_or_default()).context("an event that is none")?;
            self.inbox().events.push(event);
            let receipt = message.receipt_handle().unwrap_or_default();
            let delete = self.sqs.delete_message().queue_url(&queue_url).receipt_handle(receipt).send();
            delete.await.context("cannot take an event from the queue")?;
        }
        Ok(())
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<Value>, expected: StatusCode) -> Result<T> {
        let bytes = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let answer = tokio::time::timeout(CALL_DEADLINE, self.api.send(method.clone(), path, bytes)).await??;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status == expected, "{method} {path}: expected {expected}, saw {status}: {text}");
        serde_json::from_str(&text).with_context(|| format!("{method} {path} answered something else than documented"))
    }

    fn inbox(&self) -> std::sync::MutexGuard<'_, Inbox> {
        // Nothing that is done with it can fail in the middle.
        self.inbox.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
