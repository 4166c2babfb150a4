//! Checks the stack, its API, the processor's source and the alarms.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::Check;
use super::stores::nobody;
use crate::aws::alarms::Alarm;
use crate::commands::{Context, pause};
use crate::exit::Exit;

pub fn stack(context: &Context<'_>) -> Check {
    judge_status(&context.stack.name, context.stack.status())
}

fn judge_status(name: &str, status: &str) -> Check {
    let found = format!("{name} is {status}");
    match status {
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" => Check::ok("stack", found),
        "UPDATE_ROLLBACK_COMPLETE" => Check::warning(
            "stack",
            found,
            "the last deployment failed and was taken back: see the stack's events, and deploy \
             again",
        ),
        status if status.ends_with("_IN_PROGRESS") => {
            Check::warning("stack", found, "wait until the deployment has ended")
        }
        _ => Check::failed("stack", found, "see the stack's events, and deploy again"),
    }
}

/// Only the function gives this answer: it is reached, and this person may call it.
pub async fn api(context: &Context<'_>) -> Check {
    let checked = async {
        let path = format!("/verifications/{}", nobody()?);
        let answer = context
            .api()
            .await?
            .ask::<Value>(Method::GET, &path, None)
            .await;
        match answer {
            Err(failure) if failure.exit != Exit::NotFound => Err(failure),
            _ => Ok(Check::ok("API", "ApiUrl answers")),
        }
    };
    Check::from("API", checked.await)
}

pub async fn event_source(context: &Context<'_>) -> Check {
    let checked = async {
        let function = context
            .stack
            .physical_id(&context.aws, "ProcessorFunction")
            .await?;
        let source = pause::submissions(context, &function).await?;
        Ok(match source.state.as_str() {
            "Enabled" => Check::ok("event source", "the processor takes submissions"),
            "Disabled" | "Disabling" => Check::warning(
                "event source",
                "submissions are paused",
                "`dvctl resume`, once the cause is gone",
            ),
            state => Check::warning(
                "event source",
                format!("it is {state}"),
                "wait a moment and look again",
            ),
        })
    };
    Check::from("event source", checked.await)
}

pub async fn alarms(context: &Context<'_>) -> Check {
    let checked = async {
        let resources = context.stack.resources(&context.aws).await?;
        let is_alarm = |kind: &str| {
            matches!(
                kind,
                "AWS::CloudWatch::Alarm" | "AWS::CloudWatch::CompositeAlarm"
            )
        };
        let names: Vec<String> = resources
            .into_iter()
            .filter(|resource| is_alarm(&resource.kind))
            .map(|resource| resource.physical_id)
            .collect();
        let alarms = context.aws.alarms(&names).await?;
        let topics: BTreeSet<&String> = alarms.iter().flat_map(|alarm| &alarm.actions).collect();
        let mut heard = BTreeSet::new();
        for topic in topics {
            // Another action than a topic acts by itself.
            if !topic.contains(":sns:") || context.aws.has_listener(topic).await? {
                heard.insert(topic.clone());
            }
        }
        Ok(judge_alarms(names.len(), &alarms, &heard))
    };
    Check::from("alarms", checked.await)
}

/// `heard`: the actions that reach somebody.
fn judge_alarms(expected: usize, alarms: &[Alarm], heard: &BTreeSet<String>) -> Check {
    let named = |alarms: Vec<&Alarm>| {
        alarms
            .iter()
            .map(|alarm| alarm.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if expected == 0 {
        return Check::warning(
            "alarms",
            "the stack has none",
            "deploy the current template, and set AlarmEmail",
        );
    }
    if alarms.len() < expected {
        let found = format!("{} of {expected} are there", alarms.len());
        return Check::failed(
            "alarms",
            found,
            "somebody has removed the others: deploy the template again",
        );
    }
    let ringing: Vec<&Alarm> = alarms
        .iter()
        .filter(|alarm| alarm.state == "ALARM")
        .collect();
    if !ringing.is_empty() {
        let found = format!("in alarm: {}", named(ringing));
        return Check::warning("alarms", found, "docs/OPERATIONS.md has an entry for each");
    }
    let silent: Vec<&Alarm> = alarms
        .iter()
        .filter(|alarm| !alarm.actions.iter().any(|action| heard.contains(action)))
        .collect();
    if !silent.is_empty() {
        let found = format!("{} of {expected} tell nobody", silent.len());
        return Check::warning(
            "alarms",
            found,
            "set AlarmEmail, and confirm the subscription in the mail that comes",
        );
    }
    Check::ok(
        "alarms",
        format!("{expected}, none ringing, all tell somebody"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn a_stack_is_well_once_it_is_complete() {
        for (status, result) in [
            ("CREATE_COMPLETE", Health::Ok),
            ("UPDATE_COMPLETE", Health::Ok),
            ("UPDATE_ROLLBACK_COMPLETE", Health::Warning),
            ("UPDATE_IN_PROGRESS", Health::Warning),
            ("ROLLBACK_COMPLETE", Health::Failed),
            ("UPDATE_ROLLBACK_FAILED", Health::Failed),
        ] {
            assert_eq!(judge_status("s", status).result, result, "{status}");
        }
    }

    #[test]
    fn alarms_must_be_there_be_quiet_and_tell_somebody() {
        let judge = |expected, alarms: &[(&str, &str)]| {
            let alarms: Vec<Alarm> = alarms
                .iter()
                .map(|(state, action)| Alarm {
                    name: "parked".to_owned(),
                    state: (*state).to_owned(),
                    actions: vec![(*action).to_owned()],
                })
                .collect();
            judge_alarms(expected, &alarms, &BTreeSet::from(["heard".to_owned()]))
        };
        assert_eq!(judge(0, &[]).result, Health::Warning);
        assert_eq!(judge(2, &[("OK", "heard")]).result, Health::Failed);
        assert!(judge(1, &[("ALARM", "heard")]).found.contains("parked"));
        assert_eq!(judge(1, &[("OK", "unheard")]).result, Health::Warning);
        let quiet = judge(1, &[("INSUFFICIENT_DATA", "heard")]);
        assert_eq!(quiet.result, Health::Ok);
    }
}
