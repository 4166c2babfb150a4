//! The provider is asked before a result reverses a decision, spends a token or settles.

use verification::Outcome;
use verification::result::Status;

use super::*;

/// A result of the first verification with this body.
fn first(overall: Overall, body: &str) -> CallbackContent {
    CallbackContent {
        overall: Some(overall),
        digest: Digest256::of(body.as_bytes()),
        ..approved("first", "client")
    }
}

/// A result of the second verification with this body.
fn other_second(overall: Overall, body: &str) -> CallbackContent {
    CallbackContent {
        digest: Digest256::of(body.as_bytes()),
        ..second("second-1", "first", overall)
    }
}

impl Flow {
    pub fn confirming() -> Self {
        Self::with(Policy::default())
    }

    async fn submitted_and_confirmed() -> Self {
        let flow = Self::confirming();
        flow.callback(&first(Overall::Approved, "a")).await;
        assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
        flow
    }

    async fn settled_and_confirmed() -> Self {
        let flow = Self::submitted_and_confirmed().await;
        flow.callback(&other_second(Overall::Approved, "b")).await;
        assert_eq!(flow.process().await, Advanced::Resting("Settled"));
        flow
    }

    /// A body arrives that the provider does not confirm any more, or never did.
    async fn late(&self, content: &CallbackContent, truth: Overall) -> Accepted {
        self.callback(content).await;
        let accepted = self.callback(content).await;
        self.world.status_of(content.scan_ref.as_str(), truth);
        accepted
    }

    /// Time passes, and everything that is due is asked.
    pub async fn pass(&self, minutes: u64) {
        for _ in 0..minutes {
            self.world.wait(Duration::from_secs(60));
            self.reconcile().await;
            for _ in self.world.take_messages() {
                self.process().await;
            }
        }
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let announcements = self.world.announcements();
        announcements
            .iter()
            .map(|announcement| announcement.outcome)
            .collect()
    }

    fn verdict(&self) -> Option<Verdict> {
        self.state().verdict()
    }
}

