//! `probe` with a stack, and one submission.

use std::time::Duration;

use harness::{Look, SandboxClient, Stack, wait_for};
use idenfy_sandbox::{Sandbox, Settings};
use reqwest::Method;
use serde_json::{Value, json};

use crate::probing::{fact, secret_file};
use crate::program::{Dvctl, command, play};

const SECRET: &str = r#"{"apiKey": "sandbox-api-key", "apiSecret": "sandbox-api-secret",
    "signingKeys": ["sandbox-signing-key"]}"#;

fn result<'a>(report: &'a Value, name: &str) -> &'a str {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    check.unwrap_or_else(|| panic!("no {name}: {report}"))["result"]
        .as_str()
        .unwrap()
}

/// The provider's sessions of the probe.
async fn sessions(sandbox: &SandboxClient, report: &Value) -> Vec<Value> {
    let mut sessions = sandbox.all("sessions").await.unwrap();
    let report = report.to_string();
    sessions.retain(|session| {
        session["clientId"]
            .as_str()
            .unwrap()
            .starts_with("dvctl-probe-")
            && report.contains(session["scanRef"].as_str().unwrap())
    });
    sessions
}

#[tokio::test]
async fn a_stack_s_parameters_are_what_the_account_must_fit() {
    let stack = Stack::shared().await.unwrap();
    let (status, report) = Dvctl::of(&stack).ask(&["probe"]).await;
    // The sandbox's steps are of the kind UPLOAD, and the stack requires a verdict.
    assert_eq!(status, Some(6), "{report}");
    assert_eq!(result(&report, "step kinds"), "failed");
    assert_eq!(report["stack"], stack.description.stack_name.as_str());
    assert_eq!(report["parameters"]["StepVerdict"], "AcceptUnjudged");
    let left = sessions(&stack.sandbox, &report).await;
    assert_eq!(left.len(), 2, "{report}");
    for session in left {
        assert_eq!(session["tokenUsed"], false);
        // The callback of a token that lapses is acknowledged, and opens no pairing.
        let scan_ref = session["scanRef"].as_str().unwrap();
        let path = format!("/sessions/{scan_ref}/expire");
        let lapsed = stack
            .sandbox
            .admin(Method::POST, &path, json!({}))
            .await
            .unwrap();
        assert_eq!(lapsed["deliveries"][0]["status"], 200, "{lapsed}");
        assert!(
            stack.pairing(scan_ref).await.unwrap().is_none(),
            "{scan_ref}"
        );
    }
}

#[tokio::test]
async fn one_submission_is_made_awaited_and_removed() {
    let stack = Stack::shared().await.unwrap();
    let (_, report) = Dvctl::of(&stack).ask(&["probe", "--spend", "--yes"]).await;
    assert_eq!(result(&report, "submission"), "ok", "{report}");
    assert_eq!(result(&report, "callback"), "ok", "{report}");
    assert_eq!(
        fact(&report, "direct processing in this environment"),
        "yes"
    );
    assert_eq!(
        fact(&report, "key that signs callbacks"),
        "a key of the secret"
    );
    assert!(fact(&report, "members of a direct submission's callback").contains("platform "));

    let mut made = stack.sandbox.all("sessions").await.unwrap();
    made.retain(|session| {
        session["clientId"]
            .as_str()
            .unwrap()
            .starts_with("dvctl-probe-")
            && !session["processedAt"].is_null()
            && session["state"] == "DELETED"
    });
    assert!(!made.is_empty(), "{report}");
    for session in made {
        let scan_ref = session["scanRef"].as_str().unwrap();
        assert!(
            stack.pairing(scan_ref).await.unwrap().is_none(),
            "no pairing was opened"
        );
    }
}

#[tokio::test]
async fn without_the_typed_word_nothing_is_sent() {
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    let secret = secret_file(SECRET);
    let file = secret.path().to_str().unwrap();
    let arguments = [
        "probe",
        "--spend",
        "--secret-file",
        file,
        "--base-url",
        sandbox.url(),
    ];
    let ended = play(command(&arguments), "yes\n").await.with_status(1);
    assert!(ended.notes.contains("may cost a credit"), "{ended:?}");
    let admin = SandboxClient::new(sandbox.url()).unwrap();
    assert!(admin.all("requests").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_result_that_does_not_come_is_not_found_out() {
    let sandbox = Sandbox::start(Settings {
        processing_milliseconds: 600_000,
        ..Settings::default()
    })
    .await
    .unwrap();
    let secret = secret_file(SECRET);
    let file = secret.path().to_str().unwrap();
    let start = [
        "--json",
        "probe",
        "--secret-file",
        file,
        "--base-url",
        sandbox.url(),
    ];
    let spend = ["--spend", "--yes", "--wait"];
    let ended = play(command(&[&start[..], &spend, &["3s"]].concat()), "")
        .await
        .with_status(1);
    let report: Value = serde_json::from_str(&ended.answer).unwrap();
    assert_eq!(result(&report, "submission"), "unknown", "{report}");
    let left = report["leftBehind"].to_string();
    assert!(left.contains("was not deleted"), "{left}");

    // Interrupted, it tells what it has found so far.
    let child = command(&[&start[..], &spend, &["10m"]].concat())
        .spawn()
        .unwrap();
    let admin = SandboxClient::new(sandbox.url()).unwrap();
    wait_for(Duration::from_secs(30), "two submissions", async || {
        let mut requests = admin.all("requests").await?;
        requests.retain(|request| request["route"] == "process" && request["status"] == 200);
        Ok(match requests.len() {
            2 => Look::Found(()),
            other => Look::NotYet(other.to_string()),
        })
    })
    .await
    .unwrap();
    let process = rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let ended = tokio::time::timeout(harness::DEADLINE, child.wait_with_output()).await;
    let ended = ended.unwrap().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["result"], json!("unknown"), "{report}");
}

#[tokio::test]
async fn a_refused_specimen_tells_to_try_a_sample_document() {
    let sandbox = Sandbox::start(Settings {
        image_limit_bytes: Some(100),
        ..Settings::default()
    })
    .await
    .unwrap();
    let secret = secret_file(SECRET);
    let file = secret.path().to_str().unwrap();
    let start = ["probe", "--secret-file", file, "--base-url", sandbox.url()];
    let ended = play(command(&[&start[..], &["--spend", "--yes"]].concat()), "").await;
    let ended = ended.with_status(1);
    assert!(ended.answer.contains("refuses the document: "), "{ended:?}");
    assert!(
        ended.answer.contains("idenfy_sample_documents"),
        "{ended:?}"
    );
}
