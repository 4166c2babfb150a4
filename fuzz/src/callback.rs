//! The body of a callback, from bytes to what decisions are made on.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use idenfy::{Callback, FileUrls, UnreadableCallback, VerifiedBody};
use serde_json::Value;
use verification::identifiers::StepName;

use crate::resources::in_linear_time;

/// Included as it is: its crate needs the whole AWS SDK.
#[allow(dead_code, reason = "only what reads a callback is fuzzed")]
#[rustfmt::skip]
#[path = "../../crates/adapters/src/callback.rs"]
mod included;

/// The most that is kept of an object or list, see `idenfy`'s `lenient_json`.
const MAXIMUM_ENTRIES: usize = 64;

/// Stands for what could not be read.
const UNREADABLE: &str = "\u{FFFD}";

pub(crate) fn callback(body: &[u8]) {
    let verified = VerifiedBody::previously_verified(Bytes::copy_from_slice(body));
    assert_eq!(
        format!("{verified:?}"),
        format!("VerifiedBody({} bytes)", body.len())
    );
    let (parsed, identity) = in_linear_time(body.len(), || (verified.parse(), verified.identity()));
    match (&parsed, &identity) {
        (Ok(_), Ok(_)) | (Err(UnreadableCallback::NoScanRef), Ok(_)) => {}
        (Err(parsed), Err(identity)) => assert_eq!(parsed, identity),
        _ => panic!("one of the two readings says that it is no object"),
    }
    if let Ok(identity) = &identity {
        assert_eq!(format!("{identity:?}"), "Identity(redacted)");
    }
    match &parsed {
        Ok(callback) => {
            has_bounds(callback);
            debug_shows_nothing_personal(callback);
            words_are_words(callback);
            agrees_with_a_strict_parser(body, callback);
        }
        Err(error) => error_says_nothing_of_the_body(*error, body),
    }
    facts_are_of_the_callback(&verified, parsed.ok().as_ref());
}

fn has_bounds(callback: &Callback) {
    let reference = &callback.scan_ref;
    assert!((1..=255).contains(&reference.len()));
    assert!(!reference.contains(UNREADABLE));
    assert!(!reference.contains(|c: char| c.is_whitespace() || c.is_control()));
    assert!(callback.additional_steps.len() <= MAXIMUM_ENTRIES + 1);
    for urls in [&callback.file_urls, &callback.additional_step_pdf_urls] {
        assert!(urls.steps().count() <= MAXIMUM_ENTRIES + 1);
        for (_, links) in urls.iter() {
            assert!((1..=FileUrls::MAXIMUM_LINKS).contains(&links.len()));
            let distinct: BTreeSet<&String> = links.iter().collect();
            assert_eq!(distinct.len(), links.len());
            assert!(links.iter().all(|link| !link.contains(UNREADABLE)));
            assert!(links.iter().all(|link| !link.trim().is_empty()));
        }
    }
}

/// Prints the same with any text in the places that are never shown.
fn debug_shows_nothing_personal(callback: &Callback) {
    let without = |urls: &FileUrls| {
        let replaced = urls.iter().map(|(step, links)| {
            let links = (0..links.len()).map(|link| link.to_string());
            (step.to_owned(), links.collect())
        });
        replaced.collect()
    };
    let other = Callback {
        client_id: None,
        external_ref: None,
        file_urls: without(&callback.file_urls),
        additional_step_pdf_urls: without(&callback.additional_step_pdf_urls),
        selected_country: None,
        doc_issuing_country: None,
        doc_type: None,
        start_time: None,
        finish_time: None,
        ..callback.clone()
    };
    assert_eq!(format!("{callback:?}"), format!("{other:?}"));
}

