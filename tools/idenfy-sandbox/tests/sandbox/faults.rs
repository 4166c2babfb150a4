//! Scripted faults, each as its caller meets it.

use std::error::Error;
use std::io;
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Opened, PNG, read, submission};

impl Fixture {
    async fn submit(&self, session: &Opened) -> reqwest::Result<Response> {
        self.request("/api/v2/process", &submission(session))
            .send()
            .await
    }
}

/// Whether the connection was reset, and not merely closed.
fn is_reset(error: &reqwest::Error) -> bool {
    let mut causes = std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| {
        (*cause).source()
    });
    causes.any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
    })
}

#[tokio::test]
async fn a_scripted_status_comes_with_its_error() {
    let fixture = Fixture::start().await;
    let fault = json!({"route": "token", "kind": "status", "status": 429, "retryAfterSeconds": 7,
        "times": 2});
    fixture.fault(fault).await;
    for _ in 0..2 {
        let response = fixture
            .request("/api/v2/token", &json!({"clientId": "client"}))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (
                response.status().as_u16(),
                &response.headers()["retry-after"]
            ),
            (429, &"7".parse().unwrap())
        );
        assert_eq!(read(response).await.identifier(), "TOO_MANY_REQUESTS");
    }
    fixture.session("client").await;
    assert_eq!(fixture.requests("token").await[0]["fault"], "status");
}

#[tokio::test]
async fn faults_meet_whom_they_match_and_can_be_seen_and_cleared() {
    let fixture = Fixture::start().await;
    fixture
        .fault(
            json!({"route": "token", "match": {"clientId": "a", "tokenType": "DOCUMENT"},
            "kind": "html", "times": 5}),
        )
        .await;
    fixture.session("a").await;
    fixture.document_token("b").await;
    let met = fixture
        .post(
            "/api/v2/token",
            json!({"clientId": "a", "tokenType": "DOCUMENT"}),
        )
        .await;
    assert_eq!((met.status, met.content_type.as_str()), (502, "text/html"));
    let left = fixture.admin("GET", "/faults", json!({})).await;
    assert_eq!(left["faults"][0]["times"], 4);
    fixture.admin("DELETE", "/faults", json!({})).await;
    fixture.document_token("a").await;

    let impossible = fixture
        .try_admin(
            "POST",
            "/faults",
            json!({"route": "callback", "kind": "html"}),
        )
        .await;
    assert_eq!(impossible.status, 400);
}

#[tokio::test]
async fn an_error_in_200_uses_the_token_up_without_a_result() {
    let fixture = Fixture::start().await;
    let session = fixture.document_token("client").await;
    fixture
        .fault(json!({"route": "process", "kind": "errorIn200", "identifier": "DOC_NOT_FOUND"}))
        .await;
    let answer = read(fixture.submit(&session).await.unwrap()).await;
    assert_eq!(
        (answer.status, answer.identifier().as_str()),
        (200, "DOC_NOT_FOUND")
    );
    assert_eq!(
        read(fixture.submit(&session).await.unwrap())
            .await
            .identifier(),
        "TOKEN_NOT_VALID"
    );
    let shown = fixture.shown(&session).await;
    assert_eq!(
        (&shown["processedAt"], &shown["live"]),
        (&Value::Null, &json!(false))
    );
}

