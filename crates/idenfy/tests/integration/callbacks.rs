//! Callbacks as in the provider's documents and integrations. All people are invented.

use bytes::Bytes;
use idenfy::{
    Callback, OverallWord, SigningKey, SigningKeys, StepsVerdictWord, UnreadableCallback,
    VerifiedBody,
};

pub const FIXTURES: &[(&str, &[u8])] = &[
    (
        "additional_steps_objects",
        include_bytes!("../fixtures/additional_steps_objects.json"),
    ),
    (
        "arrays_in_pdf_urls",
        include_bytes!("../fixtures/arrays_in_pdf_urls.json"),
    ),
    (
        "auto_not_final",
        include_bytes!("../fixtures/auto_not_final.json"),
    ),
    (
        "document_expiration",
        include_bytes!("../fixtures/document_expiration.json"),
    ),
    ("expired", include_bytes!("../fixtures/expired.json")),
    (
        "manual_approved_valid",
        include_bytes!("../fixtures/manual_approved_valid.json"),
    ),
    (
        "missing_final",
        include_bytes!("../fixtures/missing_final.json"),
    ),
    (
        "nulls_everywhere",
        include_bytes!("../fixtures/nulls_everywhere.json"),
    ),
    ("odd_types", include_bytes!("../fixtures/odd_types.json")),
    (
        "sentence_spelling",
        include_bytes!("../fixtures/sentence_spelling.json"),
    ),
    (
        "unicode_escapes",
        include_bytes!("../fixtures/unicode_escapes.json"),
    ),
];

/// What both first verification's fixtures and their links are about.
const SCAN_REF: &str = "0b9f6d02-8f6a-4b6e-9d6c-5a1f0c7e4d21";

pub fn callback(name: &str) -> Callback {
    let (_, body) = FIXTURES.iter().find(|(this, _)| *this == name).unwrap();
    parse(body).unwrap()
}

fn parse(body: &[u8]) -> Result<Callback, UnreadableCallback> {
    VerifiedBody::previously_verified(Bytes::copy_from_slice(body)).parse()
}

#[test]
fn every_fixture_is_signed_verified_and_parsed() {
    let key = SigningKey::new("a key from the dashboard").unwrap();
    let keys = SigningKeys::new(vec![
        SigningKey::new("the key before").unwrap(),
        key.clone(),
    ])
    .unwrap();
    for (name, body) in FIXTURES {
        let verified = keys
            .verify(Bytes::from_static(body), Some(key.sign(body).as_bytes()))
            .unwrap();
        assert_eq!(verified.parse().unwrap().scan_ref, SCAN_REF, "{name}");
    }
}

#[test]
fn an_automatic_result_before_a_review_is_not_final() {
    let callback = callback("auto_not_final");
    assert_eq!(callback.is_final, Some(false));
    assert_eq!(callback.status.overall, Some(OverallWord::Approved));
    assert_eq!(
        callback.status.additional_steps,
        StepsVerdictWord::NotJudged
    );
    assert_eq!(callback.status.manual_document, None);
}

#[test]
fn a_reviewed_result_has_everything_that_a_decision_needs() {
    let callback = callback("manual_approved_valid");
    assert_eq!(callback.is_final, Some(true));
    assert_eq!(callback.status.additional_steps, StepsVerdictWord::Valid);
    assert_eq!(callback.status.manual_face.as_deref(), Some("FACE_MATCH"));
    assert_eq!(
        callback.client_id.as_deref(),
        Some("ona.petraityte@mail.example")
    );
    assert_eq!(callback.external_ref.as_deref(), Some("order-of-ona-4711"));
    assert_eq!(
        callback.additional_steps.get("SECOND_DOC"),
        Some(&Some("UPLOAD".to_owned()))
    );
    assert_eq!(
        callback.file_urls.steps().collect::<Vec<_>>(),
        ["FACE", "FRONT", "SECOND_DOC"]
    );
    let links: Vec<&str> = callback.links_of("SECOND_DOC").collect();
    assert_eq!(links, callback.file_urls.get("SECOND_DOC"));
    assert_eq!(links.len(), 1);
    assert_eq!(callback.selected_country.as_deref(), Some("LT"));
    assert_eq!(callback.doc_issuing_country.as_deref(), Some("LT"));
    assert_eq!(callback.doc_type.as_deref(), Some("PASSPORT"));
    assert_eq!(
        (callback.start_time, callback.finish_time),
        (Some(1_793_523_000), Some(1_793_523_360))
    );
}

#[test]
fn the_guide_s_sentences_mean_what_the_words_mean() {
    let status = callback("sentence_spelling").status;
    assert_eq!(
        (status.overall, status.additional_steps),
        (Some(OverallWord::Approved), StepsVerdictWord::Valid)
    );
}

#[test]
fn nulls_everywhere_leave_a_reference_and_nothing_else() {
    let callback = callback("nulls_everywhere");
    assert_eq!((callback.is_final, callback.status.overall), (None, None));
    assert_eq!((callback.client_id, callback.start_time), (None, None));
    assert!(callback.additional_steps.is_empty() && callback.file_urls.is_empty());
}

