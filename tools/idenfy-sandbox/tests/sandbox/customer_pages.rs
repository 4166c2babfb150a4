//! The customer's pages without a browser: what asking for them changes, what forms do, and what is
//! refused.

use idenfy_sandbox::{ReviewMode, Settings};
use serde_json::{Value, json};

use crate::fixture::{Answer, Fixture, Opened, PDF, PNG};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a photo, as far as anybody looks";

fn link(session: &Opened) -> String {
    format!("/api/v2/redirect?authToken={}", session.auth_token)
}

async fn start(fixture: &Fixture, session: &Opened) {
    let started = fixture
        .form("/verification/start", &[("authToken", &session.auth_token)])
        .await;
    assert_eq!(started.location(), link(session));
}

/// Sends one step's files and returns where that leads.
async fn step(
    fixture: &Fixture,
    session: &Opened,
    number: &str,
    files: &[(&str, &str, &[u8])],
) -> String {
    let fields = [("authToken", session.auth_token.as_str()), ("step", number)];
    fixture.upload(&fields, files).await.location().to_owned()
}

/// A session with everything handed in and nothing submitted.
async fn handed_in(fixture: &Fixture, mut request: Value) -> Opened {
    request["clientId"] = json!("client");
    let session = fixture.open(request).await;
    start(fixture, &session).await;
    step(
        fixture,
        &session,
        "1",
        &[("FRONT", "f.jpg", JPEG), ("FACE", "me.png", PNG)],
    )
    .await;
    step(
        fixture,
        &session,
        "2",
        &[("SECOND_DOC_FRONT", "a.png", PNG)],
    )
    .await;
    let last = step(fixture, &session, "3", &[("SECOND_DOC_BACK", "b.pdf", PDF)]).await;
    assert_eq!(last, format!("{}&step=4", link(&session)));
    session
}

#[tokio::test]
async fn looking_at_the_link_changes_nothing_and_starting_is_a_form() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let page = fixture.get(&link(&session)).await;
    assert_eq!(
        (page.status, page.content_type.as_str()),
        (200, "text/html; charset=utf-8")
    );
    assert_eq!(fixture.shown(&session).await["state"], "ACTIVE");
    start(&fixture, &session).await;
    let started = fixture.shown(&session).await;
    assert_eq!(started["state"], "STARTED");
    start(&fixture, &session).await;
    assert_eq!(
        fixture.shown(&session).await["expiresAt"],
        started["expiresAt"],
        "a second start gives no more time"
    );
    assert!(
        fixture
            .get(&link(&session))
            .await
            .text()
            .contains("Step 1 of 4")
    );
}

#[tokio::test]
async fn what_was_handed_in_and_submitted_goes_into_the_callback() {
    let mut fixture = Fixture::start().await;
    let session = handed_in(
        &fixture,
        json!({"successUrl": "https://shop.example/done?a=b"}),
    )
    .await;
    let submitted = fixture
        .form(
            "/verification/submit",
            &[("authToken", &session.auth_token)],
        )
        .await;
    assert_eq!(submitted.location(), "https://shop.example/done?a=b");
    let body = fixture.receiver.next().await.body();
    assert_eq!(
        (&body["final"], &body["status"]["overall"]),
        (&json!(true), &json!("APPROVED"))
    );
    assert_eq!(body["status"]["additionalSteps"], "VALID");
    assert!(
        body["fileUrls"]["SECOND_DOC_FRONT"].is_string()
            && body["additionalStepPdfUrls"]["SECOND_DOC_BACK"].is_string()
    );
}

#[tokio::test]
async fn a_session_is_submitted_once_and_only_with_every_file() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    start(&fixture, &session).await;
    let submit = || async {
        fixture
            .form(
                "/verification/submit",
                &[("authToken", &session.auth_token)],
            )
            .await
    };
    assert_eq!(
        submit().await.location(),
        link(&session),
        "nothing is there yet"
    );
    step(
        &fixture,
        &session,
        "1",
        &[("FRONT", "f.jpg", JPEG), ("FACE", "me.png", PNG)],
    )
    .await;
    step(
        &fixture,
        &session,
        "2",
        &[("SECOND_DOC_FRONT", "a.png", PNG)],
    )
    .await;
    step(
        &fixture,
        &session,
        "3",
        &[("SECOND_DOC_BACK", "b.png", PNG)],
    )
    .await;
    let (first, second) = tokio::join!(submit(), submit());
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    fixture.receiver.next().await;
    assert!(fixture.receiver.is_quiet());
}

