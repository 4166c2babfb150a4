//! `replay`.

use adapters::S3CallbackArchive;
use api_contract::Application;
use harness::{DedicatedStack, Stack};
use local_stack::Options;
use serde_json::{Value, json};
use uuid::Uuid;
use verification::identifiers::Digest256;
use verification::ports::CallbackArchive;

use crate::program::Dvctl;

/// The traces of a function that ended after archiving.
async fn archive_only(stack: &Stack, scan_ref: &str, callback: &Value) {
    let body = callback.to_string().into_bytes();
    let archive = S3CallbackArchive::new(&stack.sdk, &stack.description.document_bucket);
    let kept = archive
        .keep(
            Some(&scan_ref.parse().unwrap()),
            &Digest256::of(&body),
            &body,
        )
        .await;
    kept.expect("the bucket takes it");
}

#[tokio::test]
async fn a_lost_callback_is_found_in_the_archive_and_settles() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let model = stack.session_with_documents().await.unwrap();
    model.finish_expecting_200(json!({})).await.unwrap();
    model.until_settled().await.unwrap();
    let archived = model.archived_callbacks().await.unwrap();
    let mut callback = stack.json_object(&archived[0].key).await.unwrap();

    let (waiting, _) = stack.api_session(json!({})).await.unwrap();
    callback["scanRef"] = json!(waiting.scan_ref);
    callback["clientId"] = json!(waiting.client_id);
    archive_only(&stack, &waiting.scan_ref, &callback).await;

    let (status, failed) = dvctl
        .ask(&["replay", "--failed", "--since", "1h", "--dry-run"])
        .await;
    assert_eq!(status, Some(0));
    let callbacks = failed["callbacks"].as_array().unwrap();
    let named = |scan_ref: &str| {
        callbacks
            .iter()
            .find(|callback| callback["scanRef"] == scan_ref)
    };
    assert_eq!(
        named(&waiting.scan_ref).expect("it is found")["why"],
        "the verification waits for it"
    );
    assert!(
        named(&model.scan_ref).is_none(),
        "what had its effect is no failure"
    );
    assert_eq!(
        waiting.pairing().await.unwrap().unwrap().state,
        "AwaitingCallback",
        "a dry run sends nothing"
    );

    // What was archived is what iDenfy says when it is asked.
    waiting
        .fault(
            json!({"route": "status", "kind": "fixedStatus", "overall": "APPROVED", "times": 100}),
        )
        .await
        .unwrap();
    let (status, replayed) = dvctl.ask(&["replay", &waiting.scan_ref]).await;
    assert_eq!(
        (status, &replayed["callbacks"][0]["status"]),
        (Some(0), &json!(200))
    );
    waiting.until_settled().await.unwrap();

    let (status, repeated) = dvctl.ask(&["replay", &waiting.scan_ref]).await;
    assert_eq!(
        (status, &repeated["callbacks"]),
        (Some(0), &json!([])),
        "{repeated}"
    );
    assert_eq!(repeated["passedOver"][0]["why"], "it has had its effect");
}

#[tokio::test]
async fn what_has_had_its_effect_is_passed_over_and_it_says_why() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    let (status, replayed) = dvctl.ask(&["replay", &session.scan_ref]).await;
    assert_eq!((status, &replayed["callbacks"]), (Some(0), &json!([])));
    assert_eq!(replayed["passedOver"][0]["why"], "it has had its effect");
    assert!(
        dvctl
            .run(&["replay", &session.scan_ref])
            .await
            .answer
            .contains("passed over")
    );
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn many_at_once_are_confirmed_first() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let name = format!("foreign-{}", Uuid::new_v4().simple());
    archive_only(
        &stack,
        &name,
        &json!({"scanRef": name, "expirationThreshold": "DOCUMENT_EXPIRED"}),
    )
    .await;
    let refused = dvctl
        .type_into(&["replay", "--failed", "--since", "1h"], "no\n")
        .await
        .with_status(1);
    assert!(
        refused.notes.contains("Type replay") && refused.answer.is_empty(),
        "{refused:?}"
    );
    let one = dvctl.run(&["replay", &name]).await.with_status(0);
    assert!(
        one.answer.contains("no verification knows it  accepted"),
        "{one:?}"
    );
    dvctl
        .run(&["replay", "nothing-is-archived-here"])
        .await
        .with_status(3);
}

