//! Members of JSON values, with an error that names the missing one.

use anyhow::{Context, Result};
use serde_json::Value;

/// The text of a member.
///
/// # Errors
/// The member is missing or not text.
pub fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name]
        .as_str()
        .with_context(|| format!("there is no text {name} in {value}"))
}

/// The items of a member.
///
/// # Errors
/// The member is missing or not an array.
pub fn list<'a>(value: &'a Value, name: &str) -> Result<&'a [Value]> {
    let items = value[name].as_array().map(Vec::as_slice);
    items.with_context(|| format!("there is no list {name} in {value}"))
}