#[tokio::test]
async fn the_result_decides_where_the_customer_goes() {
    let fixture = Fixture::start().await;
    let urls = json!({"successUrl": "https://a.example/ok", "errorUrl": "https://a.example/no",
        "unverifiedUrl": "https://a.example/hm"});
    for (overall, leads_to) in [("APPROVED", "ok"), ("DENIED", "no"), ("SUSPECTED", "hm")] {
        fixture.settings(json!({"automaticOverall": overall})).await;
        let session = handed_in(&fixture, urls.clone()).await;
        let submitted = fixture
            .form(
                "/verification/submit",
                &[("authToken", &session.auth_token)],
            )
            .await;
        assert_eq!(
            submitted.location(),
            format!("https://a.example/{leads_to}")
        );
    }
    // A link that is not one of the web is not followed.
    fixture
        .settings(json!({"automaticOverall": "APPROVED"}))
        .await;
    let session = handed_in(&fixture, json!({"successUrl": "javascript:alert(1)"})).await;
    let submitted = fixture
        .form(
            "/verification/submit",
            &[("authToken", &session.auth_token)],
        )
        .await;
    let result = submitted.location();
    assert_eq!(
        result,
        format!("/verification/result?authToken={}", session.auth_token)
    );
    assert!(
        fixture
            .get(result)
            .await
            .text()
            .contains("you are verified")
    );
}

#[tokio::test]
async fn a_reviewed_session_waits_and_then_leads_on() {
    let mut fixture = Fixture::with(Settings {
        review_mode: ReviewMode::Reviewer,
        ..Settings::default()
    })
    .await;
    let session = handed_in(&fixture, json!({"errorUrl": "https://a.example/no"})).await;
    let submitted = fixture
        .form(
            "/verification/submit",
            &[("authToken", &session.auth_token)],
        )
        .await;
    let result = submitted.location();
    assert!(fixture.get(result).await.text().contains("under review"));
    assert!(fixture.receiver.is_quiet());
    assert_eq!(fixture.shown(&session).await["state"], "PROCESSING");
    fixture
        .finish(
            &session,
            json!({"overall": "DENIED", "nonFinalFirst": true}),
        )
        .await;
    fixture.receiver.next().await;
    assert_eq!(fixture.get(result).await.location(), "https://a.example/no");
}

async fn submit(fixture: &Fixture, session: &Opened) -> Answer {
    let token = [("authToken", session.auth_token.as_str())];
    fixture.form("/verification/submit", &token).await
}

fn return_urls() -> Value {
    json!({"successUrl": "https://a.example/ok", "errorUrl": "https://a.example/no",
        "unverifiedUrl": "https://a.example/hm"})
}

#[tokio::test]
async fn the_answer_to_the_callback_decides_where_the_approved_go() {
    let fixture = Fixture::start().await;
    for (answers, leads_to) in [
        (&[200][..], "ok"),
        (&[204, 200], "ok"),
        // The first delivery counts, not its repeats.
        (&[500, 200], "no"),
        (&[302, 200], "no"),
        (&[401, 401, 401, 401], "no"),
    ] {
        fixture.receiver.will_answer(answers);
        let session = handed_in(&fixture, return_urls()).await;
        let submitted = submit(&fixture, &session).await;
        let expected = format!("https://a.example/{leads_to}");
        assert_eq!(submitted.location(), expected, "{answers:?}");
        let shown = fixture.shown(&session).await;
        assert_eq!(shown["overall"], "APPROVED", "{answers:?}");
        fixture.all_delivered(&session, answers.len()).await;
    }
}

