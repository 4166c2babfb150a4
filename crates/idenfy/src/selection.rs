//! Reads chosen members of a JSON object and skips the rest.
//!
//! The provider's bodies hold much personal data, and members whose documented types differ.
//! A [`Selection`] names the members to keep, so the rest never becomes a value in memory.
//! No member fails the whole body: [`lenient_json`] reads it leniently.
//! The last of repeated members wins.

use serde_json::{Map, Value};

use crate::lenient_json::{self, UNREADABLE};

/// The members to keep.
/// A member with a selection of its own is read by that one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    pub(crate) whole: &'static [&'static str],
    pub(crate) parts: &'static [(&'static str, Selection)],
}

/// What a selection found.
#[derive(Debug)]
pub(crate) enum Selected {
    Object(Map<String, Value>),
    /// A value, but not an object.
    NotAnObject,
}

impl Selection {
    /// Reads the body.
    /// The error names the position and none of the content.
    pub(crate) fn read(self, body: &[u8]) -> Result<Selected, NotJson> {
        let value = lenient_json::whole(body).map_err(|offset| NotJson::at(body, offset))?;
        Ok(match self.select(value) {
            Value::Object(members) => Selected::Object(members),
            _ => Selected::NotAnObject,
        })
    }

    /// Of an object, the chosen members; everything else reads as null.
    fn select(self, value: &[u8]) -> Value {
        if !value.starts_with(b"{") {
            return Value::Null;
        }
        let mut members = Map::new();
        for (name, value) in lenient_json::entries(value) {
            let name = lenient_json::text(name);
            if self.whole.contains(&name.as_str()) {
                members.insert(name, lenient_json::read(value));
            } else if let Some((_, part)) =
                self.parts.iter().find(|(part_name, _)| *part_name == name)
            {
                members.insert(name, part.select(value));
            }
        }
        Value::Object(members)
    }
}

/// Where a body stops being JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON from line {line}, column {column}")]
pub struct NotJson {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
}

impl NotJson {
    fn at(body: &[u8], offset: usize) -> Self {
        let before = body.get(..offset).unwrap_or(body);
        let is_break = |byte: &u8| *byte == b'\n';
        Self {
            line: before.iter().filter(|byte| is_break(byte)).count() + 1,
            column: before
                .iter()
                .rev()
                .take_while(|byte| !is_break(byte))
                .count()
                + 1,
        }
    }
}

/// Lenient readings of one member: absent, null and odd types all read as nothing.
pub(crate) trait Members {
    fn text(&self, name: &str) -> Option<&str>;
    fn boolean(&self, name: &str) -> Option<bool>;
    fn integer(&self, name: &str) -> Option<i64>;
    fn object(&self, name: &str) -> Option<&Map<String, Value>>;
    fn words(&self, name: &str) -> Vec<String>;

    fn word(&self, name: &str) -> Option<String> {
        self.text(name).map(crate::word::word)
    }

    /// As sent, because others compare it; blank reads as nothing.
    fn verbatim(&self, name: &str) -> Option<String>;

    /// The same, but a value that is no text reads as [`UNREADABLE`].
    fn verbatim_if_there(&self, name: &str) -> Option<String>;
}

impl Members for Map<String, Value> {
    /// Trimmed; blank reads as nothing.
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    fn verbatim(&self, name: &str) -> Option<String> {
        self.get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.trim().is_empty())
            .map(str::to_owned)
    }

    fn verbatim_if_there(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::Null => None,
            Value::String(_) => self.verbatim(name),
            _ => Some(UNREADABLE.to_owned()),
        }
    }

    /// Also the words `"true"` and `"false"`.
    fn boolean(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// Also a string of digits.
    fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.get(name).and_then(Value::as_object)
    }

    /// The words of an array of strings. Other items are left out.
    fn words(&self, name: &str) -> Vec<String> {
        let items = self.get(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(crate::word::word)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELECTION: Selection = Selection {
        whole: &["kept"],
        parts: &[(
            "part",
            Selection {
                whole: &["kept"],
                parts: &[],
            },
        )],
    };

    fn members(body: &str) -> Map<String, Value> {
        match SELECTION.read(body.as_bytes()).unwrap() {
            Selected::Object(members) => members,
            Selected::NotAnObject => panic!("not an object: {body}"),
        }
    }

    #[test]
    fn only_the_named_members_are_kept() {
        let members = members(r#"{"kept":{"a":1},"name":"Ona","part":{"kept":"x","name":"Ona"}}"#);
        assert_eq!(
            Value::Object(members),
            serde_json::json!({"kept": {"a": 1}, "part": {"kept": "x"}})
        );
    }

    #[test]
    fn a_part_of_any_other_type_reads_as_nothing() {
        for part in [
            "null",
            "true",
            "-1",
            "1",
            "1.5",
            "\"text\"",
            "[1,{\"kept\":2}]",
        ] {
            let members = members(&format!(r#"{{"part":{part},"kept":1}}"#));
            assert_eq!(members.get("part"), Some(&Value::Null), "{part}");
            assert_eq!(members.get("kept"), Some(&Value::from(1)));
        }
    }

    #[test]
    fn the_last_of_repeated_members_wins() {
        assert_eq!(
            members(r#"{"kept":1,"kept":2}"#).get("kept"),
            Some(&Value::from(2))
        );
    }

    #[test]
    fn odd_values_that_nobody_reads_lose_nothing() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        for odd in [
            "NaN",
            "-Infinity",
            "1e999",
            r#""\ud800""#,
            r#"{"\ud800":1}"#,
            &deep,
        ] {
            for body in [
                format!(r#"{{"odd":{odd},"kept":1}}"#),
                format!(r#"{{"part":{{"odd":{odd},"kept":1}},"kept":1}}"#),
                format!(r#"{{"part":{odd},"kept":1}}"#),
            ] {
                assert_eq!(
                    members(&body).get("kept"),
                    Some(&Value::from(1)),
                    "{}",
                    body.len()
                );
            }
        }
    }

    #[test]
    fn an_error_gives_the_place_and_nothing_of_the_body() {
        let error = SELECTION.read(b"{\"kept\":\"Ona\n").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Ona"));
        assert_eq!(error, NotJson { line: 2, column: 1 });
        assert_eq!(
            SELECTION.read(b"{} x").unwrap_err(),
            NotJson { line: 1, column: 4 }
        );
    }

    #[test]
    fn other_values_are_not_objects() {
        for body in ["null", "[]", "[{\"kept\":1}]", "7", "\"text\"", "true"] {
            assert!(
                matches!(SELECTION.read(body.as_bytes()), Ok(Selected::NotAnObject)),
                "{body}"
            );
        }
    }

    #[test]
    fn only_the_two_words_read_as_booleans() {
        let value = |kept: &str| members(&format!(r#"{{"kept":{kept}}}"#)).boolean("kept");
        for (kept, read) in [
            ("true", Some(true)),
            ("false", Some(false)),
            (r#"" True ""#, Some(true)),
            (r#""FALSE""#, Some(false)),
            (r#""no""#, None),
            (r#""""#, None),
            ("0", None),
            ("null", None),
        ] {
            assert_eq!(value(kept), read, "{kept}");
        }
    }
}
