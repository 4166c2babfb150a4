//! The content of a callback, without the person's data.
//!
//! Only members that a decision needs are kept.
//! Names, numbers, dates, addresses and scores are skipped while reading.
//! Reading is lenient, because the provider's documents disagree about types.
//! A body is unreadable only if it is no object or has no `scanRef`.
//! U+FFFD stands for text that cannot be read, and for steps beyond the first 64.

mod file_urls;
mod identity;
mod overall;
mod status;
mod steps_verdict;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

pub use self::file_urls::FileUrls;
pub use self::identity::Identity;
pub use self::overall::OverallWord;
pub use self::status::Status;
pub use self::steps_verdict::StepsVerdictWord;
use crate::lenient_json::UNREADABLE;
use crate::scan_ref;
use crate::selection::{Members, NotJson, Selected, Selection};
use crate::word::word;

/// One delivery, parsed by [`VerifiedBody::parse`](crate::VerifiedBody::parse).
///
/// `Debug` shows the verdicts and the names of steps, and no link.
/// It hides `client_id` and `external_ref`, which are the integrator's and may hold anything.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    /// The verification.
    /// At most 36 characters in the provider's schema, at most 255 here.
    pub scan_ref: String,
    /// The integrator's name for the customer. U+FFFD if it is no text.
    pub client_id: Option<String>,
    /// The integrator's text from the token request.
    pub external_ref: Option<String>,
    /// `final`: `false` means that a person's review is to follow.
    /// `true` is no promise: a result may still change later.
    pub is_final: Option<bool>,
    /// The verdicts; empty in foreign bodies.
    pub status: Status,
    /// The session's steps, each with its processing type (`UPLOAD`, `EXTRACT`, `COMPARE`) if
    /// given.
    pub additional_steps: BTreeMap<String, Option<String>>,
    /// Images, by step; the first document's sides are among them.
    pub file_urls: FileUrls,
    /// PDF files, by step.
    pub additional_step_pdf_urls: FileUrls,
    /// The country that the customer chose, as sent: two letters.
    pub selected_country: Option<String>,
    /// The country that issued the first document, as sent: two letters.
    pub doc_issuing_country: Option<String>,
    /// The type of the first document, such as `PASSPORT`.
    pub doc_type: Option<String>,
    /// Unix seconds.
    pub start_time: Option<i64>,
    /// Unix seconds.
    pub finish_time: Option<i64>,
}

/// Why a verified body is unusable.
/// No variant holds or prints anything of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableCallback {
    #[error("the callback's body is no JSON")]
    NotJson(#[source] NotJson),
    #[error("the callback's body is JSON but not an object")]
    NotAnObject,
    /// Absent, blank, over 255 bytes, of another type, or with white space or control characters
    /// inside.
    #[error("the callback names no usable scanRef")]
    NoScanRef,
}

const CALLBACK: Selection = Selection {
    whole: &[
        "scanRef",
        "clientId",
        "externalRef",
        "final",
        "additionalSteps",
        "fileUrls",
        "additionalStepPdfUrls",
        "startTime",
        "finishTime",
    ],
    parts: &[("status", STATUS), ("data", DATA)],
};

pub(crate) const STATUS: Selection = Selection {
    whole: &[
        "overall",
        "additionalSteps",
        "autoDocument",
        "autoFace",
        "manualDocument",
        "manualFace",
        "fraudTags",
        "mismatchTags",
    ],
    parts: &[],
};

const DATA: Selection = Selection {
    whole: &["selectedCountry", "docIssuingCountry", "docType"],
    parts: &[],
};

impl Callback {
    pub(crate) fn read(body: &[u8]) -> Result<Self, UnreadableCallback> {
        let members = match CALLBACK.read(body).map_err(UnreadableCallback::NotJson)? {
            Selected::Object(members) => members,
            Selected::NotAnObject => return Err(UnreadableCallback::NotAnObject),
        };
        Self::of(&members)
    }

