//! The reviewer's page without a browser: what its forms have sent, and what it shows.

use serde_json::json;

use crate::fixture::{Fixture, Opened, PNG, submission};

fn page(session: &Opened) -> String {
    format!("/reviewer/sessions/{}", session.scan_ref)
}

#[tokio::test]
async fn each_finding_sends_its_callback() {
    let mut fixture = Fixture::start().await;
    for (finding, event, overall) in [
        ("approve", "IDENTIFICATION_MANUAL_FINISHED", "APPROVED"),
        ("deny", "IDENTIFICATION_MANUAL_FINISHED", "DENIED"),
        ("suspect", "IDENTIFICATION_MANUAL_FINISHED", "SUSPECTED"),
        ("cancel", "IDENTIFICATION_CANCELLED", "EXPIRED"),
    ] {
        let session = fixture.session("client").await;
        let decided = fixture
            .form(
                &format!("{}/decision", page(&session)),
                &[("finding", finding), ("steps", "VALID")],
            )
            .await;
        assert_eq!(
            decided.location(),
            format!("{}?done=decided", page(&session))
        );
        let callback = fixture.receiver.next().await;
        assert_eq!(callback.header("idenfy-event-type"), Some(event));
        let body = callback.body();
        assert_eq!(
            (&body["final"], &body["status"]["overall"]),
            (&json!(true), &json!(overall))
        );
        let steps = if finding == "cancel" {
            json!(null)
        } else {
            json!("VALID")
        };
        assert_eq!(body["status"]["additionalSteps"], steps);
    }
}

#[tokio::test]
async fn a_result_that_is_not_final_comes_first_if_wanted() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let fields = [("finding", "deny"), ("steps", ""), ("nonFinalFirst", "1")];
    fixture
        .form(&format!("{}/decision", page(&session)), &fields)
        .await;
    let first = fixture.receiver.next().await.body();
    assert_eq!(
        (&first["final"], &first["status"]["overall"]),
        (&json!(false), &json!("REVIEWING"))
    );
    let second = fixture.receiver.next().await.body();
    assert_eq!(
        (&second["final"], &second["status"]["overall"]),
        (&json!(true), &json!("DENIED"))
    );
    assert_eq!(second["status"]["additionalSteps"], json!(null));
}

#[tokio::test]
async fn the_last_callback_is_sent_again_with_new_links_if_wanted() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let again = format!("{}/callback", page(&session));
    assert_eq!(fixture.form(&again, &[]).await.status, 409);
    fixture.finish(&session, json!({})).await;
    let sent = fixture.receiver.next().await.raw;
    fixture.form(&again, &[]).await;
    assert_eq!(fixture.receiver.next().await.raw, sent);
    fixture.settings(json!({"fileLinkSeconds": 7})).await;
    fixture.form(&again, &[("freshLinks", "1")]).await;
    assert!(
        fixture.receiver.next().await.body()["fileUrls"]["FRONT"]
            .as_str()
            .unwrap()
            .contains("X-Amz-Expires=7&")
    );
}

#[tokio::test]
async fn the_second_document_is_chosen_for_the_client() {
    let mut fixture = Fixture::start().await;
    fixture
        .admin("PUT", "/outcomes/client", json!({"overall": "DENIED"}))
        .await;
    let session = fixture.session("client").await;
    assert!(
        fixture
            .get(&page(&session))
            .await
            .text()
            .contains("value=\"OtherDocument\" selected")
    );
    let set = format!("{}/second-document", page(&session));
    let answer = fixture
        .form(&set, &[("secondDocument", "SameDocument")])
        .await;
    assert_eq!(answer.location(), format!("{}?done=set", page(&session)));
    assert!(
        fixture
            .get(&page(&session))
            .await
            .text()
            .contains("value=\"SameDocument\" selected")
    );
    fixture.finish(&session, json!({})).await;
    let first = fixture.receiver.next().await.body();

    let second = fixture.document_token("client").await;
    fixture.post("/api/v2/process", submission(&second)).await;
    let body = fixture.receiver.next().await.body();
    assert_eq!(body["data"]["docNumber"], first["data"]["docNumber"]);
    assert_eq!(
        body["status"]["overall"], "DENIED",
        "what else was set stays"
    );
    assert_eq!(
        fixture
            .form(&set, &[("secondDocument", "Nobody")])
            .await
            .status,
        422
    );
    assert_eq!(
        fixture
            .form(
                "/reviewer/sessions/nobody/second-document",
                &[("secondDocument", "OtherPerson")]
            )
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_log_shows_attempts_and_answers() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.receiver.will_answer(&[503]);
    fixture.finish(&session, json!({})).await;
    for shown in [page(&session), "/reviewer/deliveries".to_owned()] {
        let text = fixture.get(&shown).await.text();
        assert!(
            text.contains(">503<")
                && text.contains(">200<")
                && text.contains("IDENTIFICATION_MANUAL_FINISHED"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn sessions_are_listed_newest_first_page_by_page() {
    let fixture = Fixture::start().await;
    for number in 1..=21 {
        fixture.session(&format!("client-{number:02}")).await;
    }
    let first = fixture.get("/reviewer").await.text();
    assert!(first.find("client-21").unwrap() < first.find("client-20").unwrap());
    assert!(!first.contains("client-01") && first.contains("/reviewer?page=2"));
    let second = fixture.get("/reviewer?page=2").await.text();
    assert!(
        second.contains("client-01") && !second.contains("client-02") && !second.contains("page=3")
    );
    assert!(
        fixture
            .get("/reviewer?refresh=5")
            .await
            .text()
            .contains("http-equiv=\"refresh\" content=\"5\"")
    );
}

#[tokio::test]
async fn files_are_shown_as_what_they_are_and_never_as_pages() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.put_file(&session, "A STEP", "image/png", PNG).await;
    fixture
        .put_file(&session, "EVIL", "text/html", b"<script>alert(1)</script>")
        .await;
    assert!(
        fixture
            .get(&page(&session))
            .await
            .text()
            .contains("/files/A%20STEP")
    );
    let picture = fixture
        .get(&format!("{}/files/A%20STEP", page(&session)))
        .await;
    assert_eq!(
        (picture.content_type.as_str(), picture.raw.as_slice()),
        ("image/png", PNG)
    );
    let other = fixture.get(&format!("{}/files/EVIL", page(&session))).await;
    assert_eq!(
        (
            other.content_type.as_str(),
            other.headers["content-disposition"].to_str().unwrap()
        ),
        ("application/octet-stream", "attachment")
    );
    assert_eq!(
        fixture
            .get(&format!("{}/files/NONE", page(&session)))
            .await
            .status,
        404
    );
    assert_eq!(fixture.get("/reviewer/sessions/nobody").await.status, 404);
}

#[tokio::test]
async fn no_secret_is_on_any_page() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.finish(&session, json!({})).await;
    for shown in [
        "/reviewer".to_owned(),
        "/reviewer/deliveries".to_owned(),
        page(&session),
    ] {
        let text = fixture.get(&shown).await.text();
        for secret in [
            &session.auth_token,
            "sandbox-api-key",
            "sandbox-api-secret",
            crate::fixture::SIGNING_KEY,
            "X-Amz-Signature",
        ] {
            assert!(!text.contains(secret), "{shown} shows {secret}");
        }
    }
}
