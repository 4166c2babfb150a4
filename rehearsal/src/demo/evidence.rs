//! What is really in the emulator's bucket, table and queues, asked of them directly with the AWS
//! SDK; nothing here believes what a function says about itself.

use std::time::Duration;

use adapters::{AwsSettings, DynamoPairings, SecretText, sdk_config};
use anyhow::{Context, Result};
use aws_sdk_sqs::types::QueueAttributeName;
use local_stack::{LocalStack, REGION};
use verification::Pairing;
use verification::identifiers::ScanRef;
use verification::ports::{HistoryEntry, Pairings};

use crate::demo::documents::sha256;

/// How much of a history is read; one customer's has about ten lines.
const HISTORY_LIMIT: u16 = 100;

/// Of one object, or one page of them. Each has up to 7 MB, from this machine.
const TRANSFER_DEADLINE: Duration = Duration::from_secs(20);

/// An object in the bucket, read back whole.
#[derive(Debug, Clone)]
pub struct StoredObject {
    pub key: String,
    pub bytes: u64,
    pub sha256: String,
    pub media_type: String,
}

/// The stack's stores.
#[derive(Debug)]
pub struct Evidence {
    pairings: DynamoPairings,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    bucket: String,
    queue_url: String,
    dead_letter_queue_url: String,
}

impl Evidence {
    /// Of a stack that runs.
    ///
    /// # Errors
    /// When the stack lacks an output.
    pub fn of(stack: &LocalStack, http: reqwest::Client) -> Result<Self> {
        let settings = AwsSettings {
            region: REGION.to_owned(),
            access_key_id: "test".to_owned(),
            secret_access_key: SecretText::new("test"),
            session_token: None,
            endpoint_url: Some(stack.endpoint_url().to_owned()),
        };
        let sdk = sdk_config(http, &settings);
        let s3 = aws_sdk_s3::config::Builder::from(&sdk)
            // Buckets of an emulator are paths, not host names.
            .force_path_style(true)
            .timeout_config(aws_sdk_s3::config::timeout::TimeoutConfig::disabled())
            .build();
        Ok(Self {
            // Nothing is written here, so for how long does not matter.
            pairings: DynamoPairings::new(&sdk, stack.output("PairingTableName")?, Duration::ZERO),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            bucket: stack.output("DocumentBucketName")?.to_owned(),
            queue_url: stack.output("SubmissionQueueUrl")?.to_owned(),
            dead_letter_queue_url: stack.output("SubmissionDeadLetterQueueUrl")?.to_owned(),
        })
    }

    /// The objects whose keys begin with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// When the bucket cannot be read in time.
    pub async fn objects(&self, prefix: &str) -> Result<Vec<StoredObject>> {
        let list = self
            .s3
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .send();
        let list = in_time(list).await?.context("cannot list the bucket")?;
        let mut objects = Vec::new();
        for key in list.contents().iter().filter_map(|object| object.key()) {
            objects.push(in_time(self.object(key)).await??);
        }
        Ok(objects)
    }

    async fn object(&self, key: &str) -> Result<StoredObject> {
        let failed = || format!("cannot read {key} from the bucket");
        let answer = self.s3.get_object().bucket(&self.bucket).key(key).send();
        let answer = answer.await.with_context(failed)?;
        let media_type = answer.content_type().unwrap_or("unknown").to_owned();
        let content = answer
            .body
            .collect()
            .await
            .with_context(failed)?
            .into_bytes();
        Ok(StoredObject {
            key: key.to_owned(),
            bytes: content.len() as u64,
            sha256: sha256(&content),
            media_type,
        })
    }

    /// The pairing that a `scanRef`, of either token, belongs to.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn pairing(&self, scan_ref: &ScanRef) -> Result<Option<Pairing>> {
        Ok(self.pairings.find(scan_ref).await?)
    }

    /// A pairing's history, oldest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn history(&self, first: &ScanRef) -> Result<Vec<HistoryEntry>> {
        Ok(self.pairings.history(first, HISTORY_LIMIT).await?)
    }

    /// How many messages the submission queue holds: waiting, being worked on, and delayed.
    ///
    /// # Errors
    /// When the queue cannot be asked.
    pub async fn queued(&self) -> Result<u64> {
        self.messages(&self.queue_url).await
    }

    /// The same of the dead-letter queue.
    ///
    /// # Errors
    /// When the queue cannot be asked.
    pub async fn dead_letters(&self) -> Result<u64> {
        self.messages(&self.dead_letter_queue_url).await
    }

    async fn messages(&self, queue_url: &str) -> Result<u64> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.sqs.get_queue_attributes().queue_url(queue_url);
        let answer = request
            .set_attribute_names(Some(names.to_vec()))
            .send()
            .await;
        let attributes = answer
            .context("cannot ask the queue")?
            .attributes
            .unwrap_or_default();
        names.iter().try_fold(0, |sum, name| {
            let count = attributes
                .get(name)
                .with_context(|| format!("the queue does not tell {name}"))?;
            Ok(sum + count.parse::<u64>()?)
        })
    }
}

async fn in_time<T>(work: impl IntoFuture<Output = T>) -> Result<T> {
    let late = || {
        format!(
            "the bucket did not answer within {} s",
            TRANSFER_DEADLINE.as_secs()
        )
    };
    tokio::time::timeout(TRANSFER_DEADLINE, work)
        .await
        .with_context(late)
}
