//! Whether two results are about one person.
//!
//! `Same` needs two independent agreements: the whole name, and the birth date or personal number.
//! Father and son share a name, and so do strangers.
//! Twins share a surname and a birth date.

use super::date::{self, Relation as Date};
use super::name::{Name, Names};
use super::number::Number;
use super::{Person, Subject};

/// How two personal numbers relate, where they can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Codes {
    Equal,
    Different,
}

/// So many misread characters are still plausible.
const PLAUSIBLE_MISREADINGS: usize = 2;

pub(super) fn compare(one: &Subject, other: &Subject) -> Person {
    let names = Name::of(one).compare(&Name::of(other));
    let births = date::compare_births(one.date_of_birth.as_deref(), other.date_of_birth.as_deref());
    let codes = codes(one, other);
    // Two results of one country. Another country may write the name differently, such as Jan for
    // Jonas.
    let is_translated =
        |same_surname: bool| same_surname && one.is_of_country_of(other) == Some(false);
    match (births, names, codes) {
        // Two strong members against each other: one of them was misread.
        (Some(Date::Different), _, Some(Codes::Equal)) => Person::Unknown,
        (Some(Date::Different), _, _) => Person::Different,
        (_, Names::GivenDiffer { .. }, Some(Codes::Equal)) => Person::Unknown,
        (_, Names::GivenDiffer { same_surname }, _) if is_translated(same_surname) => {
            Person::Unknown
        }
        (_, Names::GivenDiffer { .. }, _) => Person::Different,
        // Some countries replace a person's number. Some print two kinds of numbers of one shape.
        (Some(Date::Equal), _, Some(Codes::Different)) => Person::Unknown,
        (_, _, Some(Codes::Different)) => Person::Different,
        (Some(Date::Slip), _, _) => Person::Unknown,
        _ if sexes_differ(one, other) => Person::Unknown,
        (Some(Date::Equal), Names::Agree, None)
        | (_, Names::Agree | Names::GivenAgree, Some(Codes::Equal)) => Person::Same,
        _ => Person::Unknown,
    }
}

/// Compares the personal numbers. `None`: missing, or not comparable.
///
/// Numbers of two countries are not compared: one person has two, and two persons may have the
/// same.
/// Equal numbers count even if a country was not read.
/// Unequal ones count only if both are known to be of one country and of one shape, and if more
/// than a misreading lies between them.
fn codes(one: &Subject, other: &Subject) -> Option<Codes> {
    let code = |subject: &Subject| Number::of_person(subject.personal_code.as_deref());
    let same_country = one.is_of_country_of(other);
    let (first, second) = (code(one)?, code(other)?);
    if first == second {
        return (same_country != Some(false)).then_some(Codes::Equal);
    }
    let is_evidence = same_country == Some(true)
        && first.has_shape_of(&second)
        && first.distance(&second) > PLAUSIBLE_MISREADINGS;
    is_evidence.then_some(Codes::Different)
}

fn sexes_differ(one: &Subject, other: &Subject) -> bool {
    let is_female =
        |subject: &Subject| match subject.sex.as_deref()?.trim().to_ascii_uppercase().as_str() {
            "FEMALE" | "F" => Some(true),
            "MALE" | "M" => Some(false),
            _ => None,
        };
    is_female(one)
        .zip(is_female(other))
        .is_some_and(|(one, other)| one != other)
}
