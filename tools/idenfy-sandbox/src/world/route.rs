//! The provider's routes by name, and the subject of a request. Journal and faults use the same
//! words.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// A route of the provider. `callback` goes the other way.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Route {
    Token,
    Redirect,
    Process,
    Status,
    Data,
    Files,
    Delete,
    Identifications,
    File,
    Callback,
}

impl Route {
    /// Whether callers need the API key. Customers' browsers and signed links do not.
    pub(crate) fn needs_key(self) -> bool {
        !matches!(self, Self::Redirect | Self::File)
    }
}

/// The subject of a request, as far as it or its session tells.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Subject {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
}

impl Subject {
    /// Whether every member that `self` names has the same value in `other`.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let agrees =
            |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        agrees(&self.scan_ref, &other.scan_ref)
            && agrees(&self.client_id, &other.client_id)
            && agrees(&self.external_ref, &other.external_ref)
            && agrees(&self.token_type, &other.token_type)
    }
}

/// The decoded members of a query string; of repeated ones the last.
pub(crate) fn query_members(query: Option<&str>) -> HashMap<String, String> {
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}
