//! `session` and `sign`.

use harness::{Stack, sign};
use uuid::Uuid;

use crate::program::Dvctl;

#[tokio::test]
async fn a_session_is_created_and_its_link_opens() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let client_id = format!("customer-{}", Uuid::new_v4().simple());
    let (status, session) = dvctl
        .ask(&[
            "session",
            "--client-id",
            &client_id,
            "--country",
            "LT",
            "--second-country",
            "PL",
        ])
        .await;
    assert_eq!(status, Some(0));
    let link = session["redirectUrl"].as_str().unwrap();
    let page = stack.http.get(link).send().await.unwrap();
    assert!(
        page.status().is_success() || page.status().is_redirection(),
        "{}",
        page.status()
    );
    let (_, shown) = dvctl
        .ask(&["show", session["scanRef"].as_str().unwrap()])
        .await;
    assert_eq!(shown["state"], "AwaitingCallback");
    assert_eq!(session.get("authToken"), None, "{session}");
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_session_is_named() {
    let stack = Stack::shared().await.unwrap();
    let wrong = Dvctl::of(&stack)
        .run(&[
            "session",
            "--client-id",
            "c",
            "--country",
            "LTU",
            "--session-seconds",
            "1",
        ])
        .await;
    let wrong = wrong.with_status(2);
    assert!(
        wrong.notes.contains("country") && wrong.notes.contains("sessionSeconds"),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn a_signature_is_idenfys_for_exactly_these_bytes() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let secret = stack.secret().await.unwrap();
    let key = secret["signingKeys"][0].as_str().unwrap();
    let body = "{\"scanRef\": \"x\"}\r\n";
    let signed = dvctl.type_into(&["sign"], body).await.with_status(0);
    assert_eq!(
        signed.answer,
        format!("Idenfy-Signature: {}\n", sign(key, body.as_bytes()))
    );
    assert!(!signed.answer.contains(key) && !signed.notes.contains(key));

    let missing = dvctl
        .run(&["sign", "/nonexistent/body.json"])
        .await
        .with_status(2);
    assert!(
        missing
            .notes
            .contains("/nonexistent/body.json cannot be read"),
        "{missing:?}"
    );
}
