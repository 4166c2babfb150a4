//! Event sources of functions.

use adapters::{Call, ServiceAnswer};
use reqwest::Method;
use serde::Deserialize;

use super::{Aws, failed, unreadable};
use crate::failure::Failure;

/// An event source mapping.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventSource {
    #[serde(rename = "UUID")]
    pub id: String,
    /// `Enabled`, `Disabled`, or a transition such as `Enabling`, `Disabling` or `Updating`.
    pub state: String,
    #[serde(default)]
    pub event_source_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    event_source_mappings: Vec<EventSource>,
}

const PATH: &str = "/2015-03-31/event-source-mappings/";

impl Aws {
    /// A function's sources. They fit on one page.
    ///
    /// # Errors
    /// Lambda was not reached or refuses.
    pub async fn event_sources(&self, function: &str) -> Result<Vec<EventSource>, Failure> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("FunctionName", function)
            .finish();
        let path = format!("{PATH}?{query}");
        let answer = self.lambda(Method::GET, &path, "").await?;
        let list: List = serde_json::from_slice(&answer.body).map_err(|_| unreadable("lambda"))?;
        Ok(list.event_source_mappings)
    }

    /// Turns a source on or off. It takes some seconds.
    ///
    /// # Errors
    /// Lambda was not reached or refuses.
    pub async fn enable_event_source(&self, id: &str, enabled: bool) -> Result<(), Failure> {
        let body = serde_json::json!({ "Enabled": enabled }).to_string();
        self.lambda(Method::PUT, &format!("{PATH}{id}"), &body)
            .await
            .map(drop)
    }

    pub(super) async fn lambda(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<ServiceAnswer, Failure> {
        let call = Call {
            method,
            path,
            headers: &[("content-type", "application/json")],
            body: body.as_bytes(),
        };
        let answer = self.calls("lambda").ask(&call).await;
        let answer = answer.and_then(ServiceAnswer::accepted);
        answer.map_err(|error| failed("lambda", error))
    }
}
