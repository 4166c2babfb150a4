//! What operators are told.

use verification::reason::DeclineReason;

use super::*;

fn count(flow: &Flow, observation: &Observation) -> usize {
    flow.world
        .observations()
        .iter()
        .filter(|observed| *observed == observation)
        .count()
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_kept_and_counted() {
    let flow = Flow::new();
    let digest = Digest256::of(b"no callback");
    flow.accept
        .keep_unreadable(&digest, b"no callback")
        .await
        .unwrap();
    assert_eq!(flow.world.archived(), [format!("unreadable/{digest}")]);
    assert_eq!(flow.world.observations(), [Observation::CallbackUnreadable]);

    flow.world.fault("keep", Fault::Unavailable);
    assert!(
        flow.accept
            .keep_unreadable(&digest, b"no callback")
            .await
            .is_err(),
        "what is not kept is not acknowledged"
    );
}

#[tokio::test]
async fn files_count_as_left_to_the_processor_only_where_some_are() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    assert_eq!(
        count(&flow, &Observation::CaptureDeferred),
        0,
        "all are copied"
    );

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

#[tokio::test]
async fn a_pairing_qualifies_once_however_often_its_files_are_copied() {
    let flow = Flow::new();
    let content = approved("first", "client");
    flow.world.file(FRONT_LINK, FileBehaviour::Down);
    flow.callback(&content).await;
    assert_eq!(count(&flow, &Observation::Qualified), 1);
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    flow.world.file(FRONT_LINK, FileBehaviour::Dead);
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    flow.world.file(FRONT_LINK, FileBehaviour::Serves(1_000));
    let fresh = CallbackContent {
        digest: Digest256::of(b"fresh links"),
        ..content
    };
    assert_eq!(flow.callback(&fresh).await, Accepted::Changed("Reopened"));
    assert_eq!(count(&flow, &Observation::Qualified), 1);
}

#[tokio::test]
async fn what_qualifies_only_when_it_is_judged_again_is_counted_then() {
    let flow = Flow::new();
    let unclear = CallbackContent {
        country: None,
        digest: Digest256::of(b"unclear"),
        ..approved("first", "client")
    };
    flow.callback(&unclear).await;
    assert_eq!(count(&flow, &Observation::Qualified), 0);
    flow.callback(&approved("first", "client")).await;
    assert_eq!(count(&flow, &Observation::Qualified), 1);
}

#[tokio::test]
async fn a_settlement_is_counted_once_with_its_time() {
    let flow = Flow::submitted().await;
    let took = Duration::from_secs(5 * 60);
    flow.world.wait(took);
    for _ in 0..2 {
        flow.callback(&second("second-1", "first", Overall::Suspected))
            .await;
    }
    let verdict = Verdict::Suspected;
    assert_eq!(count(&flow, &Observation::Settled { verdict, took }), 1);
}

#[tokio::test]
async fn every_other_end_is_counted_once() {
    for (overall, end) in [
        (
            Overall::Denied,
            Observation::Declined {
                reason: DeclineReason::FirstDenied,
            },
        ),
        (Overall::Expired, Observation::Expired),
    ] {
        let flow = Flow::new();
        for _ in 0..2 {
            flow.callback(&CallbackContent {
                overall: Some(overall),
                ..approved("first", "client")
            })
            .await;
        }
        assert_eq!(count(&flow, &end), 1, "{overall}");
    }
}

#[tokio::test]
async fn a_revocation_is_counted_once_when_it_comes() {
    let flow = Flow::submitted().await;
    let reason = DeclineReason::FirstDenied;
    let denied = CallbackContent {
        overall: Some(Overall::Denied),
        digest: Digest256::of(b"denied"),
        ..approved("first", "client")
    };
    flow.callback(&denied).await;
    assert_eq!(count(&flow, &Observation::Revoked { reason }), 1);
    flow.callback(&second("second-1", "first", Overall::Approved))
        .await;
    flow.callback(&CallbackContent {
        digest: Digest256::of(b"approved again"),
        ..approved("first", "client")
    })
    .await;
    assert_eq!(flow.world.pairing("first").revoked, None);
    assert_eq!(count(&flow, &Observation::Reinstated), 1);
    assert_eq!(count(&flow, &Observation::Revoked { reason }), 1);
}