/// Every printed word of a status is one of the provider's kind.
fn words_are_words(callback: &Callback) {
    let status = &callback.status;
    let overall = status.overall.as_ref().map(ToString::to_string);
    let words = [
        &overall,
        &status.auto_document,
        &status.auto_face,
        &status.manual_document,
        &status.manual_face,
        &callback.doc_type,
    ];
    let tags = status.fraud_tags.iter().chain(&status.mismatch_tags);
    let kinds = callback.additional_steps.values().flatten();
    for word in words.into_iter().flatten().chain(tags).chain(kinds) {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let is_word = (1..=72).contains(&word.len()) && word.bytes().all(is_part);
        assert!(is_word || word == "EXPIRED-DELETED", "{word:?}");
    }
}

fn error_says_nothing_of_the_body(error: UnreadableCallback, body: &[u8]) {
    if let UnreadableCallback::NotJson(place) = error {
        let lines = body.iter().filter(|&&byte| byte == b'\n').count() + 1;
        assert!((1..=lines).contains(&place.line), "{place}");
        assert!((1..=body.len() + 1).contains(&place.column), "{place}");
        assert!(serde_json::from_slice::<Value>(body).is_err());
    }
    let text = format!("{error} {error:?}").replace(|c: char| c.is_ascii_digit(), "");
    let texts = [
        "the callback's body is no JSON NotJson(NotJson { line: , column:  })",
        "the callback's body is JSON but not an object NotAnObject",
        "the callback names no usable scanRef NoScanRef",
    ];
    assert!(texts.contains(&text.as_str()), "{text}");
}

/// What is JSON in a strict sense reads as it does when it is written anew.
fn agrees_with_a_strict_parser(body: &[u8], callback: &Callback) {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    // Which entries are kept of more may depend on their order and spelling.
    if has_many_entries(&value) || has_many_entries_as_written(body) {
        return;
    }
    let again = VerifiedBody::previously_verified(serde_json::to_vec(&value).unwrap().into());
    let mut again = again.parse().expect("the same body is readable");
    let mut callback = callback.clone();
    // Repetitions that are spelled differently are told apart in one of the two.
    for tags in [&mut callback, &mut again].map(|callback| &mut callback.status) {
        for list in [&mut tags.fraud_tags, &mut tags.mismatch_tags] {
            let distinct: BTreeSet<String> = list.drain(..).collect();
            list.extend(distinct);
        }
    }
    assert!(callback == again, "{callback:?} is not {again:?}");
}

fn has_many_entries(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.len() > MAXIMUM_ENTRIES || items.iter().any(has_many_entries),
        Value::Object(members) => {
            members.len() > MAXIMUM_ENTRIES || members.values().any(has_many_entries)
        }
        _ => false,
    }
}

/// Repeated members are only there as they are written.
fn has_many_entries_as_written(body: &[u8]) -> bool {
    body.iter().filter(|&&byte| byte == b',').count() > MAXIMUM_ENTRIES
}

/// What the webhook decides on.
fn facts_are_of_the_callback(verified: &VerifiedBody, callback: Option<&Callback>) {
    let facts = in_linear_time(verified.bytes().len(), || included::read_callback(verified));
    let (Some(callback), Ok(facts)) = (callback, facts) else {
        return;
    };
    assert_eq!(facts.scan_ref.as_str(), callback.scan_ref);
    let usable: BTreeMap<&str, StepName> = callback
        .additional_steps
        .keys()
        .filter_map(|step| Some((step.as_str(), step.parse().ok()?)))
        .collect();
    assert_eq!(facts.steps.len(), usable.len());
    assert_eq!(
        facts.has_unusable_steps,
        usable.len() < callback.additional_steps.len()
    );
    assert_eq!(
        facts.has_unusable_client,
        callback.client_id.is_some() && facts.client_id.is_none()
    );
    for (step, links) in &facts.links {
        assert!(!step.as_str().contains("://"));
        assert_eq!(
            links.len(),
            callback
                .links_of(step.as_str())
                .collect::<BTreeSet<_>>()
                .len()
        );
    }
    if let Some(subject) = included::subject(verified) {
        let debug = format!("{subject:?}");
        assert!(debug.len() < 40, "{} bytes are printed", debug.len());
    }
}
