//! Outcomes as signed requests to an application: `examples/outcome-push`, which verifies them with
//! a library of its own, behind a receiver that fails as a test says.

use std::time::Duration;

use adapters::{EventBridgeAnnouncer, Letters, SqsDeadLetters};
use harness::{
    DedicatedStack, PushReceiver, PushedRequest, Reply, Session, Stack, eventually,
    eventually_within,
};
use local_stack::{Options, Parameters, workspace};
use operations::{Measured, Template};
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::io::{BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use verification::ports::Announcer;
use verification::{Announcement, Outcome};

use crate::examples::{examples, npm_builds, start};

/// With a silent application, an attempt takes 15 s.
const PATIENCE: Duration = Duration::from_secs(90);

/// The documented application, and the lines that it prints.
struct Application {
    url: String,
    lines: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Application {
    async fn start(stack: &Stack) -> Self {
        let secrets = stack.push_secrets().await.unwrap();
        let secrets: Vec<&str> = secrets
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut program = Command::new("node");
        program
            .arg(examples().join("outcome-push/receiver.mjs"))
            .env("SIGNING_SECRETS", secrets.join(" "))
            .env("PORT", "0");
        let (process, lines, url) = start(&mut program).await;
        Self {
            url,
            lines,
            _process: process,
        }
    }

    /// The next line, which it prints for each outcome once.
    async fn next_line(&mut self) -> String {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("a line").unwrap().expect("a line")
    }

    /// Sends a request again, changed. Returns the answer's status.
    async fn answer_to(
        &self,
        stack: &Stack,
        request: &PushedRequest,
        change: impl FnOnce(&mut HeaderMap, &mut Vec<u8>),
    ) -> u16 {
        let mut headers = HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, request.header(name).parse().unwrap());
        }
        let mut body = request.body.to_vec();
        change(&mut headers, &mut body);
        let answer = stack
            .http
            .post(&self.url)
            .headers(headers)
            .body(body)
            .send();
        answer.await.unwrap().status().as_u16()
    }
}

async fn pushing_stack() -> (PushReceiver, DedicatedStack) {
    let receiver = PushReceiver::start().await.unwrap();
    let parameters = Parameters::from([("OutcomePushUrl".to_owned(), receiver.url.clone())]);
    let options = Options {
        parameters,
        ..Options::default()
    };
    (receiver, DedicatedStack::start(options).await.unwrap())
}

async fn declined(stack: &Stack) -> Session<'_> {
    let session = stack.session_with_documents().await.unwrap();
    let denied = json!({"overall": "DENIED"});
    session.finish_expecting_200(denied).await.unwrap();
    session
}

async fn dead_letters(stack: &Stack) -> u64 {
    let queue = stack.queue_url("OutcomePushDeadLetterQueue").await.unwrap();
    stack.messages_on(&queue).await.unwrap()
}

