//! The customer's pages without a browser: what asking for them changes, what forms do, and what is
//! refused.

use idenfy_sandbox::{ReviewMode, Settings};
use serde_json::{Value, json};

use crate::world::{Opened, PDF, PNG, World};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a photo, as far as anybody looks";

fn link(session: &Opened) -> String {
    format!("/api/v2/redirect?authToken={}", session.auth_token)
}

async fn start(world: &World, session: &Opened) {
    let started = world
        .form("/verification/start", &[("authToken", &session.auth_token)])
        .await;
    assert_eq!(started.location(), link(session));
}

/// Sends one step's files and returns where that leads.
async fn step(
    world: &World,
    session: &Opened,
    number: &str,
    files: &[(&str, &str, &[u8])],
) -> String {
    let fields = [("authToken", session.auth_token.as_str()), ("step", number)];
    world.upload(&fields, files).await.location().to_owned()
}

/// A session with everything handed in and nothing submitted.
async fn handed_in(world: &World, mut request: Value) -> Opened {
    request["clientId"] = json!("client");
    let session = world.open(request).await;
    start(world, &session).await;
    step(
        world,
        &session,
        "1",
        &[("FRONT", "f.jpg", JPEG), ("FACE", "me.png", PNG)],
    )
    .await;
    step(world, &session, "2", &[("SECOND_DOC_FRONT", "a.png", PNG)]).await;
    let last = step(world, &session, "3", &[("SECOND_DOC_BACK", "b.pdf", PDF)]).await;
    assert_eq!(last, format!("{}&step=4", link(&session)));
    session
}

#[tokio::test]
async fn looking_at_the_link_changes_nothing_and_starting_is_a_form() {
    let world = World::start().await;
    let session = world.session("client").await;
    let page = world.get(&link(&session)).await;
    assert_eq!(
        (page.status, page.content_type.as_str()),
        (200, "text/html; charset=utf-8")
    );
    assert_eq!(world.shown(&session).await["state"], "ACTIVE");
    start(&world, &session).await;
    let started = world.shown(&session).await;
    assert_eq!(started["state"], "STARTED");
    start(&world, &session).await;
    assert_eq!(
        world.shown(&session).await["expiresAt"],
        started["expiresAt"],
        "a second start gives no more time"
    );
    assert!(
        world
            .get(&link(&session))
            .await
            .text()
            .contains("Step 1 of 4")
    );
}

#[tokio::test]
async fn what_was_handed_in_and_submitted_goes_into_the_callback() {
    let mut world = World::start().await;
    let session = handed_in(
        &world,
        json!({"successUrl": "https://shop.example/done?a=b"}),
    )
    .await;
    let submitted = world
        .form(
            "/verification/submit",
            &[("authToken", &session.auth_token)],
        )
        .await;
    assert_eq!(submitted.location(), "https://shop.example/done?a=b");
    let body = world.receiver.next().await.body();
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
    let mut world = World::start().await;
    let session = world.session("client").await;
    start(&world, &session).await;
    let submit = || async {
        world
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
        &world,
        &session,
        "1",
        &[("FRONT", "f.jpg", JPEG), ("FACE", "me.png", PNG)],
    )
    .await;
    step(&world, &session, "2", &[("SECOND_DOC_FRONT", "a.png", PNG)]).await;
    step(&world, &session, "3", &[("SECOND_DOC_BACK", "b.png", PNG)]).await;
    let (first, second) = tokio::join!(submit(), submit());
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    world.receiver.next().await;
    assert!(world.receiver.is_quiet());
}