#[tokio::test]
async fn a_gateways_error_leaves_the_token_alone() {
    let fixture = Fixture::start().await;
    let session = fixture.document_token("client").await;
    fixture
        .fault(json!({"route": "process", "kind": "html", "status": 503}))
        .await;
    assert_eq!(fixture.submit(&session).await.unwrap().status(), 503);
    assert_eq!(fixture.submit(&session).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_reset_request_is_not_handled_and_an_accepted_one_is() {
    let mut fixture = Fixture::start().await;
    for (kind, accepted) in [("reset", false), ("acceptedThenReset", true)] {
        let session = fixture.document_token(kind).await;
        fixture
            .fault(json!({"route": "process", "kind": kind}))
            .await;
        let error = fixture.submit(&session).await.unwrap_err();
        assert!(is_reset(&error), "{error:?}");
        assert_eq!(fixture.shown(&session).await["tokenUsed"], accepted);
        if accepted {
            assert_eq!(
                fixture.receiver.next().await.body()["scanRef"],
                session.scan_ref
            );
        }
    }
    assert!(
        fixture
            .requests("process")
            .await
            .iter()
            .all(|record| record["status"].is_null())
    );
}

#[tokio::test]
async fn a_hanging_request_is_silent_until_it_is_reset() {
    let mut fixture = Fixture::start().await;
    for (kind, accepted) in [("hang", false), ("acceptedThenHang", true)] {
        let session = fixture.document_token(kind).await;
        fixture
            .fault(json!({"route": "process", "kind": kind}))
            .await;
        let request = fixture
            .request("/api/v2/process", &submission(&session))
            .timeout(Duration::from_millis(300));
        assert!(request.send().await.unwrap_err().is_timeout());
        assert_eq!(fixture.shown(&session).await["tokenUsed"], accepted);

        fixture
            .fault(json!({"route": "status", "kind": kind, "milliseconds": 1}))
            .await;
        let reset = fixture
            .request("/api/v2/status", &json!({"scanRef": session.scan_ref}))
            .send()
            .await
            .unwrap_err();
        assert!(is_reset(&reset), "{reset:?}");
    }
    fixture.receiver.next().await;
}

#[tokio::test]
async fn a_lost_token_exists_all_the_same() {
    let fixture = Fixture::start().await;
    fixture
        .fault(json!({"route": "token", "kind": "acceptedThenReset"}))
        .await;
    assert!(
        fixture
            .request("/api/v2/token", &json!({"clientId": "client"}))
            .send()
            .await
            .is_err()
    );
    let listed = fixture
        .get("/kyc/identifications/?clientId=client")
        .await
        .json();
    assert_eq!(listed["count"], 1);
}

#[tokio::test]
async fn a_truncated_answer_ends_too_soon() {
    let fixture = Fixture::start().await;
    let session = fixture.document_token("client").await;
    for (path, body, route) in [
        ("/api/v2/token", json!({"clientId": "client"}), "token"),
        ("/api/v2/process", submission(&session), "process"),
    ] {
        fixture
            .fault(json!({"route": route, "kind": "truncate"}))
            .await;
        let response = fixture.request(path, &body).send().await.unwrap();
        assert!(response.status().is_success());
        let announced = response.content_length().unwrap();
        assert!(announced > 0);
        assert!(response.bytes().await.is_err());
    }
    assert_eq!(fixture.shown(&session).await["tokenUsed"], true);
}

#[tokio::test]
async fn files_go_wrong_in_their_own_ways() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture
        .put_file(&session, "SECOND_DOC_FRONT", "image/png", PNG)
        .await;
    fixture.finish(&session, json!({})).await;
    let link = fixture.receiver.next().await.body()["fileUrls"]["SECOND_DOC_FRONT"]
        .as_str()
        .unwrap()
        .to_owned();
    let met = async |kind: &str| {
        let subject = json!({"scanRef": session.scan_ref});
        fixture
            .fault(json!({"route": "file", "match": subject, "kind": kind, "milliseconds": 50}))
            .await;
        fixture.client.get(&link).send().await
    };

    let short = read(met("shortContentLength").await.unwrap()).await;
    assert_eq!(
        (short.status, short.raw.as_slice()),
        (200, &PNG[..PNG.len() / 2])
    );
    let wrong = read(met("wrongContentType").await.unwrap()).await;
    assert_eq!(
        (wrong.content_type.as_str(), wrong.raw.as_slice()),
        ("text/html", PNG)
    );
    let expired = read(met("expiredLink").await.unwrap()).await;
    assert_eq!(expired.status, 403);
    let started = Instant::now();
    assert_eq!(read(met("slow").await.unwrap()).await.raw, PNG);
    assert!(started.elapsed() >= Duration::from_millis(40));
    assert!(met("truncate").await.unwrap().bytes().await.is_err());
    assert!(is_reset(&met("reset").await.unwrap_err()));
    assert_eq!(
        read(fixture.client.get(&link).send().await.unwrap())
            .await
            .raw,
        PNG
    );

    fixture
        .fault(json!({"route": "files", "kind": "expiredLink"}))
        .await;
    let links = fixture
        .post("/api/v2/files", json!({"scanRef": session.scan_ref}))
        .await
        .json();
    assert_eq!(
        fixture
            .client
            .get(links["FRONT"].as_str().unwrap())
            .send()
            .await
            .unwrap()
            .status(),
        403
    );
}

#[tokio::test]
async fn callbacks_go_wrong_in_their_own_ways() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.finish(&session, json!({})).await;
    let original = fixture.receiver.next().await;
    let path = format!("/sessions/{}/callback", session.scan_ref);
    let again = async |fixture: &Fixture, kind: &str| {
        fixture
            .fault(json!({"route": "callback", "kind": kind, "milliseconds": 1}))
            .await;
        fixture.admin("POST", &path, json!({})).await["deliveries"].clone()
    };

    assert_eq!(again(&fixture, "drop").await[0]["error"], "dropped");
    assert!(fixture.receiver.is_quiet());
    assert_eq!(
        again(&fixture, "duplicate").await.as_array().unwrap().len(),
        2
    );
    for _ in 0..2 {
        assert_eq!(fixture.receiver.next().await.raw, original.raw);
    }
    again(&fixture, "unsigned").await;
    assert_eq!(
        fixture.receiver.next().await.header("idenfy-signature"),
        None
    );
    again(&fixture, "badSignature").await;
    let forged = fixture.receiver.next().await;
    assert_eq!(forged.raw, original.raw);
    assert_ne!(
        forged.header("idenfy-signature"),
        original.header("idenfy-signature")
    );
    again(&fixture, "cutBody").await;
    assert_eq!(
        fixture.receiver.next().await.raw,
        original.raw[..original.raw.len() / 2]
    );
    again(&fixture, "slow").await;
    assert_eq!(fixture.receiver.next().await.raw, original.raw);
}