    fn of(members: &serde_json::Map<String, Value>) -> Result<Self, UnreadableCallback> {
        let scan_ref = members
            .text("scanRef")
            .filter(|text| scan_ref::is_usable(text));
        let nothing = serde_json::Map::new();
        let data = members.object("data").unwrap_or(&nothing);
        Ok(Self {
            scan_ref: scan_ref.ok_or(UnreadableCallback::NoScanRef)?.to_owned(),
            client_id: members.verbatim_if_there("clientId"),
            external_ref: members.verbatim("externalRef"),
            is_final: members.boolean("final"),
            status: Status::read(members.object("status").unwrap_or(&nothing), "overall"),
            additional_steps: steps(members.get("additionalSteps")),
            file_urls: FileUrls::read(members.get("fileUrls")),
            additional_step_pdf_urls: FileUrls::read(members.get("additionalStepPdfUrls")),
            selected_country: data.verbatim("selectedCountry"),
            doc_issuing_country: data.verbatim("docIssuingCountry"),
            doc_type: data.word("docType"),
            start_time: members.integer("startTime"),
            finish_time: members.integer("finishTime"),
        })
    }

    /// All links of a step.
    /// Images are among the file links, PDFs among the PDF links.
    pub fn links_of(&self, step: &str) -> impl Iterator<Item = &str> {
        let links = self
            .file_urls
            .get(step)
            .iter()
            .chain(self.additional_step_pdf_urls.get(step));
        links.map(String::as_str)
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Callback")
            .field("scan_ref", &self.scan_ref)
            .field("is_final", &self.is_final)
            .field("status", &self.status)
            .field("additional_steps", &self.additional_steps)
            .field("file_urls", &self.file_urls)
            .field("additional_step_pdf_urls", &self.additional_step_pdf_urls)
            .finish_non_exhaustive()
    }
}

