//! From an alarm's name to its remedy, and from the template to the functions' metrics.

use std::collections::BTreeSet;

use lambda_support::{METRICS, NAMESPACE};
use operations::{Entry, Runbook, Series, Template};
use verification::reason::ParkReason;

/// AWS's own metrics that the template may name, with their dimension. The account's have none.
/// (Sources: "Available CloudWatch metrics for Amazon SQS"; "Types of metrics for Lambda
/// functions".)
const OF_AWS: [(&str, &str, &str); 11] = [
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
    (
        "AWS/SQS",
        "ApproximateNumberOfMessagesNotVisible",
        "QueueName",
    ),
    ("AWS/SQS", "ApproximateNumberOfMessagesDelayed", "QueueName"),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName"),
    ("AWS/Lambda", "Invocations", "FunctionName"),
    ("AWS/Lambda", "Duration", "FunctionName"),
    ("AWS/Lambda", "Errors", "FunctionName"),
    ("AWS/Lambda", "Throttles", "FunctionName"),
    ("AWS/Lambda", "ConcurrentExecutions", "FunctionName"),
    ("AWS/Lambda", "IteratorAge", "FunctionName"),
    ("AWS/Lambda", "Url5xxCount", "FunctionName"),
];

#[test]
fn every_alarm_is_explained_in_the_runbook_and_nothing_else_is() {
    let template = Template::read().unwrap();
    let alarms: BTreeSet<String> = template.alarms().into_keys().map(str::to_owned).collect();
    let entries = Runbook::read().unwrap().entries().into_iter();
    let headings: BTreeSet<String> = entries.map(|entry| entry.heading).collect();
    assert_eq!(alarms, headings);
}

#[test]
fn every_entry_says_what_it_means_where_to_look_and_what_to_run() {
    for entry in Runbook::read().unwrap().entries() {
        let heading = &entry.heading;
        let place = |question| {
            entry
                .body
                .find(question)
                .unwrap_or_else(|| panic!("{heading} lacks {question}"))
        };
        assert!(Entry::QUESTIONS.map(place).is_sorted(), "{heading}");
        let commands = ["**Look first**", "**Remedy**"]
            .map(|question| entry.commands(question).unwrap().len());
        assert!(
            commands.iter().sum::<usize>() > 0,
            "{heading} has no command"
        );
    }
}

#[test]
fn every_link_within_the_runbook_leads_to_a_heading() {
    let runbook = Runbook::read().unwrap();
    let headings: BTreeSet<String> = runbook
        .headings()
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect();
    let links: Vec<&str> = runbook
        .text
        .split("](#")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
        .collect();
    assert!(links.len() > 25, "{links:?}");
    for link in links {
        assert!(headings.contains(link), "{link}");
    }
}

#[test]
fn the_runbook_has_a_remedy_for_every_reason_to_park() {
    let words = ParkReason::WORDS;
    assert!(
        words.len() > 20 && words.contains(&"CallbackLost"),
        "{words:?}"
    );
    let entry = Runbook::read().unwrap().entry("PairingsParked").unwrap();
    for word in words {
        assert!(entry.body.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn every_alarm_leads_to_its_entry_and_names_the_first_step() {
    for (name, alarm) in Template::read().unwrap().alarms() {
        let description = alarm["AlarmDescription"].as_str().unwrap();
        assert!(description.contains("First: "), "{name}: {description}");
        let anchor = format!("Runbook: ${{RunbookUrl}}#{}", name.to_lowercase());
        assert!(description.ends_with(&anchor), "{name}: {description}");
        assert_eq!(alarm["AlarmName"], format!("${{AWS::StackName}}-{name}"));
        assert_eq!(
            alarm["AlarmActions"],
            serde_json::json!(["AlarmTopic"]),
            "{name}"
        );
    }
}

#[test]
fn every_alarm_on_a_metric_says_what_missing_data_means() {
    for (name, alarm) in Template::read().unwrap().metric_alarms() {
        let treatment = alarm["TreatMissingData"]
            .as_str()
            .unwrap_or_else(|| panic!("{name}"));
        assert!(
            ["notBreaching", "breaching", "ignore"].contains(&treatment),
            "{name}: {treatment}"
        );
    }
}

#[test]
fn the_alarm_to_be_woken_for_is_made_of_alarms_that_exist() {
    let template = Template::read().unwrap();
    let rule = template.alarms()["CustomersAffected"]["AlarmRule"]
        .as_str()
        .unwrap()
        .to_owned();
    let alarms = template.metric_alarms();
    let parts: Vec<&str> = rule.split(" OR ").map(|part| part.trim()).collect();
    assert!(parts.len() > 5, "{rule}");
    for part in parts {
        let name = part
            .strip_prefix("ALARM(\"${")
            .and_then(|rest| rest.strip_suffix("}\")"))
            .unwrap();
        assert!(alarms.contains_key(name), "{part}");
    }
}

#[test]
fn alarms_watch_only_what_is_written() {
    let template = Template::read().unwrap();
    for series in template.watched().unwrap() {
        assert_is_written(&template, &series);
    }
}

/// A series of the functions must be in the catalogue, with a set of its dimensions. One of AWS's
/// must be known, and about a function or queue of the template or about the account.
pub fn assert_is_written(template: &Template, series: &Series) {
    if series.namespace == NAMESPACE {
        let metric = METRICS.iter().find(|metric| metric.name == series.metric);
        let metric = metric.unwrap_or_else(|| panic!("nobody writes {series:?}"));
        let names = series.dimension_names();
        let is_set = |set: &&[&str]| set.iter().copied().collect::<BTreeSet<&str>>() == names;
        assert!(
            metric.dimensions.iter().any(is_set),
            "not written under these dimensions: {series:?}"
        );
        assert_eq!(
            series.dimensions["StackName"], "AWS::StackName",
            "{series:?}"
        );
        return;
    }
    let known = OF_AWS
        .iter()
        .find(|(namespace, name, _)| *namespace == series.namespace && *name == series.metric);
    let (_, _, dimension) = known.unwrap_or_else(|| panic!("AWS does not write {series:?}"));
    for (name, value) in &series.dimensions {
        assert_eq!(name, dimension, "{series:?}");
        let (resource, expected_type) = match value.strip_suffix(".QueueName") {
            Some(queue) => (queue, "AWS::SQS::Queue"),
            None => (value.as_str(), "AWS::Serverless::Function"),
        };
        assert_eq!(
            template.resources()[resource]["Type"],
            expected_type,
            "{series:?}"
        );
    }
}
