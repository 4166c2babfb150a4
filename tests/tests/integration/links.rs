//! Files that can never be had, or never be submitted: the pairing is parked with the reason, and
//! no token is spent on it.

use std::collections::BTreeSet;

use harness::{Answer, BACK, FRONT, FileServer, Session, Stack, pictures};
use reqwest::Method;
use serde_json::{Value, json};

const FIFTEEN_MEGABYTES: usize = 15_000_000;
const TOO_LARGE: usize = 30_000_001;

async fn assert_parked(session: &Session<'_>, reason: &str) {
    let pairing = session.until_parked(reason).await;
    if let Some(step) = pairing.pairing["state"]["cause"]["step"].as_str() {
        assert!([FRONT, BACK].contains(&step), "{pairing}");
    }
    session.assert_nothing_spent().await;
}

#[tokio::test]
async fn a_link_outside_the_allowed_origins_is_never_followed() {
    let stack = Stack::shared().await;
    let elsewhere = FileServer::start(Answer::file(pictures::jpeg(1_000))).await;
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
        let session = stack.session_with_documents().await;
        session
            .finish_and_be_believed(json!({"overrides": {"fileUrls": {FRONT: link}}}))
            .await;
        assert_parked(&session, "LinkOriginNotAllowed").await;
    }
    assert_eq!(elsewhere.heard(), 0);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_refused() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "file", "kind": "status", "status": 302, "times": 2}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    assert_parked(&session, "LinkUnusable").await;
}

/// It is asked three times, without a pause.
#[tokio::test]
async fn an_answer_that_is_neither_file_nor_end_parks() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "file", "kind": "status", "status": 204, "times": 100}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    assert_parked(&session, "LinkUnusable").await;
}

#[tokio::test]
async fn the_same_bytes_listed_twice_are_one_file() {
    let stack = Stack::shared().await;
    let session = stack.session().await;
    let file = pictures::jpeg(30_000);
    session.upload(FRONT, "image/jpeg", file.clone()).await;
    session
        .upload(&format!("{FRONT}.2"), "image/jpeg", file)
        .await;
    session
        .upload(BACK, "image/png", pictures::png(20_000))
        .await;
    session.finish_and_be_believed(json!({})).await;
    session.until_settled().await;
    let submissions = session.requests("process").await;
    assert_eq!(
        submissions[0]["images"].as_array().map(Vec::len),
        Some(2),
        "{submissions:?}"
    );
}

#[tokio::test]
async fn links_that_are_dead_even_when_they_are_fresh_park() {
    let stack = Stack::shared().await;
    let check = async |fault: Value| {
        let session = stack.session_with_documents().await;
        session.fault(fault).await;
        session
            .finish_and_be_believed(json!({"expiredLinks": true}))
            .await;
        assert_parked(&session, "LinkDead").await;
        assert_eq!(
            session.requests("files").await.len(),
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
            json!({"route": "files", "kind": "status", "status": 400, "identifier": "BAD_VALUE", "times": 9})
        ),
    );
}

