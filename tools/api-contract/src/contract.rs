//! The API's contract, `docs/openapi.yaml`, as a judge of requests and answers.
//!
//! Stricter than the document in one point: an answer's object has no member that the document does
//! not name. New members must be documented first.

use std::sync::LazyLock;

use anyhow::{Context, Result, anyhow, ensure};
use harness::ApiAnswer;
use local_stack::workspace;
use reqwest::Method;
use serde_json::{Map, Value, json};

/// The document, read once.
static CONTRACT: LazyLock<Result<Contract, String>> =
    LazyLock::new(|| Contract::read().map_err(|error| format!("{error:#}")));

pub(crate) struct Contract {
    document: Value,
    /// The same schemas, closed.
    closed: Value,
}

impl Contract {
    /// # Errors
    /// The workspace has no readable contract.
    pub(crate) fn of_the_workspace() -> Result<&'static Self> {
        CONTRACT.as_ref().map_err(|error| anyhow!("{error}"))
    }

    fn read() -> Result<Self> {
        let path = workspace::root().join("docs/openapi.yaml");
        let failed = || format!("cannot read {}", path.display());
        let text = std::fs::read_to_string(&path).with_context(failed)?;
        let document: Value = serde_saphyr::from_str(&text).with_context(failed)?;
        let version = document["openapi"].as_str().unwrap_or_default();
        ensure!(version.starts_with("3.1"), "OpenAPI {version} is not known");
        let mut closed = document.clone();
        close(&mut closed);
        Ok(Self { document, closed })
    }

    /// The contract's item for a path, such as `/verifications/{scanRef}` for `/verifications/1`.
    fn path_item(&self, path: &str) -> Option<&Value> {
        let matches = |template: &str| {
            let (wanted, given): (Vec<&str>, Vec<&str>) =
                (template.split('/').collect(), path.split('/').collect());
            wanted.len() == given.len()
                && wanted
                    .iter()
                    .zip(given)
                    .all(|(wanted, given)| wanted.starts_with('{') || *wanted == given)
        };
        let mut paths = self.closed["paths"].as_object().into_iter().flatten();
        paths
            .find(|(template, _)| matches(template))
            .map(|(_, item)| item)
    }

    /// Whether the operation takes this body.
    ///
    /// # Errors
    /// The contract has no such path, or no schema for its requests.
    pub(crate) fn takes(&self, method: &Method, path: &str, body: &Value) -> Result<bool> {
        let item = self.path_item(path);
        let item = item.with_context(|| format!("the contract has no path {path}"))?;
        let schema =
            &item[method_name(method)]["requestBody"]["content"]["application/json"]["schema"];
        Ok(errors(&self.document, schema, body)?.is_empty())
    }

    /// # Errors
    /// The contract does not announce this answer for the operation.
    pub(crate) fn check(
        &self,
        method: &Method,
        path: &str,
        content_type: &str,
        answer: &ApiAnswer,
    ) -> Result<()> {
        let (status, body) = (answer.status, &answer.body);
        let operation = self.path_item(path).map(|item| &item[method_name(method)]);
        let schema = match operation {
            None => problem(404, status)?,
            Some(Value::Null) => problem(405, status)?,
            Some(operation) => {
                let mut response = &operation["responses"][status.to_string()];
                if let Some(reference) = response["$ref"].as_str() {
                    let referred = self.closed.pointer(reference.trim_start_matches('#'));
                    response = referred.with_context(|| format!("there is no {reference}"))?;
                }
                let content = response["content"].as_object();
                let content = content
                    .with_context(|| format!("{method} {path} must not answer {status}: {body}"))?;
                content.get(content_type).cloned().unwrap_or_default()["schema"].clone()
            }
        };
        let errors = errors(&self.closed, &schema, body)?;
        ensure!(
            errors.is_empty(),
            "{method} {path}: {status} {body}\nagainst the contract: {errors:#?}"
        );
        if status >= 400 && content_type == "application/problem+json" {
            ensure!(body["status"] == status, "status {status} with {body}");
        }
        Ok(())
    }
}

/// As the document's keys are.
fn method_name(method: &Method) -> String {
    method.as_str().to_ascii_lowercase()
}

/// The answer to any path and method that the contract does not have.
fn problem(expected: u16, status: u16) -> Result<Value> {
    ensure!(status == expected, "expected {expected}, saw {status}");
    Ok(json!({"$ref": "#/components/schemas/Problem"}))
}

fn errors(document: &Value, schema: &Value, instance: &Value) -> Result<Vec<String>> {
    let schema = schema.as_object();
    let schema = schema.with_context(|| format!("the contract has no schema for {instance}"))?;
    let mut root: Map<String, Value> = schema.clone();
    root.insert("components".to_owned(), document["components"].clone());
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&Value::Object(root))
        .map_err(|error| anyhow!("not a schema: {error}"))?;
    let errors = validator.iter_errors(instance);
    Ok(errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect())
}

/// Forbids members that a schema does not name.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            let is_open = members.get("properties").is_some_and(Value::is_object)
                && !members.contains_key("additionalProperties");
            if is_open {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
