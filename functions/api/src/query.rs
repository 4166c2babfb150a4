//! `GET /verifications?clientId=…&limit=…&next=…`

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::form_urlencoded;
use verification::identifiers::ClientId;
use verification::ports::PageStart;

use crate::problem::FieldError;

/// Verifications per page by default.
const DEFAULT_LIMIT: u16 = 25;
const MAXIMUM_LIMIT: u16 = 100;

#[derive(Debug, PartialEq, Eq)]
pub struct ListQuery {
    pub client_id: ClientId,
    pub limit: u16,
    pub start: Option<PageStart>,
}

impl ListQuery {
    /// # Errors
    /// Every parameter that must be changed.
    pub fn read(query: &str) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let (mut client_id, mut limit, mut start) = (None, DEFAULT_LIMIT, None);
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let problem = match name.as_ref() {
                _ if seen.contains(&name) => Some("must be given once"),
                "clientId" => {
                    client_id = value.parse().ok();
                    client_id.is_none().then_some(
                        "must be 1 to 100 characters without control and format characters",
                    )
                }
                "limit" => {
                    let parsed = value
                        .parse()
                        .ok()
                        .filter(|limit| (1..=MAXIMUM_LIMIT).contains(limit));
                    limit = parsed.unwrap_or(DEFAULT_LIMIT);
                    parsed
                        .is_none()
                        .then_some("must be a whole number from 1 to 100")
                }
                "next" => {
                    start = decode(&value);
                    start
                        .is_none()
                        .then_some("must be the 'next' of an earlier answer")
                }
                _ => Some("is not known"),
            };
            seen.push(name.clone());
            if let Some(message) = problem {
                let field: String = name
                    .chars()
                    .filter(|character| !character.is_control())
                    .take(64)
                    .collect();
                errors.push(FieldError {
                    field,
                    message: message.to_owned(),
                });
            }
        }
        match client_id {
            Some(client_id) if errors.is_empty() => Ok(Self {
                client_id,
                limit,
                start,
            }),
            None if errors.iter().all(|error| error.field != "clientId") => {
                errors.insert(
                    0,
                    FieldError {
                        field: "clientId".to_owned(),
                        message: "is required".to_owned(),
                    },
                );
                Err(errors)
            }
            _ => Err(errors),
        }
    }
}

/// The page start as opaque text. It is worthless without its client.
pub fn encode(start: &PageStart) -> String {
    URL_SAFE_NO_PAD.encode(format!("{} {}", start.created_at, start.first))
}

fn decode(text: &str) -> Option<PageStart> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let (created_at, first) = decoded.split_once(' ')?;
    Some(PageStart {
        created_at: created_at.parse().ok()?,
        first: first.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use verification::Timestamp;

    #[test]
    fn a_page_start_comes_back_as_it_was() {
        let start = PageStart {
            first: "first-1".parse().unwrap(),
            created_at: Timestamp::from_milliseconds(1_795_422_063_007),
        };
        let query =
            ListQuery::read(&format!("clientId=a%20b&limit=2&next={}", encode(&start))).unwrap();
        assert_eq!(
            query,
            ListQuery {
                client_id: "a b".parse().unwrap(),
                limit: 2,
                start: Some(start)
            }
        );
    }

    #[test]
    fn a_client_of_any_script_can_be_asked_for() {
        let client = |query: &str| ListQuery::read(query).map(|query| query.client_id.to_string());
        assert_eq!(
            client("clientId=%D0%BA%D0%BB%D0%B8%D0%B5%D0%BD%D1%82-1").as_deref(),
            Ok("клиент-1")
        );
        assert!(client("clientId=%FF").is_err(), "not UTF-8");
        assert!(
            client("clientId=a%E2%80%AEb").is_err(),
            "a format character"
        );
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let fields = |query: &str| -> Vec<String> {
            ListQuery::read(query)
                .unwrap_err()
                .into_iter()
                .map(|error| error.field)
                .collect()
        };
        assert_eq!(fields(""), ["clientId"]);
        assert_eq!(
            fields("clientId=&limit=0&next=x&page=2"),
            ["clientId", "limit", "next", "page"]
        );
        assert_eq!(fields("limit=101"), ["clientId", "limit"]);
        assert_eq!(fields("clientId=a&clientId=b"), ["clientId"]);
    }
}
