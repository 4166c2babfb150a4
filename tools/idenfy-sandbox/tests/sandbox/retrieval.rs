//! What can be asked about a session afterwards, and its deletion.

use serde_json::json;

use crate::fixture::Fixture;

#[tokio::test]
async fn status_and_data_follow_the_session() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let about = json!({"scanRef": session.scan_ref});
    let before = fixture.post("/api/v2/status", about.clone()).await.json();
    assert_eq!(
        (
            &before["status"],
            &before["autoDocument"],
            &before["clientId"]
        ),
        (&json!("ACTIVE"), &json!(null), &json!("client"))
    );

    fixture.finish(&session, json!({"overall": "DENIED"})).await;
    let body = fixture.receiver.next().await.body();
    let after = fixture.post("/api/v2/status", about.clone()).await.json();
    assert_eq!(after["status"], "DENIED");
    for member in [
        "autoDocument",
        "autoFace",
        "manualDocument",
        "manualFace",
        "fraudTags",
        "mismatchTags",
    ] {
        assert_eq!(after[member], body["status"][member], "{member}");
    }
    assert!(after.get("additionalSteps").is_none());
    let data = fixture.post("/api/v2/data", about).await.json();
    assert_eq!(
        (&data["docFirstName"], &data["scanRef"]),
        (&body["data"]["docFirstName"], &json!(session.scan_ref))
    );
    assert!(data["docFirstName"].is_string());
}

#[tokio::test]
async fn what_is_open_cannot_be_deleted_and_what_is_deleted_is_gone() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let about = json!({"scanRef": session.scan_ref});
    let refused = fixture.post("/api/v2/delete", about.clone()).await;
    assert_eq!(refused.identifier(), "PARTNER_ERROR");
    assert_eq!(refused.json()["message"], "Token has not expired yet.");

    fixture.finish(&session, json!({})).await;
    let deleted = fixture.post("/api/v2/delete", about.clone()).await;
    assert_eq!((deleted.status, deleted.raw.len()), (200, 0));
    assert_eq!(
        fixture.post("/api/v2/status", about.clone()).await.json()["status"],
        "DELETED"
    );
    assert_eq!(
        fixture
            .post("/api/v2/files", about.clone())
            .await
            .identifier(),
        "BAD_VALUE"
    );
    assert_eq!(
        fixture.post("/api/v2/data", about).await.json()["docFirstName"],
        json!(null)
    );
}

#[tokio::test]
async fn an_unknown_reference_is_a_bad_value() {
    let fixture = Fixture::start().await;
    for route in ["status", "data", "files", "delete"] {
        assert_eq!(
            fixture
                .post(&format!("/api/v2/{route}"), json!({"scanRef": "nobody"}))
                .await
                .identifier(),
            "BAD_VALUE"
        );
        assert_eq!(
            fixture
                .post(&format!("/api/v2/{route}"), json!({}))
                .await
                .identifier(),
            "MISSING_VALUE"
        );
    }
}

#[tokio::test]
async fn sessions_of_a_client_are_listed_in_pages_newest_first() {
    let fixture = Fixture::start().await;
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.insert(0, fixture.session("a client").await.scan_ref);
    }
    fixture.session("other").await;
    let first = fixture
        .get("/kyc/identifications/?clientId=a+client&perPage=2")
        .await
        .json();
    assert_eq!(
        (&first["count"], &first["previous"]),
        (&json!(3), &json!(null))
    );
    let next = first["next"]
        .as_str()
        .unwrap()
        .strip_prefix(fixture.sandbox.url())
        .unwrap();
    let second = fixture.get(next).await.json();
    assert_eq!(second["next"], json!(null));
    let listed: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page["results"].as_array().unwrap())
        .collect();
    assert_eq!(
        listed
            .iter()
            .map(|session| session["scanRef"].as_str().unwrap())
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(
        *listed[0],
        json!({"scanRef": expected[0], "status": "ACTIVE", "suspected": false})
    );
    assert_eq!(
        fixture
            .get("/kyc/identifications/?page=0")
            .await
            .identifier(),
        "BAD_VALUE"
    );
}
