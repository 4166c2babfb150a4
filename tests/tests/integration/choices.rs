//! Template parameters that differ from their defaults, all of them on one more stack.

use std::io::Write;
use std::net::IpAddr;

use harness::{BACK, DedicatedStack, Description, FRONT, Stack, pictures, sign};
use local_stack::{Options, Parameters};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::privacy::{assert_none_left, play_everything_personal};

/// Two outside the stack's account.
const CALLERS: [&str; 2] = ["111122223333", "arn:aws:iam::444455556666:role/shop"];

/// The emulator delivers within its one account and region.
const BUS_ELSEWHERE: &str = "arn:aws:events:eu-west-1:000000000000:event-bus/elsewhere";

const CURRENT_KEY: &str = "the current signing key";
const PREVIOUS_KEY: &str = "the previous signing key";

fn parameters() -> Parameters {
    let parameters = [
        ("StepVerdict", "AcceptUnjudged"),
        ("ProcessTokenField", "authToken"),
        // The other way round than the names say.
        ("StepImages", "SECOND_DOC_BACK=FRONT,SECOND_DOC_FRONT=BACK"),
        ("DefaultCountry", "EE"),
        ("AllowedSourceIps", "127.0.0.1,192.0.2.0/24"),
        ("LogLevel", "trace"),
        ("ApiCallers", &CALLERS.join(",")),
        ("SeparateErasure", "true"),
        ("OutcomeTargetBusArn", BUS_ELSEWHERE),
    ];
    parameters
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_choice_of_the_template_has_its_effect() {
    let mut secret = tempfile::NamedTempFile::new().unwrap();
    let keys = json!({"apiKey": "the user of the API", "apiSecret": "the password of the API",
        "signingKeys": [CURRENT_KEY, PREVIOUS_KEY]});
    secret.write_all(keys.to_string().as_bytes()).unwrap();
    let dedicated = DedicatedStack::start(Options {
        secret: Some(secret.path().to_owned()),
        parts_secret: true,
        parameters: parameters(),
        ..Options::default()
    })
    .await
    .unwrap();
    let stack = &dedicated.stack;
    stack
        .sandbox
        .settings(json!({"processTokenField": "authToken"}))
        .await
        .unwrap();

    tokio::join!(
        documents_go_where_they_are_mapped(stack),
        unjudged_steps_are_submitted_only_by_choice(stack),
        both_signing_keys_are_accepted(stack),
        only_allowed_sources_are_heard(stack),
        outcomes_are_sent_on(stack),
        listed_callers_may_call(stack),
        each_function_reads_its_own_secret(stack),
        erasing_has_an_address_of_its_own(stack),
    );
    let secrets = play_everything_personal(stack).await;
    assert_none_left(stack, &secrets).await;

    let endpoint = stack.description.endpoint_url.clone();
    assert!(cfg!(not(target_os = "linux")) || !processes_that_know(&endpoint).is_empty());
    dedicated.stop().await;
    assert_eq!(
        processes_that_know(&endpoint),
        Vec::<String>::new(),
        "nothing outlives the stack"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pictures_of_both_sides_are_submitted_in_their_order() {
    let dedicated = DedicatedStack::start(Options {
        parameters: [
            ("StepImages".to_owned(), format!("{FRONT}=FRONT+BACK")),
            ("FrontDoor".to_owned(), "HttpApi".to_owned()),
        ]
        .into(),
        ..Options::default()
    })
    .await
    .unwrap();
    answers_are_the_same_behind_an_http_api(&dedicated.stack).await;
    let session = dedicated.stack.session().await.unwrap();
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(30_000))
        .await
        .unwrap();
    session
        .upload(&format!("{FRONT}.2"), "image/png", pictures::png(20_000))
        .await
        .unwrap();
    session
        .finish_expecting_200(json!({"additionalSteps": "VALID"}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
    let submissions = session.requests("process").await.unwrap();
    assert_eq!(submissions.len(), 1, "{submissions:?}");
    let images = submissions[0]["images"].as_array().unwrap();
    let sides: Vec<(&Value, &Value)> = images
        .iter()
        .map(|image| (&image["side"], &image["bytes"]))
        .collect();
    // The journal sorts by side; the first picture, of 30,000 bytes, is the front.
    assert_eq!(
        sides,
        [
            (&json!("BACK"), &json!(20_000)),
            (&json!("FRONT"), &json!(30_000))
        ]
    );
    dedicated.stop().await;
}

/// The customer of this test settles through it.
async fn answers_are_the_same_behind_an_http_api(stack: &Stack) {
    let url = &stack.description.webhook_url;
    assert!(url.contains("/execute-api/"), "{url}");
    for path in ["", "another/path?a=b"] {
        let answer = stack.http.get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        assert_eq!(answer.headers()["allow"], "POST");
    }
    let body = json!({"scanRef": uuid::Uuid::new_v4().to_string()}).to_string();
    for signature in [None, Some("0".repeat(64))] {
        let posted = stack.post(body.clone(), signature.as_deref());
        assert_eq!(posted.await.unwrap(), 401, "{signature:?}");
    }
    assert_eq!(stack.post_signed(body).await.unwrap(), 200);
}

async fn outcomes_are_sent_on(stack: &Stack) {
    let bus = BUS_ELSEWHERE.rsplit('/').next().unwrap();
    let request = json!({"Name": bus});
    let made = stack
        .emulator
        .call("events", "AWSEvents.CreateEventBus", "1.1", &request);
    assert_eq!(made.await.unwrap()["EventBusArn"], BUS_ELSEWHERE);
    let elsewhere = Stack::connect(Description {
        event_bus: bus.to_owned(),
        ..stack.description.clone()
    })
    .unwrap();
    let session = stack.session_with_documents().await.unwrap();
    let listener = elsewhere.listen(&[&session.client_id]).await.unwrap();
    let denied = json!({"overall": "DENIED"});
    session.finish_expecting_200(denied).await.unwrap();
    let event = "DualVerificationDeclined";
    let heard = listener.until(event, &session.client_id).await.unwrap();
    assert_eq!(heard[0]["source"], "dual-verification", "{heard:?}");
}

/// The emulator judges no caller; tests/permissions does, by these statements.
async fn listed_callers_may_call(stack: &Stack) {
    let function = stack.function_name("ApiFunction").await.unwrap();
    let url = format!(
        "{}/2015-03-31/functions/{function}/policy",
        stack.description.endpoint_url
    );
    let answer: Value = stack
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let policy: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
    for caller in CALLERS {
        for action in ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"] {
            let names = |one: &&Value| {
                one["Action"] == action && one["Principal"].to_string().contains(caller)
            };
            let statements = policy["Statement"].as_array().unwrap();
            assert!(statements.iter().find(names).is_some(), "{policy}");
        }
    }
}

async fn documents_go_where_they_are_mapped(stack: &Stack) {
    let session = stack.session().await.unwrap();
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(30_000))
        .await
        .unwrap();
    session
        .upload(BACK, "image/png", pictures::png(20_000))
        .await
        .unwrap();
    session
        .finish_expecting_200(json!({"overrides": {"data": {"selectedCountry": "LV"}}}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
    let submissions = session.requests("process").await.unwrap();
    assert_eq!(submissions.len(), 1, "{submissions:?}");
    assert_eq!(submissions[0]["tokenMember"], "authToken");
    assert_eq!(submissions[0]["country"], "EE");
    let sides: Vec<(&Value, &Value)> = submissions[0]["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| (&image["side"], &image["format"]))
        .collect();
    assert_eq!(
        sides,
        [
            (&json!("BACK"), &json!("jpeg")),
            (&json!("FRONT"), &json!("png"))
        ]
    );
}

async fn unjudged_steps_are_submitted_only_by_choice(stack: &Stack) {
    let unjudged = stack.session_with_documents().await.unwrap();
    unjudged
        .finish_expecting_200(json!({"additionalSteps": null}))
        .await
        .unwrap();
    unjudged.until_settled().await.unwrap();

    let older = stack.session_with_documents().await.unwrap();
    older
        .finish_expecting_200(json!({"additionalSteps": null, "overrides": {"final": null}}))
        .await
        .unwrap();
    older.until_parked("StepNotJudged").await.unwrap();
    older.assert_nothing_spent().await.unwrap();

    for verdict in ["INVALID", "NOT_FOUND"] {
        let negative = stack.session_with_documents().await.unwrap();
        negative
            .finish_expecting_200(json!({"additionalSteps": verdict}))
            .await
            .unwrap();
        assert_eq!(
            negative.pairing().await.unwrap().unwrap().state,
            "Declined",
            "{verdict}"
        );
        negative.assert_nothing_spent().await.unwrap();
    }
}

async fn both_signing_keys_are_accepted(stack: &Stack) {
    let body = json!({"scanRef": uuid::Uuid::new_v4().to_string()}).to_string();
    for (key, status) in [
        (CURRENT_KEY, 200),
        (PREVIOUS_KEY, 200),
        ("a key before those", 401),
        ("", 401),
    ] {
        let signature = sign(key, body.as_bytes());
        assert_eq!(
            stack.post(body.clone(), Some(&signature)).await.unwrap(),
            status,
            "{key}"
        );
    }
}

/// That it erases, `play_everything_personal` shows.
async fn erasing_has_an_address_of_its_own(stack: &Stack) {
    let (api, erasure) = (
        &stack.description.api_url,
        stack.description.erasure_url.as_ref().expect("an output"),
    );
    for (method, url, path, status, code) in [
        (
            Method::DELETE,
            api,
            "/verifications/nobody",
            403,
            "erasure_not_allowed",
        ),
        (
            Method::GET,
            api,
            "/verifications/nobody",
            404,
            "verification_not_found",
        ),
        (
            Method::DELETE,
            erasure,
            "/verifications/nobody",
            404,
            "verification_not_found",
        ),
        (
            Method::GET,
            erasure,
            "/verifications/nobody",
            404,
            "route_not_found",
        ),
        (
            Method::GET,
            erasure,
            "/verifications?clientId=c",
            404,
            "route_not_found",
        ),
        (Method::POST, erasure, "/sessions", 404, "route_not_found"),
        (
            Method::POST,
            erasure,
            "/verifications/nobody/retry",
            404,
            "route_not_found",
        ),
    ] {
        let what = format!("{method} {url}{path}");
        let asked = stack.ask_api_at(url, method, path, HeaderMap::new(), b"{}".to_vec());
        let answer = asked.await.unwrap();
        assert_eq!((answer.status, answer.code()), (status, code), "{what}");
    }
}

/// What the other functions do with theirs, every settled customer shows.
async fn each_function_reads_its_own_secret(stack: &Stack) {
    for (function, secret) in [
        ("WebhookFunction", "idenfy-signing"),
        ("ProcessorFunction", "idenfy"),
        ("ApiFunction", "idenfy"),
        ("ErasureFunction", "idenfy"),
        ("ReconcilerFunction", "idenfy"),
    ] {
        let function = stack.emulator.function(function).await.unwrap();
        let arn = &function.variables["IDENFY_SECRET_ARN"];
        let name = arn
            .rsplit('/')
            .next()
            .and_then(|name| name.rsplit_once('-'));
        assert_eq!(name.map(|(name, _)| name), Some(secret), "{arn}");
    }
}

/// Linux answers to all of 127.0.0.0/8; other systems need a set-up.
async fn only_allowed_sources_are_heard(stack: &Stack) {
    if cfg!(not(target_os = "linux")) {
        return;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "speaks plain HTTP from an address of the test's choice"
    )]
    let builder = reqwest::Client::builder();
    let elsewhere = builder
        .local_address("127.0.0.2".parse::<IpAddr>().unwrap())
        .no_proxy()
        .build()
        .unwrap();
    let body = json!({"scanRef": uuid::Uuid::new_v4().to_string()}).to_string();
    let request = elsewhere
        .post(&stack.description.webhook_url)
        .header("Idenfy-Signature", sign(CURRENT_KEY, body.as_bytes()));
    assert_eq!(
        request.body(body.clone()).send().await.unwrap().status(),
        403
    );
    assert_eq!(stack.post_signed(body).await.unwrap(), 200);
}

/// The programs with the address of an emulator in their environment; empty without `/proc`.
fn processes_that_know(endpoint: &str) -> Vec<String> {
    let needle = format!("AWS_ENDPOINT_URL={endpoint}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment
            .split(|byte| *byte == 0)
            .any(|variable| variable == needle.as_bytes())
        {
            found.push(std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default());
        }
    }
    found
}