#[tokio::test]
async fn a_dead_link_is_replaced_by_a_fresh_one_and_settles() {
    let stack = Stack::shared().await;
    let check = async |fault: Option<Value>| {
        let session = stack.session_with_documents().await;
        if let Some(fault) = fault {
            session.fault(fault).await;
        }
        session
            .finish_and_be_believed(json!({"expiredLinks": true}))
            .await;
        session.until_settled().await;
        assert_eq!(session.accepted_submissions().await.len(), 1);
        assert!(
            session
                .history()
                .await
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
    let stack = Stack::shared().await;
    let check = async |content_type: &str, start: &[u8]| {
        let session = stack.session_with_documents().await;
        session
            .upload(FRONT, content_type, pictures::starting_with(start, 5_000))
            .await;
        session.finish_and_be_believed(json!({})).await;
        assert_parked(&session, "FileTypeNotAccepted").await;
        assert!(
            session
                .documents()
                .await
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
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session.upload(BACK, "image/png", Vec::new()).await;
    session.finish_and_be_believed(json!({})).await;
    assert_parked(&session, "FileEmpty").await;
}

#[tokio::test]
async fn a_file_that_could_never_be_submitted_is_not_even_copied() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(TOO_LARGE))
        .await;
    session.finish_and_be_believed(json!({})).await;
    assert_parked(&session, "FileTooLarge").await;
    assert!(
        session
            .documents()
            .await
            .iter()
            .all(|object| object.bytes < TOO_LARGE as u64)
    );
}

#[tokio::test]
async fn two_documents_that_do_not_fit_are_parked() {
    let stack = Stack::shared().await;
    let session = stack.session().await;
    session
        .upload(
            FRONT,
            "application/pdf",
            pictures::pdf(FIFTEEN_MEGABYTES / 2),
        )
        .await;
    session
        .upload(
            BACK,
            "application/pdf",
            pictures::pdf(FIFTEEN_MEGABYTES / 2),
        )
        .await;
    session.finish_and_be_believed(json!({})).await;
    assert_parked(&session, "DocumentsTooLarge").await;
    assert_eq!(session.documents().await.len(), 2, "nothing is lost");
}

#[tokio::test]
async fn a_file_that_stays_too_short_is_parked_and_not_kept() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "file", "kind": "truncate", "times": 99}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    assert_parked(&session, "FileTruncated").await;
    assert!(session.documents().await.is_empty());
}

#[tokio::test]
async fn a_file_that_is_cut_off_once_is_fetched_again_and_settles() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "file", "kind": "truncate", "times": 2}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    session.until_settled().await;
    let bytes: Vec<u64> = session
        .documents()
        .await
        .iter()
        .map(|object| object.bytes)
        .collect();
    assert_eq!(bytes, [20_000, 30_000]);
}

#[tokio::test]
async fn a_step_without_a_file_is_parked() {
    let stack = Stack::shared().await;
    let session = stack.session().await;
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(1_000))
        .await;
    let steps = json!({"additionalSteps": {BACK: "UPLOAD"}});
    session
        .finish_and_be_believed(json!({"additionalSteps": "VALID", "overrides": steps}))
        .await;
    assert_parked(&session, "FileMissing").await;
}

#[tokio::test]
async fn several_files_of_a_step_are_all_kept_before_it_is_parked() {
    let stack = Stack::shared().await;
    let check = async |result: Value, content_type: &str, extension: &str, second: Vec<u8>| {
        let session = stack.session_with_documents().await;
        session
            .upload(&format!("{FRONT}.2"), content_type, second)
            .await;
        session.finish_and_be_believed(result).await;
        assert_parked(&session, "SeveralFiles").await;
        let folder = session.folder().await;
        let of = |name: &str| format!("{folder}/{name}");
        let mut expected = [
            (of(&format!("{BACK}.png")), 20_000),
            (of(&format!("{FRONT}.2.{extension}")), 40_000),
            (of(&format!("{FRONT}.jpg")), 30_000),
        ];
        expected.sort();
        let kept = session.documents().await;
        let kept: Vec<(String, u64)> = kept
            .into_iter()
            .map(|object| (object.key, object.bytes))
            .collect();
        assert_eq!(kept, expected);
        let path = format!("/verifications/{}", session.scan_ref);
        let answer = stack.api(Method::GET, &path, None).await.expect(200);
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
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "files", "kind": "expiredLink"}))
        .await;
    session
        .finish_and_be_believed(json!({"expiredLinks": true}))
        .await;
    let parked = session.until_parked("LinkDead").await;

    session.send_again(json!({})).await;
    assert_eq!(session.pairing().await, Some(parked));
    session.send_again(json!({"freshLinks": true})).await;
    session.until_settled().await;
}
