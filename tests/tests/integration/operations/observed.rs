//! A stack of its own, first well and then with faults. The written metrics are those of the
//! catalogue, have the fields of the saved queries, and turn alarms red.

use api_contract::Application;
use std::collections::BTreeSet;

use futures_util::future::join_all;
use harness::{
    BACK, DedicatedStack, FRONT, PushReceiver, Reply, Stack, eventually, pictures, sign,
};
use lambda_support::METRICS;
use local_stack::{Options, Parameters, STACK_NAME};
use operations::{FUNCTIONS, Measured, Point, Template, red_alarms};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use super::queries::saved_queries;

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_alarms_agree_with_what_is_written() {
    let application = PushReceiver::start().await.unwrap();
    let parameters = Parameters::from([("OutcomePushUrl".to_owned(), application.url.clone())]);
    let options = Options {
        parameters,
        ..Options::default()
    };
    let dedicated = DedicatedStack::start(options).await.unwrap();
    let stack = &dedicated.stack;
    let template = Template::read().unwrap();

    all_goes_well(stack).await;
    let quiet = stack.points().await.unwrap();
    assert_eq!(
        red_alarms(&template, STACK_NAME, &quiet).unwrap(),
        BTreeSet::new(),
        "nothing is wrong"
    );
    assert!(
        red_alarms(&template, STACK_NAME, &[])
            .unwrap()
            .contains("ReconcilerSilent")
    );

    application.answers([Reply::Status(500)], Reply::Status(204));
    customers_are_turned_away(stack).await;
    callbacks_are_not_as_they_should(stack).await;
    the_provider_is_in_trouble(stack).await;
    let all = until_everything_promised_is_written(stack).await;
    let expected = [
        "CallbackSignaturesRejected",
        "CallbacksUnreadable",
        "PairingsParked",
        "ProviderCircuitOpened",
        "ProviderKeyRefused",
        "ProviderOutOfCredits",
    ];
    assert_eq!(
        red_alarms(&template, STACK_NAME, &all).unwrap(),
        expected.map(str::to_owned).into()
    );

    nothing_else_is_written(&all);
    every_field_of_the_queries_is_there(stack, &template).await;
    dedicated.stop().await;
}

async fn all_goes_well(stack: &Stack) {
    let (session, _) = stack.api_session(json!({})).await.unwrap();
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(30_000))
        .await
        .unwrap();
    session
        .upload(BACK, "image/png", pictures::png(20_000))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    session.send_again(json!({})).await.unwrap();
    stack
        .invoke("ReconcilerFunction", &json!({}))
        .await
        .unwrap();
    until_written(stack, "PairingsOverdue").await;
    until_written(stack, "PairingsSettled").await;
}

/// Log lines appear some moments after they were written.
async fn until_written(stack: &Stack, metric: &str) {
    eventually(format_args!("{metric} is written"), || async {
        let found = stack
            .points()
            .await
            .unwrap()
            .iter()
            .any(|point| point.metric == metric);
        if found { Ok(()) } else { Err("not yet") }
    })
    .await
    .unwrap();
}

async fn customers_are_turned_away(stack: &Stack) {
    let denied = stack.session_with_documents().await.unwrap();
    denied
        .finish_expecting_200(json!({"overall": "DENIED"}))
        .await
        .unwrap();
    denied.until("Declined").await.unwrap();

    let expired = stack.session().await.unwrap();
    expired
        .finish_expecting_200(json!({"overall": "EXPIRED"}))
        .await
        .unwrap();
    expired.until("Expired").await.unwrap();

    let revoked = stack.session_with_documents().await.unwrap();
    revoked.finish_expecting_200(json!({})).await.unwrap();
    revoked.until_settled().await.unwrap();
    revoked
        .finish_expecting_200(json!({"overall": "DENIED"}))
        .await
        .unwrap();
}