async fn until_dead_letters(stack: &Stack, expected: u64) {
    eventually_within(PATIENCE, "dead letters", || async {
        match dead_letters(stack).await {
            letters if letters == expected => Ok(()),
            letters => Err(letters),
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_arrive_signed_and_once_although_attempts_fail() {
    if !npm_builds(&examples().join("outcome-push")).await {
        return;
    }
    let (receiver, dedicated) = pushing_stack().await;
    let stack = &dedicated.stack;
    stack.tune_outcome_push("1 1 1").await.unwrap();
    let mut application = Application::start(stack).await;
    let to_application = Reply::Forward(application.url.clone());

    // Busy, then silent for longer than the function waits, then well.
    receiver.answers([Reply::BusyFor(1), Reply::Silence], to_application);
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    let line = application.next_line().await;
    let scan_ref = &session.scan_ref;
    assert_eq!(line, format!("DualVerificationSettled {scan_ref} Approved"));
    let taken = receiver.until_answered(scan_ref, 204).await.unwrap();

    let attempts = receiver.about(scan_ref);
    assert!(attempts.len() >= 3, "{attempts:?}");
    let first = &attempts[0];
    let timestamp =
        |request: &PushedRequest| -> i64 { request.header("webhook-timestamp").parse().unwrap() };
    for attempt in &attempts {
        assert_eq!(attempt.header("webhook-id"), first.header("webhook-id"));
        assert_eq!(attempt.body, first.body);
        assert_eq!(attempt.header("content-type"), "application/json");
    }
    // Each attempt is signed for its own time.
    assert!(timestamp(&taken) >= timestamp(first) + 15);
    assert_ne!(
        taken.header("webhook-signature"),
        first.header("webhook-signature")
    );
    let body = taken.json().unwrap();
    assert_eq!(body["type"], "DualVerificationSettled");
    assert_eq!(body["timestamp"], body["data"]["occurredAt"]);

    forged_requests_are_refused(stack, &application, &taken).await;
    an_outcome_that_comes_again_has_the_same_id(stack, &receiver, &mut application, &taken).await;
    dedicated.stop().await;
}

async fn forged_requests_are_refused(
    stack: &Stack,
    application: &Application,
    taken: &PushedRequest,
) {
    let insert = |headers: &mut HeaderMap, name: &'static str, value: &str| {
        headers.insert(name, HeaderValue::from_str(value).unwrap());
    };
    let unchanged = application.answer_to(stack, taken, |_, _| {}).await;
    assert_eq!(unchanged, 204);
    let another_verdict = application.answer_to(stack, taken, |_, body| {
        let text = String::from_utf8(body.clone()).unwrap();
        *body = text.replace("Approved", "Denied").into_bytes();
    });
    assert_eq!(another_verdict.await, 401);
    let another_id = application.answer_to(stack, taken, |headers, _| {
        insert(headers, "webhook-id", "msg_another");
    });
    assert_eq!(another_id.await, 401);
    let another_time = application.answer_to(stack, taken, |headers, _| {
        let later: i64 = taken.header("webhook-timestamp").parse().unwrap();
        insert(headers, "webhook-timestamp", &(later + 1).to_string());
    });
    assert_eq!(another_time.await, 401);
    let without = application.answer_to(stack, taken, |headers, _| {
        headers.remove("webhook-signature");
    });
    assert_eq!(without.await, 401);
}

/// EventBridge gives the repeat another id of its own.
async fn an_outcome_that_comes_again_has_the_same_id(
    stack: &Stack,
    receiver: &PushReceiver,
    application: &mut Application,
    taken: &PushedRequest,
) {
    let detail = taken.json().unwrap()["data"].clone();
    let announcement = Announcement {
        outcome: Outcome::DualVerificationSettled,
        detail: serde_json::from_value(detail).unwrap(),
    };
    let scan_ref = announcement.detail.scan_ref.to_string();
    let before = receiver.about(&scan_ref).len();
    let bus = &stack.description.event_bus;
    let announcer = EventBridgeAnnouncer::new(stack.http.clone(), &stack.sdk, bus);
    for result in announcer.announce(&[announcement]).await {
        result.unwrap();
    }
    eventually("it is pushed again", || async {
        let requests = receiver.about(&scan_ref);
        match requests.get(before).and_then(|request| request.answered) {
            Some(204) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await
    .unwrap();
    let ids = receiver.about(&scan_ref);
    let is_same =
        |request: &PushedRequest| request.header("webhook-id") == taken.header("webhook-id");
    assert!(ids.iter().all(is_same));
    // The next line is about another customer: this one was not worked on twice.
    let other = declined(stack).await;
    let line = application.next_line().await;
    assert!(line.contains(&other.scan_ref), "{line}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_taken_becomes_a_dead_letter_and_comes_back() {
    let (receiver, dedicated) = pushing_stack().await;
    let stack = &dedicated.stack;
    stack.tune_outcome_push("0").await.unwrap();

    receiver.answers([], Reply::Status(500));
    let given_up = declined(stack).await;
    until_dead_letters(stack, 1).await;
    let template = Template::read().unwrap();
    let queue = &template.resources()["OutcomePushQueue"]["Properties"];
    let attempts = receiver.about(&given_up.scan_ref).len();
    assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], attempts);
    let errors = eventually("the attempts are counted", || async {
        let points = stack.points().await.unwrap();
        let is_error = |name: &str| name == "OutcomePushErrors";
        let errors = points
            .into_iter()
            .filter(|point| is_error(&point.metric) && point.dimensions.len() == 2);
        let kinds: Vec<String> = errors
            .map(|point| point.dimensions["Kind"].clone())
            .collect();
        match kinds.len() {
            seen if seen == attempts => Ok(kinds),
            seen => Err(seen),
        }
    })
    .await
    .unwrap();
    assert!(
        errors.iter().all(|kind| kind == "server_error"),
        "{errors:?}"
    );

    // It wants nothing more: one attempt.
    receiver.answers([], Reply::Status(410));
    let gone = declined(stack).await;
    until_dead_letters(stack, 2).await;
    assert_eq!(receiver.about(&gone.scan_ref).len(), 1);

    // A redirect is not followed.
    receiver.answers([Reply::Status(307)], Reply::Status(204));
    let redirected = declined(stack).await;
    receiver
        .until_answered(&redirected.scan_ref, 204)
        .await
        .unwrap();
    assert_eq!(receiver.about(&redirected.scan_ref).len(), 2);

    // Whatever is not an outcome is set aside, too.
    let push_queue = stack.queue_url_named("outcome-push").await.unwrap();
    stack
        .send(&push_queue, &["PERSONAL and nobody's"])
        .await
        .unwrap();
    until_dead_letters(stack, 3).await;

    let url = stack.queue_url("OutcomePushDeadLetterQueue").await.unwrap();
    let letters = SqsDeadLetters::new(&stack.sdk, url, Letters::Outcomes);
    let mut unreadable = 0;
    let mut held = Vec::new();
    while held.len() < 3 {
        held.extend(letters.take().await.unwrap());
    }
    for letter in &held {
        match &letter.scan_ref {
            Some(_) => letters.send_to(&push_queue, letter).await.unwrap(),
            None => unreadable += 1,
        }
        letters.discard(letter).await.unwrap();
    }
    assert_eq!(unreadable, 1);
    for session in [&given_up, &gone] {
        receiver
            .until_answered(&session.scan_ref, 204)
            .await
            .unwrap();
    }
    assert_eq!(dead_letters(stack).await, 0);
    for text in [&gone.client_id, "whsec_", "PERSONAL", &receiver.url] {
        let lines = stack.log_lines("outcome-push", text).await.unwrap();
        assert_eq!(lines, [""; 0], "logged");
    }
    dedicated.stop().await;
}

/// SQS gives a message up after as many attempts as the function has pauses for, and one more.
#[test]
fn pauses_and_receives_belong_together() {
    let template = Template::read().unwrap();
    let properties = |name: &str| template.resources()[name]["Properties"].clone();
    let (queue, function) = (
        properties("OutcomePushQueue"),
        properties("OutcomePushFunction"),
    );
    let pauses = function["Environment"]["Variables"]["RETRY_PAUSES"]
        .as_str()
        .unwrap();
    let pauses: Vec<u64> = pauses
        .split(' ')
        .map(|seconds| seconds.parse().unwrap())
        .collect();
    assert!(pauses.is_sorted());
    assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], pauses.len() + 1);
    // With jitter, no more than the 11 hours for which a message is hidden, and than retention.
    let longest = pauses.iter().max().unwrap();
    assert!(longest * 11 / 10 <= 11 * 3_600, "{longest}");
    let total: u64 = pauses.iter().sum();
    assert!(total > 60 * 3_600, "a weekend");
    assert!(total * 11 / 10 + 86_400 < queue["MessageRetentionPeriod"].as_u64().unwrap());
    let timeout = function["Timeout"].as_u64().unwrap();
    assert_eq!(queue["VisibilityTimeout"], timeout * 6);
}

/// The page shows the program that the tests run.
#[test]
fn the_page_shows_the_example() {
    let root = workspace::root();
    let read = |path| std::fs::read_to_string(root.join(path)).unwrap();
    let page = read("docs/PUSH.md");
    let example = read("examples/outcome-push/receiver.mjs");
    assert!(page.contains(&format!("```js\n{example}```")));
}
