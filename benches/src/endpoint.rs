//! An AWS that answers at once: what the functions read while they start, and nothing else. The
//! emulator's own time, which is many times that of AWS, would otherwise be most of what a start
//! takes.

use std::net::Ipv4Addr;

use anyhow::Result;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The endpoint; dropping it stops it.
#[derive(Debug)]
pub struct Endpoint {
    pub url: String,
    server: JoinHandle<()>,
}

impl Endpoint {
    /// Listens on a free port of 127.0.0.1 and knows one secret.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(secret: String) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let routes = Router::new().route("/", post(answer)).with_state(secret);
        let server = tokio::spawn(async move {
            drop(axum::serve(listener, routes).await);
        });
        Ok(Self { url, server })
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    State(secret): State<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    match headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
    {
        Some("secretsmanager.GetSecretValue") => Ok(Json(json!({
            "ARN": "arn:aws:secretsmanager:eu-west-1:000000000000:secret:measured",
            "Name": "measured",
            "SecretString": secret,
            "VersionId": "00000000-0000-4000-8000-000000000000",
            "VersionStages": ["AWSCURRENT"],
        }))),
        // There is no such item.
        Some("DynamoDB_20120810.GetItem" | "DynamoDB_20120810.Query") => Ok(Json(json!({}))),
        _ => Err(StatusCode::NOT_IMPLEMENTED),
    }
}
