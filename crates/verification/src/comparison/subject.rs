//! What one result tells about a person and a document.

use std::fmt;

/// The members of one result that a comparison reads, as the provider sent them.
///
/// All are personal: there is no serialised form, and `Debug` prints no member.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Given names in the provider's standardised form, usually in Latin letters.
    pub first_name: Option<String>,
    /// Surname in the provider's standardised form.
    pub last_name: Option<String>,
    /// Given names in the document's own script.
    pub original_first_name: Option<String>,
    /// Surname in the document's own script.
    pub original_last_name: Option<String>,
    /// The whole name, its parts in no certain order.
    pub full_name: Option<String>,
    /// Surname at birth.
    pub birth_name: Option<String>,
    pub original_birth_name: Option<String>,
    pub patronymic: Option<String>,
    pub original_patronymic: Option<String>,
    /// Counts if it is a full date, `YYYY-MM-DD`.
    pub date_of_birth: Option<String>,
    /// `MALE` or `FEMALE`; anything else counts as missing.
    pub sex: Option<String>,
    /// The number that the issuing country knows the person by.
    pub personal_code: Option<String>,
    pub document_number: Option<String>,
    /// Such as `PASSPORT`; an open set.
    pub document_type: Option<String>,
    /// Two letters.
    pub issuing_country: Option<String>,
    /// The last day on which the document is valid, `YYYY-MM-DD`.
    pub expiry: Option<String>,
    pub date_of_issue: Option<String>,
}

impl Subject {
    /// The issuing country, if it is one: two letters, upper case.
    pub(super) fn country(&self) -> Option<String> {
        let country = self.issuing_country.as_deref()?.trim();
        let is_country =
            country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_country.then(|| country.to_ascii_uppercase())
    }

    /// Whether both documents are from one country. `None`: not known.
    pub(super) fn is_of_country_of(&self, other: &Self) -> Option<bool> {
        Some(self.country()? == other.country()?)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Subject(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_no_member() {
        let member = || Some("Ona 1970-01-01".to_owned());
        let subject = Subject {
            first_name: member(),
            personal_code: member(),
            document_number: member(),
            ..Subject::default()
        };
        assert_eq!(
            format!("{subject:?} {subject:#?}"),
            "Subject(redacted) Subject(redacted)"
        );
    }

    #[test]
    fn a_country_is_two_letters() {
        let of = |country: &str| Subject {
            issuing_country: Some(country.to_owned()),
            ..Subject::default()
        };
        assert_eq!(of(" lt ").is_of_country_of(&of("LT")), Some(true));
        assert_eq!(of("LT").is_of_country_of(&of("LV")), Some(false));
        for nowhere in ["", "L", "LTU", "L1", "ŽŽ"] {
            assert_eq!(of(nowhere).is_of_country_of(&of("LT")), None, "{nowhere}");
        }
    }
}
