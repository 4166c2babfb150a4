//! One customer of the sandbox for each event. The sample's own customer does not exist. Its event
//! is made one about a customer who has finished a session: with links that lead to files, and
//! signed again if the sample is signed. Answers are turned back for the comparison.

use anyhow::{Context, Result};
use harness::documents::{Card, jpeg, sha256};
use idenfy::SigningKey;
use reqwest::{Client, RequestBuilder};
use serde_json::{Map, Value, json};

use crate::events::{self, CLIENT, FIRST, SECOND};

/// The steps of the sample's second document.
const STEPS: [&str; 2] = ["SECOND_DOC_FRONT", "SECOND_DOC_BACK"];

/// In pixels: some 200 kB each.
const IMAGE_WIDTH: u16 = 640;

/// The sandbox, with the development secret.
#[derive(Debug)]
pub struct Customers {
    pub http: Client,
    pub sandbox: String,
    pub key: SigningKey,
    /// The origin of file links as the function that is invoked reaches it.
    pub file_origin: String,
}

/// A customer who has finished a session.
#[derive(Debug)]
pub struct Customer {
    /// What the sample says, and what it is for this customer.
    names: Vec<(String, String)>,
    links: Map<String, Value>,
}

impl Customers {
    /// Has a customer finish a session.
    ///
    /// # Errors
    /// The sandbox does not do as documented.
    pub async fn next(&self, number: usize) -> Result<Customer> {
        let client = format!("{CLIENT}-{number}");
        let session: Value = self
            .call(self.post("/admin/sessions", &json!({"clientId": client})))
            .await?;
        let first = session
            .get("scanRef")
            .and_then(Value::as_str)
            .context("a session without scanRef")?;
        let mut names = vec![(FIRST.to_owned(), first.to_owned())];
        for step in STEPS {
            let image = jpeg(&Card::draw(IMAGE_WIDTH, step))?;
            names.push((format!("sha256 of {step}"), sha256(&image)));
            let path = format!("{}/admin/sessions/{first}/files/{step}", self.sandbox);
            let upload = self
                .http
                .put(path)
                .header("Content-Type", "image/jpeg")
                .body(image);
            self.call::<Value>(upload).await?;
        }
        let finish = self.post(&format!("/admin/sessions/{first}/finish"), &json!({}));
        self.call::<Value>(finish).await?;
        let secret = local_stack::ProviderSecret::read(&events::secret())?;
        let files = self.post("/api/v2/files", &json!({"scanRef": first}));
        let links = self
            .call(files.basic_auth(secret.api_key, Some(secret.api_secret)))
            .await?;
        names.push((CLIENT.to_owned(), client));
        Ok(Customer { names, links })
    }

    /// The sample's event about this customer, for the function that is looked at or for one in the
    /// local stack.
    ///
    /// # Errors
    /// The sample is not one of a customer that it can be made for.
    pub fn event(&self, sample: &Value, customer: &Customer, looked_at: bool) -> Result<Value> {
        let mut event = customer.translate(sample);
        let signature = sample
            .pointer("/headers/idenfy-signature")
            .and_then(Value::as_str);
        let body = sample
            .get("body")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if signature.is_none_or(|signature| signature != self.key.sign(body.as_bytes())) {
            return Ok(event);
        }
        let mut body = event
            .get("body")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if let Ok(mut callback) = serde_json::from_str::<Value>(&body)
            && let Some(urls) = callback.get_mut("fileUrls").and_then(Value::as_object_mut)
        {
            for (step, url) in urls {
                let link = customer.links.get(step).and_then(Value::as_str);
                let link = link.with_context(|| format!("the sandbox has no file {step}"))?;
                let origin = if looked_at {
                    &self.file_origin
                } else {
                    &self.sandbox
                };
                *url = json!(link.replace(&self.sandbox, origin));
            }
            body = serde_json::to_string_pretty(&callback)?;
        }
        let signature = self.key.sign(body.as_bytes());
        if let Some(members) = event.as_object_mut() {
            members.insert("body".to_owned(), json!(body));
        }
        if let Some(header) = event.pointer_mut("/headers/idenfy-signature") {
            *header = json!(signature);
        }
        Ok(event)
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.sandbox)).json(body)
    }

    async fn call<T: serde::de::DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let answer = request
            .send()
            .await
            .context("the sandbox does not answer")?;
        Ok(answer.error_for_status()?.json().await?)
    }
}

impl Customer {
    /// Learns from the API's answer which second verification there is.
    pub fn learn_second(&mut self, verification: &Value) {
        let body = verification
            .get("body")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        if let Some(second) = body.pointer("/second/scanRef").and_then(Value::as_str) {
            self.names.push((SECOND.to_owned(), second.to_owned()));
        }
    }

    /// An event with this customer's names.
    fn translate(&self, sample: &Value) -> Value {
        replace(sample, &|text| {
            self.names
                .iter()
                .fold(text.to_owned(), |text, (sample, own)| {
                    text.replace(sample, own)
                })
        })
    }

    /// An answer with the sample's names.
    pub fn translate_back(&self, answer: &Value) -> Value {
        replace(answer, &|text| {
            self.names
                .iter()
                .fold(text.to_owned(), |text, (sample, own)| {
                    text.replace(own, sample)
                })
        })
    }
}

/// A value with every text in it replaced.
fn replace(value: &Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => json!(change(text)),
        Value::Array(items) => items.iter().map(|item| replace(item, change)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, item)| (name.clone(), replace(item, change)))
            .collect(),
        other => other.clone(),
    }
}
