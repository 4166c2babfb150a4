//! The functions as they are deployed in the local stack, through the emulator's Lambda API: what
//! they are called, what environment they have, and what they answer.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde_json::{Map, Value, json};

use crate::events::Function;

/// More than any function's timeout in the template.
const INVOCATION_DEADLINE: Duration = Duration::from_secs(150);

/// The deployed functions.
#[derive(Debug)]
pub struct Lambda {
    http: Client,
    endpoint: String,
    functions: Map<String, Value>,
}

impl Lambda {
    /// Asks for the functions of the stack at `endpoint`.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn at(http: Client, endpoint: &str) -> Result<Self> {
        let path = format!("{endpoint}/2015-03-31/functions/");
        let answer: Value = http
            .get(path)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let mut functions = Map::new();
        for function in answer
            .get("Functions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let name = function
                .get("FunctionName")
                .and_then(Value::as_str)
                .unwrap_or_default();
            functions.insert(name.to_owned(), function.clone());
        }
        Ok(Self {
            http,
            endpoint: endpoint.to_owned(),
            functions,
        })
    }

    /// Stops queue and stream from starting functions, so that nothing happens but what is invoked.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn disconnect(&self) -> Result<()> {
        let path = format!("{}/2015-03-31/event-source-mappings/", self.endpoint);
        let answer: Value = self
            .http
            .get(&path)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let mappings = answer.get("EventSourceMappings").and_then(Value::as_array);
        for mapping in mappings.into_iter().flatten() {
            let id = mapping
                .get("UUID")
                .and_then(Value::as_str)
                .context("an event source without an identifier")?;
            let change = self
                .http
                .put(format!("{path}{id}"))
                .json(&json!({"Enabled": false}));
            change.send().await?.error_for_status()?;
        }
        Ok(())
    }

    /// The environment of one function.
    ///
    /// # Errors
    /// The stack has no such function.
    pub fn environment(&self, function: Function) -> Result<BTreeMap<String, String>> {
        let (_, deployed) = self.deployed(function)?;
        let variables = deployed
            .pointer("/Environment/Variables")
            .cloned()
            .unwrap_or_default();
        serde_json::from_value(variables).context("an environment that is none")
    }

    /// Invokes a function and waits for its answer, which may be an error of its own.
    ///
    /// # Errors
    /// The emulator does not answer, or the answer is not JSON.
    pub async fn invoke(&self, function: Function, event: &Value) -> Result<Value> {
        let (name, _) = self.deployed(function)?;
        let path = format!("{}/2015-03-31/functions/{name}/invocations", self.endpoint);
        let answer = self
            .http
            .post(path)
            .timeout(INVOCATION_DEADLINE)
            .json(event)
            .send()
            .await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(
            status.is_success(),
            "the emulator answered {status}: {text}"
        );
        serde_json::from_str(&text).with_context(|| format!("an answer that is not JSON: {text}"))
    }

    /// CloudFormation names a function after the stack, its logical id and something random.
    fn deployed(&self, function: Function) -> Result<(&String, &Value)> {
        let part = format!("-{}-", function.logical_id());
        let found = self.functions.iter().find(|(name, _)| name.contains(&part));
        found.with_context(|| format!("the stack has no {}", function.logical_id()))
    }
}
