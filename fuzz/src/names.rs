//! Names and references that become keys.

use sha2::{Digest, Sha256};
use verification::identifiers::{
    ClientId, CountryCode, Digest256, ScanRef, SecondReference, StepName, UploadId,
};
use verification::policy::StepImages;

/// Each line is taken for everything.
pub(crate) fn names(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    step_images(&text);
    let mut keys = std::collections::BTreeMap::new();
    for line in text.split('\n') {
        if let Some((key, name)) = step(line) {
            let other = keys.insert(key, name.clone());
            assert!(other.is_none_or(|other| other == name), "{name:?}");
        }
        scan_ref(line);
        others(line);
    }
}

/// The step's key in the bucket, from which the name can be found again.
fn step(text: &str) -> Option<(String, StepName)> {
    let name: StepName = text.parse().ok()?;
    assert_eq!(name.as_str(), text);
    assert!((1..=100).contains(&text.chars().count()));
    assert!(!text.contains("://") && !text.contains(char::is_control));
    let key = name.key();
    assert!((1..=100).contains(&key.len()));
    assert!(
        key.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=')),
        "{key}"
    );
    match key.rsplit_once("==") {
        Some((_, digest)) => assert_eq!(digest, hex::encode(Sha256::digest(text))),
        None => assert_eq!(unescaped(&key), text.as_bytes()),
    }
    is_mapped(&name);
    Some((key, name))
}

fn unescaped(key: &str) -> Vec<u8> {
    let mut parts = key.split('=');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    bytes
}

/// Every step that is not the first document's can be named in the mapping.
fn is_mapped(name: &StepName) {
    let encoded: String = name.as_str().bytes().fold(String::new(), |text, byte| {
        if byte.is_ascii_alphanumeric() {
            text + char::from(byte).to_string().as_str()
        } else {
            text + &format!("%{byte:02x}")
        }
    });
    let images = format!(" {encoded} = FRONT+BACK ,").parse::<StepImages>();
    assert_eq!(images.is_err(), name.is_first_document());
    if let Ok(images) = images {
        let shown = format!("{images:?}");
        assert!(shown.contains(&format!("{name:?}")), "{shown}");
    }
}

fn step_images(text: &str) {
    let Ok(images) = text.parse::<StepImages>() else {
        return;
    };
    let shown = format!("{images:?}");
    let is_empty = text.split(',').all(|entry| entry.trim().is_empty());
    assert_eq!(images == StepImages::default(), is_empty);
    assert_eq!(shown.contains("side: Front"), !is_empty, "{shown}");
}

fn scan_ref(text: &str) {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_right = (1..=128).contains(&text.len())
        && text.bytes().all(is_word)
        && !text.starts_with('-')
        && text.to_lowercase() != "unreadable";
    let parsed = text.parse::<ScanRef>();
    assert_eq!(parsed.is_ok(), is_right, "{text:?}");
    let Ok(first) = parsed else {
        return;
    };
    assert_eq!(first.as_str(), text);
    let reference = SecondReference::of(&first);
    assert!(reference.as_str().len() <= 40);
    assert_eq!(
        SecondReference::parse(reference.as_str()),
        Some(reference.clone())
    );
    assert_eq!(reference.first() == Some(first), text.len() <= 36);
}

fn others(text: &str) {
    if let Ok(client) = text.parse::<ClientId>() {
        assert_eq!(client.as_str(), text);
        assert!(!text.contains(char::is_control));
    }
    if let Ok(country) = text.parse::<CountryCode>() {
        assert_eq!(country.as_str(), text.to_ascii_uppercase());
        assert_eq!(text.len(), 2);
    }
    for (is_digits, length) in [
        (text.parse::<Digest256>().is_ok(), 64),
        (text.parse::<UploadId>().is_ok(), 16),
    ] {
        let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        assert_eq!(
            is_digits,
            text.len() == length && text.chars().all(is_digit)
        );
    }
    if let Some(reference) = SecondReference::parse(text) {
        assert_eq!(reference.as_str(), text);
        if let Some(first) = reference.first() {
            assert_eq!(SecondReference::of(&first), reference);
        }
    }
}
