//! Every fault of the sandbox on every route, each for a customer of its own and all at once. Each
//! customer ends: settled with one accepted submission, or unsettled with none.

use futures_util::future::join_all;
use harness::faults::{ANSWERS, BELIEVED_ANSWERS, CALLBACKS, takes_time};
use harness::{DedicatedStack, Session, Stack, assert_answers_are_durable, eventually};
use local_stack::Options;
use serde_json::{Value, json};

/// Duration of hanging and slow answers.
const MILLISECONDS: u64 = 2_000;

/// One customer's trouble.
#[derive(Clone, Debug)]
struct Trouble {
    faults: Vec<Value>,
    finish: Value,
    /// States in which it may end.
    ends: &'static [&'static str],
    /// The token type whose callback is lost until it is sent again.
    lost: Option<&'static str>,
}

const SETTLES: &[&str] = &["Settled"];
const SETTLES_OR_PARKS: &[&str] = &["Settled", "Parked"];

fn fault(route: &str, kind: &str) -> Value {
    let mut fault = json!({"route": route, "kind": kind});
    if takes_time(kind) {
        fault["milliseconds"] = json!(MILLISECONDS);
    }
    if kind == "status" {
        fault["status"] = json!(503);
    }
    fault
}

fn requests_go_wrong() -> impl Iterator<Item = Trouble> {
    ["token", "process", "status", "files", "file"]
        .into_iter()
        .flat_map(|route| {
            let kinds = ANSWERS.into_iter().chain(BELIEVED_ANSWERS).chain(
                ["expiredLink"]
                    .into_iter()
                    .filter(move |_| route.starts_with("file")),
            );
            kinds.map(move |kind| {
                let mut faults = vec![fault(route, kind)];
                if route == "status" {
                    // It is asked only when an answer was lost.
                    faults.push(fault("process", "acceptedThenReset"));
                }
                // A refusal is believed, and so is a file that ends early by its own length.
                let is_believed = kind == "errorIn200"
                    || (route.starts_with("file")
                        && ["shortContentLength", "expiredLink"].contains(&kind));
                Trouble {
                    faults,
                    // Fresh links are asked for only when the first ones are dead.
                    finish: json!({"expiredLinks": route == "files"}),
                    ends: if is_believed {
                        SETTLES_OR_PARKS
                    } else {
                        SETTLES
                    },
                    lost: None,
                }
            })
        })
}

fn callbacks_go_wrong() -> impl Iterator<Item = Trouble> {
    ["IDENTIFICATION", "DOCUMENT"]
        .into_iter()
        .flat_map(|token_type| {
            CALLBACKS.into_iter().map(move |(kind, arrives)| {
                let mut fault = fault("callback", kind);
                fault["match"] = json!({"tokenType": token_type});
                Trouble {
                    faults: vec![fault],
                    finish: json!({}),
                    ends: SETTLES,
                    lost: (!arrives).then_some(token_type),
                }
            })
        })
}

/// Results in another order than usual.
fn results_come_in_another_order() -> impl Iterator<Item = Trouble> {
    [json!({"nonFinalFirst": true})]
        .into_iter()
        .map(|finish| Trouble {
            faults: Vec::new(),
            finish,
            ends: SETTLES,
            lost: None,
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn each_pairing_ends_with_one_submission_or_none() {
    // So many faults at once open the circuit, which would disturb tests on a shared stack.
    let dedicated = DedicatedStack::start(Options::default()).await.unwrap();
    let stack = &dedicated.stack;
    let troubles = requests_go_wrong()
        .chain(callbacks_go_wrong())
        .chain(results_come_in_another_order());
    join_all(troubles.map(|trouble| ends(stack, trouble))).await;
    dedicated.stop().await;
}

async fn ends(stack: &Stack, trouble: Trouble) {
    let session = stack.session_with_documents().await.unwrap();
    for fault in &trouble.faults {
        session.fault(fault.clone()).await.unwrap();
    }
    session.finish(trouble.finish.clone()).await.unwrap();
    if trouble.lost == Some("IDENTIFICATION") {
        session.send_again(json!({})).await.unwrap();
    }
    if trouble.lost == Some("DOCUMENT") {
        let second = second_that_was_announced(stack, &session).await;
        let again = format!("/sessions/{second}/callback");
        stack
            .sandbox
            .admin("POST".parse().unwrap(), &again, json!({}))
            .await
            .unwrap();
    }
    let state = session.until_one_of(trouble.ends).await.unwrap().state;
    let accepted = session.accepted_submissions().await.unwrap().len();
    assert_eq!(
        accepted,
        usize::from(state == "Settled"),
        "{trouble:?}: {state}, {:?}",
        session.history().await.unwrap()
    );
    let tokens = session.sessions("DOCUMENT").await.unwrap();
    let live = tokens
        .iter()
        .filter(|token| token["live"] == Value::Bool(true))
        .count();
    assert!(live <= 1, "{trouble:?}: {tokens:?}");
    assert_answers_are_durable(stack, &session.client_id)
        .await
        .unwrap();
}

/// Token 2's `scanRef`, once the provider has given up telling its result.
async fn second_that_was_announced(stack: &Stack, session: &Session<'_>) -> String {
    eventually("the second callback was tried", || async {
        let deliveries = stack
            .sandbox
            .deliveries_to(&session.client_id)
            .await
            .unwrap();
        let seconds: Vec<&Value> = deliveries
            .iter()
            .filter(|delivery| delivery["scanRef"] != session.scan_ref.as_str())
            .collect();
        match seconds.last() {
            // All four attempts; or one that the sandbox did not make; or one that was answered
            // 200.
            Some(last)
                if last["attempt"] == 4 || last["error"] == "dropped" || last["status"] == 200 =>
            {
                Ok(last["scanRef"].as_str().unwrap().to_owned())
            }
            _ => Err(format!("{deliveries:?}")),
        }
    })
    .await
    .unwrap()
}
