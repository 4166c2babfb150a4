//! What operators are told.

use super::*;

fn count(flow: &Flow, observation: &Observation) -> usize {
    flow.world.observations().iter().filter(|observed| *observed == observation).count()
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_kept_and_counted() {
    let flow = Flow::new();
    let digest = Digest256::of(b"no callback");
    flow.accept.keep_unreadable(&digest, b"no callback").await.unwrap();
    assert_eq!(flow.world.archived(), [format!("unreadable/{digest}")]);
    assert_eq!(flow.world.observations(), [Observation::CallbackUnreadable]);

    flow.world.fault("keep", Fault::Unavailable);
    assert!(
        flow.accept.keep_unreadable(&digest, b"no callback").await.is_err(),
        "what is not kept is not acknowledged"
    );
}

#[tokio::test]
async fn files_count_as_left_to_the_processor_only_where_some_are() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    assert_eq!(count(&flow, &Observation::CaptureDeferred), 0, "all are copied");

    let flow = Flow::new();
    let reason = ParkReason::FileEmpty {
        step: "SECOND_DOC_BACK".parse().unwrap(),
    };
    flow.world.file(
        "https://files.example/first/SECOND_DOC_BACK",
        FileBehaviour::Refused(reason.clone()),
    );
    flow.world.file(FRONT_LINK, FileBehaviour::Down);
    flow.callback(&approved("first", "client")).await;
    assert_eq!(flow.parked(), reason);
    assert_eq!(
        count(&flow, &Observation::CaptureDeferred),
        0,
        "nobody goes on with a parked pairing"
    );
}
