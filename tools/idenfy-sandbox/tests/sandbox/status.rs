//! What `/api/v2/status` says of results that change, and how it can be wrong.

use serde_json::{Value, json};

use crate::fixture::{Fixture, Opened, submission};

async fn status(fixture: &Fixture, session: &Opened) -> Value {
    fixture
        .post("/api/v2/status", json!({"scanRef": session.scan_ref}))
        .await
        .json()
}

async fn word(fixture: &Fixture, session: &Opened) -> String {
    status(fixture, session).await["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn status_is_the_newest_result_delivered_or_not() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    for overall in ["APPROVED", "DENIED", "APPROVED", "SUSPECTED"] {
        fixture.finish(&session, json!({"overall": overall})).await;
        assert_eq!(word(&fixture, &session).await, overall);
        fixture.receiver.next().await;
    }
    fixture
        .fault(json!({"route": "callback", "kind": "drop"}))
        .await;
    fixture.finish(&session, json!({"overall": "DENIED"})).await;
    assert_eq!(word(&fixture, &session).await, "DENIED");

    // An old body once more changes nothing.
    fixture
        .admin(
            "POST",
            &format!("/sessions/{}/callback", session.scan_ref),
            json!({"callback": 0}),
        )
        .await;
    assert_eq!(
        fixture.receiver.next().await.body()["status"]["overall"],
        "APPROVED"
    );
    assert_eq!(word(&fixture, &session).await, "DENIED");
}

#[tokio::test]
async fn status_follows_a_reviewer_and_second_tokens() {
    let mut fixture = Fixture::start().await;
    let reviewed = fixture.session("client").await;
    let decision = format!("/reviewer/sessions/{}/decision", reviewed.scan_ref);
    fixture
        .form(&decision, &[("finding", "deny"), ("nonFinalFirst", "1")])
        .await;
    assert_eq!(word(&fixture, &reviewed).await, "DENIED");
    fixture.form(&decision, &[("finding", "approve")]).await;
    assert_eq!(word(&fixture, &reviewed).await, "APPROVED");
    for _ in 0..3 {
        fixture.receiver.next().await;
    }

    fixture
        .admin(
            "PUT",
            "/outcomes/client",
            json!({"overall": "DENIED", "nonFinalFirst": true}),
        )
        .await;
    let second = fixture.document_token("client").await;
    fixture.post("/api/v2/process", submission(&second)).await;
    for _ in 0..2 {
        fixture.receiver.next().await;
    }
    assert_eq!(word(&fixture, &second).await, "DENIED");
    fixture
        .finish(&second, json!({"overall": "APPROVED"}))
        .await;
    assert_eq!(word(&fixture, &second).await, "APPROVED");
}

#[tokio::test]
async fn status_says_final_only_by_setting() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    assert!(status(&fixture, &session).await.get("final").is_none());
    fixture.settings(json!({"statusFinal": "present"})).await;
    assert_eq!(status(&fixture, &session).await["final"], false);
    fixture.finish(&session, json!({"final": false})).await;
    assert_eq!(status(&fixture, &session).await["final"], false);
    fixture.finish(&session, json!({})).await;
    assert_eq!(status(&fixture, &session).await["final"], true);
}

#[tokio::test]
async fn a_lagging_status_says_the_result_before_for_a_while() {
    let fixture = Fixture::start().await;
    fixture.settings(json!({"statusFinal": "present"})).await;
    let session = fixture.session("client").await;
    let lag = async |milliseconds: u64| {
        let subject = json!({"scanRef": session.scan_ref});
        fixture
            .fault(
                json!({"route": "status", "match": subject, "kind": "laggingStatus",
                "milliseconds": milliseconds}),
            )
            .await;
        status(&fixture, &session).await
    };
    fixture.finish(&session, json!({})).await;
    let before_any = lag(3_600_000).await;
    assert_eq!(
        (&before_any["status"], &before_any["final"]),
        (&json!("REVIEWING"), &json!(false))
    );
    fixture
        .finish(
            &session,
            json!({"overall": "SUSPECTED", "fraudTags": ["FAKE_PHOTO"]}),
        )
        .await;
    let before = lag(3_600_000).await;
    assert_eq!(
        (&before["status"], &before["fraudTags"], &before["final"]),
        (&json!("APPROVED"), &json!([]), &json!(true))
    );
    assert_eq!(
        lag(0).await["status"],
        "SUSPECTED",
        "the result is old enough"
    );
    assert_eq!(word(&fixture, &session).await, "SUSPECTED");
}

#[tokio::test]
async fn a_fixed_status_contradicts_as_often_as_scripted() {
    let fixture = Fixture::start().await;
    let (session, other) = (
        fixture.session("client").await,
        fixture.session("client").await,
    );
    fixture.finish(&session, json!({})).await;
    let subject = json!({"scanRef": session.scan_ref});
    fixture
        .fault(
            json!({"route": "status", "match": subject, "kind": "fixedStatus",
            "overall": "DENIED", "final": false, "times": 2}),
        )
        .await;
    assert_eq!(word(&fixture, &other).await, "ACTIVE");
    for _ in 0..2 {
        let fixed = status(&fixture, &session).await;
        assert_eq!(
            (&fixed["status"], &fixed["final"]),
            (&json!("DENIED"), &json!(false))
        );
        assert_eq!(fixed["scanRef"], session.scan_ref);
    }
    let after = status(&fixture, &session).await;
    assert_eq!(
        (&after["status"], after.get("final")),
        (&json!("APPROVED"), None)
    );

    fixture
        .fault(json!({"route": "status", "kind": "fixedStatus", "overall": "APPROVED"}))
        .await;
    let unknown = fixture
        .post("/api/v2/status", json!({"scanRef": "nobody"}))
        .await;
    assert_eq!(unknown.identifier(), "BAD_VALUE");
}