async fn callbacks_are_not_as_they_should(stack: &Stack) {
    for _ in 0..2 {
        let body = Uuid::new_v4().to_string();
        assert_eq!(
            stack
                .post(body.clone(), Some(&sign("another key", body.as_bytes())))
                .await
                .unwrap(),
            401
        );
    }
    assert_eq!(
        stack.post_signed(Uuid::new_v4().to_string()).await.unwrap(),
        200
    );

    let elsewhere = stack.session_with_documents().await.unwrap();
    let links = json!({"fileUrls": {FRONT: "http://localhost:1/file"}});
    elsewhere
        .finish_expecting_200(json!({"overrides": links}))
        .await
        .unwrap();
    elsewhere
        .until_parked("LinkOriginNotAllowed")
        .await
        .unwrap();

    let deferred = stack.session_with_documents().await.unwrap();
    deferred
        .fault(json!({"route": "file", "kind": "reset", "times": 2}))
        .await
        .unwrap();
    deferred.finish_expecting_200(json!({})).await.unwrap();
    deferred.until_settled().await.unwrap();
}

async fn the_provider_is_in_trouble(stack: &Stack) {
    for (status, identifier) in [(402, "PERMISSIONS_ERROR"), (401, "UNAUTHORIZED")] {
        let refused = stack.session_with_documents().await.unwrap();
        let message = "Partner reached token limit.";
        let fault = json!({"route": "token", "kind": "status", "status": status,
            "identifier": identifier, "message": message, "times": 2});
        refused.fault(fault).await.unwrap();
        refused.finish_expecting_200(json!({})).await.unwrap();
        refused.until_parked("SecondTokenRefused").await.unwrap();
    }
    let down = json!({"route": "token", "kind": "status", "status": 503, "times": 100});
    stack
        .sandbox
        .admin(Method::POST, "/faults", down)
        .await
        .unwrap();
    let customers = (0..12).map(|_| async {
        stack
            .session_with_documents()
            .await
            .unwrap()
            .finish_expecting_200(json!({}))
            .await
            .unwrap();
    });
    join_all(customers).await;
    until_written(stack, "CircuitOpened").await;
}

/// Each metric under each of its sets of dimensions.
type Written<'a> = BTreeSet<(&'a str, BTreeSet<&'a str>)>;

fn written(points: &[Point]) -> Written<'_> {
    points
        .iter()
        .map(|point| {
            (
                point.metric.as_str(),
                point.dimensions.keys().map(String::as_str).collect(),
            )
        })
        .collect()
}

fn promised() -> Written<'static> {
    METRICS
        .iter()
        .flat_map(|metric| {
            metric
                .dimensions
                .iter()
                .map(|set| (metric.name, set.iter().copied().collect()))
        })
        .collect()
}

async fn until_everything_promised_is_written(stack: &Stack) -> Vec<Point> {
    eventually("every metric is written", || async {
        let points = stack.points().await.unwrap();
        let missing = format!("{:?} are missing", promised().difference(&written(&points)));
        if written(&points).is_superset(&promised()) {
            Ok(points)
        } else {
            Err(missing)
        }
    })
    .await
    .unwrap()
}

fn nothing_else_is_written(points: &[Point]) {
    assert_eq!(written(points), promised());
}

async fn every_field_of_the_queries_is_there(stack: &Stack, template: &Template) {
    for query in saved_queries(template) {
        let mut there: BTreeSet<String> = BTreeSet::new();
        for function in FUNCTIONS
            .iter()
            .filter(|function| query.functions.iter().any(|named| named == *function))
        {
            for line in stack.log_records(function, "").await.unwrap() {
                let with_values = line
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter(|(_, value)| !value.is_null());
                there.extend(with_values.map(|(field, _)| field.clone()));
            }
        }
        let missing: Vec<&String> = query.fields.difference(&there).collect();
        assert!(
            missing.is_empty(),
            "{} names {missing:?}, which no line has",
            query.name
        );
    }
}
