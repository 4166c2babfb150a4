//! One document or two.

use verification::comparison::DocumentIdentity::{Different, Same, Unknown};
use verification::comparison::compare;

use crate::{Described, nobody};

#[test]
fn a_number_with_second_evidence_tells_the_document() {
    let passport = || nobody().from("LT").paper("PASSPORT", "LB77012345");
    let card = || nobody().from("LT").paper("ID_CARD", "14027788");
    let day = "2021-05-17";
    let until = "2031-05-17";
    let cases = [
        // The same paper.
        ("equal", passport(), passport(), Same),
        (
            "other separators and case",
            passport(),
            nobody().from("lt").paper("passport", "lb 77-012345"),
            Same,
        ),
        (
            "equal in every member",
            passport().valid(day, until),
            passport().valid(day, until),
            Same,
        ),
        (
            "another word for the type",
            card().valid("", until),
            nobody()
                .from("LT")
                .paper("OLD_ID_CARD", "14027788")
                .valid("", until),
            Same,
        ),
        (
            "type read as OTHER",
            card().valid("", until),
            nobody()
                .from("LT")
                .paper("OTHER", "14027788")
                .valid("", until),
            Same,
        ),
        (
            "type missing",
            card().valid(day, ""),
            nobody().from("LT").paper("", "14027788").valid(day, ""),
            Same,
        ),
        (
            "0 and O misread",
            passport().valid("", until),
            nobody()
                .from("LT")
                .paper("PASSPORT", "LB77O12345")
                .valid("", until),
            Same,
        ),
        (
            "1 and I misread",
            passport().valid(day, ""),
            nobody()
                .from("LT")
                .paper("PASSPORT", "LB770I2345")
                .valid(day, ""),
            Same,
        ),
        (
            "Cyrillic series",
            nobody().from("UA").paper("PASSPORT", "СН123456"),
            nobody().from("UA").paper("PASSPORT", "CH123456"),
            Same,
        ),
        // Two papers.
        ("passport and card", passport(), card(), Different),
        (
            "two passports",
            passport(),
            nobody().from("LT").paper("PASSPORT", "MC01998877"),
            Different,
        ),
        (
            "two countries, no number",
            nobody().from("LT").paper("ID_CARD", ""),
            nobody().from("PL").paper("ID_CARD", ""),
            Different,
        ),
        (
            "two kinds, no number",
            nobody().from("LT").paper("PASSPORT", ""),
            card(),
            Different,
        ),
        (
            "card and licence with the person's number",
            nobody()
                .from("ES")
                .paper("ID_CARD", "12345678Z")
                .valid("2020-02-02", "2030-02-02"),
            nobody()
                .from("ES")
                .paper("DRIVER_LICENSE", "12345678Z")
                .valid("2018-07-19", "2028-07-19"),
            Different,
        ),
        (
            "card that was renewed under its number",
            nobody()
                .from("ES")
                .paper("ID_CARD", "12345678Z")
                .valid("2014-06-11", "2019-06-11"),
            nobody()
                .from("ES")
                .paper("ID_CARD", "12345678Z")
                .valid("2020-02-03", "2030-02-03"),
            Different,
        ),
        (
            "neighbouring numbers of two kinds",
            passport().valid("2021-05-17", "2031-05-17"),
            nobody()
                .from("LT")
                .paper("ID_CARD", "LB77012346")
                .valid("2018-11-22", "2028-11-22"),
            Different,
        ),
        // Not told.
        ("no members", nobody(), nobody(), Unknown),
        (
            "no number",
            nobody().from("LT").paper("PASSPORT", ""),
            passport(),
            Unknown,
        ),
        (
            "no country",
            nobody().paper("PASSPORT", "LB77012345"),
            passport(),
            Unknown,
        ),
        (
            "number and country alone",
            nobody().from("LT").paper("", "LB77012345"),
            passport(),
            Unknown,
        ),
        (
            "type OTHER twice",
            nobody().from("LT").paper("OTHER", "LB77012345"),
            nobody().from("LT").paper("OTHER", "LB77012345"),
            Unknown,
        ),
        (
            "0 and O misread, nothing else",
            passport(),
            nobody().from("LT").paper("PASSPORT", "LB77O12345"),
            Unknown,
        ),
        (
            "a digit misread",
            passport().valid("", until),
            nobody()
                .from("LT")
                .paper("PASSPORT", "LB77012346")
                .valid("", until),
            Unknown,
        ),
        (
            "series left out",
            passport(),
            nobody().from("LT").paper("PASSPORT", "77012345"),
            Unknown,
        ),
        (
            "equal number, another country",
            passport(),
            nobody().from("LV").paper("PASSPORT", "LB77012345"),
            Unknown,
        ),
        (
            "equal number, another kind",
            passport(),
            nobody().from("LT").paper("ID_CARD", "LB77012345"),
            Unknown,
        ),
        (
            "equal number, another expiry",
            passport().valid("", until),
            passport().valid("", "2028-11-22"),
            Unknown,
        ),
        (
            "two cards, no number",
            nobody().from("LT").paper("ID_CARD", ""),
            nobody().from("LT").paper("RESIDENCE_PERMIT", ""),
            Unknown,
        ),
        (
            "a passport that is a card",
            nobody().from("UA").paper("NATIONAL_PASSPORT", ""),
            nobody().from("UA").paper("ID_CARD", ""),
            Unknown,
        ),
        (
            "two kinds, no number, one day",
            nobody().from("LT").paper("PASSPORT", "").valid("", until),
            nobody().from("LT").paper("ID_CARD", "").valid("", until),
            Unknown,
        ),
        (
            "masked number",
            nobody().from("LT").paper("PASSPORT", "XXXXXX2345"),
            passport(),
            Unknown,
        ),
        (
            "numbers too short",
            nobody().from("LT").paper("PASSPORT", "12"),
            nobody().from("LT").paper("PASSPORT", "34"),
            Unknown,
        ),
        (
            "the person's number read in place of the document's",
            nobody()
                .paper("ID_CARD", "38503270010")
                .code("LT", "38503270010"),
            card(),
            Unknown,
        ),
        (
            "the person's number on both, type alone",
            nobody()
                .paper("ID_CARD", "12345678Z")
                .code("ES", "12345678Z"),
            nobody()
                .paper("ID_CARD", "12345678Z")
                .code("ES", "12345678Z"),
            Unknown,
        ),
    ];
    let mut wrong = Vec::new();
    for (what, one, other, document) in cases {
        let (there, back) = (
            compare(&one, &other).document,
            compare(&other, &one).document,
        );
        if (there, back) != (document, document) {
            wrong.push(format!(
                "{what}: {document:?} is right, {there:?} and {back:?} were given"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
