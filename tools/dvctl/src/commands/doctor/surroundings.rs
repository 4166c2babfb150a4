//! Checks the stack, its API, the processor's source and the alarms.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::Check;
use super::stores::nobody;
use crate::aws::alarms::Alarm;
use crate::aws::concurrency::Concurrency;
use crate::commands::{Context, pause};
use crate::exit::Exit;
use crate::failure::Failure;

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

/// Whether the account lets the functions run as often at once as the parameters want.
pub async fn concurrency(context: &Context<'_>) -> Check {
    let checked = async {
        let number = |name| -> Result<u64, Failure> {
            Ok(context.stack.parameter(name)?.parse().unwrap_or_default())
        };
        let (processor, threshold) = (
            number("MaxProcessorConcurrency")?,
            number("ConcurrencyAlarmThreshold")?,
        );
        let concurrency = context.aws.concurrency().await?;
        Ok(judge_concurrency(concurrency, processor, threshold))
    };
    Check::from("concurrency", checked.await)
}

/// What the webhook, the API and the rest should find free beside a busy processor.
const FREE_BESIDE_PROCESSOR: u64 = 20;

fn judge_concurrency(concurrency: Concurrency, processor: u64, threshold: u64) -> Check {
    let Concurrency { limit, unreserved } = concurrency;
    if unreserved < processor.saturating_add(FREE_BESIDE_PROCESSOR) {
        let found = format!(
            "of {limit} executions at once, {unreserved} are left for all functions without a \
             reservation, and the processor may take {processor}"
        );
        let advice = "have AWS raise the account's quota (Lambda, concurrent executions), or lower \
                      MaxProcessorConcurrency: a callback that finds none free is refused";
        return Check::warning("concurrency", found, advice);
    }
    if threshold >= limit {
        let found = format!(
            "the alarm AccountConcurrency waits for {threshold}, and the account has {limit}"
        );
        let advice = format!(
            "deploy with ConcurrencyAlarmThreshold={}",
            limit.saturating_mul(4) / 5
        );
        return Check::warning("concurrency", found, advice);
    }
    Check::ok(
        "concurrency",
        format!("{unreserved} of {limit} executions at once are free to use"),
    )
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
    fn an_account_with_little_concurrency_is_a_warning() {
        for (limit, unreserved, processor, threshold, result) in [
            (1000, 1000, 5, 800, Health::Ok),
            (1000, 900, 5, 800, Health::Ok),
            // What a new account has.
            (10, 10, 5, 8, Health::Warning),
            (1000, 100, 90, 800, Health::Warning),
            (500, 500, 5, 800, Health::Warning),
        ] {
            let concurrency = Concurrency { limit, unreserved };
            let check = judge_concurrency(concurrency, processor, threshold);
            assert_eq!(check.result, result, "{check:?}");
        }
        let concurrency = Concurrency {
            limit: 500,
            unreserved: 500,
        };
        let advice = judge_concurrency(concurrency, 5, 800).advice.unwrap();
        assert!(advice.contains("ConcurrencyAlarmThreshold=400"), "{advice}");
    }

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
