//! What a callback says, without what it says about a person.
//!
//! Only members that a decision needs are kept; names, numbers, dates, addresses and scores are skipped while reading. Reading is
//! lenient, because the provider's own documents disagree about types: a body is unreadable only when it is no JSON object or has
//! no `scanRef`.

mod event_type;
mod file_urls;
mod overall;
mod status;
mod steps_verdict;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

pub use self::event_type::{EVENT_TYPE_HEADER, EventType};
pub use self::file_urls::FileUrls;
pub use self::overall::Overall;
pub use self::status::Status;
pub use self::steps_verdict::StepsVerdict;
use crate::scan_ref;
use crate::selection::{Members, NotJson, Selected, Selection};
use crate::word::word;

/// One delivery, parsed by [`VerifiedBody::parse`](crate::VerifiedBody::parse).
///
/// `Debug` shows the verdicts and the names of steps: no link, and neither `client_id` nor `external_ref`, which are the
/// integrator's and may hold anything.
#[derive(Clone, PartialEq, Eq)]
pub struct Callback {
    /// The verification that this is about; at most 36 characters in the provider's schema, at most 255 here.
    pub scan_ref: String,
    /// The integrator's name for the customer.
    pub client_id: Option<String>,
    /// The integrator's text from the token request.
    pub external_ref: Option<String>,
    /// `final`: `false` says that a person's review is to follow. `true` is no promise: a result may still be changed later.
    pub is_final: Option<bool>,
    /// The verdicts; empty in foreign bodies.
    pub status: Status,
    /// The steps that the session contained, each with its processing type (`UPLOAD`, `EXTRACT`, `COMPARE`) where one is given.
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

/// Why a verified body says nothing usable. No variant holds or prints anything of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableCallback {
    #[error("the callback's body is no JSON")]
    NotJson(#[source] NotJson),
    #[error("the callback's body is JSON but not an object")]
    NotAnObject,
    /// Absent, blank, longer than 255 bytes, of another type, or with white space or control characters inside.
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
        let scan_ref = members.text("scanRef").filter(|text| scan_ref::is_usable(text));
        let nothing = serde_json::Map::new();
        let data = members.object("data").unwrap_or(&nothing);
        Ok(Self {
            scan_ref: scan_ref.ok_or(UnreadableCallback::NoScanRef)?.to_owned(),
            client_id: members.verbatim("clientId"),
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

    /// The links of a step, wherever they stand: an image comes among the file links, a PDF among the PDF links.
    pub fn links_of(&self, step: &str) -> impl Iterator<Item = &str> {
        let links = self.file_urls.get(step).iter().chain(self.additional_step_pdf_urls.get(step));
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

/// Step names with their types: the value is a word, an object with a `type`, or anything else, which reads as no type. A list of
/// names is read as well.
fn steps(value: Option<&Value>) -> BTreeMap<String, Option<String>> {
    let type_of = |value: &Value| match value {
        Value::String(text) => Some(word(text)),
        Value::Object(members) => members.word("type"),
        _ => None,
    };
    match value {
        Some(Value::Object(members)) => members.iter().map(|(step, value)| (step.clone(), type_of(value))).collect(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(|step| (step.to_owned(), None)).collect(),
        _ => BTreeMap::new(),
    }
}
