//! `pause`, `resume` and `redrive`, on a stack of their own: they act on all that there is.

use harness::{DedicatedStack, eventually};
use local_stack::Options;
use serde_json::{Value, json};

use crate::program::Dvctl;

fn outcomes(redriven: &Value) -> Vec<(Option<&str>, &str)> {
    let letters = redriven["letters"].as_array().unwrap();
    let mut outcomes: Vec<_> = letters
        .iter()
        .map(|letter| {
            (
                letter["scanRef"].as_str(),
                letter["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    outcomes.sort_unstable();
    outcomes
}

#[tokio::test]
async fn paused_submissions_wait_and_dead_letters_go_back_to_them() {
    let dedicated = DedicatedStack::start(Options::default()).await.unwrap();
    let stack = &dedicated.stack;
    let dvctl = Dvctl::of(stack);

    let (status, paused) = dvctl.ask(&["pause"]).await;
    assert_eq!(
        (status, paused),
        (Some(0), json!({"state": "Disabled", "changed": true}))
    );
    let (_, again) = dvctl.ask(&["pause"]).await;
    assert_eq!(again["changed"], false);
    let doctor = dvctl.run(&["doctor"]).await;
    assert!(
        doctor
            .answer
            .contains("submissions are paused; do: `dvctl resume`"),
        "{doctor:?}"
    );

    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until("Captured").await.unwrap();
    let queue = &stack.description.submission_queue_url;
    assert_eq!(stack.messages_on(queue).await.unwrap(), 1);

    let own = json!({"type": "SubmitDocumentsV1", "scanRef": session.scan_ref}).to_string();
    stack
        .give_up_on(&[&own, "PERSONAL and nobody's"])
        .await
        .unwrap();

    // Declined, they are there for the next one.
    let declined = dvctl.type_into(&["redrive"], "no\n").await.with_status(1);
    assert!(
        declined.notes.contains("state Captured") && declined.notes.contains("Type redrive"),
        "{declined:?}"
    );
    assert!(!declined.notes.contains("PERSONAL"), "{declined:?}");
    let (status, looked) = dvctl.ask(&["redrive", "--dry-run"]).await;
    assert_eq!(status, Some(0));
    assert_eq!(
        outcomes(&looked),
        [(None, "kept"), (Some(session.scan_ref.as_str()), "kept")]
    );

    let (status, moved) = dvctl.ask(&["redrive", "--yes"]).await;
    assert_eq!(status, Some(4), "{moved}");
    assert_eq!(
        outcomes(&moved),
        [(None, "kept"), (Some(session.scan_ref.as_str()), "moved")]
    );
    assert_eq!(stack.messages_on(queue).await.unwrap(), 2);

    let (status, discarded) = dvctl
        .ask(&["redrive", "--yes", "--discard-unreadable"])
        .await;
    assert_eq!(
        (status, outcomes(&discarded)),
        (Some(0), vec![(None, "discarded")])
    );
    assert_eq!(
        stack
            .messages_on(&stack.description.dead_letter_queue_url)
            .await
            .unwrap(),
        0
    );
    let none = dvctl.run(&["redrive"]).await.with_status(0);
    assert_eq!(none.answer, "no dead letters\n");

    let resumed = dvctl.run(&["resume"]).await.with_status(0);
    assert_eq!(resumed.answer, "the processor takes submissions\n");
    session.until_settled().await.unwrap();
    eventually("both messages are done", || async {
        match stack.messages_on(queue).await.unwrap() {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await
    .unwrap();
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    dedicated.stop().await;
}