/// Step names with their types.
/// A value is a word or an object with a `type`.
/// Anything else means no type.
/// A list of names is read too.
/// An item that is no name is a step with an unreadable name.
fn steps(value: Option<&Value>) -> BTreeMap<String, Option<String>> {
    let type_of = |value: &Value| match value {
        Value::String(text) => Some(word(text)),
        Value::Object(members) => members.word("type"),
        _ => None,
    };
    match value {
        Some(Value::Object(members)) => members
            .iter()
            .map(|(step, value)| (step.clone(), type_of(value)))
            .collect(),
        Some(Value::Array(names)) => {
            let names = names.iter().filter(|name| !name.is_null());
            names
                .map(|name| (name.as_str().unwrap_or(UNREADABLE).to_owned(), None))
                .collect()
        }
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    /// Values of every kind, some of them meaningful words.
    /// Lists have no repeated items, because those are left out.
    fn any_value() -> impl Strategy<Value = Value> {
        let text = prop_oneof![
            any::<String>(),
            "[ -~]{0,8}",
            prop::sample::select(vec![
                "APPROVED",
                "VALID",
                "true",
                "A_FRONT",
                "https://files.example/a",
                " 7 "
            ])
            .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 6, move |inner| {
            let name = prop_oneof![
                prop::sample::select(vec![
                    "status",
                    "type",
                    "A_FRONT",
                    "overall",
                    "additionalSteps"
                ])
                .prop_map(str::to_owned),
                text.clone()
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(|items| {
                    let mut distinct: Vec<Value> = Vec::new();
                    for item in items {
                        if !distinct.contains(&item) {
                            distinct.push(item);
                        }
                    }
                    Value::from(distinct)
                }),
                prop::collection::btree_map(name, inner, 0..6)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    fn any_body() -> impl Strategy<Value = Map<String, Value>> {
        let names: Vec<&str> = CALLBACK
            .whole
            .iter()
            .copied()
            .chain(["status", "data", "other"])
            .collect();
        prop::collection::btree_map(prop::sample::select(names), any_value(), 0..12).prop_map(
            |members| {
                let mut body: Map<_, _> = members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                body.entry("scanRef").or_insert_with(|| "abc".into());
                body
            },
        )
    }

    proptest! {
        #[test]
        fn valid_json_reads_as_a_parser_of_all_of_it_would(body in any_body(), pretty: bool) {
            let bytes = match pretty {
                true => serde_json::to_vec_pretty(&body),
                false => serde_json::to_vec(&body),
            }
            .unwrap();
            let whole: Map<String, Value> = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(Callback::read(&bytes), Callback::of(&whole));
        }
    }

    fn read(body: &str) -> Callback {
        Callback::read(body.as_bytes()).unwrap()
    }

    #[test]
    fn a_byte_order_mark_loses_nothing() {
        assert_eq!(
            read("\u{FEFF}{\"scanRef\":\"abc\",\"final\":true}").is_final,
            Some(true)
        );
    }

    #[test]
    fn odd_values_of_read_members_are_never_a_word_of_the_providers() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for odd in ["NaN", "1e999", r#""VALID\ud800""#, &deep] {
            let callback = read(&format!(
                r#"{{"scanRef":"abc","clientId":{odd},"externalRef":{odd},"final":{odd},"startTime":{odd},"data":{{"docType":{odd}}},
                "status":{{"overall":{odd},"additionalSteps":{odd},"fraudTags":{odd}}},"fileUrls":{{"A":{odd},"B":["b",{odd}]}}}}"#
            ));
            assert_eq!((callback.is_final, callback.start_time), (None, None));
            assert!(callback.client_id.unwrap().contains(UNREADABLE));
            assert_ne!(callback.status.overall, Some(OverallWord::Approved));
            assert_eq!(callback.status.additional_steps, StepsVerdictWord::Unknown);
            assert_eq!(
                callback.file_urls,
                FileUrls::from_iter([("B".to_owned(), vec!["b".to_owned()])])
            );
        }
    }

    #[test]
    fn a_step_that_cannot_be_read_is_still_a_step() {
        let names = |steps: &str| {
            let callback = read(&format!(r#"{{"scanRef":"abc","additionalSteps":{steps}}}"#));
            callback.additional_steps.into_keys().collect::<Vec<_>>()
        };
        for steps in [
            r#"{"A_FRONT":null,"A\ud800_BACK":null}"#,
            r#"["A_FRONT","\ud800"]"#,
            r#"["A_FRONT",7,null]"#,
        ] {
            let names = names(steps);
            assert_eq!(names.len(), 2, "{steps}");
            assert!(
                names.iter().any(|name| name.contains(UNREADABLE)),
                "{steps}"
            );
        }
        let many: Map<String, Value> = (0..1_000)
            .map(|step| (step.to_string(), Value::Null))
            .collect();
        assert_eq!(names(&json!(many).to_string()).len(), 65);
    }

    #[test]
    fn a_megabyte_is_read_in_linear_time() {
        let links: Vec<String> = (0..100_000).map(|link| format!("a{link}")).collect();
        let steps: Map<String, Value> = (0..45_000)
            .map(|step| (format!("STEP_{step:08}"), Value::Null))
            .collect();
        let bodies = [
            json!({"scanRef": "abc", "fileUrls": {"A": links}}).to_string(),
            json!({"scanRef": "abc", "fileUrls": {"A": vec![links.first(); 100_000]}}).to_string(),
            json!({"scanRef": "abc", "additionalSteps": steps}).to_string(),
            format!(
                r#"{{"scanRef":"abc","other":{}{}}}"#,
                "[".repeat(500_000),
                "]".repeat(500_000)
            ),
        ];
        for body in bodies {
            let started = Instant::now();
            let callback = read(&body);
            assert!(callback.file_urls.get("A").len() <= FileUrls::MAXIMUM_LINKS);
            // Takes a second unoptimised on a busy machine. Comparing all links with all takes
            // minutes.
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "{} bytes",
                body.len()
            );
        }
    }
}
