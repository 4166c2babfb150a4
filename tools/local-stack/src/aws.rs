//! The few calls that the local stack itself makes to the emulator, over plain HTTP: making a
//! secret and a bucket, and reading a stack's outputs. The emulator checks no signatures; it reads
//! the region out of one, so there is a header that looks like one.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use url::Url;

use crate::REGION;

/// Longer than any single call takes on a busy machine.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

/// A client of the emulator at one address.
#[derive(Debug, Clone)]
pub struct EmulatorClient {
    client: Client,
    endpoint: Url,
}

impl EmulatorClient {
    /// A client that waits for at most 30 s per call and uses no proxy.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(endpoint: Url) -> Result<Self> {
        // The client insists on a crypto provider even without TLS. Another one that is installed
        // already will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        #[expect(
            clippy::disallowed_methods,
            reason = "speaks plain HTTP with this machine only; the one client is for what ships"
        )]
        let client = Client::builder()
            .no_proxy()
            .timeout(CALL_DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, endpoint })
    }

    /// Whether the emulator answers.
    pub async fn is_healthy(&self) -> bool {
        self.get("_ministack/health")
            .timeout(Duration::from_secs(2))
            .send()
            .await
            .is_ok_and(|answer| answer.status().is_success())
    }

    /// The status of a GET of `url`, with `None` for no answer at all.
    pub async fn status(&self, url: &str) -> Option<u16> {
        let answer = self.client.get(url).send().await.ok()?;
        Some(answer.status().as_u16())
    }

    /// Changes something by JSON merge patch; the sandbox's settings, which have no client of their
    /// own.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn patch(&self, url: &str, change: &Value) -> Result<()> {
        let answer = self.client.patch(url).json(change).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "{url} refused a change ({status})");
        Ok(())
    }

    /// Makes a secret and returns its ARN.
    ///
    /// # Errors
    /// When the emulator refuses; the message does not hold the value.
    pub async fn create_secret(&self, name: &str, value: &str) -> Result<String> {
        let body = json!({ "Name": name, "SecretString": value,
            "ClientRequestToken": uuid::Uuid::new_v4().to_string() });
        let answer = self
            .signed(self.client.post(self.endpoint.clone()), "secretsmanager")
            .header("X-Amz-Target", "secretsmanager.CreateSecret")
            .header("Content-Type", "application/x-amz-json-1.1")
            .body(body.to_string())
            .send()
            .await
            .context("cannot create the secret")?;
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap_or_default();
        answer
            .get("ARN")
            .and_then(Value::as_str)
            .map(str::to_owned)
            .with_context(|| format!("the emulator did not create the secret ({status})"))
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub async fn create_bucket(&self, name: &str) -> Result<()> {
        let configuration = format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        let answer = self
            .signed(self.client.put(self.endpoint.join(name)?), "s3")
            .body(configuration)
            .send()
            .await
            .context("cannot create the bucket for deployments")?;
        let status = answer.status();
        ensure!(
            status.is_success(),
            "the emulator did not create a bucket ({status})"
        );
        Ok(())
    }

    /// The outputs of a stack.
    ///
    /// # Errors
    /// When there is no such stack or the answer is not CloudFormation's.
    pub async fn stack_outputs(&self, stack_name: &str) -> Result<BTreeMap<String, String>> {
        let body = format!("Action=DescribeStacks&Version=2010-05-15&StackName={stack_name}");
        let answer = self
            .signed(self.client.post(self.endpoint.clone()), "cloudformation")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
            .await
            .context("cannot describe the stack")?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(
            status.is_success(),
            "the emulator did not describe the stack ({status}): {text}"
        );
        outputs_in(&text)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        let mut url = self.endpoint.clone();
        url.set_path(path);
        self.client.get(url)
    }

    fn signed(&self, request: RequestBuilder, service: &str) -> RequestBuilder {
        let scope = format!("test/20200101/{REGION}/{service}/aws4_request");
        let value = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        request.header("Authorization", value)
    }
}

fn outputs_in(text: &str) -> Result<BTreeMap<String, String>> {
    let document =
        roxmltree::Document::parse(text).context("the stack's description is not XML")?;
    let outputs = document
        .descendants()
        .filter(|node| node.has_tag_name_ignoring_namespace("OutputKey"))
        .filter_map(|key| {
            let value = key
                .parent()?
                .children()
                .find(|node| node.has_tag_name_ignoring_namespace("OutputValue"))?;
            Some((
                key.text()?.to_owned(),
                value.text().unwrap_or_default().to_owned(),
            ))
        })
        .collect();
    Ok(outputs)
}

trait IgnoringNamespace {
    fn has_tag_name_ignoring_namespace(&self, name: &str) -> bool;
}

impl IgnoringNamespace for roxmltree::Node<'_, '_> {
    fn has_tag_name_ignoring_namespace(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_whatever_the_namespace_and_unescaped() {
        let text = r#"<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>
            <Stacks><member><StackName>s</StackName><Outputs>
            <member><OutputKey>A</OutputKey><OutputValue>http://a/?b=1&amp;c=2</OutputValue><Description>d</Description></member>
            <member><OutputKey>B</OutputKey><OutputValue/></member>
            </Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"#;
        let outputs = outputs_in(text).unwrap();
        assert_eq!(outputs["A"], "http://a/?b=1&c=2");
        assert_eq!(outputs["B"], "");
        assert_eq!(outputs.len(), 2);
    }
}