#[tokio::test]
async fn the_result_decides_where_the_customer_goes() {
    let world = World::start().await;
    let urls = json!({"successUrl": "https://a.example/ok", "errorUrl": "https://a.example/no", "unverifiedUrl": "https://a.example/hm"});
    for (overall, leads_to) in [("APPROVED", "ok"), ("DENIED", "no"), ("SUSPECTED", "hm")] {
        world.settings(json!({"automaticOverall": overall})).await;
        let session = handed_in(&world, urls.clone()).await;
        let submitted = world
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
    world
        .settings(json!({"automaticOverall": "APPROVED"}))
        .await;
    let session = handed_in(&world, json!({"successUrl": "javascript:alert(1)"})).await;
    let submitted = world
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
    assert!(world.get(result).await.text().contains("you are verified"));
}

#[tokio::test]
async fn a_reviewed_session_waits_and_then_leads_on() {
    let mut world = World::with(Settings {
        review_mode: ReviewMode::Reviewer,
        ..Settings::default()
    })
    .await;
    let session = handed_in(&world, json!({"errorUrl": "https://a.example/no"})).await;
    let submitted = world
        .form(
            "/verification/submit",
            &[("authToken", &session.auth_token)],
        )
        .await;
    let result = submitted.location();
    assert!(world.get(result).await.text().contains("under review"));
    assert!(world.receiver.is_quiet());
    assert_eq!(world.shown(&session).await["state"], "PROCESSING");
    world
        .finish(
            &session,
            json!({"overall": "DENIED", "nonFinalFirst": true}),
        )
        .await;
    world.receiver.next().await;
    assert_eq!(world.get(result).await.location(), "https://a.example/no");
}

#[tokio::test]
async fn links_that_lead_nowhere_say_why() {
    let world = World::start().await;
    let unknown = world.get("/api/v2/redirect?authToken=nonsense").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("not known"));

    let expired = world
        .open(json!({"clientId": "client", "expiryTime": 0}))
        .await;
    let page = world.get(&link(&expired)).await;
    assert_eq!(page.status, 410);
    assert!(page.text().contains("has expired"));
    let late = world
        .form("/verification/start", &[("authToken", &expired.auth_token)])
        .await;
    assert_eq!(late.status, 410);

    let used = world.session("client").await;
    world.finish(&used, json!({})).await;
    let page = world.get(&link(&used)).await;
    assert_eq!(page.status, 410);
    assert!(page.text().contains("has been used"));
}

#[tokio::test]
async fn refused_files_are_named_and_good_ones_of_the_same_form_kept() {
    let world = World::start().await;
    let session = world.session("client").await;
    start(&world, &session).await;
    let fields = [("authToken", session.auth_token.as_str()), ("step", "1")];
    let answer = world
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
    assert_eq!(world.shown(&session).await["files"], json!(["FRONT"]));
    let next = step(&world, &session, "1", &[("FACE", "me.png", PNG)]).await;
    assert_eq!(next, format!("{}&step=2", link(&session)));
}

#[tokio::test]
async fn a_file_beyond_the_limit_is_refused_and_one_at_it_taken() {
    let world = World::start().await;
    let session = world.session("client").await;
    start(&world, &session).await;
    let mut large = JPEG.to_vec();
    large.resize(20_000_001, 0);
    let fields = [
        ("authToken", session.auth_token.as_str()),
        ("step", "1"),
        ("specimen", "1"),
    ];
    let answer = world
        .upload(&fields, &[("FRONT", "large.jpg", &large)])
        .await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("larger than 20 MB"));
    let next = world
        .upload(&fields, &[("FRONT", "large.jpg", &large[..20_000_000])])
        .await;
    assert_eq!(next.location(), format!("{}&step=2", link(&session)));
}

#[tokio::test]
async fn texts_of_others_are_escaped() {
    let world = World::start().await;
    let texts = json!({"en": {"name": "<script>alert(1)</script>", "description": "\"><b>"}});
    let steps = json!({"ALL": {"ALL": {"STEP": {"type": "UPLOAD", "texts": texts}}}});
    let session = world
        .open(json!({"clientId": "<i>client</i>", "additionalSteps": steps}))
        .await;
    start(&world, &session).await;
    world
        .upload(
            &[
                ("authToken", &session.auth_token),
                ("step", "1"),
                ("specimen", "1"),
            ],
            &[],
        )
        .await;
    world
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
        let text = world.get(&page).await.text();
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
    let world = World::start().await;
    let session = world.session("client").await;
    let page = world.get(&link(&session)).await;
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
    let framed = world
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
    let world = World::start().await;
    let session = world.session("client").await;
    let request = world
        .client
        .post(world.url("/verification/start"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .body(format!("authToken={}", session.auth_token));
    assert_eq!(request.send().await.unwrap().status(), 403);
    assert_eq!(world.shown(&session).await["state"], "ACTIVE");
}
