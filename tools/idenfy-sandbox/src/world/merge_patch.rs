//! JSON merge patch (RFC 7396): objects merge by member, `null` removes, anything else replaces.

use serde_json::{Map, Value};

/// Applies `patch` to `target` in place.
pub(crate) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else {
        return;
    };
    for (name, change) in changes {
        if change.is_null() {
            members.remove(name);
        } else {
            merge_patch(members.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::merge_patch;

    #[test]
    fn members_are_merged_removed_and_replaced() {
        let mut target = json!({"kept": 1, "removed": 2, "inner": {"kept": true, "list": [1, 2]}});
        merge_patch(
            &mut target,
            &json!({"removed": null, "inner": {"list": [3]}, "new": {"a": null, "b": 4}}),
        );
        assert_eq!(
            target,
            json!({"kept": 1, "inner": {"kept": true, "list": [3]}, "new": {"b": 4}})
        );
    }

    #[test]
    fn a_patch_that_is_no_object_replaces_everything() {
        let mut target = json!({"a": 1});
        merge_patch(&mut target, &json!([1]));
        assert_eq!(target, json!([1]));
    }
}
