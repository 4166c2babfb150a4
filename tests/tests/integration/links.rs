//! Files that cannot be fetched or submitted: the pairing is parked with the reason, and no token
//! is spent.

use api_contract::Application;
use std::collections::BTreeSet;

use harness::{Answer, BACK, FRONT, FileServer, Session, Stack, pictures};
use reqwest::Method;
use serde_json::{Value, json};

const FIFTEEN_MEGABYTES: usize = 15_000_000;
const TOO_LARGE: usize = 30_000_001;

async fn assert_parked(session: &Session<'_>, reason: &str) {
    let pairing = session.until_parked(reason).await.unwrap();
    if let Some(step) = pairing.pairing["state"]["cause"]["step"].as_str() {
        assert!([FRONT, BACK].contains(&step), "{pairing}");
    }
    session.assert_nothing_spent().await.unwrap();
}

#[tokio::test]
async fn a_link_outside_the_allowed_origins_is_never_followed() {
    let stack = Stack::shared().await.unwrap();
    let elsewhere = FileServer::start(Answer::file(pictures::jpeg(1_000)))
        .await
        .unwrap();
    let port = elsewhere.origin.rsplit_once(':').unwrap().1;
    let sandbox = stack.sandbox.url().to_owned();
    for link in [
        elsewhere.link(),
        format!("http://localhost:{port}/file"),
        // The allowed origin only seems to be in these.
        sandbox.replace("http://", "https://"),
        sandbox.replace("http://", "http://user:password@"),
        format!(
            "http://{}@127.0.0.1:{port}/file",
            sandbox.replace("http://", "")
        ),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "not a link".to_owned(),
    ] {
        let session = stack.session_with_documents().await.unwrap();
        session
            .finish_expecting_200(json!({"overrides": {"fileUrls": {FRONT: link}}}))
            .await
            .unwrap();
        assert_parked(&session, "LinkOriginNotAllowed").await;
    }
    assert_eq!(elsewhere.heard(), 0);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_refused() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "file", "kind": "status", "status": 302, "times": 2}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    assert_parked(&session, "LinkUnusable").await;
}

/// It is asked three times, without a pause.
#[tokio::test]
async fn an_answer_that_is_neither_file_nor_end_parks() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "file", "kind": "status", "status": 204, "times": 100}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    assert_parked(&session, "LinkUnusable").await;
}

#[tokio::test]
async fn the_same_bytes_listed_twice_are_one_file() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let file = pictures::jpeg(30_000);
    session
        .upload(FRONT, "image/jpeg", file.clone())
        .await
        .unwrap();
    session
        .upload(&format!("{FRONT}.2"), "image/jpeg", file)
        .await
        .unwrap();
    session
        .upload(BACK, "image/png", pictures::png(20_000))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    let submissions = session.requests("process").await.unwrap();
    assert_eq!(
        submissions[0]["images"].as_array().map(Vec::len),
        Some(2),
        "{submissions:?}"
    );
}

#[tokio::test]
async fn links_that_are_dead_even_when_they_are_fresh_park() {
    let stack = Stack::shared().await.unwrap();
    let check = async |fault: Value| {
        let session = stack.session_with_documents().await.unwrap();
        session.fault(fault).await.unwrap();
        session
            .finish_expecting_200(json!({"expiredLinks": true}))
            .await
            .unwrap();
        assert_parked(&session, "LinkDead").await;
        assert_eq!(
            session.requests("files").await.unwrap().len(),
            1,
            "fresh links are asked for once"
        );
    };
    tokio::join!(
        check(json!({"route": "files", "kind": "expiredLink", "times": 9})),
        check(json!({"route": "file", "kind": "expiredLink", "times": 9})),
        check(json!({"route": "file", "kind": "status", "status": 404, "times": 9})),
        // The provider has nothing any more.
        check(
            json!({"route": "files", "kind": "status", "status": 400, "identifier": "BAD_VALUE",
                "times": 9})
        ),
    );
}

#[tokio::test]
async fn a_dead_link_is_replaced_by_a_fresh_one_and_settles() {
    let stack = Stack::shared().await.unwrap();
    let check = async |fault: Option<Value>| {
        let session = stack.session_with_documents().await.unwrap();
        if let Some(fault) = fault {
            session.fault(fault).await.unwrap();
        }
        session
            .finish_expecting_200(json!({"expiredLinks": true}))
            .await
            .unwrap();
        session.until_settled().await.unwrap();
        assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
        assert!(
            session
                .history()
                .await
                .unwrap()
                .contains(&"CaptureDeferred".to_owned())
        );
    };
    tokio::join!(
        check(None),
        check(Some(
            json!({"route": "files", "kind": "status", "status": 503})
        )),
        check(Some(
            json!({"route": "file", "kind": "status", "status": 500})
        )),
    );
}

