//! A new version of the webhook is tested before it gets callbacks. The stack is real; CodeDeploy,
//! which the emulator lacks, is scripted.

use std::collections::BTreeSet;

use harness::{Call, Refusal, WatchedStack};
use local_stack::Options;
use operations::Template;
use reqwest::StatusCode;
use serde_json::{Value, json};

/// As CodeDeploy hands it over.
fn deployment() -> Value {
    json!({"DeploymentId": "d-TEST00001", "LifecycleEventHookExecutionId": "hook-execution-1"})
}

fn is_report(call: &Call) -> bool {
    call.operation == "PutLifecycleEventHookExecutionStatus"
}

/// What the hook answers, and what it has told CodeDeploy.
async fn tested(world: &WatchedStack) -> (Value, Value) {
    let code_deploy = world.services.script(
        r#"{"lifecycleEventHookExecutionId": "hook-execution-1"}"#,
        is_report,
    );
    let answer = world
        .stack()
        .invoke("PreTrafficFunction", &deployment())
        .await
        .unwrap();
    let reports = code_deploy.bodies();
    assert_eq!(reports.len(), 1, "{reports:?}");
    (answer, serde_json::from_str(&reports[0]).unwrap())
}

fn report(status: &str) -> Value {
    json!({"deploymentId": "d-TEST00001", "lifecycleEventHookExecutionId": "hook-execution-1",
        "status": status})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_goes_live_only_if_it_tells_signatures() {
    let world = WatchedStack::start(Options::default()).await.unwrap();

    // As long as Lambda prepares the version.
    let pending = Refusal::new(StatusCode::CONFLICT, "ResourceConflictException");
    let is_invocation = |call: &Call| call.path.contains("/invocations");
    let pending = world.services.refuse_with(pending, 2, is_invocation);
    let (answer, told) = tested(&world).await;
    assert_eq!(pending.bodies().len(), 2);
    assert_eq!(
        answer,
        json!({"status": "Succeeded", "signed": "200", "forged": "401"})
    );
    assert_eq!(told, report("Succeeded"));

    let no_writes = world
        .services
        .refuse(|call| call.method == "PUT" && call.path.contains("/callbacks/"));
    let (answer, told) = tested(&world).await;
    assert_eq!(
        answer["signed"], "503",
        "it cannot keep what it acknowledges"
    );
    assert_eq!(told, report("Failed"));
    drop(no_writes);

    // This needs no answer.
    let by_hand = world
        .stack()
        .try_invoke("PreTrafficFunction", &json!({}))
        .await;
    assert!(by_hand.is_err(), "{by_hand:?}");

    // CodeDeploy does not take the answer: Lambda is told, and calls again.
    let deaf = world.services.refuse(is_report);
    let unheard = world
        .stack()
        .try_invoke("PreTrafficFunction", &deployment())
        .await;
    assert!(unheard.is_err(), "{unheard:?}");
    drop(deaf);

    let lines = world
        .stack()
        .log_lines("pre-traffic", "")
        .await
        .unwrap()
        .join("\n");
    let secret = world.stack().secret().await.unwrap();
    for hidden in ["apiKey", "apiSecret"]
        .map(|name| &secret[name])
        .into_iter()
        .chain([&secret["signingKeys"][0]])
    {
        assert!(
            !lines.contains(hidden.as_str().unwrap()),
            "no secret in the log"
        );
    }
    assert!(
        !lines.contains("hook-execution-1"),
        "nobody else can answer"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_cannot_be_tried_does_not_go_live() {
    let world = WatchedStack::start(Options::default()).await.unwrap();
    world
        .stack()
        .replace_secret(&json!({"apiKey": "key"}))
        .await
        .unwrap();
    let (answer, told) = tested(&world).await;
    assert_eq!(
        answer,
        json!({"status": "Failed", "signed": "unreachable", "forged": "unreachable"})
    );
    assert_eq!(told, report("Failed"));
    world.stop().await;
}

#[test]
fn every_parameter_of_the_webhook_makes_another_version() {
    let template = Template::read().unwrap();
    let webhook = &template.resources()["WebhookFunction"]["Properties"];
    assert_eq!(webhook["AutoPublishAlias"], "live");
    assert_eq!(webhook["AutoPublishAliasAllProperties"], true);
    let parameters: BTreeSet<String> = template.parameter_names().into_iter().collect();
    let mut told = names_in(template.globals());
    told.extend(names_in(&webhook["Environment"]));
    let in_description = names_in(&webhook["VersionDescription"]);
    for parameter in told.intersection(&parameters) {
        assert!(in_description.contains(parameter), "{parameter}");
    }
    assert!(in_description.len() > 8, "{in_description:?}");
}

/// After a deployment was taken back, Lambda and CloudFormation must both see something new.
#[test]
fn another_revision_makes_another_version() {
    let template = Template::read().unwrap();
    let webhook = &template.resources()["WebhookFunction"]["Properties"];
    let variables = &webhook["Environment"]["Variables"];
    assert_eq!(variables["WEBHOOK_REVISION"], "WebhookRevision");
    let parts = webhook["VersionDescription"][1].as_array().unwrap();
    assert_eq!(parts[0], "WebhookRevision");
    let left_out: BTreeSet<String> = parts
        .iter()
        .filter(|part| part[0] == "HasWebhookRevision" && part[1] == "")
        .flat_map(|part| names_in(&part[2]))
        .collect();
    let described = template.parameter("WebhookRevision")["Description"]
        .as_str()
        .expect("a description");
    let parameters: BTreeSet<String> = template.parameter_names().into_iter().collect();
    let left_out: Vec<&String> = left_out.intersection(&parameters).collect();
    assert_eq!(left_out.len(), 3);
    for parameter in left_out {
        assert!(described.contains(parameter.as_str()), "{parameter}");
    }
}

#[test]
fn a_step_by_step_deployment_is_taken_back_by_alarms_that_exist() {
    let template = Template::read().unwrap();
    let preference = &template.resources()["WebhookFunction"]["Properties"]["DeploymentPreference"];
    let alarms = preference["Alarms"][1].as_array().unwrap();
    assert!(alarms.len() >= 3, "{alarms:?}");
    for alarm in alarms {
        assert!(
            template
                .metric_alarms()
                .contains_key(alarm.as_str().unwrap()),
            "{alarm}"
        );
    }
    assert_eq!(preference["Hooks"]["PreTraffic"], "PreTrafficFunction");
}

/// Every text in a part of the template.
fn names_in(part: &Value) -> BTreeSet<String> {
    match part {
        Value::String(text) => BTreeSet::from([text.clone()]),
        Value::Array(parts) => parts.iter().flat_map(names_in).collect(),
        Value::Object(parts) => parts.values().flat_map(names_in).collect(),
        _ => BTreeSet::new(),
    }
}
