//! Reads chosen members out of a JSON object and skips the rest without keeping it.
//!
//! The provider's bodies are full of personal data that nobody here needs, and of members whose types differ between its own
//! documents. A [`Selection`] names the members to keep, so the rest never becomes a value in memory; and because it keeps raw
//! [`Value`]s, no member of an unexpected type can fail the whole body. Repeated members: the last one wins.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Which members of an object to keep; a member with a selection of its own is read by that one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    pub(crate) whole: &'static [&'static str],
    pub(crate) parts: &'static [(&'static str, Selection)],
}

/// What a selection found.
#[derive(Debug)]
pub(crate) enum Selected {
    Object(Map<String, Value>),
    /// Valid JSON, but not an object.
    NotAnObject,
}

impl Selection {
    /// Reads the body; the error says where it stops being JSON and nothing of what stands there.
    pub(crate) fn read(self, body: &[u8]) -> Result<Selected, NotJson> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let value = self.deserialize(&mut deserializer).map_err(|error| NotJson::at(&error))?;
        deserializer.end().map_err(|error| NotJson::at(&error))?;
        Ok(match value {
            Value::Object(members) => Selected::Object(members),
            _ => Selected::NotAnObject,
        })
    }
}

/// Where a body stops being JSON.
///
/// The parser's own message is left behind: it may quote the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON from line {line}, column {column}")]
pub struct NotJson {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in bytes.
    pub column: usize,
}

impl NotJson {
    fn at(error: &serde_json::Error) -> Self {
        Self {
            line: error.line(),
            column: error.column(),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Selection {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Objects are selected from; everything else is consumed and reads as null.
impl<'de> Visitor<'de> for Selection {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if self.whole.contains(&name.as_str()) {
                members.insert(name, access.next_value()?);
            } else if let Some((_, part)) = self.parts.iter().find(|(part_name, _)| *part_name == name) {
                members.insert(name, access.next_value_seed(*part)?);
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
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

    /// The words of an array of strings; what is not a string is left out.
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
        assert_eq!(Value::Object(members), serde_json::json!({"kept": {"a": 1}, "part": {"kept": "x"}}));
    }

    #[test]
    fn a_part_of_any_other_type_reads_as_nothing() {
        for part in ["null", "true", "-1", "1", "1.5", "\"text\"", "[1,{\"kept\":2}]"] {
            let members = members(&format!(r#"{{"part":{part},"kept":1}}"#));
            assert_eq!(members.get("part"), Some(&Value::Null), "{part}");
            assert_eq!(members.get("kept"), Some(&Value::from(1)));
        }
    }

    #[test]
    fn the_last_of_repeated_members_wins() {
        assert_eq!(members(r#"{"kept":1,"kept":2}"#).get("kept"), Some(&Value::from(2)));
    }

    #[test]
    fn an_error_gives_the_place_and_nothing_of_the_body() {
        let error = SELECTION.read(b"{\"kept\":\"Ona\n").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Ona"));
        assert_eq!(SELECTION.read(b"{} x").unwrap_err(), NotJson { line: 1, column: 4 });
    }

    #[test]
    fn other_values_are_not_objects() {
        for body in ["null", "[]", "[{\"kept\":1}]", "7", "\"text\"", "true"] {
            assert!(matches!(SELECTION.read(body.as_bytes()), Ok(Selected::NotAnObject)), "{body}");
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
