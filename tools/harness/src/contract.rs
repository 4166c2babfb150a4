//! The API's contract, `docs/openapi.yaml`, as a judge of requests and answers.
//!
//! Stricter than the document in one point: an answer's object has no member that the document does
//! not name, so that whatever the handlers start to say must be written down first.

use std::path::Path;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

/// The document, read once.
pub(crate) static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::read);

pub(crate) struct Contract {
    document: Value,
    /// The same schemas, closed.
    closed: Value,
}

impl Contract {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.yaml");
        let text = std::fs::read_to_string(path).expect("the contract");
        let document: Value = serde_saphyr::from_str(&text).expect("YAML");
        assert!(
            document["openapi"]
                .as_str()
                .is_some_and(|version| version.starts_with("3.1"))
        );
        let mut closed = document.clone();
        close(&mut closed);
        Self { document, closed }
    }

    /// The parts of a path that the contract names, such as `/verifications/{scanRef}` for
    /// `/verifications/1`.
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
        let paths = self.closed["paths"].as_object().expect("paths");
        paths
            .iter()
            .find(|(template, _)| matches(template))
            .map(|(_, item)| item)
    }

    /// Whether a body is one that the operation takes.
    pub fn takes(&self, method: &str, path: &str, body: &Value) -> bool {
        let item = self.path_item(path).expect("a path of the contract");
        let schema = &item[method.to_ascii_lowercase()]["requestBody"]["content"]["application/json"]
            ["schema"];
        errors(&self.document, schema, body).is_empty()
    }

    /// # Panics
    /// When the answer is not one that the contract announces for the operation.
    pub fn check(&self, method: &str, path: &str, status: u16, content_type: &str, body: &Value) {
        let operation = self
            .path_item(path)
            .map(|item| &item[method.to_ascii_lowercase()]);
        let schema = match operation {
            None => self.problem(404, status),
            Some(Value::Null) => self.problem(405, status),
            Some(operation) => {
                let mut response = &operation["responses"][status.to_string()];
                if let Some(reference) = response["$ref"].as_str() {
                    response = self
                        .closed
                        .pointer(reference.trim_start_matches('#'))
                        .expect("a response");
                }
                let content = response["content"].as_object();
                let content = content
                    .unwrap_or_else(|| panic!("{method} {path} must not answer {status}: {body}"));
                content[content_type]["schema"].clone()
            }
        };
        let errors = errors(&self.closed, &schema, body);
        assert!(
            errors.is_empty(),
            "{method} {path}: {status} {body}\nagainst the contract: {errors:#?}"
        );
        if status >= 400 && content_type == "application/problem+json" {
            assert_eq!(body["status"], status, "{body}");
        }
    }

    /// What any address and method may answer that the contract does not have.
    fn problem(&self, expected: u16, status: u16) -> Value {
        assert_eq!(status, expected);
        json!({"$ref": "#/components/schemas/Problem"})
    }
}

fn errors(document: &Value, schema: &Value, instance: &Value) -> Vec<String> {
    assert!(!schema.is_null(), "the contract has a schema for this");
    let mut root: Map<String, Value> = schema.as_object().expect("a schema").clone();
    root.insert("components".to_owned(), document["components"].clone());
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&Value::Object(root))
        .expect("a valid schema");
    validator
        .iter_errors(instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

/// Lets no object have members that are not named.
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
