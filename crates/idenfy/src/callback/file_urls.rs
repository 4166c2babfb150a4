//! Links to the files of a verification, by step.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::lenient_json::UNREADABLE;

/// Step names and the links to their files.
/// A link gives access to the file for an hour, so `Debug` shows only step names and counts.
///
/// The provider documents no type for the values.
/// Strings, arrays of strings and nulls were seen.
/// A step without a link is left out, so a present step has a file.
/// The first [`FileUrls::MAXIMUM_LINKS`] different links of a step are kept.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FileUrls(BTreeMap<String, Vec<String>>);

impl FileUrls {
    /// How many links of one step are kept: enough to see that there are several.
    pub const MAXIMUM_LINKS: usize = 8;

    /// The links of a step, in the provider's order.
    /// Empty if the step has none.
    #[must_use]
    pub fn get(&self, step: &str) -> &[String] {
        self.0.get(step).map_or(&[], Vec::as_slice)
    }

    /// The steps that have at least one link, in alphabetical order.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The steps and their links; no list is empty.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(step, links)| (step.as_str(), links.as_slice()))
    }

    /// Whether no step has a link.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn read(value: Option<&Value>) -> Self {
        value
            .and_then(Value::as_object)
            .map(Self::of_object)
            .unwrap_or_default()
    }

    pub(crate) fn of_object(members: &Map<String, Value>) -> Self {
        members
            .iter()
            .map(|(step, value)| (step.clone(), links(value)))
            .collect()
    }

    /// Only the members whose values are web links, for objects with other members.
    pub(crate) fn web_links_of(members: &Map<String, Value>) -> Self {
        let is_web_link =
            |link: &String| link.starts_with("https://") || link.starts_with("http://");
        members
            .iter()
            .map(|(step, value)| {
                (
                    step.clone(),
                    links(value).into_iter().filter(is_web_link).collect(),
                )
            })
            .collect()
    }

    /// Both maps in one.
    /// A step in both has the links of both, up to twice as many.
    pub(crate) fn merged(mut self, other: Self) -> Self {
        for (step, links) in other.0 {
            self.0.entry(step).or_default().extend(links);
        }
        self
    }
}

/// Steps with an empty list are left out.
impl FromIterator<(String, Vec<String>)> for FileUrls {
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(steps: I) -> Self {
        Self(
            steps
                .into_iter()
                .filter(|(_, links)| !links.is_empty())
                .collect(),
        )
    }
}

impl fmt::Debug for FileUrls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_map()
            .entries(self.0.iter().map(|(step, links)| (step, links.len())))
            .finish()
    }
}

fn links(value: &Value) -> Vec<String> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut links: Vec<String> = Vec::new();
    for link in items.iter().filter_map(Value::as_str).map(str::trim) {
        if links.len() == FileUrls::MAXIMUM_LINKS {
            break;
        }
        let is_link = !link.is_empty() && !link.contains(UNREADABLE);
        if is_link && !links.iter().any(|known| known == link) {
            links.push(link.to_owned());
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strings_arrays_and_nulls_are_read() {
        let urls = FileUrls::read(Some(&json!({
            "FRONT": "https://files.example/front",
            "POA2": ["https://files.example/1", null, "https://files.example/2"],
            "BACK": null, "FACE": "", "ODD": {"url": 1}, "NUMBER": 7
        })));
        assert_eq!(urls.get("FRONT"), ["https://files.example/front"]);
        assert_eq!(
            urls.get("POA2"),
            ["https://files.example/1", "https://files.example/2"]
        );
        assert_eq!(urls.steps().collect::<Vec<_>>(), ["FRONT", "POA2"]);
        assert!(urls.get("BACK").is_empty());
        assert!(!urls.is_empty());
        let links: Vec<(&str, usize)> = urls
            .iter()
            .map(|(step, links)| (step, links.len()))
            .collect();
        assert_eq!(links, [("FRONT", 1), ("POA2", 2)]);
    }

    #[test]
    fn other_values_have_no_steps() {
        for value in [
            json!(null),
            json!([]),
            json!("https://files.example"),
            json!(1),
        ] {
            assert!(FileUrls::read(Some(&value)).is_empty());
        }
        assert!(FileUrls::read(None).is_empty());
    }

    #[test]
    fn a_step_keeps_its_first_eight_different_links() {
        let link = |number: usize| format!("https://files.example/{number}");
        let repeated = std::iter::repeat_n(0, 20)
            .chain(0..20)
            .map(link)
            .collect::<Vec<_>>();
        let urls = FileUrls::read(Some(
            &json!({"POA2": repeated, "BACK": [link(1), "", "\u{FFFD}", link(1)]}),
        ));
        assert_eq!(urls.get("POA2"), (0..8).map(link).collect::<Vec<_>>());
        assert_eq!(
            urls.get("BACK"),
            [link(1)],
            "a link listed twice is one link"
        );
    }

    #[test]
    fn debug_counts_links_and_shows_none() {
        let urls = FileUrls::read(Some(
            &json!({"POA2": ["https://files.example/1", "https://files.example/2"]}),
        ));
        assert_eq!(format!("{urls:?}"), r#"{"POA2": 2}"#);
    }
}
