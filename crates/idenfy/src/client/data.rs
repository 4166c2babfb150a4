//! What the provider read from the document, as far as it is not personal: `POST /api/v2/data`.

use std::fmt;

use serde_json::{Map, Value};

use super::Client;
use crate::Error;
use crate::selection::Members;

/// The few members that say which kind of document it was; names, numbers and dates are not kept.
/// Its `Debug` shows the reference.
#[derive(Clone, PartialEq, Eq)]
pub struct Data {
    /// The verification that this is about.
    pub scan_ref: Option<String>,
    /// The integrator's name for the customer.
    pub client_id: Option<String>,
    /// Such as `PASSPORT`.
    pub doc_type: Option<String>,
    /// Two letters, as sent.
    pub doc_issuing_country: Option<String>,
    /// Two letters, as sent.
    pub selected_country: Option<String>,
}

impl Data {
    /// The members stand at the top, or in an object `data`.
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let inner = members.object("data").unwrap_or(members);
        let either = |name| inner.verbatim(name).or_else(|| members.verbatim(name));
        let data = Self {
            scan_ref: either("scanRef"),
            client_id: either("clientId"),
            doc_type: inner.word("docType"),
            doc_issuing_country: inner.verbatim("docIssuingCountry"),
            selected_country: inner.verbatim("selectedCountry"),
        };
        let is_data =
            data.scan_ref.is_some() || members.contains_key("data") || data.doc_type.is_some();
        is_data.then_some(data)
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Data")
            .field("scan_ref", &self.scan_ref)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// What kind of document was verified.
    ///
    /// # Errors
    /// Any [`Error`] but those about submissions; the call may always be repeated.
    pub async fn data(&self, scan_ref: &str) -> Result<Data, Error> {
        self.post_scan_ref("api/v2/data", scan_ref)
            .await?
            .expect_object(Data::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Option<Data> {
        Data::read(value.as_object().unwrap())
    }

    #[test]
    fn flat_and_nested_answers_read_the_same() {
        let flat = read(
            json!({"scanRef": "abc", "clientId": "c", "docType": "PASSPORT", "docIssuingCountry": "LT"}),
        );
        let nested = read(
            json!({"scanRef": "abc", "clientId": "c", "data": {"docType": "PASSPORT", "docIssuingCountry": "LT"}}),
        );
        assert_eq!(flat, nested);
        assert_eq!(flat.unwrap().doc_issuing_country.as_deref(), Some("LT"));
    }

    #[test]
    fn an_error_is_no_data() {
        assert_eq!(
            read(json!({"identifier": "BAD_VALUE", "message": "no"})),
            None
        );
    }

    #[test]
    fn each_of_its_marks_alone_makes_an_answer_data() {
        for answer in [
            json!({"scanRef": "abc"}),
            json!({"data": null}),
            json!({"docType": "PASSPORT"}),
        ] {
            assert!(read(answer.clone()).is_some(), "{answer}");
        }
    }
}