#[tokio::test]
async fn files_that_are_not_accepted_are_refused_by_what_they_are() {
    let stack = Stack::shared().await.unwrap();
    let check = async |content_type: &str, start: &[u8]| {
        let session = stack.session_with_documents().await.unwrap();
        session
            .upload(FRONT, content_type, pictures::starting_with(start, 5_000))
            .await
            .unwrap();
        session.finish_expecting_200(json!({})).await.unwrap();
        assert_parked(&session, "FileTypeNotAccepted").await;
        assert!(
            session
                .documents()
                .await
                .unwrap()
                .iter()
                .all(|object| object.key.contains(BACK))
        );
    };
    tokio::join!(
        check("image/gif", b"GIF89a"),
        check("text/html", b"<html><body>Sign in"),
        check("video/mp4", b"\0\0\0\x18ftypisom"),
        // What it says it is does not matter.
        check("image/jpeg", b"<html>"),
    );
}

#[tokio::test]
async fn an_empty_file_is_refused() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session.upload(BACK, "image/png", Vec::new()).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    assert_parked(&session, "FileEmpty").await;
}

#[tokio::test]
async fn a_file_that_could_never_be_submitted_is_not_even_copied() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(TOO_LARGE))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    assert_parked(&session, "FileTooLarge").await;
    assert!(
        session
            .documents()
            .await
            .unwrap()
            .iter()
            .all(|object| object.bytes < TOO_LARGE as u64)
    );
}

#[tokio::test]
async fn two_documents_that_do_not_fit_are_parked() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    session
        .upload(
            FRONT,
            "application/pdf",
            pictures::pdf(FIFTEEN_MEGABYTES / 2),
        )
        .await
        .unwrap();
    session
        .upload(
            BACK,
            "application/pdf",
            pictures::pdf(FIFTEEN_MEGABYTES / 2),
        )
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    assert_parked(&session, "DocumentsTooLarge").await;
    assert_eq!(
        session.documents().await.unwrap().len(),
        2,
        "nothing is lost"
    );
}

#[tokio::test]
async fn a_file_that_stays_too_short_is_parked_and_not_kept() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "file", "kind": "truncate", "times": 99}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    assert_parked(&session, "FileTruncated").await;
    assert!(session.documents().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_that_is_cut_off_once_is_fetched_again_and_settles() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "file", "kind": "truncate", "times": 2}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    let bytes: Vec<u64> = session
        .documents()
        .await
        .unwrap()
        .iter()
        .map(|object| object.bytes)
        .collect();
    assert_eq!(bytes, [20_000, 30_000]);
}

#[tokio::test]
async fn a_step_without_a_file_is_parked() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(1_000))
        .await
        .unwrap();
    let steps = json!({"additionalSteps": {BACK: "UPLOAD"}});
    session
        .finish_expecting_200(json!({"additionalSteps": "VALID", "overrides": steps}))
        .await
        .unwrap();
    assert_parked(&session, "FileMissing").await;
}

#[tokio::test]
async fn several_files_of_a_step_are_all_kept_before_it_is_parked() {
    let stack = Stack::shared().await.unwrap();
    let check = async |result: Value, content_type: &str, extension: &str, second: Vec<u8>| {
        let session = stack.session_with_documents().await.unwrap();
        session
            .upload(&format!("{FRONT}.2"), content_type, second)
            .await
            .unwrap();
        session.finish_expecting_200(result).await.unwrap();
        assert_parked(&session, "SeveralFiles").await;
        let folder = session.folder().await.unwrap();
        let of = |name: &str| format!("{folder}/{name}");
        let mut expected = [
            (of(&format!("{BACK}.png")), 20_000),
            (of(&format!("{FRONT}.2.{extension}")), 40_000),
            (of(&format!("{FRONT}.jpg")), 30_000),
        ];
        expected.sort();
        let kept = session.documents().await.unwrap();
        let kept: Vec<(String, u64)> = kept
            .into_iter()
            .map(|object| (object.key, object.bytes))
            .collect();
        assert_eq!(kept, expected);
        let path = format!("/verifications/{}", session.scan_ref);
        let answer = stack
            .api(Method::GET, &path, None)
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        let shown: BTreeSet<(String, Option<u64>, Option<String>)> = answer["documents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|document| {
                let text = |name: &str| document[name].as_str().map(ToOwned::to_owned);
                (
                    text("step").unwrap(),
                    document["file"].as_u64(),
                    text("side"),
                )
            })
            .collect();
        let expected = [
            (BACK.to_owned(), None, Some("BACK".to_owned())),
            (FRONT.to_owned(), None, None),
            (FRONT.to_owned(), Some(2), None),
        ];
        assert_eq!(shown, expected.into());
    };
    tokio::join!(
        check(json!({}), "image/jpeg", "jpg", pictures::jpeg(40_000)),
        // A PDF beside a picture.
        check(json!({}), "application/pdf", "pdf", pictures::pdf(40_000)),
        // Left to the processor, which has fresh links.
        check(
            json!({"expiredLinks": true}),
            "image/jpeg",
            "jpg",
            pictures::jpeg(40_000)
        ),
    );
}

#[tokio::test]
async fn a_parked_capture_is_reopened_by_a_newer_callback() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "files", "kind": "expiredLink"}))
        .await
        .unwrap();
    session
        .finish_expecting_200(json!({"expiredLinks": true}))
        .await
        .unwrap();
    let parked = session.until_parked("LinkDead").await.unwrap();

    session.send_again(json!({})).await.unwrap();
    assert_eq!(session.pairing().await.unwrap(), Some(parked));
    session
        .send_again(json!({"freshLinks": true}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
}