#[test]
fn several_pdf_links_of_one_step_are_all_read() {
    let callback = callback("arrays_in_pdf_urls");
    assert_eq!(
        callback
            .additional_step_pdf_urls
            .get("SECOND_DOC_FRONT")
            .len(),
        2
    );
    let links: Vec<&str> = callback.links_of("SECOND_DOC_FRONT").collect();
    assert_eq!(
        links,
        callback.additional_step_pdf_urls.get("SECOND_DOC_FRONT")
    );
    assert_eq!(callback.links_of("SECOND_DOC_BACK").count(), 1);
    assert_eq!(
        callback.additional_steps.get("SECOND_DOC_BACK"),
        Some(&None)
    );
}

#[test]
fn final_stays_open_where_the_body_does_not_say() {
    assert_eq!(callback("missing_final").is_final, None);
}

#[test]
fn steps_as_objects_are_as_good_as_the_worst_of_them() {
    let callback = callback("additional_steps_objects");
    assert_eq!(
        callback.additional_steps.get("SECOND_DOC"),
        Some(&Some("EXTRACT".to_owned()))
    );
    assert_eq!(callback.additional_steps.get("POA2"), Some(&None));
    assert_eq!(callback.status.additional_steps, StepsVerdictWord::Invalid);
}

#[test]
fn an_expired_session_has_a_verdict_and_no_files() {
    let callback = callback("expired");
    assert_eq!(callback.status.overall, Some(OverallWord::Expired));
    assert!(callback.file_urls.is_empty() && callback.additional_step_pdf_urls.is_empty());
    assert_eq!((callback.start_time, callback.finish_time), (None, Some(0)));
}

#[test]
fn another_product_s_body_has_no_verdict() {
    let callback = callback("document_expiration");
    assert_eq!(
        (callback.status.overall, callback.status.additional_steps),
        (None, StepsVerdictWord::NotJudged)
    );
}

#[test]
fn escaped_characters_read_as_what_they_stand_for() {
    assert_eq!(
        callback("unicode_escapes").client_id.as_deref(),
        Some("vartotoja-ąčę-🦊")
    );
}

#[test]
fn odd_types_read_as_nothing_and_an_odd_verdict_is_no_approval() {
    let callback = callback("odd_types");
    assert_eq!(callback.is_final, Some(false));
    assert_eq!(
        (callback.client_id.as_deref(), callback.external_ref),
        (Some("\u{FFFD}"), None)
    );
    assert_eq!(
        (callback.status.overall, callback.status.additional_steps),
        (None, StepsVerdictWord::Unknown)
    );
    assert_eq!(callback.status.mismatch_tags, ["NAME", "UNRECOGNISED"]);
    assert_eq!(
        callback.additional_steps.keys().collect::<Vec<_>>(),
        ["SECOND_DOC", "\u{FFFD}"]
    );
    assert_eq!(
        (callback.start_time, callback.finish_time),
        (Some(1_793_523_000), None)
    );
}

#[test]
fn only_a_body_without_a_reference_is_unreadable() {
    for body in [
        "{}",
        r#"{"scanRef":null}"#,
        r#"{"scanRef":" "}"#,
        r#"{"scanRef":7}"#,
        r#"{"scanRef":"a b"}"#,
    ] {
        assert_eq!(
            parse(body.as_bytes()).unwrap_err(),
            UnreadableCallback::NoScanRef,
            "{body}"
        );
    }
    for body in ["[]", "null", "\"scanRef\"", r#"[{"scanRef":"abc"}]"#] {
        assert_eq!(
            parse(body.as_bytes()).unwrap_err(),
            UnreadableCallback::NotAnObject,
            "{body}"
        );
    }
    for body in [
        "",
        "scanRef=abc",
        r#"{"scanRef":"abc""#,
        r#"{"scanRef":"abc"} trailing"#,
    ] {
        assert!(
            matches!(parse(body.as_bytes()), Err(UnreadableCallback::NotJson(_))),
            "{body}"
        );
    }
}

#[test]
fn members_may_be_malformed_in_ways_that_do_not_matter() {
    for body in [
        &br#"{"data":{"docFirstName":"\ud800"},"scanRef":"abc"}"#[..],
        br#"{"data":{"docFirstName":"\x escape"},"scanRef":"abc"}"#,
        b"{\"data\":{\"docFirstName\":\"\xFF\"},\"scanRef\":\"abc\"}",
        b"\xEF\xBB\xBF{\"AML\":[{\"score\":NaN}],\"scanRef\":\"abc\"}",
        br#"{"final":Infinity,"scanRef":"abc"}"#,
    ] {
        assert_eq!(parse(body).unwrap().scan_ref, "abc", "{body:?}");
    }
    assert_eq!(
        parse(br#"{"scanRef":"\ud800"}"#).unwrap_err(),
        UnreadableCallback::NoScanRef
    );
}
