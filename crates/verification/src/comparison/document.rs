//! Whether two results are about one document.
//!
//! The number decides: no other document of its kind and country has it.
//! A number alone is not always enough.
//! Some documents carry the person's number, so an identity card and a driving licence may share
//! it.
//! Some readings drop or confuse characters.
//! Type, country and dates are therefore second evidence.

use super::date::{self, Relation as DateRelation};
use super::number::{Number, Relation};
use super::{DocumentIdentity, Subject};

/// Kinds that are not confused with each other.
/// Every other kind has several names, such as `OLD_ID_CARD` or `OTHER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Passport,
    DrivingLicence,
    /// Identity cards and residence permits, which look alike.
    Card,
}

pub(super) fn compare(one: &Subject, other: &Subject) -> DocumentIdentity {
    let evidence = Evidence::of(one, other);
    match number_relation(one, other) {
        Some(Relation::Different) => DocumentIdentity::Different,
        Some(Relation::Equal)
            if evidence.supports_same() && (evidence.same_type || evidence.same_date) =>
        {
            DocumentIdentity::Same
        }
        // A misread number needs evidence that no other document has: the same day.
        Some(Relation::Confusable) if evidence.supports_same() && evidence.same_date => {
            DocumentIdentity::Same
        }
        None if evidence.shows_two_without_number() => DocumentIdentity::Different,
        // One difference may be a slip of a reader or of a word. Two are not.
        _ if evidence.differences() >= 2 && !evidence.same_date => DocumentIdentity::Different,
        _ => DocumentIdentity::Unknown,
    }
}

/// How the documents' numbers relate. `None`: not comparable.
fn number_relation(one: &Subject, other: &Subject) -> Option<Relation> {
    let number = |subject: &Subject| Number::of_document(subject.document_number.as_deref());
    let (first, second) = (number(one)?, number(other)?);
    let codes = [one, other].map(|subject| Number::of_person(subject.personal_code.as_deref()));
    let is_personal = |number: &Number| codes.iter().flatten().any(|code| code == number);
    match first.relation(&second) {
        // One reading took the person's number. It says nothing about the other.
        Relation::Different | Relation::Close if is_personal(&first) || is_personal(&second) => {
            None
        }
        // All documents of that person may carry this number.
        Relation::Equal if is_personal(&first) => Some(Relation::Confusable),
        relation => Some(relation),
    }
}

/// What else the results tell about the two documents.
struct Evidence {
    /// `None`: not known.
    same_country: Option<bool>,
    same_type: bool,
    different_kinds: bool,
    same_date: bool,
    different_dates: usize,
}

impl Evidence {
    fn of(one: &Subject, other: &Subject) -> Self {
        let kind = |subject: &Subject| kind(&document_type(subject)?);
        let dates = [
            date::compare(one.expiry.as_deref(), other.expiry.as_deref()),
            date::compare(one.date_of_issue.as_deref(), other.date_of_issue.as_deref()),
        ];
        let dates_that_are =
            |relation| dates.iter().filter(|date| **date == Some(relation)).count();
        Self {
            same_country: one.is_of_country_of(other),
            same_type: document_type(one).is_some_and(|word| Some(word) == document_type(other)),
            different_kinds: kind(one)
                .zip(kind(other))
                .is_some_and(|(one, other)| one != other),
            same_date: dates_that_are(DateRelation::Equal) > 0,
            different_dates: dates_that_are(DateRelation::Different),
        }
    }

    /// One country, and nothing that speaks against one document.
    fn supports_same(&self) -> bool {
        self.same_country == Some(true) && !self.different_kinds && self.different_dates == 0
    }

    /// Two countries or two kinds, and no date in common.
    fn shows_two_without_number(&self) -> bool {
        (self.same_country == Some(false) || self.different_kinds) && !self.same_date
    }

    fn differences(&self) -> usize {
        usize::from(self.same_country == Some(false))
            + usize::from(self.different_kinds)
            + self.different_dates
    }
}

/// The type as a word; `OTHER` says nothing.
fn document_type(subject: &Subject) -> Option<String> {
    let word = subject.document_type.as_deref()?.trim();
    (!word.is_empty() && word.len() <= 100 && !word.eq_ignore_ascii_case("OTHER"))
        .then(|| word.to_ascii_uppercase())
}

/// `NATIONAL_PASSPORT` has no kind: some countries' identity cards are called so.
fn kind(document_type: &str) -> Option<Kind> {
    match document_type {
        "PASSPORT" | "INTERNATIONAL_PASSPORT" => Some(Kind::Passport),
        "DRIVER_LICENSE" | "PROVISIONAL_DRIVER_LICENSE" => Some(Kind::DrivingLicence),
        "ID_CARD" | "OLD_ID_CARD" | "RESIDENCE_PERMIT" => Some(Kind::Card),
        _ => None,
    }
}
