//! Every call of the deployed functions to AWS is recorded, with the function that made it.
//!
//! The emulator allows every call. `cargo xtask test` therefore holds the recorded calls against
//! the template's policies afterwards, in its step `permissions`. See `tests/permissions`.

mod iam;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use api_contract::Application;
use harness::{
    BACK, Call, FRONT, PushReceiver, Reply, Session, Side, Stack, WatchedStack, eventually,
    pictures,
};
use local_stack::{Options, Parameters, STACK_NAME, workspace};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

use iam::{IamRequest, Names};

/// Where the step `permissions` looks for it.
fn written_to() -> PathBuf {
    workspace::root().join("target/permissions/calls.json")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_every_function_is_recorded() {
    let application = PushReceiver::start().await.unwrap();
    // One outcome waits, and one is set aside.
    application.answers([Reply::Status(503), Reply::Status(410)], Reply::Status(204));
    let options = Options {
        parts_secret: true,
        parameters: Parameters::from([
            ("SeparateErasure".to_owned(), "true".to_owned()),
            ("OutcomePushUrl".to_owned(), application.url.clone()),
        ]),
        ..Options::default()
    };
    let world = WatchedStack::start(options).await.unwrap();
    world.services.start_recording();
    let stack = world.stack();
    // Before the reconciler runs: it would wake the processor, which could take over as well.
    a_capture_is_taken_over(&world).await;
    let flows = async {
        tokio::join!(
            a_session_is_opened_asked_for_and_erased(stack),
            a_customer_settles_and_is_erased(stack),
            documents_are_prepared(stack),
            dead_links_are_replaced(stack),
            a_callback_without_judgement_is_retried(stack),
            a_busy_provider_is_asked_later(stack),
            unreadable_callbacks_are_kept(stack),
            a_version_is_tested(&world),
        )
    };
    tokio::select! {
        _ = flows => {}
        () = stack.keep_reconciling(Duration::from_secs(2)) => panic!("reconciling goes on"),
    }
    an_outcome_is_set_aside(&world).await;
    // Last: it holds every customer up.
    the_circuit_opens(&world).await;
    write_down(&world).await;
    world.stop().await;
}

async fn ask(stack: &Stack, method: Method, path: &str, body: Option<Value>, status: u16) -> Value {
    let answer = stack.api(method, path, body).await.unwrap();
    answer.expect(status).unwrap()
}

async fn a_session_is_opened_asked_for_and_erased(stack: &Stack) {
    let client_id = format!("customer-{}", Uuid::new_v4().simple());
    let mut key = HeaderMap::new();
    key.insert(
        "idempotency-key",
        Uuid::new_v4().to_string().parse().unwrap(),
    );
    let request = json!({"clientId": client_id}).to_string().into_bytes();
    let open = async || {
        stack
            .api_with(Method::POST, "/sessions", key.clone(), request.clone())
            .await
    };
    let opened = open().await.unwrap().expect(201).unwrap();
    assert_eq!(open().await.unwrap().expect(201).unwrap(), opened);
    let scan_ref = opened["scanRef"].as_str().unwrap().to_owned();

    let one = format!("/verifications/{scan_ref}");
    let of_client = format!("/verifications?clientId={client_id}");
    ask(stack, Method::GET, &one, None, 200).await;
    let listed = ask(stack, Method::GET, &of_client, None, 200).await;
    assert_eq!(listed["items"][0]["scanRef"], *scan_ref);
    let reason = Some(json!({"reason": "looks odd"}));
    ask(stack, Method::POST, &format!("{one}/park"), reason, 200).await;
    ask(stack, Method::POST, &format!("{one}/retry"), None, 202).await;

    // The session is live: it can be deleted only later, by the reconciler.
    let receipt = ask(stack, Method::DELETE, &one, None, 200).await;
    assert_eq!(receipt["complete"], false, "{receipt}");
    let session = Session::of(stack, client_id, scan_ref.clone());
    let expire = format!("/sessions/{scan_ref}/expire");
    let sandbox = &stack.sandbox;
    sandbox
        .admin(Method::POST, &expire, json!({}))
        .await
        .unwrap();
    // Files that came meanwhile: the reconciler removes them.
    let key = format!("documents/{scan_ref}/late/FRONT.jpg");
    stack.put_object(&key, b"late".to_vec()).await.unwrap();
    let key = format!("callbacks/{scan_ref}/late.json");
    stack.put_object(&key, b"{}".to_vec()).await.unwrap();
    assert!(session.age().await.unwrap());
    eventually("the reconciler has erased it", || async {
        match session.pairing().await.unwrap() {
            None => Ok(()),
            Some(pairing) => Err(pairing),
        }
    })
    .await
    .unwrap();
}

async fn a_customer_settles_and_is_erased(stack: &Stack) {
    let session = stack.session_with_documents().await.unwrap();
    let listener = stack.listen(&[&session.client_id]).await.unwrap();
    // The second result is asked for: its callback is lost.
    let lost = json!({"route": "callback", "kind": "drop", "skip": 1, "times": 20});
    session.fault(lost).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.send_again(json!({})).await.unwrap();
    session.until("Submitted").await.unwrap();
    eventually("the second result is decided", || async {
        let deliveries = stack.sandbox.deliveries_to(&session.client_id).await;
        let deliveries = deliveries.unwrap();
        let is_second = |delivery: &Value| delivery["scanRef"] != *session.scan_ref;
        match deliveries.iter().any(is_second) {
            true => Ok(()),
            false => Err(format!("{deliveries:?}")),
        }
    })
    .await
    .unwrap();
    assert!(session.age().await.unwrap());
    session.until_settled().await.unwrap();
    let event = "DualVerificationSettled";
    listener.until(event, &session.client_id).await.unwrap();

    let one = format!("/verifications/{}", session.scan_ref);
    let receipt = ask(stack, Method::DELETE, &one, None, 200).await;
    assert_eq!(receipt["complete"], true, "{receipt}");
    let unknown = format!("/verifications/{}", Uuid::new_v4());
    ask(stack, Method::DELETE, &unknown, None, 404).await;
}

/// Turned pictures, WEBP: what is submitted is a copy. Both results are confirmed and compared.
async fn documents_are_prepared(stack: &Stack) {
    let session = stack.session().await.unwrap();
    let turned = pictures::photo(300, 200, 90, 6);
    session.upload(FRONT, "image/jpeg", turned).await.unwrap();
    let webp = pictures::webp(640, 400);
    session.upload(BACK, "image/webp", webp).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    let history = session.history().await.unwrap();
    let is_prepared = history.iter().any(|what| what == "DocumentsPrepared");
    assert!(is_prepared, "{history:?}");
}

/// The webhook is killed when the copies are stored and not yet recorded. The next one finds them.
async fn a_capture_is_taken_over(world: &WatchedStack) {
    let session = world.stack().session_with_documents().await.unwrap();
    let first = session.scan_ref.clone();
    // The message of the lease, which is sent before, has a delay.
    let sent = world.services.hold(Side::Before, move |call: &Call| {
        let is_later = call.body.contains("DelaySeconds");
        call.operation == "SendMessage" && call.body.contains(&first) && !is_later
    });
    session.finish_expecting_200(json!({})).await.unwrap();
    let killed = sent.held().await.unwrap().kill_caller().unwrap();
    assert!(killed.contains("WebhookFunction"), "{killed}");
    assert!(session.age().await.unwrap());
    session.send_again(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    let folder = format!("/documents/{}/", session.scan_ref);
    let is_read = |call: &Call| call.method == "GET" && call.path.contains(&folder);
    let has_read = has_made(world, "WebhookFunction", is_read);
    assert!(has_read, "the webhook describes the copies that it finds");
}

/// The links are dead at once. The processor reads the callback and asks for fresh ones.
async fn dead_links_are_replaced(stack: &Stack) {
    let session = stack.session_with_documents().await.unwrap();
    let dead = json!({"expiredLinks": true});
    session.finish_expecting_200(dead).await.unwrap();
    session.until_settled().await.unwrap();
}

async fn a_callback_without_judgement_is_retried(stack: &Stack) {
    let session = stack.session_with_documents().await.unwrap();
    let unknown = json!({"overall": "SPLENDID"});
    session.finish_expecting_200(unknown).await.unwrap();
    session.until_parked("OverallUnknown").await.unwrap();
    let retry = format!("/verifications/{}/retry", session.scan_ref);
    ask(stack, Method::POST, &retry, None, 409).await;
    let archived = format!("callbacks/{}/", session.scan_ref);
    stack.remove_objects(&archived).await.unwrap();
    ask(stack, Method::POST, &retry, None, 409).await;
}

/// The processor puts its message away for a while. When it compares the results, the first
/// callback is gone.
async fn a_busy_provider_is_asked_later(stack: &Stack) {
    let session = stack.session_with_documents().await.unwrap();
    let busy = json!({"route": "token", "kind": "status", "status": 409,
        "identifier": "ACTIVE_SESSION"});
    session.fault(busy).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    eventually("the provider was busy", || async {
        match session.requests("token").await.unwrap().len() {
            0 => Err("not asked yet"),
            _ => Ok(()),
        }
    })
    .await
    .unwrap();
    session.until("Captured").await.unwrap();
    let archived = format!("callbacks/{}/", session.scan_ref);
    stack.remove_objects(&archived).await.unwrap();
    assert!(session.age().await.unwrap());
    session.until_settled().await.unwrap();
}

async fn unreadable_callbacks_are_kept(stack: &Stack) {
    let body = format!("not JSON {}", Uuid::new_v4());
    assert_eq!(stack.post_signed(body).await.unwrap(), 200);
}

/// The emulator has no CodeDeploy.
async fn a_version_is_tested(world: &WatchedStack) {
    let _code_deploy = world.services.script(
        r#"{"lifecycleEventHookExecutionId": "hook-execution-1"}"#,
        |call| call.operation == "PutLifecycleEventHookExecutionStatus",
    );
    let deployment =
        json!({"DeploymentId": "d-TEST00001", "LifecycleEventHookExecutionId": "hook-execution-1"});
    let stack = world.stack();
    let answer = stack.invoke("PreTrafficFunction", &deployment).await;
    assert_eq!(answer.unwrap()["status"], "Succeeded");
}

/// Whether a function has made a call of this kind.
fn has_made(world: &WatchedStack, function: &str, is_it: impl Fn(&Call) -> bool) -> bool {
    let recorded = world.services.recorded();
    recorded.iter().any(|made| {
        let by = made.function.as_deref().unwrap_or_default();
        by.contains(function) && is_it(&made.call)
    })
}

async fn the_circuit_opens(world: &WatchedStack) {
    let stack = world.stack();
    let session = stack.session_with_documents().await.unwrap();
    let limited = json!({"route": "token", "kind": "status", "status": 429,
        "retryAfterSeconds": 600});
    session.fault(limited).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    stack
        .until_logged("processor", "circuit_opened")
        .await
        .unwrap();
    let waiting = stack.session_with_documents().await.unwrap();
    waiting.finish_expecting_200(json!({})).await.unwrap();
    waiting.until("Captured").await.unwrap();
    eventually("the processor sends the message again", || async {
        let is_it =
            |call: &Call| call.operation == "SendMessage" && call.body.contains(&waiting.scan_ref);
        match has_made(world, "ProcessorFunction", is_it) {
            true => Ok(()),
            false => Err("not sent"),
        }
    })
    .await
    .unwrap();
    // A waiting customer is served all the same, and reported to the circuit.
    stack.api_session(json!({})).await.unwrap();
}

async fn an_outcome_is_set_aside(world: &WatchedStack) {
    eventually("an outcome is set aside", || async {
        let is_it = |call: &Call| call.operation == "SendMessage";
        match has_made(world, "OutcomePushFunction", is_it) {
            true => Ok(()),
            false => Err("not sent"),
        }
    })
    .await
    .unwrap();
}

/// `dual-verification-local-WebhookFunction-0123abcd` is `WebhookFunction`.
fn logical_id(function: &str) -> &str {
    let named = function
        .strip_prefix(STACK_NAME)
        .and_then(|rest| rest.strip_prefix('-'));
    let named = named.unwrap_or_else(|| panic!("{function} is not of the stack"));
    named.split('-').next().unwrap_or(named)
}

/// Writes the distinct calls, each with how often it was made.
async fn write_down(world: &WatchedStack) {
    let stack = world.stack();
    let webhook = stack.emulator.function("WebhookFunction").await.unwrap();
    let api = stack.emulator.function("ApiFunction").await.unwrap();
    let push = stack.emulator.function("OutcomePushFunction").await;
    let push = push.unwrap();
    let push_dead_letters = &push.variables["OUTCOME_PUSH_DEAD_LETTER_QUEUE_URL"];
    let names = Names {
        description: &stack.description,
        idenfy_secret_arn: &api.variables["IDENFY_SECRET_ARN"],
        signing_secret_arn: &webhook.variables["IDENFY_SECRET_ARN"],
        push_secret_arn: &push.variables["OUTCOME_PUSH_SECRET_ARN"],
        push_dead_letters: push_dead_letters.rsplit('/').next().unwrap(),
        webhook: &webhook.name,
    };
    let recorded = world.services.recorded();
    let mut calls: BTreeMap<(String, IamRequest), u64> = BTreeMap::new();
    for call in &recorded {
        let function = call.function.as_deref();
        let function = function.unwrap_or_else(|| panic!("made by nobody: {:?}", call.call));
        for request in names.requests(call) {
            let made = calls.entry((logical_id(function).to_owned(), request));
            *made.or_default() += 1;
        }
    }
    println!("{} calls, {} distinct", recorded.len(), calls.len());
    let calls: Vec<Value> = calls
        .into_iter()
        .map(|((function, request), count)| {
            let mut call = request.to_json();
            call["function"] = json!(function);
            call["count"] = json!(count);
            call
        })
        .collect();
    let path = written_to();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, serde_json::to_string_pretty(&calls).unwrap()).unwrap();
}
