//! The person and the document of a callback.
//!
//! [`Callback`](super::Callback) leaves these out. Only the comparison reads them.

use std::fmt;

use serde_json::{Map, Value};

use super::UnreadableCallback;
use crate::selection::{Members, Selected, Selection};

/// The members of `data` that distinguish persons and documents, as sent.
///
/// All are personal: `Debug` prints no member.
/// Every member may be null: the document does not show it, or it could not be read.
/// A text of more than twice the published bound is dropped.
/// Bounds, in characters, are those of the provider's OpenAPI description (`kyc.yaml`, 2026-09).
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// `docFirstName`, at most 100: given names in the provider's standardised form.
    pub first_name: Option<String>,
    /// `docLastName`, at most 100: surname in the provider's standardised form.
    pub last_name: Option<String>,
    /// `orgFirstName`, at most 255: given names in the document's own script.
    pub original_first_name: Option<String>,
    /// `orgLastName`, at most 255.
    pub original_last_name: Option<String>,
    /// `fullName`, at most 201. The order of its parts is not documented.
    pub full_name: Option<String>,
    /// `docBirthName`, at most 100: surname at birth.
    pub birth_name: Option<String>,
    /// `orgBirthName`, at most 500.
    pub original_birth_name: Option<String>,
    /// `docPatronymic`, at most 100.
    pub patronymic: Option<String>,
    /// `orgPatronymic`, at most 500.
    pub original_patronymic: Option<String>,
    /// `docDob`, at most 100.
    /// `YYYY-MM-DD` by the page on data retrieval, any text by the schema.
    pub date_of_birth: Option<String>,
    /// `docSex`: `MALE`, `FEMALE` or `UNDEFINED`.
    pub sex: Option<String>,
    /// `docPersonalCode`, at most 30; may be masked.
    pub personal_code: Option<String>,
    /// `docNumber`, at most 100.
    pub document_number: Option<String>,
    /// `docType`, an open set, at most 36 in the words known.
    pub document_type: Option<String>,
    /// `docIssuingCountry`, two letters.
    pub issuing_country: Option<String>,
    /// `docExpiry`, as `docDob`.
    pub expiry: Option<String>,
    /// `docDateOfIssue`, as `docDob`.
    pub date_of_issue: Option<String>,
}

const IDENTITY: Selection = Selection {
    whole: &[],
    parts: &[(
        "data",
        Selection {
            whole: &[
                "docFirstName",
                "docLastName",
                "orgFirstName",
                "orgLastName",
                "fullName",
                "docBirthName",
                "orgBirthName",
                "docPatronymic",
                "orgPatronymic",
                "docDob",
                "docSex",
                "docPersonalCode",
                "docNumber",
                "docType",
                "docIssuingCountry",
                "docExpiry",
                "docDateOfIssue",
            ],
            parts: &[],
        },
    )],
};

impl Identity {
    pub(crate) fn read(body: &[u8]) -> Result<Self, UnreadableCallback> {
        match IDENTITY.read(body).map_err(UnreadableCallback::NotJson)? {
            Selected::Object(members) => {
                Ok(members.object("data").map(Self::of).unwrap_or_default())
            }
            Selected::NotAnObject => Err(UnreadableCallback::NotAnObject),
        }
    }

    fn of(data: &Map<String, Value>) -> Self {
        let text = |name, bound: usize| {
            let text = data
                .text(name)
                .filter(|text| text.chars().nth(2 * bound).is_none());
            text.map(str::to_owned)
        };
        Self {
            first_name: text("docFirstName", 100),
            last_name: text("docLastName", 100),
            original_first_name: text("orgFirstName", 255),
            original_last_name: text("orgLastName", 255),
            full_name: text("fullName", 201),
            birth_name: text("docBirthName", 100),
            original_birth_name: text("orgBirthName", 500),
            patronymic: text("docPatronymic", 100),
            original_patronymic: text("orgPatronymic", 500),
            date_of_birth: text("docDob", 100),
            sex: text("docSex", 9),
            personal_code: text("docPersonalCode", 30),
            document_number: text("docNumber", 100),
            document_type: text("docType", 36),
            issuing_country: text("docIssuingCountry", 2),
            expiry: text("docExpiry", 100),
            date_of_issue: text("docDateOfIssue", 100),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Identity(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(data: &Value) -> Identity {
        Identity::read(
            json!({"scanRef": "abc", "data": data})
                .to_string()
                .as_bytes(),
        )
        .unwrap()
    }

    #[test]
    fn every_member_is_read_from_its_place() {
        let identity = read(&json!({
            "docFirstName": "A", "docLastName": "B", "orgFirstName": "C", "orgLastName": "D",
            "fullName": "E", "docBirthName": "F",
            "orgBirthName": "G", "docPatronymic": "H", "orgPatronymic": "I", "docDob": "J",
            "docSex": "K", "docPersonalCode": "L",
            "docNumber": "M", "docType": "N", "docIssuingCountry": "O", "docExpiry": "P",
            "docDateOfIssue": "Q",
        }));
        let some = |text: &str| Some(text.to_owned());
        let expected = Identity {
            first_name: some("A"),
            last_name: some("B"),
            original_first_name: some("C"),
            original_last_name: some("D"),
            full_name: some("E"),
            birth_name: some("F"),
            original_birth_name: some("G"),
            patronymic: some("H"),
            original_patronymic: some("I"),
            date_of_birth: some("J"),
            sex: some("K"),
            personal_code: some("L"),
            document_number: some("M"),
            document_type: some("N"),
            issuing_country: some("O"),
            expiry: some("P"),
            date_of_issue: some("Q"),
        };
        assert!(identity == expected);
    }

    #[test]
    fn odd_types_and_blanks_read_as_nothing() {
        for member in [
            json!(null),
            json!(7),
            json!(["ONA"]),
            json!({"value": "ONA"}),
            json!("  "),
            json!(true),
        ] {
            assert!(
                read(&json!({"docFirstName": member, "docNumber": member})) == Identity::default(),
                "{member}"
            );
        }
        for data in [json!(null), json!([1]), json!("ONA"), json!({})] {
            assert!(read(&data) == Identity::default(), "{data}");
        }
        assert!(Identity::read(b"{}").unwrap() == Identity::default());
    }

    #[test]
    fn a_text_beyond_twice_its_bound_is_dropped() {
        let longest = "Ė".repeat(200);
        let identity = read(
            &json!({"docFirstName": longest, "docLastName": format!("{longest}Ė"), "docPersonalCode": "1".repeat(61)}),
        );
        assert_eq!(identity.first_name, Some(longest));
        assert_eq!((identity.last_name, identity.personal_code), (None, None));
    }

    #[test]
    fn what_is_no_object_is_unreadable() {
        assert!(matches!(
            Identity::read(b"[]"),
            Err(UnreadableCallback::NotAnObject)
        ));
        assert!(matches!(
            Identity::read(b"{"),
            Err(UnreadableCallback::NotJson(_))
        ));
    }
}
