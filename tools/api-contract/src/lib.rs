//! The application's side, with every answer of the API held to the contract.
//!
//! [`Application`] adds calls of the API to [`Stack`].

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a JSON value answers null where there is no such member"
)]

mod contract;

use anyhow::{Result, ensure};
use harness::{ApiAnswer, Session, Stack, text};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

use contract::Contract;

/// Calls of the API whose answers the contract must allow.
#[expect(
    async_fn_in_trait,
    reason = "for one type, whose futures can go to other threads"
)]
pub trait Application {
    /// Asks the API as an application does. `path` begins with a slash and may have a query.
    ///
    /// # Errors
    /// There is no answer, the contract does not allow it, or API and contract disagree about the
    /// request.
    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Result<ApiAnswer>;

    /// As [`api`](Self::api), with a body that may not be JSON.
    ///
    /// # Errors
    /// There is no answer, or the contract does not allow it.
    async fn api_bytes(&self, method: Method, path: &str, body: Vec<u8>) -> Result<ApiAnswer>;

    /// As [`api_bytes`](Self::api_bytes), with further headers.
    ///
    /// # Errors
    /// As for [`api_bytes`](Self::api_bytes).
    async fn api_with(
        &self,
        method: Method,
        path: &str,
        further: HeaderMap,
        body: Vec<u8>,
    ) -> Result<ApiAnswer>;

    /// Creates a session for a new customer. `request` may have further members. Returns it and the
    /// answer.
    ///
    /// # Errors
    /// The API does not answer 201, or as for [`api`](Self::api).
    async fn api_session(&self, request: Value) -> Result<(Session<'_>, Value)>;
}

impl Application for Stack {
    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Result<ApiAnswer> {
        let takes = match &body {
            Some(body) => Some(Contract::of_the_workspace()?.takes(&method, path, body)?),
            None => None,
        };
        let bytes = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let answer = self.api_bytes(method, path, bytes).await?;
        if let Some(takes) = takes {
            let was_valid = answer.code() != "invalid_request";
            ensure!(
                was_valid == takes,
                "API and contract disagree about the request: {}",
                answer.body
            );
        }
        Ok(answer)
    }

    async fn api_bytes(&self, method: Method, path: &str, body: Vec<u8>) -> Result<ApiAnswer> {
        self.api_with(method, path, HeaderMap::new(), body).await
    }

    async fn api_with(
        &self,
        method: Method,
        path: &str,
        further: HeaderMap,
        body: Vec<u8>,
    ) -> Result<ApiAnswer> {
        let answer = self.ask_api(method.clone(), path, further, body).await?;
        let content_type = answer.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let plain = path.split_once('?').map_or(path, |(plain, _)| plain);
        let contract = Contract::of_the_workspace()?;
        contract.check(&method, plain, content_type, &answer)?;
        ensure!(
            answer.status >= 400 || answer.header("cache-control") == Some("no-store"),
            "an answer that caches may keep: {:?}",
            answer.headers
        );
        Ok(answer)
    }

    async fn api_session(&self, mut request: Value) -> Result<(Session<'_>, Value)> {
        let client_id = format!("customer-{}", Uuid::new_v4().simple());
        request["clientId"] = json!(client_id);
        let answer = self.api(Method::POST, "/sessions", Some(request)).await?;
        let answer = answer.expect(201)?;
        let scan_ref = text(&answer, "scanRef")?.to_owned();
        Ok((Session::of(self, client_id, scan_ref), answer))
    }
}