#[tokio::test]
async fn only_the_approved_are_sent_elsewhere() {
    let fixture = Fixture::with(Settings {
        callback_retries: 0,
        ..Settings::default()
    })
    .await;
    for (overall, leads_to) in [("DENIED", "no"), ("SUSPECTED", "hm")] {
        fixture.settings(json!({"automaticOverall": overall})).await;
        fixture.receiver.will_answer(&[500]);
        let session = handed_in(&fixture, return_urls()).await;
        let submitted = submit(&fixture, &session).await;
        let expected = format!("https://a.example/{leads_to}");
        assert_eq!(submitted.location(), expected);
        fixture.all_delivered(&session, 1).await;
    }
}

#[tokio::test]
async fn a_page_waits_for_the_answer_no_longer_than_set() {
    let mut fixture = Fixture::with(Settings {
        acknowledgement_wait_milliseconds: 50,
        ..Settings::default()
    })
    .await;
    fixture
        .fault(json!({"route": "callback", "kind": "slow", "milliseconds": 2_000}))
        .await;
    let session = handed_in(&fixture, return_urls()).await;
    let submitted = submit(&fixture, &session).await;
    assert_eq!(submitted.location(), "https://a.example/no");
    assert!(fixture.receiver.is_quiet(), "the page did not wait for it");

    // An acknowledgement after the wait does not change where the customer belongs.
    fixture.receiver.next().await;
    fixture.all_delivered(&session, 1).await;
    let result = format!("/verification/result?authToken={}", session.auth_token);
    assert_eq!(
        fixture.get(&result).await.location(),
        "https://a.example/no"
    );
}

#[tokio::test]
async fn a_page_waits_until_the_callback_is_answered() {
    let mut fixture = Fixture::start().await;
    fixture
        .fault(json!({"route": "callback", "kind": "slow", "milliseconds": 200}))
        .await;
    let session = handed_in(&fixture, return_urls()).await;
    let submitted = submit(&fixture, &session).await;
    assert_eq!(submitted.location(), "https://a.example/ok");
    assert!(!fixture.receiver.is_quiet(), "the callback came before");
}

#[tokio::test]
async fn without_an_error_url_a_page_says_what_was_not_saved() {
    let fixture = Fixture::start().await;
    fixture
        .fault(json!({"route": "callback", "kind": "drop"}))
        .await;
    let session = handed_in(&fixture, json!({"successUrl": "https://a.example/ok"})).await;
    let submitted = submit(&fixture, &session).await;
    let page = fixture.get(submitted.location()).await.text();
    assert!(page.contains("could not be saved"), "{page}");

    // In an iFrame, too. What the surrounding page is told stays the verdict.
    let framed = format!("{}&frame=1", submitted.location());
    let page = fixture.get(&framed).await.text();
    assert!(page.contains("could not be saved"), "{page}");
    assert!(page.contains("status&quot;:&quot;APPROVED"), "{page}");
}

#[tokio::test]
async fn without_a_receiver_no_answer_is_missed() {
    let fixture = Fixture::start().await;
    fixture.settings(json!({"callbackUrl": null})).await;
    let session = handed_in(&fixture, return_urls()).await;
    let submitted = submit(&fixture, &session).await;
    assert_eq!(submitted.location(), "https://a.example/ok");
}

#[tokio::test]
async fn a_reviewed_approval_waits_for_its_callback_as_well() {
    let fixture = Fixture::with(Settings {
        review_mode: ReviewMode::Reviewer,
        ..Settings::default()
    })
    .await;
    // A callback that is not final, and the first delivery of the final one.
    fixture.receiver.will_answer(&[200, 500]);
    let session = handed_in(&fixture, return_urls()).await;
    let result = submit(&fixture, &session).await.location().to_owned();
    fixture
        .finish(&session, json!({"nonFinalFirst": true}))
        .await;
    assert_eq!(
        fixture.get(&result).await.location(),
        "https://a.example/no"
    );
}

