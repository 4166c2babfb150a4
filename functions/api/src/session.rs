//! `POST /sessions`: checks every field against the provider's bounds.
//!
//! All problems are named at once.

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;
use verification::document::DocumentType;
use verification::identifiers::{ClientId, SecondReference};
use verification::pairing::ExpectedDocument;
use verification::ports::SessionRequest;

use crate::problem::FieldError;

/// Seconds until the customer must have started. (Source: the API description's default.)
const DEFAULT_EXPIRY_SECONDS: u64 = 3_600;

/// Reads the request.
///
/// # Errors
/// Every field that must be changed.
pub fn read(
    body: &Map<String, Value>,
) -> Result<(SessionRequest, ExpectedDocument), Vec<FieldError>> {
    let mut fields = Fields::of(body, "");
    let client_id = fields.client_id("clientId");
    if body.get("clientId").is_none_or(Value::is_null) {
        fields.wrong("clientId", "is required");
    }
    let country = fields.parsed("country", "two letters (ISO 3166-1 alpha-2)");
    let locale = fields.locale("locale");
    let documents = fields.document_types("documents");
    let success_url = fields.url("successUrl");
    let error_url = fields.url("errorUrl");
    let unverified_url = fields.url("unverifiedUrl");
    let external_ref = fields.text("externalRef", 1, 40);
    if external_ref
        .as_deref()
        .is_some_and(|text| text.starts_with(SecondReference::PREFIX))
    {
        fields.wrong(
            "externalRef",
            "must not begin with 'dv2:', which marks second verifications",
        );
    }
    let expiry = fields.integer("expirySeconds", 0, 2_592_000);
    let session_length = fields.integer("sessionSeconds", 60, 3_600);
    let additional_steps = fields.additional_steps("additionalSteps");
    let expected = match fields.object("secondDocument") {
        Some(second) => {
            let mut second = Fields::of(second, "secondDocument.");
            let expected = ExpectedDocument {
                country: second.parsed("country", "two letters (ISO 3166-1 alpha-2)"),
                document_type: second.document_type("documentType"),
            };
            let errors = second.finish();
            fields.errors.extend(errors);
            expected
        }
        None => ExpectedDocument::default(),
    };
    let errors = fields.finish();
    match client_id {
        Some(client_id) if errors.is_empty() => {
            let request = SessionRequest {
                client_id,
                country,
                locale,
                documents,
                success_url,
                error_url,
                unverified_url,
                external_ref,
                expiry: Duration::from_secs(expiry.unwrap_or(DEFAULT_EXPIRY_SECONDS)),
                session_length: session_length.map(Duration::from_secs),
                additional_steps,
            };
            Ok((request, expected))
        }
        _ => Err(errors),
    }
}

