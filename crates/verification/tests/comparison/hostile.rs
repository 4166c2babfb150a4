//! Texts that are no names.

use std::time::{Duration, Instant};

use verification::comparison::{Comparison, DocumentIdentity, Person, Subject, compare};

use crate::{Described, named};

/// The same text in every member.
fn everywhere(text: &str) -> Subject {
    let member = || Some(text.to_owned());
    Subject {
        first_name: member(),
        last_name: member(),
        original_first_name: member(),
        original_last_name: member(),
        full_name: member(),
        birth_name: member(),
        original_birth_name: member(),
        patronymic: member(),
        original_patronymic: member(),
        date_of_birth: member(),
        sex: member(),
        personal_code: member(),
        document_number: member(),
        document_type: member(),
        issuing_country: member(),
        expiry: member(),
        date_of_issue: member(),
    }
}

#[test]
fn a_text_without_end_is_a_missing_member() {
    for text in [
        "a".repeat(100_000),
        "a ".repeat(50_000),
        "\u{301}".repeat(100_000),
        "ﷺ".repeat(50_000),
    ] {
        assert_eq!(
            compare(&everywhere(&text), &everywhere(&text)),
            Comparison::UNKNOWN
        );
    }
    let long = "N".repeat(256);
    let person = compare(&named(&long, "SMITH"), &named(&long, "SMITH")).person;
    assert_eq!(
        person,
        Person::Unknown,
        "a name that was cut somewhere is none"
    );
}

#[test]
fn the_worst_text_within_the_bounds_takes_no_time() {
    let worst = [
        "abcdefg ".repeat(31),
        "ae".repeat(127),
        "ш".repeat(255),
        "o\u{308}".repeat(127),
        "ﷺ".repeat(28),
        "shch".repeat(63),
    ];
    let start = Instant::now();
    for one in &worst {
        for other in &worst {
            std::hint::black_box(compare(&everywhere(one), &everywhere(other)));
        }
    }
    // 36 comparisons. Each stays far below the callback's budget, even unoptimised.
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn what_is_no_name_or_number_proves_nothing() {
    for text in [
        "",
        " ",
        "-",
        "???",
        "\u{0}",
        "\u{200B}",
        "<<<<<<",
        "𝟎",
        "🦊",
        "null",
        "0",
        "<script>alert(1)</script>",
    ] {
        let found = compare(&everywhere(text), &everywhere(text));
        assert_eq!(found.person, Person::Unknown, "{text:?}");
        assert_ne!(found.document, DocumentIdentity::Different, "{text:?}");
    }
    let masked = |name: &str| named(name, name).paper("PASSPORT", "*********").from("LT");
    assert_eq!(compare(&masked("***"), &masked("***")), Comparison::UNKNOWN);
}