#[tokio::test]
async fn an_interrupted_replay_says_so_and_the_same_command_goes_on() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let name = format!("foreign-{}", Uuid::new_v4().simple());
    for number in 0..80 {
        archive_only(&stack, &name, &json!({"scanRef": name, "number": number})).await;
    }
    let mut child = dvctl
        .command(&["--json", "replay", &name])
        .spawn()
        .expect("it starts");
    // Once the first has arrived at the webhook, there are many to go.
    harness::eventually("one is sent", || async {
        match stack.log_lines("webhook", &name).await.unwrap().len() {
            0 => Err("none"),
            _ => Ok(()),
        }
    })
    .await
    .unwrap();
    let process = child
        .id()
        .and_then(|id| rustix::process::Pid::from_raw(id.try_into().expect("an id")))
        .expect("it runs");
    rustix::process::kill_process(process, rustix::process::Signal::INT).expect("it is told");
    drop(child.stdin.take());
    let ended = tokio::time::timeout(harness::DEADLINE, child.wait_with_output()).await;
    let ended = ended.expect("it ends in time").expect("it ends");
    let notes = String::from_utf8(ended.stderr).expect("text");
    assert_eq!(ended.status.code(), Some(130), "{notes}");
    assert!(notes.contains("of 80; the same command goes on"), "{notes}");
    let answer: Value = serde_json::from_slice(&ended.stdout).expect("what was done until then");
    let callbacks = answer["callbacks"].as_array().unwrap();
    assert!(
        callbacks.iter().any(|callback| callback["status"] == 200)
            && callbacks
                .iter()
                .any(|callback| callback["status"].is_null())
    );

    let (status, rest) = dvctl.ask(&["replay", &name]).await;
    assert_eq!(
        (status, rest["callbacks"].as_array().unwrap().len()),
        (Some(0), 80)
    );
}

fn name(check: &Value) -> &str {
    check["name"].as_str().unwrap()
}

#[tokio::test]
async fn a_replay_outlasts_the_minute_of_a_rotation() {
    let dedicated = DedicatedStack::start(Options {
        parts_secret: true,
        ..Options::default()
    });
    let dedicated = dedicated.await.unwrap();
    let stack = &dedicated.stack;
    let (status, doctor) = Dvctl::of(stack).ask(&["doctor"]).await;
    let checks = doctor["checks"].as_array().unwrap().iter();
    let of_secrets: Vec<_> = checks
        .filter(|check| ["secret", "signing secret", "signature"].contains(&name(check)))
        .map(|check| (name(check), check["result"].as_str().unwrap()))
        .collect();
    assert_eq!(
        of_secrets,
        [
            ("secret", "ok"),
            ("signing secret", "ok"),
            ("signature", "ok")
        ],
        "{status:?} {doctor}"
    );
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    // The webhook has read the secret just now, and does not look again for a minute.
    let mut secret = stack.secret().await.unwrap();
    secret["signingKeys"] = json!(["the key that iDenfy signs with now"]);
    stack.replace_secret(&secret).await.unwrap();
    let name = format!("foreign-{}", Uuid::new_v4().simple());
    archive_only(stack, &name, &json!({"scanRef": name})).await;
    let (status, replayed) = Dvctl::of(stack).ask(&["replay", &name]).await;
    assert_eq!(
        (status, &replayed["callbacks"][0]["status"]),
        (Some(0), &json!(200)),
        "{replayed}"
    );
    dedicated.stop().await;
}
