//! What `/api/v2/status` says of results that change, and how it can be wrong.

use serde_json::{Value, json};

use crate::world::{Opened, World, submission};

async fn status(world: &World, session: &Opened) -> Value {
    world
        .post("/api/v2/status", json!({"scanRef": session.scan_ref}))
        .await
        .json()
}

async fn word(world: &World, session: &Opened) -> String {
    status(world, session).await["status"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn status_is_the_newest_result_delivered_or_not() {
    let mut world = World::start().await;
    let session = world.session("client").await;
    for overall in ["APPROVED", "DENIED", "APPROVED", "SUSPECTED"] {
        world.finish(&session, json!({"overall": overall})).await;
        assert_eq!(word(&world, &session).await, overall);
        world.receiver.next().await;
    }
    world
        .fault(json!({"route": "callback", "kind": "drop"}))
        .await;
    world.finish(&session, json!({"overall": "DENIED"})).await;
    assert_eq!(word(&world, &session).await, "DENIED");

    // An old body once more changes nothing.
    world
        .admin(
            "POST",
            &format!("/sessions/{}/callback", session.scan_ref),
            json!({"callback": 0}),
        )
        .await;
    assert_eq!(
        world.receiver.next().await.body()["status"]["overall"],
        "APPROVED"
    );
    assert_eq!(word(&world, &session).await, "DENIED");
}

#[tokio::test]
async fn status_follows_a_reviewer_and_second_tokens() {
    let mut world = World::start().await;
    let reviewed = world.session("client").await;
    let decision = format!("/reviewer/sessions/{}/decision", reviewed.scan_ref);
    world
        .form(&decision, &[("finding", "deny"), ("nonFinalFirst", "1")])
        .await;
    assert_eq!(word(&world, &reviewed).await, "DENIED");
    world.form(&decision, &[("finding", "approve")]).await;
    assert_eq!(word(&world, &reviewed).await, "APPROVED");
    for _ in 0..3 {
        world.receiver.next().await;
    }

    world
        .admin(
            "PUT",
            "/outcomes/client",
            json!({"overall": "DENIED", "nonFinalFirst": true}),
        )
        .await;
    let second = world.document_token("client").await;
    world.post("/api/v2/process", submission(&second)).await;
    for _ in 0..2 {
        world.receiver.next().await;
    }
    assert_eq!(word(&world, &second).await, "DENIED");
    world.finish(&second, json!({"overall": "APPROVED"})).await;
    assert_eq!(word(&world, &second).await, "APPROVED");
}

#[tokio::test]
async fn status_says_final_only_by_setting() {
    let world = World::start().await;
    let session = world.session("client").await;
    assert!(status(&world, &session).await.get("final").is_none());
    world.settings(json!({"statusFinal": "present"})).await;
    assert_eq!(status(&world, &session).await["final"], false);
    world.finish(&session, json!({"final": false})).await;
    assert_eq!(status(&world, &session).await["final"], false);
    world.finish(&session, json!({})).await;
    assert_eq!(status(&world, &session).await["final"], true);
}

#[tokio::test]
async fn a_lagging_status_says_the_result_before_for_a_while() {
    let world = World::start().await;
    world.settings(json!({"statusFinal": "present"})).await;
    let session = world.session("client").await;
    let lag = async |milliseconds: u64| {
        let subject = json!({"scanRef": session.scan_ref});
        world
            .fault(json!({"route": "status", "match": subject, "kind": "laggingStatus", "milliseconds": milliseconds}))
            .await;
        status(&world, &session).await
    };
    world.finish(&session, json!({})).await;
    let before_any = lag(3_600_000).await;
    assert_eq!(
        (&before_any["status"], &before_any["final"]),
        (&json!("REVIEWING"), &json!(false))
    );
    world
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
    assert_eq!(word(&world, &session).await, "SUSPECTED");
}

#[tokio::test]
async fn a_fixed_status_contradicts_as_often_as_scripted() {
    let world = World::start().await;
    let (session, other) = (world.session("client").await, world.session("client").await);
    world.finish(&session, json!({})).await;
    let subject = json!({"scanRef": session.scan_ref});
    world
        .fault(json!({"route": "status", "match": subject, "kind": "fixedStatus", "overall": "DENIED", "final": false, "times": 2}))
        .await;
    assert_eq!(word(&world, &other).await, "ACTIVE");
    for _ in 0..2 {
        let fixed = status(&world, &session).await;
        assert_eq!(
            (&fixed["status"], &fixed["final"]),
            (&json!("DENIED"), &json!(false))
        );
        assert_eq!(fixed["scanRef"], session.scan_ref);
    }
    let after = status(&world, &session).await;
    assert_eq!(
        (&after["status"], after.get("final")),
        (&json!("APPROVED"), None)
    );

    world
        .fault(json!({"route": "status", "kind": "fixedStatus", "overall": "APPROVED"}))
        .await;
    let unknown = world
        .post("/api/v2/status", json!({"scanRef": "nobody"}))
        .await;
    assert_eq!(unknown.identifier(), "BAD_VALUE");
}
