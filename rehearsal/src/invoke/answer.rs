//! Answers as they can be compared: bodies opened, and what differs from run to run masked by its
//! kind.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Members that hold a secret, or a link that leads to one.
const SECRETS: [&str; 2] = ["authToken", "redirectUrl"];

/// Where the expected answer to a sample is kept: beside it.
pub fn expected_path(root: &Path, sample: &str) -> PathBuf {
    root.join(format!("{sample}.answer.json"))
}

/// What is kept of an answer. `sample` is the sample as text: what stands in it is the same in
/// every run.
pub fn settle(answer: &Value, sample: &str) -> Value {
    match answer {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => settle(&inner, sample),
            _ => json!(mask(text, sample)),
        },
        Value::Array(items) => items.iter().map(|item| settle(item, sample)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let is_secret = SECRETS.contains(&name.as_str()) && value.is_string();
                (
                    name.clone(),
                    if is_secret {
                        json!(format!("<{name}>"))
                    } else {
                        settle(value, sample)
                    },
                )
            })
            .collect(),
        other => other.clone(),
    }
}

/// As it is written.
///
/// # Errors
/// Never for a value that has been read.
pub fn write(answer: &Value) -> Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(answer)?))
}

/// The first line in which two texts differ, for people; none if they are equal.
pub fn difference(expected: &str, seen: &str) -> Option<String> {
    if expected == seen {
        return None;
    }
    let mut lines = expected.lines();
    let line = seen
        .lines()
        .enumerate()
        .find(|(_, line)| lines.next() != Some(line));
    let (number, line) = line.unwrap_or((seen.lines().count(), "nothing more"));
    let wanted = expected.lines().nth(number).unwrap_or("nothing more");
    Some(format!(
        "line {}: expected {}, saw {}",
        number + 1,
        wanted.trim(),
        line.trim()
    ))
}

/// What is expected, if it was ever written down.
///
/// # Errors
/// It cannot be read.
pub fn expected(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        result => {
            Ok(Some(result.with_context(|| {
                format!("cannot read {}", path.display())
            })?))
        }
    }
}

/// Times and identifiers within a text, the sample's own excepted.
fn mask(text: &str, sample: &str) -> String {
    let mut masked = String::new();
    let mut word = String::new();
    // What a time or an identifier consists of; a colon or full stop at the end of a sentence is
    // taken off again.
    let belongs =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | ':' | '.');
    for character in text.chars().chain(['\n']) {
        if belongs(character) {
            word.push(character);
            continue;
        }
        let bare = word.trim_end_matches([':', '.']);
        match kind(bare) {
            Some(kind) if !sample.contains(bare) => masked.push_str(&word.replacen(bare, kind, 1)),
            _ => masked.push_str(&word),
        }
        word.clear();
        masked.push(character);
    }
    masked.pop();
    masked
}

fn kind(word: &str) -> Option<&'static str> {
    let shape: String = word
        .chars()
        .map(|character| match character {
            '0'..='9' => '0',
            'a'..='f' => 'f',
            other => other,
        })
        .collect();
    let is_time = shape.starts_with("0000-00-00T00:00:00") && shape.ends_with('Z');
    let dashes: Vec<usize> = word.split('-').map(str::len).collect();
    let is_uuid = dashes == [8, 4, 4, 4, 12]
        && word
            .chars()
            .all(|character| character == '-' || character.is_ascii_hexdigit());
    // The first digits of a callback's digest, which names links that are signed for each run.
    let is_upload = word.len() == 16 && word.chars().all(|character| character.is_ascii_hexdigit());
    match (is_time, is_uuid, is_upload) {
        (true, ..) => Some("<time>"),
        (_, true, _) => Some("<uuid>"),
        (.., true) => Some("<upload>"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "5d1f2c6e-3b0a-4f57-9c86-2a7d94e1b803";

    #[test]
    fn what_differs_from_run_to_run_is_masked() {
        let answer = json!({
            "statusCode": 200,
            "body": json!({
                "scanRef": OWN,
                "authToken": "0123",
                "createdAt": "2026-11-23T08:21:03.007Z",
                "why": "until 2026-11-23T08:21:03Z: see 11111111-2222-4333-8444-555555555555."
            }).to_string()
        });
        assert_eq!(
            settle(&answer, OWN),
            json!({"statusCode": 200, "body": {
                "scanRef": OWN,
                "authToken": "<authToken>",
                "createdAt": "<time>",
                "why": "until <time>: see <uuid>."
            }})
        );
    }

    #[test]
    fn a_difference_names_the_line_and_both_sides() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(
            difference("a\nb\n", "a\nc\n").as_deref(),
            Some("line 2: expected b, saw c")
        );
        assert_eq!(
            difference("a\nb\n", "a\n").as_deref(),
            Some("line 2: expected b, saw nothing more")
        );
        assert_eq!(
            difference("a\n", "a\nb\n").as_deref(),
            Some("line 2: expected nothing more, saw b")
        );
    }
}