#[tokio::test]
async fn links_that_lead_nowhere_say_why() {
    let fixture = Fixture::start().await;
    let unknown = fixture.get("/api/v2/redirect?authToken=nonsense").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("not known"));

    let expired = fixture
        .open(json!({"clientId": "client", "expiryTime": 0}))
        .await;
    let page = fixture.get(&link(&expired)).await;
    assert_eq!(page.status, 410);
    assert!(page.text().contains("has expired"));
    let late = fixture
        .form("/verification/start", &[("authToken", &expired.auth_token)])
        .await;
    assert_eq!(late.status, 410);

    let used = fixture.session("client").await;
    fixture.finish(&used, json!({})).await;
    let page = fixture.get(&link(&used)).await;
    assert_eq!(page.status, 410);
    assert!(page.text().contains("has been used"));
}

#[tokio::test]
async fn refused_files_are_named_and_good_ones_of_the_same_form_kept() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    start(&fixture, &session).await;
    let fields = [("authToken", session.auth_token.as_str()), ("step", "1")];
    let answer = fixture
        .upload(
            &fields,
            &[("FRONT", "front.png", PNG), ("FACE", "me.gif", b"GIF89a")],
        )
        .await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.text().contains("href=\"#file-FACE\"")
            && answer.text().contains("not a JPEG or PNG")
    );
    assert_eq!(fixture.shown(&session).await["files"], json!(["FRONT"]));
    let next = step(&fixture, &session, "1", &[("FACE", "me.png", PNG)]).await;
    assert_eq!(next, format!("{}&step=2", link(&session)));
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_and_one_at_it_taken() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    start(&fixture, &session).await;
    let mut large = JPEG.to_vec();
    large.resize(20_000_001, 0);
    let fields = [
        ("authToken", session.auth_token.as_str()),
        ("step", "1"),
        ("specimen", "1"),
    ];
    let answer = fixture
        .upload(&fields, &[("FRONT", "large.jpg", &large)])
        .await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("larger than 20 MB"));
    let next = fixture
        .upload(&fields, &[("FRONT", "large.jpg", &large[..20_000_000])])
        .await;
    assert_eq!(next.location(), format!("{}&step=2", link(&session)));
}

#[tokio::test]
async fn texts_of_others_are_escaped() {
    let fixture = Fixture::start().await;
    let texts = json!({"en": {"name": "<script>alert(1)</script>", "description": "\"><b>"}});
    let steps = json!({"ALL": {"ALL": {"STEP": {"type": "UPLOAD", "texts": texts}}}});
    let session = fixture
        .open(json!({"clientId": "<i>client</i>", "additionalSteps": steps}))
        .await;
    start(&fixture, &session).await;
    fixture
        .upload(
            &[
                ("authToken", &session.auth_token),
                ("step", "1"),
                ("specimen", "1"),
            ],
            &[],
        )
        .await;
    fixture
        .upload(
            &[("authToken", &session.auth_token), ("step", "2")],
            &[("STEP", "<img src=x>.png", PNG)],
        )
        .await;
    let reviewed = format!("/reviewer/sessions/{}", session.scan_ref);
    for page in [
        link(&session),
        format!("{}&step=2", link(&session)),
        reviewed,
        "/reviewer".to_owned(),
    ] {
        let text = fixture.get(&page).await.text();
        assert!(
            !text.contains("<script>")
                && !text.contains("<b>")
                && !text.contains("<i>")
                && !text.contains("<img src=x>"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let page = fixture.get(&link(&session)).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self';")
            && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(
        (
            &page.headers["referrer-policy"],
            &page.headers["cache-control"]
        ),
        (
            &"no-referrer".parse().unwrap(),
            &"no-store".parse().unwrap()
        )
    );
    let framed = fixture
        .get(&format!("/?authToken={}&lang=lt", session.auth_token))
        .await;
    assert!(
        framed.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("frame-ancestors *")
    );
}

#[tokio::test]
async fn forms_of_other_sites_are_refused() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let request = fixture
        .client
        .post(fixture.url("/verification/start"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(format!("authToken={}", session.auth_token));
    assert_eq!(request.send().await.unwrap().status(), 403);
    assert_eq!(fixture.shown(&session).await["state"], "ACTIVE");
}