#[tokio::test]
async fn an_old_approval_again_does_not_reopen_a_decline() {
    let flow = Flow::confirming();
    let approval = first(Overall::Approved, "a");
    flow.callback(&approval).await;
    flow.callback(&first(Overall::Denied, "d")).await;
    flow.pass(1).await;
    assert_eq!(flow.state().name(), "Declined");
    assert_eq!(
        flow.late(&approval, Overall::Denied).await,
        Accepted::Ignored("AlreadyHeard")
    );
    flow.pass(30).await;
    assert_eq!(flow.state().name(), "Declined");
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn an_approval_that_is_older_than_the_denial_opens_nothing() {
    let flow = Flow::confirming();
    flow.callback(&first(Overall::Denied, "d")).await;
    flow.late(&first(Overall::Approved, "a"), Overall::Denied)
        .await;
    flow.pass(30).await;
    assert_eq!(flow.state().name(), "Declined");
    assert_eq!(flow.world.token_count(), 0);
    assert!(
        flow.world.pairing("first").is_at_rest(),
        "the question is over"
    );
}

#[tokio::test]
async fn a_repeated_body_sends_the_message_that_was_lost() {
    let flow = Flow::submitted_and_confirmed().await;
    let result = other_second(Overall::Approved, "b");
    flow.callback(&result).await;
    flow.world.take_messages();
    assert_eq!(
        flow.callback(&result).await,
        Accepted::Ignored("AlreadyHeard")
    );
    assert_eq!(flow.world.take_messages().len(), 1);
    assert_eq!(flow.process().await, Advanced::Resting("Settled"));
    flow.callback(&result).await;
    assert!(
        flow.world.take_messages().is_empty(),
        "nothing is left to be asked"
    );
}

#[tokio::test]
async fn a_verdict_is_not_changed_back_by_an_old_body() {
    let flow = Flow::settled_and_confirmed().await;
    flow.callback(&other_second(Overall::Denied, "d")).await;
    flow.pass(1).await;
    assert_eq!(flow.verdict(), Some(Verdict::Denied));
    let again = flow
        .late(&other_second(Overall::Approved, "b"), Overall::Denied)
        .await;
    assert_eq!(again, Accepted::Ignored("AlreadyHeard"));
    flow.pass(30).await;
    assert_eq!(flow.verdict(), Some(Verdict::Denied));
}

#[tokio::test]
async fn an_old_body_does_not_withdraw_a_revocation() {
    let flow = Flow::settled_and_confirmed().await;
    flow.callback(&first(Overall::Denied, "d")).await;
    flow.pass(1).await;
    assert!(flow.world.pairing("first").revoked.is_some());
    flow.late(&first(Overall::Approved, "a"), Overall::Denied)
        .await;
    flow.late(
        &first(Overall::Approved, "another old body"),
        Overall::Denied,
    )
    .await;
    flow.pass(30).await;
    assert!(flow.world.pairing("first").revoked.is_some());
}

#[tokio::test]
async fn a_revocation_that_is_withdrawn_is_announced() {
    let flow = Flow::settled_and_confirmed().await;
    flow.callback(&first(Overall::Denied, "d")).await;
    flow.pass(20).await;
    flow.callback(&first(Overall::Approved, "approved after all"))
        .await;
    flow.pass(20).await;
    assert_eq!(flow.world.pairing("first").revoked, None);
    assert_eq!(
        flow.outcomes(),
        [
            Outcome::DualVerificationSettled,
            Outcome::DualVerificationRevoked,
            Outcome::DualVerificationReinstated
        ]
    );
}

#[tokio::test]
async fn a_forged_approval_spends_and_settles_nothing() {
    let flow = Flow::confirming();
    let forged = approved("first", "client");
    flow.world.serve(&forged);
    flow.world.status_of("first", Overall::Active);
    flow.try_callback(&forged).await.unwrap();
    flow.pass(25 * 60).await;
    assert_eq!(flow.parked(), ParkReason::ResultUnconfirmed);
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn a_forged_verdict_does_not_settle() {
    let flow = Flow::submitted_and_confirmed().await;
    let forged = other_second(Overall::Approved, "forged");
    flow.late(&forged, Overall::Reviewing).await;
    flow.pass(60).await;
    assert_eq!(flow.state().name(), "Submitted");
    flow.world.status_of("second-1", Overall::Denied);
    flow.callback(&other_second(Overall::Denied, "true")).await;
    flow.pass(1).await;
    assert_eq!(flow.verdict(), Some(Verdict::Denied));
}

#[tokio::test]
async fn a_forged_denial_revokes_nothing() {
    let flow = Flow::settled_and_confirmed().await;
    flow.late(&first(Overall::Denied, "forged"), Overall::Approved)
        .await;
    flow.pass(30).await;
    assert_eq!(flow.world.pairing("first").revoked, None);
    assert_eq!(flow.outcomes(), [Outcome::DualVerificationSettled]);
}

#[tokio::test]
async fn a_status_that_may_change_confirms_nothing() {
    let flow = Flow::confirming();
    flow.callback(&first(Overall::Approved, "a")).await;
    let not_final = Status {
        is_final: Some(false),
        ..Status::of(Overall::Approved)
    };
    flow.world.answers("first", not_final);
    flow.pass(60).await;
    assert_eq!(
        (flow.state().name(), flow.world.token_count()),
        ("Captured", 0)
    );
    assert_eq!(
        flow.world.pairing("first").reason(),
        Some("ResultUnconfirmed")
    );
    flow.world.status_of("first", Overall::Approved);
    flow.pass(60).await;
    assert_eq!(flow.state().name(), "Submitted");
}

#[tokio::test]
async fn an_unconfirmed_result_goes_on_when_it_is_taken_up() {
    let flow = Flow::confirming();
    flow.callback(&first(Overall::Approved, "a")).await;
    flow.world.status_of("first", Overall::Reviewing);
    flow.pass(25 * 60).await;
    assert_eq!(flow.parked(), ParkReason::ResultUnconfirmed);
    flow.world.status_of("first", Overall::Approved);
    let retried = flow
        .retrying(Policy::default())
        .retry(&"first".parse().unwrap())
        .await
        .unwrap();
    assert!(matches!(retried, Retried::TakenUp(_)), "{retried:?}");
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

/// The status lags behind, as it may for ten minutes.
#[tokio::test]
async fn a_contradiction_is_not_believed_while_it_may_lag() {
    let flow = Flow::settled_and_confirmed().await;
    flow.late(&first(Overall::Denied, "d"), Overall::Approved)
        .await;
    flow.pass(8).await;
    flow.world.status_of("first", Overall::Denied);
    flow.pass(5).await;
    assert!(flow.world.pairing("first").revoked.is_some());
}

#[tokio::test]
async fn a_late_denial_that_a_lag_confirms_is_taken_back() {
    let flow = Flow::submitted_and_confirmed().await;
    // The provider has approved since. Its status does not show it yet.
    flow.late(&first(Overall::Denied, "late"), Overall::Denied)
        .await;
    flow.pass(1).await;
    assert!(flow.world.pairing("first").revoked.is_some());
    flow.world.status_of("first", Overall::Approved);
    flow.pass(15).await;
    assert_eq!(flow.world.pairing("first").revoked, None);
    assert_eq!(
        flow.outcomes().last(),
        Some(&Outcome::DualVerificationReinstated)
    );
}

#[tokio::test]
async fn before_submission_too_a_late_denial_is_taken_back() {
    let flow = Flow::confirming();
    flow.callback(&first(Overall::Approved, "a")).await;
    flow.late(&first(Overall::Denied, "late"), Overall::Denied)
        .await;
    flow.pass(1).await;
    assert_eq!(flow.state().name(), "Declined");
    flow.world.status_of("first", Overall::Approved);
    flow.pass(15).await;
    assert_eq!(flow.state().name(), "Submitted");
}

/// A customer who was approved after all does not wait for a rare lag.
/// A wrong approval is revoked later.
#[tokio::test]
async fn a_late_approval_that_a_lag_confirms_is_revoked() {
    let flow = Flow::confirming();
    flow.callback(&first(Overall::Denied, "d")).await;
    flow.late(&first(Overall::Approved, "late"), Overall::Approved)
        .await;
    flow.pass(1).await;
    assert_eq!(flow.state().name(), "Submitted");
    flow.world.status_of("first", Overall::Denied);
    flow.pass(15).await;
    assert!(flow.world.pairing("first").revoked.is_some());
    assert_eq!(
        flow.outcomes().last(),
        Some(&Outcome::DualVerificationRevoked)
    );
}

#[tokio::test]
async fn a_late_verdict_that_a_lag_confirms_is_taken_back() {
    let flow = Flow::settled_and_confirmed().await;
    flow.late(&other_second(Overall::Denied, "late"), Overall::Denied)
        .await;
    flow.pass(1).await;
    assert_eq!(flow.verdict(), Some(Verdict::Denied));
    flow.world.status_of("second-1", Overall::Approved);
    flow.pass(15).await;
    assert_eq!(flow.verdict(), Some(Verdict::Approved));
    assert!(flow.world.pairing("first").is_at_rest());
}

#[tokio::test]
async fn a_result_that_another_body_has_overtaken_is_heard() {
    let flow = Flow::settled_and_confirmed().await;
    flow.callback(&other_second(Overall::Denied, "true")).await;
    // Before its question was asked.
    flow.late(&other_second(Overall::Suspected, "old"), Overall::Denied)
        .await;
    flow.pass(30).await;
    assert_eq!(flow.verdict(), Some(Verdict::Denied));
}

#[tokio::test]
async fn an_approval_is_not_forgotten_for_more_of_the_same_denial() {
    let flow = Flow::settled_and_confirmed().await;
    flow.callback(&first(Overall::Denied, "d")).await;
    flow.pass(20).await;
    flow.callback(&first(Overall::Approved, "true")).await;
    flow.late(&first(Overall::Suspected, "old"), Overall::Approved)
        .await;
    flow.pass(30).await;
    assert_eq!(flow.world.pairing("first").revoked, None);
}

#[tokio::test]
async fn while_a_verdict_is_in_question_no_token_is_made() {
    let flow = Flow::confirming();
    flow.callback(&first(Overall::Approved, "a")).await;
    flow.world.fault("process", Fault::Refused);
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    flow.late(&other_second(Overall::Approved, "b"), Overall::Reviewing)
        .await;
    flow.pass(1).await;
    flow.retrying(Policy::default())
        .retry(&"first".parse().unwrap())
        .await
        .unwrap();
    flow.pass(10).await;
    assert_eq!(
        (flow.state().name(), flow.world.token_count()),
        ("Captured", 1)
    );
    flow.world.status_of("second-1", Overall::Approved);
    flow.pass(60).await;
    assert_eq!(
        (flow.verdict(), flow.world.token_count()),
        (Some(Verdict::Approved), 1)
    );
}

#[tokio::test]
async fn a_declined_pairing_asks_no_more_about_its_token() {
    let flow = Flow::confirming();
    flow.callback(&first(Overall::Approved, "a")).await;
    flow.world.fault("process", Fault::LostBeforeDone);
    flow.process().await;
    flow.callback(&first(Overall::Denied, "d")).await;
    flow.world.expire_tokens();
    flow.callback(&other_second(Overall::Expired, "e")).await;
    flow.pass(60).await;
    let pairing = flow.world.pairing("first");
    assert_eq!(
        (pairing.state.name(), pairing.is_at_rest()),
        ("Declined", true)
    );
}

#[tokio::test]
async fn without_confirmation_what_is_signed_is_believed() {
    let flow = Flow::with(Policy {
        confirm_results: false,
        ..Policy::default()
    });
    flow.callback(&first(Overall::Approved, "a")).await;
    flow.world.fault("status", Fault::Unavailable);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    flow.callback(&other_second(Overall::Approved, "b")).await;
    assert_eq!(flow.process().await, Advanced::Resting("Settled"));
}

/// The denial's question is old enough that only the later body explains another answer.
#[tokio::test]
async fn a_denial_is_not_confirmed_by_a_lag_behind_newer_news() {
    let flow = Flow::submitted_and_confirmed().await;
    flow.late(&first(Overall::Denied, "old"), Overall::Reviewing)
        .await;
    flow.pass(15).await;
    flow.callback(&first(Overall::Approved, "newest")).await;
    flow.world.status_of("first", Overall::Denied);
    flow.pass(5).await;
    flow.world.status_of("first", Overall::Approved);
    flow.pass(60).await;
    assert_eq!(flow.world.pairing("first").revoked, None);
    assert!(
        flow.world
            .pairing("first")
            .has_heard(&Digest256::of(b"newest"))
    );
}
