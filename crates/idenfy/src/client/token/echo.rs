//! The additional steps in a token request's echo, with their kinds.

use std::collections::BTreeSet;

use serde_json::Value;

/// An additional step of a session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    pub name: String,
    pub kind: StepKind,
}

/// What iDenfy does with a step's file. (Source: kyc/additional-steps)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    /// Stores it. No automatic check and no reviewer looks at it.
    Upload,
    /// Reads data from it.
    Extract,
    /// Compares its data with what was given beforehand.
    Compare,
    /// The echo names another kind, or none.
    Unknown,
}

impl StepKind {
    fn of(step: &Value) -> Self {
        match step.get("type").and_then(Value::as_str) {
            Some("UPLOAD") => Self::Upload,
            Some("EXTRACT") => Self::Extract,
            Some("COMPARE") => Self::Compare,
            _ => Self::Unknown,
        }
    }
}

/// Steps stand below a country and a document type.
const STEP_LEVEL: usize = 2;

/// The steps, each once for each of its kinds, in alphabetical order.
/// Kinds may differ by country or document.
/// An object with a `type` is a step at any level.
/// `None`: the echo has no such member.
pub(super) fn steps(additional_steps: Option<&Value>) -> Option<Vec<Step>> {
    let mut steps = BTreeSet::new();
    collect(additional_steps?, 0, &mut steps);
    Some(steps.into_iter().collect())
}

fn collect(value: &Value, level: usize, steps: &mut BTreeSet<Step>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_step =
                    level == STEP_LEVEL || member.get("type").is_some_and(Value::is_string);
                if is_step {
                    steps.insert(Step {
                        name: name.clone(),
                        kind: StepKind::of(member),
                    });
                } else {
                    collect(member, level + 1, steps);
                }
            }
        }
        Value::Array(items) => {
            steps.extend(items.iter().filter_map(Value::as_str).map(|name| Step {
                name: name.to_owned(),
                kind: StepKind::Unknown,
            }))
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn named(value: Value) -> Vec<String> {
        let steps = steps(Some(&value)).unwrap();
        steps.into_iter().map(|step| step.name).collect()
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
        assert_eq!(steps(None), None, "an echo without the member says nothing");
    }

    #[test]
    fn steps_are_found_below_country_and_type() {
        let step = json!({"type": "UPLOAD", "texts": {"en": {"name": "Second document"}}});
        assert_eq!(
            named(
                json!({"ALL": {"ALL": {"SECOND_DOC": step, "POA2": null}, "PASSPORT": {"POA2": {}}}})
            ),
            ["POA2", "SECOND_DOC"]
        );
        assert_eq!(named(json!({"SECOND_DOC": step})), ["SECOND_DOC"]);
        assert_eq!(
            named(json!({"ALL": {"ALL": ["SECOND_DOC"]}})),
            ["SECOND_DOC"]
        );
    }

    #[test]
    fn what_stands_below_a_step_is_none() {
        let step = json!({"texts": {"en": {"type": "PLAIN"}}});
        assert_eq!(
            named(json!({"ALL": {"ALL": {"SECOND_DOC": step}}})),
            ["SECOND_DOC"]
        );
    }
    #[test]
    fn every_kind_of_a_step_is_told() {
        let echo = json!({
            "ALL": {"ALL": {"A": {"type": "UPLOAD"}, "B": {"type": "EXTRACT"}, "C": {"type": "COMPARE"}, "D": {"type": "NEW"}, "E": {}}},
            "LT": {"PASSPORT": {"A": {"type": "EXTRACT"}}}
        });
        let steps: Vec<(String, StepKind)> = steps(Some(&echo))
            .unwrap()
            .into_iter()
            .map(|step| (step.name, step.kind))
            .collect();
        let step = |name: &str, kind| (name.to_owned(), kind);
        assert_eq!(
            steps,
            [
                step("A", StepKind::Upload),
                step("A", StepKind::Extract),
                step("B", StepKind::Extract),
                step("C", StepKind::Compare),
                step("D", StepKind::Unknown),
                step("E", StepKind::Unknown),
            ]
        );
    }
}
