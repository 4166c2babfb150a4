//! Takes JSON apart, including what the provider may write that is not JSON.
//!
//! A signed body comes once, so an unneeded value must not lose it.
//! Accepted beyond RFC 8259: a byte order mark, bare words such as `NaN`, numbers of any size, text
//! that is not Unicode, and any depth.
//! Time is linear in the body's length.
//! An unreadable value becomes [`UNREADABLE`], which no reader takes for anything else.

use std::collections::HashSet;

use bytes::Bytes;
use serde_json::{Map, Value};

/// U+FFFD, which stands for what is no text.
pub(crate) const UNREADABLE: &str = "\u{FFFD}";

/// How many entries of one object or list are kept.
/// The rest becomes one [`UNREADABLE`] entry.
const MAXIMUM_ENTRIES: usize = 64;

/// How many levels of a value are kept: steps, and their properties.
/// Deeper ones become empty.
const LEVELS: u8 = 2;

/// The text's one value.
///
/// # Errors
/// The offset from which it is no value.
pub(crate) fn whole(body: &[u8]) -> Result<&[u8], usize> {
    let mut reader = Reader { body, at: 0 };
    if body.starts_with(b"\xEF\xBB\xBF") {
        reader.at = 3;
    }
    let value = reader.value()?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.at),
    }
}

/// The members of an object, or a list's items under empty names.
/// Nothing of any other value.
pub(crate) fn entries(value: &[u8]) -> Entries<'_> {
    Entries {
        reader: Reader { body: value, at: 0 },
        is_object: value.starts_with(b"{"),
    }
}

/// The value, with a bounded number of entries and levels.
pub(crate) fn read(value: &[u8]) -> Value {
    to_levels(value, LEVELS)
}

/// What a string in quotes says.
pub(crate) fn text(string: &[u8]) -> String {
    // As bytes, because serde_json refuses lone surrogates and invalid UTF-8 in text.
    let bytes: Result<Bytes, _> = serde_json::from_slice(string);
    bytes.map_or_else(
        |_| UNREADABLE.to_owned(),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}

fn to_levels(value: &[u8], levels: u8) -> Value {
    match value.first() {
        Some(b'{') if levels == 0 => Value::Object(Map::new()),
        Some(b'[') if levels == 0 => Value::Array(Vec::new()),
        Some(b'{') => object(value, levels - 1),
        Some(b'[') => list(value, levels - 1),
        Some(b'"') => Value::String(text(value)),
        _ => serde_json::from_slice(value).unwrap_or_else(|_| UNREADABLE.into()),
    }
}

/// Of repeated members, the last one.
fn object(value: &[u8], levels: u8) -> Value {
    let mut members = Map::new();
    for (name, value) in entries(value) {
        let name = text(name);
        if members.len() < MAXIMUM_ENTRIES || members.contains_key(&name) {
            members.insert(name, to_levels(value, levels));
        } else {
            members.insert(UNREADABLE.to_owned(), UNREADABLE.into());
            break;
        }
    }
    Value::Object(members)
}

/// Of repeated items, only the first: no repetition can push another item out.
fn list(value: &[u8], levels: u8) -> Value {
    let mut seen = HashSet::new();
    let mut items = Vec::new();
    for (_, value) in entries(value) {
        if !seen.insert(value) {
            continue;
        }
        if items.len() == MAXIMUM_ENTRIES {
            items.push(UNREADABLE.into());
            break;
        }
        items.push(to_levels(value, levels));
    }
    Value::Array(items)
}

/// Names and values, as they are written.
pub(crate) struct Entries<'a> {
    reader: Reader<'a>,
    is_object: bool,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        // The opening bracket, or the comma after the entry before.
        self.reader.peek()?;
        self.reader.at += 1;
        let name = if self.is_object {
            self.reader.name().ok()?
        } else {
            &[]
        };
        Some((name, self.reader.value().ok()?))
    }
}

/// A place in a text. Errors are offsets.
struct Reader<'a> {
    body: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is not white space; stops before it.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.body.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    fn since(&self, start: usize) -> &'a [u8] {
        self.body.get(start..self.at).unwrap_or_default()
    }

    /// A value, as written.
    /// Needs no stack: open brackets are kept in a list.
    fn value(&mut self) -> Result<&'a [u8], usize> {
        self.peek();
        let start = self.at;
        let mut awaited: Vec<u8> = Vec::new();
        loop {
            match self.peek() {
                Some(open @ (b'{' | b'[')) => {
                    let close = if open == b'{' { b'}' } else { b']' };
                    self.at += 1;
                    if self.peek() != Some(close) {
                        if open == b'{' {
                            self.name()?;
                        }
                        awaited.push(close);
                        continue;
                    }
                    self.at += 1;
                }
                Some(b'"') => {
                    self.string()?;
                }
                Some(byte) if is_bare(byte) => {
                    let length = self
                        .body
                        .iter()
                        .skip(self.at)
                        .take_while(|byte| is_bare(**byte))
                        .count();
                    self.at += length;
                }
                _ => return Err(self.at),
            }
            // After a value: the end of its container, or a comma.
            loop {
                let Some(close) = awaited.last().copied() else {
                    return Ok(self.since(start));
                };
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if close == b'}' {
                            self.name()?;
                        }
                        break;
                    }
                    Some(byte) if byte == close => {
                        self.at += 1;
                        awaited.pop();
                    }
                    _ => return Err(self.at),
                }
            }
        }
    }

    /// A member's name, as written, and the colon after it.
    fn name(&mut self) -> Result<&'a [u8], usize> {
        self.peek();
        let name = self.string()?;
        match self.peek() {
            Some(b':') => self.at += 1,
            _ => return Err(self.at),
        }
        Ok(name)
    }

    /// From a quotation mark to the next unescaped one.
    fn string(&mut self) -> Result<&'a [u8], usize> {
        let start = self.at;
        if self.body.get(start) != Some(&b'"') {
            return Err(start);
        }
        self.at += 1;
        loop {
            match self.body.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(self.since(start));
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.body.len()),
            }
        }
    }
}

