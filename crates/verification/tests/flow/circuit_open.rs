//! While the circuit is open the provider is not called, and waiting uses nothing up.

use super::*;

const PAUSE: Duration = Duration::from_secs(60);

impl Flow {
    fn leave_provider_alone(&self) -> verification::Timestamp {
        let until = self.world.now().plus(PAUSE);
        self.world.leave_provider_alone(until);
        until
    }
}

#[tokio::test]
async fn a_pairing_that_waits_writes_nothing_and_uses_no_attempt_up() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    let until = flow.leave_provider_alone();
    let before = flow.world.pairing("first");
    for _ in 0..20 {
        assert_eq!(flow.process().await, Advanced::CircuitOpen { until });
    }
    assert_eq!(flow.world.pairing("first"), before);
    assert_eq!(flow.world.token_count(), 0);

    flow.world.wait(PAUSE);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        (
            flow.world.pairing("first").attempts,
            flow.world.submissions().len()
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn files_are_copied_whatever_the_circuit_says() {
    let flow = Flow::new();
    let content = approved("first", "client");
    flow.world.serve(&content);
    flow.world.file(FRONT_LINK, FileBehaviour::Down);
    flow.callback(&content).await;
    flow.world.file(FRONT_LINK, FileBehaviour::Serves(1_000));
    let until = flow.leave_provider_alone();
    assert_eq!(flow.process().await, Advanced::CircuitOpen { until });
    assert_eq!(flow.state().name(), "Captured");
}

#[tokio::test]
async fn a_submission_in_doubt_waits_for_its_evidence() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::DoneThenLost);
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    flow.world.wait(Duration::from_secs(11));
    let until = flow.leave_provider_alone();
    assert_eq!(flow.process().await, Advanced::CircuitOpen { until });
    assert_eq!(flow.state().name(), "Submitting");
    flow.world.wait(PAUSE);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.world.submissions().len(), 1);
}

#[tokio::test]
async fn who_waits_gets_no_second_message() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.wait(Duration::from_secs(5 * 60));
    flow.world.take_messages();
    flow.leave_provider_alone();
    for _ in 0..3 {
        let run = flow.reconcile().await;
        assert_eq!(
            (run.overdue, run.waiting, run.enqueued, run.failed),
            (1, 1, 0, 0)
        );
    }
    assert!(flow.world.take_messages().is_empty());
    flow.world.wait(PAUSE);
    assert_eq!(
        flow.reconcile().await.enqueued,
        1,
        "once the provider is asked again, a lost message is replaced"
    );
}
