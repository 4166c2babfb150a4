//! A power failure: the emulator and all functions end at once, in the middle of flows at different
//! points. They come back with the stored state. Every flow is brought to its end.
//!
//! The emulator writes its state down when it is asked to end (SIGTERM), and only then, so it
//! cannot show what a harder end would do; the services that it stands for keep what they have
//! acknowledged.

use std::time::Duration;

use harness::{
    BACK, DedicatedStack, FRONT, ProcessorTuning, Session, Stack, assert_answers_are_durable,
    assert_queues_empty, eventually, pictures,
};
use local_stack::Options;
use serde_json::{Value, json};

const TUNING: ProcessorTuning = ProcessorTuning {
    timeout_seconds: 20,
    visibility_seconds: 25,
    batch_size: 5,
};

/// A customer whose flow waits on one route until the emulator is gone.
struct Standing {
    route: &'static str,
    kind: &'static str,
    /// The pairing's state when the emulator ends.
    state: &'static str,
}

const STANDING: [Standing; 5] = [
    // The webhook is copying.
    Standing {
        route: "file",
        kind: "hang",
        state: "Capturing",
    },
    Standing {
        route: "token",
        kind: "hang",
        state: "Authorizing",
    },
    Standing {
        route: "token",
        kind: "acceptedThenHang",
        state: "Authorizing",
    },
    Standing {
        route: "process",
        kind: "hang",
        state: "Submitting",
    },
    Standing {
        route: "process",
        kind: "acceptedThenHang",
        state: "Submitting",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn everything_settles_after_a_restart_in_the_middle() {
    let dedicated = DedicatedStack::start(Options {
        keeps_state: true,
        ..Options::default()
    })
    .await
    .unwrap();
    dedicated.stack.tune_processor(TUNING).await.unwrap();
    let mut customers = Vec::new();
    for standing in &STANDING {
        customers.push(bring_to_a_stand(&dedicated.stack, standing).await);
    }
    let settled = settle_one(&dedicated.stack).await;

    let dedicated = dedicated.restart_emulator().await.unwrap();
    let stack = &dedicated.stack;
    let sessions = customers.into_iter().map(|customer| customer.resume(stack));
    let ends = async {
        for session in sessions {
            session.until_settled().await.unwrap();
            assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
            assert!(session.sessions("DOCUMENT").await.unwrap().len() <= 2);
            assert_eq!(session.documents().await.unwrap().len(), 2);
            assert_answers_are_durable(stack, &session.client_id)
                .await
                .unwrap();
        }
    };
    tokio::select! {
        () = ends => {}
        () = stack.keep_reconciling(Duration::from_secs(2)) => {}
    }
    let before = settled.resume(stack);
    assert_eq!(
        before.accepted_submissions().await.unwrap().len(),
        1,
        "what was done before is not done again"
    );
    before.until_settled().await.unwrap();
    assert_queues_empty(stack).await.unwrap();
    dedicated.stop().await;
}

/// A session without the stack that it was opened on.
struct Customer {
    client_id: String,
    scan_ref: String,
}

impl Customer {
    fn of(session: Session<'_>) -> Self {
        Self {
            client_id: session.client_id,
            scan_ref: session.scan_ref,
        }
    }

    fn resume(self, stack: &Stack) -> Session<'_> {
        Session::of(stack, self.client_id, self.scan_ref)
    }
}

async fn bring_to_a_stand(stack: &Stack, standing: &Standing) -> Customer {
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
        .fault(json!({"route": standing.route, "kind": standing.kind, "milliseconds": 120_000}))
        .await
        .unwrap();
    session.finish(json!({"wait": false})).await.unwrap();
    session.until(standing.state).await.unwrap();
    eventually(
        format_args!("the provider is asked: {}", standing.route),
        || async {
            let requests = session.requests(standing.route).await.unwrap();
            let faulty = requests
                .iter()
                .any(|request| request["fault"] != Value::Null);
            if faulty {
                Ok(())
            } else {
                Err(format!("{requests:?}"))
            }
        },
    )
    .await
    .unwrap();
    Customer::of(session)
}

async fn settle_one(stack: &Stack) -> Customer {
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    Customer::of(session)
}
