//! `doctor`.

use std::collections::BTreeMap;

use harness::{DedicatedStack, Stack};
use local_stack::Options;
use serde_json::{Value, json};

use crate::program::Dvctl;

fn results(diagnosis: &Value) -> BTreeMap<&str, &str> {
    let checks = diagnosis["checks"].as_array().unwrap();
    checks
        .iter()
        .map(|check| {
            (
                check["name"].as_str().unwrap(),
                check["result"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_deployment_that_works_has_nothing_broken() {
    let stack = Stack::shared().await.unwrap();
    let (status, diagnosis) = Dvctl::of(&stack).ask(&["doctor"]).await;
    // Other tests leave dead letters and overdue work.
    assert!(matches!(status, Some(0 | 5)), "{diagnosis}");
    let results = results(&diagnosis);
    for name in [
        "stack",
        "table",
        "bucket",
        "secret",
        "webhook",
        "clock",
        "signature",
        "API",
        "iDenfy",
        "event source",
        "file origins",
    ] {
        assert_eq!(results.get(name), Some(&"ok"), "{name}: {diagnosis}");
    }
    // The emulator's account has as much as this machine can run.
    assert!(results.contains_key("concurrency"), "{diagnosis}");
}

#[tokio::test]
async fn a_wrong_secret_is_found_by_everything_that_depends_on_it() {
    let dedicated = DedicatedStack::start(Options::default()).await.unwrap();
    let stack = &dedicated.stack;
    let dvctl = Dvctl::of(stack);
    // The webhook has the good secret. It reads another at most once a minute.
    dvctl.run(&["doctor"]).await;
    stack
        .replace_secret(
            &json!({"apiKey": "wrong", "apiSecret": "wrong", "signingKeys": ["another"]}),
        )
        .await
        .unwrap();
    let (status, diagnosis) = dvctl.ask(&["doctor"]).await;
    assert_eq!(status, Some(1));
    assert_eq!(results(&diagnosis)["iDenfy"], "failed", "{diagnosis}");
    assert_eq!(results(&diagnosis)["secret"], "warning", "a short key");
    assert!(!diagnosis.to_string().contains("another"), "{diagnosis}");

    stack
        .replace_secret(&json!({"apiKey": "only"}))
        .await
        .unwrap();
    let ended = dvctl.run(&["doctor"]).await.with_status(1);
    for line in [
        "FAILED   secret",
        "FAILED   signature",
        "FAILED   iDenfy",
        "apiSecret is missing",
    ] {
        assert!(ended.answer.contains(line), "{line}: {ended:?}");
    }
    assert!(
        ended
            .answer
            .lines()
            .all(|line| !line.starts_with("FAILED") || line.contains("; do: ")),
        "{ended:?}"
    );
    dedicated.stop().await;
}
