//! What two results tell about person and document. All persons are invented.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod archive;
mod documents;
mod hostile;
mod persons;
mod properties;
mod wrong_rules;

use verification::comparison::{Comparison, DocumentIdentity, Person, Subject};

/// A subject that a case describes member by member.
trait Described {
    fn printed(self, first: &str, last: &str) -> Self;
    fn patronymic(self, name: &str) -> Self;
    fn full(self, name: &str) -> Self;
    fn born_as(self, name: &str) -> Self;
    fn born_on(self, date: &str) -> Self;
    fn sex(self, sex: &str) -> Self;
    fn code(self, country: &str, code: &str) -> Self;
    fn from(self, country: &str) -> Self;
    fn paper(self, document_type: &str, number: &str) -> Self;
    fn valid(self, issued: &str, expires: &str) -> Self;
}

/// An empty text is a missing member.
fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A person born on the day that most cases share.
fn named(first: &str, last: &str) -> Subject {
    Subject {
        first_name: some(first),
        last_name: some(last),
        date_of_birth: some("1985-03-27"),
        ..Subject::default()
    }
}

fn nobody() -> Subject {
    Subject::default()
}

impl Described for Subject {
    fn printed(self, first: &str, last: &str) -> Self {
        let (original_first_name, original_last_name) = (some(first), some(last));
        Self {
            original_first_name,
            original_last_name,
            ..self
        }
    }

    fn patronymic(self, name: &str) -> Self {
        Self {
            patronymic: some(name),
            ..self
        }
    }

    fn full(self, name: &str) -> Self {
        Self {
            full_name: some(name),
            ..self
        }
    }

    fn born_as(self, name: &str) -> Self {
        Self {
            birth_name: some(name),
            ..self
        }
    }

    fn born_on(self, date: &str) -> Self {
        Self {
            date_of_birth: some(date),
            ..self
        }
    }

    fn sex(self, sex: &str) -> Self {
        Self {
            sex: some(sex),
            ..self
        }
    }

    fn code(self, country: &str, code: &str) -> Self {
        let personal_code = some(code);
        Self {
            personal_code,
            ..self
        }
        .from(country)
    }

    fn from(self, country: &str) -> Self {
        let issuing_country = some(country);
        Self {
            issuing_country,
            ..self
        }
    }

    fn paper(self, document_type: &str, number: &str) -> Self {
        let (document_type, document_number) = (some(document_type), some(number));
        Self {
            document_type,
            document_number,
            ..self
        }
    }

    fn valid(self, issued: &str, expires: &str) -> Self {
        let (date_of_issue, expiry) = (some(issued), some(expires));
        Self {
            date_of_issue,
            expiry,
            ..self
        }
    }
}

#[test]
fn the_words_are_those_of_the_contract() {
    assert_eq!(
        Person::ALL
            .iter()
            .map(|word| word.as_str())
            .collect::<Vec<_>>(),
        ["Same", "Different", "Unknown"]
    );
    assert_eq!(
        DocumentIdentity::ALL
            .iter()
            .map(|word| word.as_str())
            .collect::<Vec<_>>(),
        ["Different", "Same", "Unknown"]
    );
    for person in Person::ALL.iter().copied() {
        for document in DocumentIdentity::ALL.iter().copied() {
            let comparison = Comparison { person, document };
            let words =
                serde_json::json!({"person": person.as_str(), "document": document.as_str()});
            assert_eq!(serde_json::to_value(comparison).unwrap(), words);
            assert_eq!(
                serde_json::from_value::<Comparison>(words).unwrap(),
                comparison
            );
        }
    }
}

#[test]
fn nothing_told_is_nothing_known() {
    assert_eq!(
        verification::comparison::compare(&nobody(), &nobody()),
        Comparison::UNKNOWN
    );
}