/// Reads an object's members and collects what is wrong. Null counts as absent.
struct Fields<'a> {
    members: &'a Map<String, Value>,
    prefix: &'static str,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    fn of(members: &'a Map<String, Value>, prefix: &'static str) -> Self {
        Self {
            members,
            prefix,
            known: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.errors.push(FieldError {
            field: format!("{}{name}", self.prefix),
            message: message.into(),
        });
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &'static str, must_be: &str) -> Option<T> {
        let value = self.get(name)?;
        let parsed = value.as_str().and_then(|text| text.parse().ok());
        if parsed.is_none() {
            self.wrong(name, format!("must be {must_be}"));
        }
        parsed
    }

    /// Narrower than in callbacks: iDenfy documents ASCII for tokens.
    fn client_id(&mut self, name: &'static str) -> Option<ClientId> {
        let value = self.get(name)?;
        let is_ascii = |text: &&str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let parsed = value
            .as_str()
            .filter(is_ascii)
            .and_then(|text| text.parse().ok());
        if parsed.is_none() {
            self.wrong(name, "must be 1 to 100 visible ASCII characters or spaces");
        }
        parsed
    }

    fn text(&mut self, name: &'static str, minimum: usize, maximum: usize) -> Option<String> {
        let value = self.get(name)?;
        let text = value.as_str().filter(|text| {
            (minimum..=maximum).contains(&text.chars().count())
                && !text.chars().any(char::is_control)
        });
        if text.is_none() {
            self.wrong(
                name,
                format!("must be text of {minimum} to {maximum} characters"),
            );
        }
        text.map(str::to_owned)
    }

    /// An open set that goes into links: `lt`, `en`, `zh-Hant`.
    fn locale(&mut self, name: &'static str) -> Option<String> {
        let value = self.get(name)?;
        let is_name = |text: &&str| {
            (2..=7).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        let text = value.as_str().filter(is_name);
        if text.is_none() {
            self.wrong(
                name,
                "must be 2 to 7 letters, digits, hyphens and underscores, such as lt",
            );
        }
        text.map(str::to_owned)
    }

    fn url(&mut self, name: &'static str) -> Option<Url> {
        let value = self.get(name)?;
        let is_address = |text: &&str| {
            (5..=2_048).contains(&text.len())
                // RFC 3986 forbids more than browsers do, and a provider may keep to either.
                && fluent_uri::Uri::parse(*text).is_ok()
                && (text.starts_with("https://") || text.starts_with("http://"))
        };
        let text = value.as_str().filter(is_address);
        let url = text.and_then(|text| text.parse().ok());
        if url.is_none() {
            self.wrong(
                name,
                "must be an http or https address of 5 to 2,048 characters",
            );
        }
        url
    }

    fn integer(&mut self, name: &'static str, minimum: u64, maximum: u64) -> Option<u64> {
        let value = self.get(name)?;
        // 60.0 is a whole number in JSON. What does not fit becomes a value out of bounds.
        let whole = value
            .as_f64()
            .filter(|number| number.fract() == 0.0 && *number >= 0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, not negative, and a cast saturates"
        )]
        let number = whole
            .map(|number| number as u64)
            .filter(|number| (minimum..=maximum).contains(number));
        if number.is_none() {
            self.wrong(
                name,
                format!("must be a whole number from {minimum} to {maximum}"),
            );
        }
        number
    }

    fn object(&mut self, name: &'static str) -> Option<&'a Map<String, Value>> {
        let value = self.get(name)?;
        let object = value.as_object();
        if object.is_none() {
            self.wrong(name, "must be an object");
        }
        object
    }

    /// An open set: the provider adds types.
    fn document_types(&mut self, name: &'static str) -> Vec<String> {
        let Some(value) = self.get(name) else {
            return Vec::new();
        };
        let is_type = |text: &str| {
            (2..=40).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        let types = value
            .as_array()
            .filter(|types| (1..=32).contains(&types.len()))
            .and_then(|types| {
                types
                    .iter()
                    .map(|value| {
                        value
                            .as_str()
                            .filter(|text| is_type(text))
                            .map(str::to_owned)
                    })
                    .collect::<Option<Vec<_>>>()
            });
        types.unwrap_or_else(|| {
            self.wrong(name, "must be 1 to 32 document types such as PASSPORT");
            Vec::new()
        })
    }

    fn document_type(&mut self, name: &'static str) -> Option<DocumentType> {
        let value = self.get(name)?;
        let found = DocumentType::ALL
            .iter()
            .copied()
            .find(|document_type| value.as_str() == Some(document_type.as_str()));
        if found.is_none() {
            let all: Vec<&str> = DocumentType::ALL
                .iter()
                .map(|document_type| document_type.as_str())
                .collect();
            self.wrong(name, format!("must be one of {}", all.join(", ")));
        }
        found
    }

    /// By country, document type and step, as documented. The provider judges the steps.
    fn additional_steps(&mut self, name: &'static str) -> Option<Value> {
        let value = self.get(name)?;
        let is_level = |value: &Value, depth: u8| is_nested_objects(value, depth);
        if !is_level(value, 3) {
            self.wrong(
                name,
                "must be objects by country, document type and step, \
                 such as {\"ALL\": {\"ALL\": {\"STEP\": {…}}}}",
            );
            return None;
        }
        Some(value.clone())
    }

    /// All problems, unknown members included.
    fn finish(mut self) -> Vec<FieldError> {
        let unknown: Vec<&String> = self
            .members
            .keys()
            .filter(|name| !self.known.contains(&name.as_str()))
            .collect();
        for name in unknown {
            // A name from outside may be long or hold anything.
            let shown: String = name
                .chars()
                .filter(|character| !character.is_control())
                .take(64)
                .collect();
            self.wrong(&shown, "is not known");
        }
        self.errors
    }
}

fn is_nested_objects(value: &Value, depth: u8) -> bool {
    match value.as_object() {
        Some(members) => {
            depth == 0
                || members
                    .values()
                    .all(|member| is_nested_objects(member, depth - 1))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_json(body: Value) -> Result<(SessionRequest, ExpectedDocument), Vec<String>> {
        read(body.as_object().unwrap())
            .map_err(|errors| errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn a_client_id_is_enough() {
        let (request, expected) =
            read_json(json!({"clientId": "customer-1", "country": null})).unwrap();
        assert_eq!(
            (request.client_id.as_str(), request.expiry),
            ("customer-1", Duration::from_secs(3_600))
        );
        assert_eq!(expected, ExpectedDocument::default());
    }

    #[test]
    fn everything_may_be_given() {
        let (request, expected) = read_json(json!({
            "clientId": "customer-1", "country": "lt", "locale": "en", "documents": ["PASSPORT"],
            "successUrl": "https://a.example/ok",
            "errorUrl": "https://a.example/no", "unverifiedUrl": "https://a.example/wait",
            "externalRef": "order-1", "expirySeconds": 600,
            "sessionSeconds": 6e1,
            "additionalSteps": {"ALL": {"ALL": {"SECOND_DOC": {"type": "UPLOAD"}}}},
            "secondDocument": {"country": "LV", "documentType": "PASSPORT"}
        }))
        .unwrap();
        assert_eq!(
            request
                .country
                .map(|country| country.to_string())
                .as_deref(),
            Some("LT")
        );
        assert_eq!(
            (request.expiry, request.session_length),
            (Duration::from_secs(600), Some(Duration::from_secs(60)))
        );
        assert_eq!(expected.document_type, Some(DocumentType::Passport));
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let wrong = read_json(json!({
            "clientId": "žmogus", "country": "LTU", "locale": "far too long",
            "documents": ["passport"], "successUrl": "javascript:alert(1)",
            "errorUrl": 1, "unverifiedUrl": "https://1{2", "externalRef": "dv2:mine",
            "expirySeconds": 2_592_001, "sessionSeconds": 59.5,
            "additionalSteps": {"ALL": []},
            "secondDocument": {"country": "", "documentType": "OTHER", "more": 1},
            "surprise": true
        }))
        .unwrap_err();
        assert_eq!(
            wrong,
            [
                "clientId",
                "country",
                "locale",
                "documents",
                "successUrl",
                "errorUrl",
                "unverifiedUrl",
                "externalRef",
                "expirySeconds",
                "sessionSeconds",
                "additionalSteps",
                "secondDocument.country",
                "secondDocument.documentType",
                "secondDocument.more",
                "surprise"
            ]
        );
        assert_eq!(read_json(json!({})).unwrap_err(), ["clientId"]);
        assert_eq!(
            read_json(json!({"clientId": null})).unwrap_err(),
            ["clientId"]
        );
    }
}
