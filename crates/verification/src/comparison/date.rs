//! Dates as documents print them and machines read them.

use time::{Date, Month};

/// How two dates relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    /// Unequal, but one plausible slip apart: perhaps two readings of one date.
    Slip,
    Different,
}

/// An earlier birth year was misread, or is of another calendar.
const EARLIEST_BIRTH: i32 = 1880;

/// So is one after this.
const LATEST_BIRTH: i32 = 2099;

/// Compares two birth dates. `None`: one is missing or impossible.
pub(super) fn compare_births(one: Option<&str>, other: Option<&str>) -> Option<Relation> {
    let read =
        |text| read(text).filter(|date| (EARLIEST_BIRTH..=LATEST_BIRTH).contains(&date.year()));
    Some(relation(read(one)?, read(other)?))
}

/// Compares two dates of documents. `None`: one is missing or impossible.
pub(super) fn compare(one: Option<&str>, other: Option<&str>) -> Option<Relation> {
    Some(relation(read(one)?, read(other)?))
}

/// A full date of the form `YYYY-MM-DD` that exists in the calendar.
fn read(text: Option<&str>) -> Option<Date> {
    let text = text?.trim();
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let number = |digits: &str, length| {
        let is_number = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let month = Month::try_from(u8::try_from(number(month, 2)?).ok()?).ok()?;
    let day = u8::try_from(number(day, 2)?).ok()?;
    Date::from_calendar_date(i32::from(number(year, 4)?), month, day).ok()
}

fn relation(one: Date, other: Date) -> Relation {
    if one == other {
        return Relation::Equal;
    }
    let (month, day) = (u8::from(one.month()), one.day());
    let (other_month, other_day) = (u8::from(other.month()), other.day());
    let same_day = (month, day) == (other_month, other_day);
    let same_year = one.year() == other.year();
    // Day and month in the other order.
    let swapped = same_year && (month, day) == (other_day, other_month);
    // Machine-readable lines give two digits of the year.
    let other_century = same_day && one.year().abs_diff(other.year()) == 100;
    // 1 January often stands for an unknown day.
    let only_year = same_year && ((month, day) == (1, 1) || (other_month, other_day) == (1, 1));
    if swapped || other_century || only_year || differing_digits(one, other) == 1 {
        Relation::Slip
    } else {
        Relation::Different
    }
}

fn differing_digits(one: Date, other: Date) -> usize {
    let digits = |date: Date| {
        format!(
            "{:04}{:02}{:02}",
            date.year(),
            u8::from(date.month()),
            date.day()
        )
    };
    let (one, other) = (digits(one), digits(other));
    one.bytes()
        .zip(other.bytes())
        .filter(|(one, other)| one != other)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn births(one: &str, other: &str) -> Option<Relation> {
        compare_births(Some(one), Some(other))
    }

    #[test]
    fn one_slip_apart_may_be_one_date() {
        for (one, other) in [
            ("1990-03-07", "1990-07-03"),
            ("1990-03-07", "1990-03-01"),
            ("1960-05-12", "1990-05-12"),
            ("1925-05-12", "2025-05-12"),
            ("1990-01-01", "1990-11-28"),
        ] {
            assert_eq!(births(one, other), Some(Relation::Slip), "{one} {other}");
            assert_eq!(births(other, one), Some(Relation::Slip), "{other} {one}");
        }
    }

    #[test]
    fn more_than_a_slip_apart_is_two_dates() {
        for (one, other) in [
            ("1990-03-07", "1991-07-03"),
            ("1990-03-07", "1990-03-28"),
            ("1962-05-12", "1990-05-12"),
            ("1990-01-01", "1991-11-28"),
        ] {
            assert_eq!(
                births(one, other),
                Some(Relation::Different),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn what_is_no_full_birth_date_is_missing() {
        let whole = "1990-03-07";
        assert_eq!(births(whole, " 1990-03-07 "), Some(Relation::Equal));
        for text in [
            "",
            "1990",
            "1990-03",
            "1990-00-00",
            "1990-02-30",
            "1990-13-01",
            "90-03-07",
            "07.03.1990",
            "1990-3-7",
            "1990-03-07T00:00:00",
            "+990-03-07",
            "0000-03-07",
            "1370-03-07",
            "2533-03-07",
            "1990-03-0７",
            "--",
        ] {
            assert_eq!(births(whole, text), None, "{text}");
        }
        assert_eq!(compare_births(Some(whole), None), None);
    }

    #[test]
    fn a_document_may_be_valid_for_ever() {
        let for_ever = Some("9999-12-31");
        assert_eq!(compare(for_ever, for_ever), Some(Relation::Equal));
    }
}
