//! The deployed functions, through the emulator's Lambda API: their names, their environment, and
//! invocations by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::emulator::Emulator;
use crate::json::{list, text};
use crate::stack::Stack;

/// Longer than any function's timeout in the template.
const INVOCATION_DEADLINE: Duration = Duration::from_secs(150);

/// A function as it is deployed.
#[derive(Clone, Debug)]
pub struct DeployedFunction {
    /// CloudFormation makes it of the stack's name, the logical id and something random.
    pub name: String,
    /// Its environment variables.
    pub variables: BTreeMap<String, String>,
}

impl Emulator {
    async fn get(&self, path: &str) -> Result<Value> {
        let url = format!("{}{path}", self.endpoint_url);
        let failed = || format!("{url}: the emulator does not answer");
        let answer = self.http.get(&url).send().await.with_context(failed)?;
        let answer = answer.error_for_status().with_context(failed)?;
        answer.json().await.with_context(failed)
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<()> {
        let url = format!("{}{path}", self.endpoint_url);
        let answer = self.http.put(&url).json(body).send().await;
        let answer = answer.with_context(|| format!("{url}: the emulator does not answer"))?;
        ensure!(answer.status().is_success(), "{url}: {}", answer.status());
        Ok(())
    }

    /// Every function of the stack.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn functions(&self) -> Result<Vec<DeployedFunction>> {
        let answer = self.get("/2015-03-31/functions/").await?;
        let functions = list(&answer, "Functions")?.iter().map(|function| {
            let variables = function["Environment"]["Variables"].as_object();
            let variables = variables
                .into_iter()
                .flatten()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            Ok(DeployedFunction {
                name: text(function, "FunctionName")?.to_owned(),
                variables: variables.collect(),
            })
        });
        functions.collect()
    }

    /// The function with this logical id.
    ///
    /// # Errors
    /// It is not deployed, or the emulator does not answer.
    pub async fn function(&self, logical_id: &str) -> Result<DeployedFunction> {
        let part = format!("-{logical_id}-");
        let mut functions = self.functions().await?.into_iter();
        functions
            .find(|function| function.name.contains(&part))
            .with_context(|| format!("the stack has no {logical_id}"))
    }

    /// Invokes a function by its deployed name. `Ok(Err(_))` is an error of the function itself.
    ///
    /// # Errors
    /// There is no answer within 150 s, or it is not JSON.
    pub async fn invoke_named(
        &self,
        name: &str,
        event: &Value,
    ) -> Result<std::result::Result<Value, Value>> {
        let url = format!(
            "{}/2015-03-31/functions/{name}/invocations",
            self.endpoint_url
        );
        let request = self.http.post(url).timeout(INVOCATION_DEADLINE).json(event);
        let answer = request.send().await?;
        let status = answer.status();
        let has_failed = answer.headers().contains_key("x-amz-function-error");
        let printed = answer.text().await?;
        let answer = serde_json::from_str(&printed)
            .with_context(|| format!("{name} answered {status}: {printed}"))?;
        Ok(if has_failed { Err(answer) } else { Ok(answer) })
    }

    /// Identifiers of the event sources, of one function or of all.
    pub(crate) async fn event_sources(&self, function: Option<&str>) -> Result<Vec<String>> {
        let mut path = "/2015-03-31/event-source-mappings/".to_owned();
        if let Some(name) = function {
            path.push_str(&format!("?FunctionName={name}"));
        }
        let answer = self.get(&path).await?;
        let mappings = list(&answer, "EventSourceMappings")?.iter();
        mappings
            .map(|mapping| Ok(text(mapping, "UUID")?.to_owned()))
            .collect()
    }

    /// Stops queue and stream from starting functions: nothing happens but what is invoked.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn disconnect_event_sources(&self) -> Result<()> {
        for id in self.event_sources(None).await? {
            let path = format!("/2015-03-31/event-source-mappings/{id}");
            self.put(&path, &json!({"Enabled": false})).await?;
        }
        Ok(())
    }
}

impl Stack {
    /// Invokes the function with this logical id and returns its answer.
    ///
    /// # Errors
    /// The function fails or does not answer.
    pub async fn invoke(&self, logical_id: &str, event: &Value) -> Result<Value> {
        match self.try_invoke(logical_id, event).await {
            Ok(answer) => Ok(answer),
            Err(error) => bail!("{logical_id} failed: {error}"),
        }
    }

    /// As [`invoke`](Self::invoke). The error is the function's own answer, or why there is none.
    ///
    /// # Errors
    /// As for [`invoke`](Self::invoke).
    pub async fn try_invoke(
        &self,
        logical_id: &str,
        event: &Value,
    ) -> std::result::Result<Value, Value> {
        let name = self.function_name(logical_id).await;
        let name = name.map_err(|error| json!(format!("{error:#}")))?;
        let answer = self.emulator.invoke_named(&name, event).await;
        answer.map_err(|error| json!(format!("{error:#}")))?
    }

    /// The name under which the function with this logical id is deployed.
    ///
    /// # Errors
    /// It is not deployed, or the emulator does not answer.
    pub async fn function_name(&self, logical_id: &str) -> Result<String> {
        Ok(self.emulator.function(logical_id).await?.name)
    }

    /// Runs the reconciler again and again with this pause, in place of the schedule's 5 minutes.
    /// Never returns.
    pub async fn keep_reconciling(&self, pause: Duration) {
        loop {
            // The next run makes up for one that fails, as with a schedule.
            drop(self.try_invoke("ReconcilerFunction", &json!({})).await);
            sleep(pause).await;
        }
    }
}
