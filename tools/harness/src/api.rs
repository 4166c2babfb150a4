//! The application's side: signed requests to the API, each answer held to the contract.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::contract::CONTRACT;
use crate::session::Session;
use crate::stack::Stack;

/// What the API answered, which the contract allows.
#[derive(Clone, Debug)]
pub struct ApiAnswer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl ApiAnswer {
    /// The problem's code; empty for what is no problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The fields that a problem names, in its order.
    pub fn fields(&self) -> Vec<&str> {
        let errors = self.body["errors"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        errors
            .iter()
            .filter_map(|error| error["field"].as_str())
            .collect()
    }

    /// The body, if the status is this.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Stack {
    /// Asks the API as an application does. `path` begins with a slash and may have a query.
    pub async fn api(&self, method: Method, path: &str, body: Option<Value>) -> ApiAnswer {
        let takes = body
            .as_ref()
            .map(|body| CONTRACT.takes(method.as_str(), path, body));
        let bytes = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let answer = self.api_bytes(method, path, bytes).await;
        if let Some(takes) = takes {
            let was_valid = answer.code() != "invalid_request";
            assert_eq!(
                was_valid, takes,
                "handler and contract agree about the request: {}",
                answer.body
            );
        }
        answer
    }

    /// The same with a body that may be no JSON.
    pub async fn api_bytes(&self, method: Method, path: &str, body: Vec<u8>) -> ApiAnswer {
        self.api_with(method, path, HeaderMap::new(), body).await
    }

    /// The same with further headers.
    pub async fn api_with(
        &self,
        method: Method,
        path: &str,
        further: HeaderMap,
        body: Vec<u8>,
    ) -> ApiAnswer {
        let answer = self
            .api
            .send_with(method.clone(), path, further, body)
            .await
            .expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body: Value = answer.json().await.expect("JSON");
        let content_type = headers[CONTENT_TYPE].to_str().expect("text");
        let plain = path.split_once('?').map_or(path, |(plain, _)| plain);
        CONTRACT.check(method.as_str(), plain, status, content_type, &body);
        if status < 400 {
            assert_eq!(headers["cache-control"], "no-store");
        }
        ApiAnswer {
            status,
            headers,
            body,
        }
    }

    /// Creates a session for a new customer by way of the API, with other members as given. Returns
    /// it and the answer.
    pub async fn api_session(&self, mut request: Value) -> (Session<'_>, Value) {
        let client_id = format!("customer-{}", Uuid::new_v4().simple());
        request["clientId"] = json!(client_id);
        let answer = self
            .api(Method::POST, "/sessions", Some(request))
            .await
            .expect(201);
        let scan_ref = answer["scanRef"].as_str().expect("a scanRef").to_owned();
        (Session::of(self, client_id, scan_ref), answer)
    }
}
