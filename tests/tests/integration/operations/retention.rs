//! `docs/PROCESSING_RECORD.md` names the retention that the template has.

use std::collections::BTreeSet;

use local_stack::workspace;
use operations::Template;
use serde_json::Value;

#[test]
fn the_record_of_processing_names_the_template_s_times() {
    let template = Template::read().unwrap();
    let path = workspace::root().join("docs/PROCESSING_RECORD.md");
    let record = std::fs::read_to_string(path).unwrap();
    let resource = |name: &str| template.resources()[name]["Properties"].clone();

    let bucket = resource("DocumentBucket");
    let rules = bucket["LifecycleConfiguration"]["Rules"]
        .as_array()
        .unwrap();
    let rule = |id: &str| rules.iter().find(|rule| rule["Id"] == id).unwrap();
    let later = |id: &str| &rule(id)["NoncurrentVersionExpiration"]["NoncurrentDays"];
    let personal = "RemovePersonalData";
    assert_eq!(rule(personal)["ExpirationInDays"], "RetentionDays");
    let default = &template.parameter("RetentionDays")["Default"];
    let unreadable = "RemoveUnreadableCallbacks";
    let days = |queue: &str| {
        resource(queue)["MessageRetentionPeriod"]
            .as_u64()
            .map(|seconds| seconds / 86_400)
            .unwrap()
    };
    let groups = template.resources_of_type("AWS::Logs::LogGroup");
    let logs: BTreeSet<String> = groups
        .map(|(_, group)| group["RetentionInDays"].to_string())
        .collect();
    let [logs] = logs.iter().collect::<Vec<_>>()[..] else {
        panic!("logs are kept for {logs:?} days");
    };
    let unreadable_days: &Value = &rule(unreadable)["ExpirationInDays"];
    for row in [
        format!("`RetentionDays` (*[{default}]*) + {} day", later(personal)),
        format!("| {unreadable_days} days + {} |", later(unreadable)),
        format!(
            "| messages; dead letters | {}; {} days |",
            days("SubmissionQueue"),
            days("SubmissionDeadLetterQueue")
        ),
        format!("| logs (no names, numbers or documents) | {logs} days |"),
    ] {
        assert!(record.contains(&row), "{row}");
    }
}
