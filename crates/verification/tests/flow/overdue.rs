//! What the reconciler brings on.

use verification::Pairing;

use super::applications::request;
use super::*;

impl Flow {
    pub async fn reconcile(&self) -> Reconciled {
        let reconcile = Ports::in_memory(&self.world).reconcile();
        reconcile
            .run(self.world.now().plus(Duration::from_secs(60)))
            .await
            .expect("the index answers")
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn what_is_not_overdue_is_left_alone() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.take_messages();
    assert_eq!(flow.reconcile().await, Reconciled::default());
    assert!(flow.world.take_messages().is_empty());
}

#[tokio::test]
async fn a_lost_message_is_sent_again() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.wait(Duration::from_secs(5 * 60));
    flow.world.take_messages();
    let run = flow.reconcile().await;
    assert_eq!(
        (run.overdue, run.enqueued, run.oldest),
        (1, 1, Duration::from_secs(3 * 60))
    );
    assert_eq!(flow.world.take_messages().len(), 1);
    assert!(
        flow.world
            .observations()
            .contains(&Observation::Reconciled {
                overdue: 1,
                oldest: run.oldest
            })
    );
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.reconcile().await, Reconciled::default());
}

#[tokio::test]
async fn a_message_counts_as_lost_when_patience_ends() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    let millisecond = Duration::from_millis(1);
    flow.world.wait(Pairing::MESSAGE_PATIENCE - millisecond);
    assert_eq!(flow.reconcile().await.enqueued, 0);
    flow.world.wait(millisecond);
    assert_eq!(flow.reconcile().await.enqueued, 1);
}

#[tokio::test]
async fn a_process_that_ended_while_submitting_is_followed_up() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.take_messages();
    flow.world.fault("process", Fault::DoneThenLost);
    flow.process().await;
    flow.world.wait(HOUR);
    assert_eq!(flow.reconcile().await.enqueued, 1);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.world.submissions().len(), 1);
}

#[tokio::test]
async fn an_overdue_result_is_asked_for_in_growing_pauses_and_settles() {
    let flow = Flow::submitted().await;
    let mut asked = 0;
    for _ in 0..24 {
        flow.world.wait(Duration::from_secs(30 * 60));
        asked += flow.reconcile().await.postponed;
    }
    assert!(
        (3..=6).contains(&asked),
        "asked {asked} times in twelve hours"
    );
    flow.world.status_of("second-1", Overall::Approved);
    flow.world.wait(12 * HOUR);
    assert_eq!(flow.reconcile().await.moved, 1);
    assert_eq!(flow.process().await, Advanced::Resting("Settled"));
    assert_eq!(flow.state().verdict(), Some(Verdict::Approved));
}

#[tokio::test]
async fn a_result_that_never_comes_is_given_to_a_person() {
    let flow = Flow::submitted().await;
    for _ in 0..20 {
        flow.world.wait(12 * HOUR);
        flow.reconcile().await;
    }
    assert_eq!(flow.parked(), ParkReason::ResultOverdue);
    flow.callback(&second("second-1", "first", Overall::Denied))
        .await;
    assert_eq!(
        flow.state(),
        State::Settled {
            verdict: Verdict::Denied,
            reason: None
        },
        "and settles when it comes all the same"
    );
}

#[tokio::test]
async fn the_wait_for_a_result_counts_from_the_submission() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.wait(10 * 24 * HOUR);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    flow.world.wait(HOUR);
    assert_eq!(flow.reconcile().await.postponed, 1);
    assert_eq!(
        flow.world.pairing("first").attention_at(),
        Some(flow.world.now().plus(HOUR))
    );
}

#[tokio::test]
async fn a_session_that_nobody_finished_expires() {
    let flow = Flow::new();
    flow.sessions()
        .open(&request(), ExpectedDocument::default())
        .await
        .unwrap();
    flow.world.status_of("session-1", Overall::Expired);
    assert_eq!(flow.reconcile().await, Reconciled::default());
    flow.world.wait(2 * HOUR);
    assert_eq!(flow.reconcile().await.moved, 1);
    assert_eq!(flow.world.pairing("session-1").state, State::Expired);
}

#[tokio::test]
async fn an_approval_whose_callback_was_lost_is_given_to_a_person() {
    let flow = Flow::new();
    flow.sessions()
        .open(&request(), ExpectedDocument::default())
        .await
        .unwrap();
    flow.world.status_of("session-1", Overall::Approved);
    flow.world.wait(2 * HOUR);
    flow.reconcile().await;
    assert_eq!(
        flow.world.pairing("session-1").state.reason(),
        Some("CallbackLost")
    );
    flow.callback(&approved("session-1", "client")).await;
    assert_eq!(
        flow.world.pairing("session-1").state.name(),
        "Captured",
        "and goes on when it is sent again"
    );
}

#[tokio::test]
async fn an_erasure_is_finished_when_the_session_has_ended() {
    let flow = Flow::new();
    let opened = flow
        .sessions()
        .open(&request(), ExpectedDocument::default())
        .await
        .unwrap();
    flow.erase(opened.session.scan_ref.as_str()).await;
    flow.world.end_session(&opened.session.scan_ref);
    flow.world.wait(2 * HOUR);
    assert_eq!(flow.reconcile().await.erased, 1);
    assert_eq!(flow.world.record_count(), 0);
}

#[tokio::test]
async fn one_pairing_that_cannot_be_helped_keeps_no_other_waiting() {
    let flow = Flow::new();
    for client in ["a", "b"] {
        flow.callback(&approved(&format!("first-{client}"), client))
            .await;
    }
    flow.world.take_messages();
    flow.world.wait(HOUR);
    flow.world.fault("enqueue", Fault::Unavailable);
    let run = flow.reconcile().await;
    assert_eq!((run.overdue, run.enqueued, run.failed), (2, 1, 1));
}

#[tokio::test]
async fn work_that_nobody_lives_to_give_up_is_given_up_here() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.wait(48 * HOUR);
    assert_eq!(
        flow.reconcile().await.enqueued,
        1,
        "after a long pause it gets one more try"
    );
    assert_eq!(flow.state().name(), "Captured");
    flow.world.wait(HOUR);
    flow.reconcile().await;
    assert_eq!(flow.parked(), ParkReason::ProviderUnavailable);
}

#[tokio::test]
async fn the_processor_gives_up_what_is_left_alone_for_a_day() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.take_messages();
    flow.world.wait(24 * HOUR);
    flow.world.leave_provider_alone(flow.world.now().plus(HOUR));
    assert_eq!(flow.reconcile().await.enqueued, 1);
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), ParkReason::ProviderUnavailable);
}
