//! Which additional steps the echo of a token request still names.

use std::collections::BTreeSet;

use serde_json::Value;

/// Steps stand below a country and a document type.
const STEP_LEVEL: usize = 2;

/// The names of the steps, each once, in alphabetical order. An object with a `type` is a step at whichever level it stands.
pub(super) fn steps_named(additional_steps: Option<&Value>) -> Vec<String> {
    let mut names = BTreeSet::new();
    if let Some(value) = additional_steps {
        collect(value, 0, &mut names);
    }
    names.into_iter().collect()
}

fn collect(value: &Value, level: usize, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_step = level == STEP_LEVEL || member.get("type").is_some_and(Value::is_string);
                if is_step {
                    names.insert(name.clone());
                } else {
                    collect(member, level + 1, names);
                }
            }
        }
        Value::Array(items) => names.extend(items.iter().filter_map(Value::as_str).map(str::to_owned)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(value: Value) -> Vec<String> {
        steps_named(Some(&value))
    }

    #[test]
    fn a_suppressed_echo_names_none() {
        for value in [
            json!(null),
            json!({}),
            json!({"ALL": {}}),
            json!({"ALL": {"ALL": {}}}),
            json!({"ALL": {"ALL": null}}),
        ] {
            assert!(named(value.clone()).is_empty(), "{value}");
        }
        assert!(steps_named(None).is_empty());
    }

    #[test]
    fn steps_are_found_below_country_and_type() {
        let step = json!({"type": "UPLOAD", "texts": {"en": {"name": "Second document"}}});
        assert_eq!(
            named(json!({"ALL": {"ALL": {"SECOND_DOC": step, "POA2": null}, "PASSPORT": {"POA2": {}}}})),
            ["POA2", "SECOND_DOC"]
        );
        assert_eq!(named(json!({"SECOND_DOC": step})), ["SECOND_DOC"]);
        assert_eq!(named(json!({"ALL": {"ALL": ["SECOND_DOC"]}})), ["SECOND_DOC"]);
    }

    #[test]
    fn what_stands_below_a_step_is_none() {
        let step = json!({"texts": {"en": {"type": "PLAIN"}}});
        assert_eq!(named(json!({"ALL": {"ALL": {"SECOND_DOC": step}}})), ["SECOND_DOC"]);
    }
}