/// The bytes of numbers and unquoted words: `-1.5e+3`, `null`, `-Infinity`.
fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn of(body: &[u8]) -> Value {
        read(whole(body).unwrap())
    }

    #[test]
    fn what_json_does_not_allow_is_there_and_is_nothing() {
        let digits = "7".repeat(400);
        for odd in [
            "NaN",
            "Infinity",
            "-Infinity",
            "1e999",
            "-1e999",
            &digits,
            "undefined",
            "007",
        ] {
            let body = format!("{{\"before\":{odd},\"list\":[{odd},1],\"after\":true}}");
            let value = json!({"before": UNREADABLE, "list": [UNREADABLE, 1], "after": true});
            assert_eq!(of(body.as_bytes()), value, "{odd}");
        }
    }

    #[test]
    fn text_that_is_not_unicode_keeps_what_is_readable() {
        assert_eq!(
            of(br#"["a\ud800b", "\ud83e\udd8a", "c"]"#),
            json!(["a\u{FFFD}\u{FFFD}\u{FFFD}b", "🦊", "c"])
        );
        assert_eq!(
            of(b"[\"a\xFFb\", \"tab\there\"]"),
            json!(["a\u{FFFD}b", "tab\there"])
        );
        assert_eq!(
            of(br#"["an escape \x that nobody knows"]"#),
            json!([UNREADABLE])
        );
        assert_eq!(
            of(br#"{"\udc00":1}"#),
            json!({"\u{FFFD}\u{FFFD}\u{FFFD}": 1})
        );
    }

    #[test]
    fn a_byte_order_mark_is_skipped_at_the_beginning_alone() {
        assert_eq!(of(b"\xEF\xBB\xBF {}"), json!({}));
        assert_eq!(whole(b" \xEF\xBB\xBF{}"), Err(1));
        assert_eq!(whole(b"\xEF\xBB\xBF"), Err(3));
    }

    #[test]
    fn what_is_nested_deeper_than_anybody_reads_is_empty() {
        assert_eq!(
            of(br#"{"a":{"b":{"c":1},"d":[1]}}"#),
            json!({"a": {"b": {}, "d": []}})
        );
        let open = "[".repeat(1_000_000);
        let close = "]".repeat(1_000_000);
        assert_eq!(of(format!("{open}{close}").as_bytes()), json!([[[]]]));
        assert_eq!(whole(open.as_bytes()), Err(1_000_000));
    }

    #[test]
    fn more_entries_than_are_kept_leave_a_mark() {
        let names = |count: usize| {
            (0..count)
                .map(|name| format!("\"{name}\":0"))
                .collect::<Vec<_>>()
                .join(",")
        };
        let kept = |value: &Value| value.as_object().unwrap().len();
        let value = of(format!("{{{},\"0\":1}}", names(64)).as_bytes());
        assert_eq!(
            (kept(&value), value.get(UNREADABLE), &value["0"]),
            (64, None, &json!(1))
        );
        let value = of(format!("{{{}}}", names(65)).as_bytes());
        assert_eq!((kept(&value), &value[UNREADABLE]), (65, &json!(UNREADABLE)));

        let items = (0..64)
            .map(|item| item.to_string())
            .collect::<Vec<_>>()
            .join(",");
        let repeated = "0,".repeat(1_000);
        let value = of(format!("[{repeated}{items}]").as_bytes());
        assert_eq!(
            value,
            json!((0..64).collect::<Vec<_>>()),
            "repetitions push nothing out"
        );
        let value = of(format!("[{items},64]").as_bytes());
        assert_eq!(value.as_array().unwrap().last(), Some(&json!(UNREADABLE)));
    }

    #[test]
    fn broken_structures_are_refused_where_they_break() {
        for (body, offset) in [
            ("", 0),
            ("{", 1),
            ("{\"a\"}", 4),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("{a:1}", 1),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("[1}", 2),
            ("[}", 1),
            ("{]", 1),
            ("]", 0),
            ("{} x", 3),
            ("\"open", 5),
            ("\"open\\", 6),
            ("'a'", 0),
        ] {
            assert_eq!(whole(body.as_bytes()), Err(offset), "{body}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_end_in_a_value_or_an_offset(body: Vec<u8>) {
            match whole(&body) {
                Ok(value) => drop(read(value)),
                Err(offset) => prop_assert!(offset <= body.len()),
            }
        }

        #[test]
        fn arbitrary_json_like_text_does_not_panic(body in r#"[\[\]{}:,"\\ua1 ]{0,40}"#) {
            if let Ok(value) = whole(body.as_bytes()) {
                drop(read(value));
            }
        }
    }
}
