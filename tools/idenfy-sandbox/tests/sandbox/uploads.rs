//! Several uploads of one session: which files links lead to, and when the customer had finished.

use std::collections::BTreeMap;

use idenfy_sandbox::{ReviewMode, Settings};
use serde_json::{Value, json};
use url::Url;

use crate::fixture::{Fixture, Opened, PDF, PNG, read, submission};

const FRONT: &str = "SECOND_DOC_FRONT";
const OTHER_PNG: &[u8] = b"\x89PNG\r\n\x1a\n another picture";

/// Path and bytes of every link in a body or in an answer of `/files`.
async fn files(fixture: &Fixture, maps: &Value) -> BTreeMap<String, (String, Vec<u8>)> {
    let mut files = BTreeMap::new();
    for map in [maps, &maps["fileUrls"], &maps["additionalStepPdfUrls"]] {
        for (key, link) in map.as_object().into_iter().flatten() {
            let Some(link) = link.as_str().filter(|text| text.starts_with("http")) else {
                continue;
            };
            let answer = read(fixture.client.get(link).send().await.unwrap()).await;
            assert_eq!(answer.status, 200, "{link}");
            files.insert(
                key.clone(),
                (Url::parse(link).unwrap().path().to_owned(), answer.raw),
            );
        }
    }
    files
}

async fn uploaded(fixture: &mut Fixture, session: &Opened, front: &[u8]) -> Value {
    fixture.put_file(session, FRONT, "image/png", front).await;
    fixture.finish(session, json!({})).await;
    fixture.receiver.next().await.body()
}

#[tokio::test]
async fn a_second_upload_has_other_paths_and_old_links_old_bytes() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture
        .put_file(&session, "SECOND_DOC_BACK", "application/pdf", PDF)
        .await;
    let first = uploaded(&mut fixture, &session, PNG).await;
    let second = uploaded(&mut fixture, &session, OTHER_PNG).await;

    let (old, new) = (
        files(&fixture, &first).await,
        files(&fixture, &second).await,
    );
    assert_eq!(old.len(), 5);
    assert!(old.keys().eq(new.keys()));
    for (key, (path, _)) in &old {
        assert_ne!(*path, new[key].0, "{key}");
    }
    assert_eq!((&old[FRONT].1[..], &new[FRONT].1[..]), (PNG, OTHER_PNG));
    assert_eq!(
        new["SECOND_DOC_BACK"].1, PDF,
        "what was not replaced is part of the upload as well"
    );
    assert_eq!(fixture.shown(&session).await["uploads"], 2);
}

#[tokio::test]
async fn the_same_file_again_is_another_upload() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let first = uploaded(&mut fixture, &session, PNG).await;
    let second = uploaded(&mut fixture, &session, PNG).await;
    assert_ne!(
        files(&fixture, &first).await[FRONT].0,
        files(&fixture, &second).await[FRONT].0
    );
    assert!(second["finishTime"].as_i64() > first["finishTime"].as_i64());
}

#[tokio::test]
async fn fresh_links_of_a_callback_have_its_own_paths() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let first = uploaded(&mut fixture, &session, PNG).await;
    let second = uploaded(&mut fixture, &session, OTHER_PNG).await;
    for (number, body) in [(0, first), (1, second)] {
        let again = json!({"callback": number, "freshLinks": true});
        fixture
            .admin(
                "POST",
                &format!("/sessions/{}/callback", session.scan_ref),
                again,
            )
            .await;
        let renewed = fixture.receiver.next().await.body();
        assert_eq!(renewed["finishTime"], body["finishTime"]);
        assert_eq!(
            files(&fixture, &renewed).await,
            files(&fixture, &body).await
        );
    }
}

#[tokio::test]
async fn finish_time_is_the_uploads_and_not_the_results() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let first = uploaded(&mut fixture, &session, PNG).await;
    fixture
        .finish(
            &session,
            json!({"overall": "DENIED", "nonFinalFirst": true}),
        )
        .await;
    for _ in 0..2 {
        let later = fixture.receiver.next().await.body();
        assert_eq!(later["finishTime"], first["finishTime"]);
        assert_eq!(files(&fixture, &later).await, files(&fixture, &first).await);
    }
    let second = uploaded(&mut fixture, &session, OTHER_PNG).await;
    assert!(second["finishTime"].as_i64() > first["finishTime"].as_i64());
}

#[tokio::test]
async fn a_reviewed_session_was_finished_when_it_was_submitted() {
    let mut fixture = Fixture::with(Settings {
        review_mode: ReviewMode::Reviewer,
        ..Settings::default()
    })
    .await;
    let none = json!({"ALL": {"ALL": {}}});
    let session = fixture
        .open(json!({"clientId": "client", "additionalSteps": none}))
        .await;
    let token = [("authToken", session.auth_token.as_str())];
    fixture.form("/verification/start", &token).await;
    let fields = [("authToken", session.auth_token.as_str()), ("step", "1")];
    fixture
        .upload(&fields, &[("FRONT", "f.png", PNG), ("FACE", "me.png", PNG)])
        .await;
    fixture
        .form("/verification/submit", &token)
        .await
        .location();
    let shown = fixture.shown(&session).await;
    assert_eq!(
        (&shown["state"], &shown["uploads"]),
        (&json!("PROCESSING"), &json!(1))
    );

    // A file that comes before the decision belongs to another upload.
    fixture
        .put_file(&session, "FRONT", "image/png", OTHER_PNG)
        .await;
    fixture.finish(&session, json!({})).await;
    let body = fixture.receiver.next().await.body();
    assert_eq!(files(&fixture, &body).await["FRONT"].1, OTHER_PNG);
    assert_eq!(fixture.shown(&session).await["uploads"], 2);
}

#[tokio::test]
async fn files_lead_to_the_newest_upload_by_same_or_other_paths() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let about = json!({"scanRef": session.scan_ref});
    fixture.put_file(&session, FRONT, "image/png", PNG).await;
    let before = fixture.post("/api/v2/files", about.clone()).await.json();
    assert_eq!(before, json!({}), "nothing has been submitted yet");
    uploaded(&mut fixture, &session, PNG).await;
    let newest = uploaded(&mut fixture, &session, OTHER_PNG).await;
    let in_callback = files(&fixture, &newest).await;
    let same = fixture.post("/api/v2/files", about.clone()).await.json();
    assert_eq!(files(&fixture, &same).await, in_callback);

    fixture.settings(json!({"filesPaths": "other"})).await;
    let other = files(&fixture, &fixture.post("/api/v2/files", about).await.json()).await;
    assert!(other.keys().eq(in_callback.keys()));
    for (key, (path, bytes)) in other {
        assert_ne!(path, in_callback[&key].0, "{key}");
        assert_eq!(bytes, in_callback[&key].1, "{key}");
    }
}

#[tokio::test]
async fn a_submission_is_an_upload_at_its_own_time() {
    let mut fixture = Fixture::start().await;
    let session = fixture.document_token("client").await;
    fixture.post("/api/v2/process", submission(&session)).await;
    let result = fixture.receiver.next().await.body();
    assert_eq!(result["startTime"], result["finishTime"]);
    fixture.finish(&session, json!({"overall": "DENIED"})).await;
    let later = fixture.receiver.next().await.body();
    assert_eq!(later["finishTime"], result["finishTime"]);
    assert_eq!(
        files(&fixture, &later).await,
        files(&fixture, &result).await
    );
}
