//! Freely chosen names of clients and steps: accepted as they are, never dropped silently.

use verification::reason::ParkReason;
use verification::result::CallbackContent;
use verification::secret::FileLink;
use verification::testing::fixtures::{approved, folder};
use verification::{Advanced, Policy, Retried};

use super::Flow;

fn with_steps(steps: &[&str]) -> CallbackContent {
    let link = |step: &str| vec![FileLink::new(format!("https://files.example/first/{step}"))];
    CallbackContent {
        steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
        links: steps
            .iter()
            .map(|step| (step.parse().unwrap(), link(step)))
            .collect(),
        ..approved("first", "client")
    }
}

fn mapped(step_images: &str) -> Policy {
    Policy {
        step_images: step_images.parse().unwrap(),
        ..Policy::default()
    }
}

#[tokio::test]
async fn a_back_with_a_name_in_any_script_goes_with_its_front() {
    let flow = Flow::new();
    flow.callback(&with_steps(&["A_FRONT", "Ž_BACK"])).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        flow.world.object_keys(),
        [
            format!("{}/=C5=BD_BACK.jpg", folder("first")),
            format!("{}/A_FRONT.jpg", folder("first"))
        ]
    );
    let (_, documents) = &flow.world.submissions()[0];
    assert_eq!(documents.len(), 2);
}

#[tokio::test]
async fn a_front_is_not_submitted_without_a_back_nobody_can_name() {
    let flow = Flow::new();
    let content = CallbackContent {
        has_unusable_steps: true,
        ..with_steps(&["A_FRONT"])
    };
    flow.callback(&content).await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), ParkReason::SidesUnclear);
    assert_eq!(
        (flow.world.object_keys().len(), flow.world.token_count()),
        (0, 0)
    );

    let first = "first".parse().unwrap();
    let retried = flow
        .retrying(Policy::default())
        .retry(&first)
        .await
        .unwrap();
    assert_eq!(retried, Retried::StillParked("SidesUnclear"));
    flow.retrying(mapped("A_FRONT=FRONT"))
        .retry(&first)
        .await
        .unwrap();
    assert_eq!(
        flow.process().await,
        Advanced::Resting("Submitted"),
        "a person has said that it is all"
    );
}

#[tokio::test]
async fn steps_that_do_not_speak_for_themselves_can_be_mapped() {
    let mut flow = Flow::new();
    flow.accept.policy = mapped("Second doc.front=FRONT,back%2Cside=BACK");
    flow.callback(&with_steps(&["Second doc.front", "back,side"]))
        .await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        flow.world.object_keys(),
        [
            format!("{}/Second=20doc=2Efront.jpg", folder("first")),
            format!("{}/back=2Cside.jpg", folder("first"))
        ]
    );
}

#[tokio::test]
async fn a_client_of_another_script_is_submitted() {
    let flow = Flow::new();
    flow.callback(&approved("first", "клиент-1")).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        flow.world.pairing("first").client_id,
        Some("клиент-1".parse().unwrap())
    );

    for (has_unusable_client, reason) in [
        (true, ParkReason::ClientUnusable),
        (false, ParkReason::ClientUnknown),
    ] {
        let flow = Flow::new();
        flow.callback(&CallbackContent {
            client_id: None,
            has_unusable_client,
            ..approved("first", "client")
        })
        .await;
        assert_eq!(flow.process().await, Advanced::Resting("Parked"));
        assert_eq!((flow.parked(), flow.world.token_count()), (reason, 0));
    }
}
