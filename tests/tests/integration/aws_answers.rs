//! What AWS answers now and then, and the emulator never does.

use harness::{Call, Refusal, WatchedStack, eventually};
use local_stack::Options;
use reqwest::StatusCode;
use serde_json::json;

const CONFLICT: Refusal = Refusal::new(StatusCode::CONFLICT, "ConditionalRequestConflict");

const COLLISION: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    code: "TransactionCanceledException",
    reasons: &["TransactionConflict", "None"],
};

const fn throttled(code: &'static str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, code)
}

struct Case {
    refusal: Refusal,
    times: usize,
    wanted: fn(&Call) -> bool,
}

fn stores(call: &Call, folder: &str) -> bool {
    call.method == "PUT" && call.path.contains(folder)
}

const CASES: [Case; 9] = [
    Case {
        refusal: CONFLICT,
        times: 2,
        wanted: |call| stores(call, "/callbacks/"),
    },
    Case {
        refusal: CONFLICT,
        times: 2,
        wanted: |call| stores(call, "/documents/"),
    },
    Case {
        refusal: Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
        times: 2,
        wanted: |call| stores(call, "/documents/"),
    },
    // As S3 says it of a missing object to whoever may not list the bucket.
    Case {
        refusal: Refusal::new(StatusCode::FORBIDDEN, "AccessDenied"),
        times: 1,
        wanted: |call| call.method == "GET" && call.path.contains("/documents/"),
    },
    Case {
        refusal: COLLISION,
        times: 5,
        wanted: |call| call.operation == "TransactWriteItems",
    },
    Case {
        refusal: throttled("ThrottlingException"),
        times: 2,
        wanted: |call| call.operation == "TransactWriteItems",
    },
    Case {
        refusal: throttled("ProvisionedThroughputExceededException"),
        times: 2,
        wanted: |call| call.operation == "GetItem",
    },
    Case {
        refusal: throttled("com.amazonaws.sqs#RequestThrottled"),
        times: 2,
        wanted: |call| call.operation == "SendMessage",
    },
    Case {
        refusal: throttled("ThrottlingException"),
        times: 1,
        wanted: |call| call.operation == "PutEvents",
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_passes_costs_nobody_a_customer() {
    let world = WatchedStack::start(Options::default()).await.unwrap();
    for case in CASES {
        let what = (case.refusal.code, case.times);
        let session = world.stack().session_with_documents().await.unwrap();
        let refused = world
            .services
            .refuse_with(case.refusal, case.times, case.wanted);
        session.finish(json!({})).await.unwrap();
        let settled = session.until_settled().await;
        assert!(settled.is_ok(), "{what:?}: {settled:?}");
        // Events are published afterwards.
        let all = || async {
            let count = refused.bodies().len();
            (count == case.times).then_some(()).ok_or(count)
        };
        eventually("it has refused", all).await.unwrap();
        let submissions = session.accepted_submissions().await.unwrap();
        assert_eq!(submissions.len(), 1, "{what:?}");
    }
    world.assert_queues_empty().await.unwrap();
    world.stop().await;
}
