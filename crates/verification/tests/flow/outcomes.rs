//! What the world is told.

use super::*;

fn announced(flow: &Flow) -> Vec<&'static str> {
    flow.world
        .announcements()
        .iter()
        .map(|announcement| announcement.outcome.as_str())
        .collect()
}

#[tokio::test]
async fn every_outcome_is_announced_once() {
    let flow = Flow::submitted().await;
    assert!(announced(&flow).is_empty());
    let settling = second("second-1", "first", Overall::Approved);
    flow.callback(&settling).await;
    flow.callback(&settling).await;
    let denied = CallbackContent {
        overall: Some(Overall::Denied),
        digest: Digest256::of(b"denied"),
        ..approved("first", "client")
    };
    flow.callback(&denied).await;
    flow.callback(&denied).await;
    assert_eq!(
        announced(&flow),
        ["DualVerificationSettled", "DualVerificationRevoked"]
    );
    let settled = &flow.world.announcements()[0].detail;
    assert_eq!(
        (settled.verdict.as_deref(), settled.second_overall),
        (Some("Approved"), Some(Overall::Approved))
    );
    assert_eq!(
        settled.second_scan_ref.as_ref().map(ScanRef::as_str),
        Some("second-1")
    );
}

#[tokio::test]
async fn a_revocation_and_its_withdrawal_are_both_announced() {
    let flow = Flow::submitted().await;
    let denied = CallbackContent {
        overall: Some(Overall::Denied),
        digest: Digest256::of(b"denied"),
        ..approved("first", "client")
    };
    flow.callback(&denied).await;
    flow.callback(&second("second-1", "first", Overall::Approved))
        .await;
    let outcomes = ["DualVerificationRevoked", "DualVerificationSettled"];
    assert_eq!(announced(&flow), outcomes);
    let approved_again = CallbackContent {
        digest: Digest256::of(b"approved again"),
        ..approved("first", "client")
    };
    let withdrawn = flow.callback(&approved_again).await;
    assert_eq!(withdrawn, Accepted::Changed("RevocationWithdrawn"));
    assert_eq!(announced(&flow).last(), Some(&"DualVerificationReinstated"));
    let detail = &flow.world.announcements()[2].detail;
    assert_eq!(
        detail.verdict.as_deref(),
        Some("Approved"),
        "what is reinstated is said"
    );
}

#[tokio::test]
async fn declined_expired_and_parked_are_announced_with_their_reason() {
    for (content, outcome, reason) in [
        (
            CallbackContent {
                overall: Some(Overall::Denied),
                ..approved("first", "client")
            },
            "DualVerificationDeclined",
            Some("FirstDenied"),
        ),
        (
            CallbackContent {
                overall: Some(Overall::Expired),
                ..approved("first", "client")
            },
            "DualVerificationExpired",
            None,
        ),
        (
            CallbackContent {
                country: None,
                ..approved("first", "client")
            },
            "DualVerificationParked",
            Some("CountryUnknown"),
        ),
    ] {
        let flow = Flow::new();
        flow.callback(&content).await;
        assert_eq!(announced(&flow), [outcome]);
        assert_eq!(
            flow.world.announcements()[0].detail.reason.as_deref(),
            reason
        );
    }
}
