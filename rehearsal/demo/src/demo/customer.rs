//! The provider's journals, as far as the demo looks at them. See `tools/idenfy-sandbox/README.md`.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One attempt at delivering a callback to our system.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub scan_ref: String,
    pub event_type: String,
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    pub overall: Option<String>,
    pub body_sha256: String,
    pub status: Option<u16>,
    pub error: Option<String>,
    pub milliseconds: u64,
}

/// One request of our system to the provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub status: Option<u16>,
    pub scan_ref: Option<String>,
    pub external_ref: Option<String>,
    pub token_type: Option<String>,
    pub request_bytes: Option<u64>,
    #[serde(default)]
    pub images: Vec<Image>,
}

/// One image in a submission, as the provider decoded it.
#[derive(Debug, Clone, Deserialize)]
pub struct Image {
    pub side: String,
    pub bytes: u64,
    pub sha256: String,
    pub format: Option<String>,
}

/// Records of a journal.
///
/// # Errors
/// One is not as documented.
pub fn read<T: DeserializeOwned>(records: Vec<Value>) -> Result<Vec<T>> {
    serde_json::from_value(records.into()).context("the sandbox answered not as documented")
}

/// The one attempt at a delivery.
///
/// # Errors
/// There was a second attempt: the first was not answered with 200.
pub fn only(deliveries: Vec<Value>) -> Result<Delivery> {
    match <[Delivery; 1]>::try_from(read(deliveries)?) {
        Ok([delivery]) => Ok(delivery),
        Err(several) => {
            let seen: Vec<_> = several
                .iter()
                .map(|delivery| (delivery.status, delivery.error.as_deref()))
                .collect();
            bail!("callback: expected one attempt answered with 200, saw (status, error) {seen:?}");
        }
    }
}
