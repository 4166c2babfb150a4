//! Steps with several files: all are kept first, and their sides are never guessed.

use verification::identifiers::{Digest256, Side};
use verification::ports::Pairings;
use verification::reason::ParkReason;
use verification::result::CallbackContent;
use verification::secret::FileLink;
use verification::testing::fixtures::{approved, folder};
use verification::testing::memory::FileBehaviour;
use verification::{Accepted, Advanced, Policy, Retried, State};

use super::Flow;

const STEP: &str = "SECOND_DOC";

fn link(number: usize) -> String {
    format!("https://files.example/first/{STEP}/{number}")
}

/// One step, and so many files of it.
fn with_files(count: usize) -> CallbackContent {
    let links = (1..=count)
        .map(|number| FileLink::new(link(number)))
        .collect();
    CallbackContent {
        steps: vec![STEP.parse().unwrap()],
        links: [(STEP.parse().unwrap(), links)].into(),
        ..approved("first", "client")
    }
}

fn several() -> ParkReason {
    ParkReason::SeveralFiles {
        step: STEP.parse().unwrap(),
    }
}

fn both_sides() -> Policy {
    Policy {
        step_images: "SECOND_DOC=FRONT+BACK".parse().unwrap(),
        ..Policy::default()
    }
}

fn deciding(flow: Flow) -> Flow {
    let mut flow = flow;
    flow.accept.policy = both_sides();
    flow
}

/// The pairing's files: number, side, and the link of each.
fn kept(flow: &Flow) -> Vec<(u8, Option<Side>, Digest256)> {
    let mut kept: Vec<_> = flow
        .world
        .pairing("first")
        .documents
        .into_iter()
        .map(|document| (document.file.get(), document.side, document.sha256))
        .collect();
    kept.sort_by_key(|(number, ..)| *number);
    kept
}

fn from(number: usize) -> Digest256 {
    Digest256::of(link(number).as_bytes())
}

async fn retry(flow: &Flow, policy: Policy) -> Retried {
    flow.retrying(policy)
        .retry(&"first".parse().unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn several_files_of_a_step_are_kept_and_parked() {
    let flow = Flow::new();
    flow.callback(&with_files(2)).await;
    assert_eq!(flow.parked(), several());
    assert_eq!(
        flow.world.object_keys(),
        [
            format!("{}/SECOND_DOC.2.jpg", folder("first")),
            format!("{}/SECOND_DOC.jpg", folder("first"))
        ]
    );
    assert_eq!(kept(&flow), [(1, None, from(1)), (2, None, from(2))]);
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn who_parks_for_files_sends_no_message() {
    let flow = Flow::new();
    flow.callback(&with_files(2)).await;
    assert!(flow.world.take_messages().is_empty());
    let history = flow
        .world
        .history(&"first".parse().unwrap(), 100)
        .await
        .unwrap();
    let what: Vec<&str> = history.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(what, ["FirstResultQualified", "CaptureRefused"]);
}

#[tokio::test]
async fn a_pdf_alone_is_submitted_as_the_front() {
    let flow = Flow::new();
    flow.world.file(&link(1), FileBehaviour::ServesPdf(1_000));
    flow.callback(&with_files(1)).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(kept(&flow), [(1, Some(Side::Front), from(1))]);
}

#[tokio::test]
async fn a_file_that_the_fresh_list_does_not_have_any_more_is_missing() {
    let flow = Flow::new();
    flow.world.file(&link(2), FileBehaviour::Dead);
    flow.callback(&with_files(2)).await;
    assert_eq!(kept(&flow).len(), 1);
    flow.world
        .fresh_links(&"first".parse().unwrap(), with_files(1).links);
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        flow.parked(),
        ParkReason::FileMissing {
            step: STEP.parse().unwrap()
        }
    );
}

#[tokio::test]
async fn of_more_files_than_anybody_needs_four_are_kept() {
    let flow = Flow::new();
    flow.callback(&with_files(6)).await;
    assert_eq!(flow.parked(), several());
    assert_eq!(flow.world.object_keys().len(), 4);
}

#[tokio::test]
async fn nothing_is_submitted_without_a_file_that_is_missing() {
    let flow = Flow::new();
    let content = with_files(2);
    flow.world.serve(&content);
    flow.world.file(&link(2), FileBehaviour::Down);
    flow.try_callback(&content).await.unwrap();
    assert_eq!(flow.state().name(), "Capturing");
    flow.world.file(&link(2), FileBehaviour::Serves(1_000));
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), several());
    assert_eq!(flow.world.object_keys().len(), 2);
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn fresh_links_lead_to_each_file_by_its_place() {
    let flow = deciding(Flow::new());
    let content = with_files(2);
    flow.world.serve(&content);
    flow.world.file(&link(1), FileBehaviour::Dead);
    flow.world.file(&link(2), FileBehaviour::Dead);
    flow.try_callback(&content).await.unwrap();
    let fresh = [(3, 1_000), (4, 2_000)].map(|(number, bytes)| {
        flow.world.file(&link(number), FileBehaviour::Serves(bytes));
        FileLink::new(link(number))
    });
    flow.world.fresh_links(
        &"first".parse().unwrap(),
        [(STEP.parse().unwrap(), fresh.to_vec())].into(),
    );
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        kept(&flow),
        [
            (1, Some(Side::Front), from(3)),
            (2, Some(Side::Back), from(4))
        ]
    );
}

#[tokio::test]
async fn files_that_only_the_fresh_list_has_are_kept_as_well_and_park() {
    let flow = Flow::new();
    let content = with_files(1);
    flow.world.serve(&content);
    flow.world.file(&link(1), FileBehaviour::Dead);
    flow.try_callback(&content).await.unwrap();
    let fresh = [3, 4].map(|number| {
        flow.world.file(&link(number), FileBehaviour::Serves(1_000));
        FileLink::new(link(number))
    });
    flow.world.fresh_links(
        &"first".parse().unwrap(),
        [(STEP.parse().unwrap(), fresh.to_vec())].into(),
    );
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), several());
    assert_eq!(flow.world.object_keys().len(), 2);
    assert!(matches!(
        retry(&flow, Policy::default()).await,
        Retried::StillParked("SeveralFiles")
    ));
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        flow.world.token_count(),
        0,
        "the first alone would be a guess"
    );
}

#[tokio::test]
async fn a_planned_file_is_waited_for_whatever_else_is_listed() {
    let flow = Flow::new();
    let content = with_files(1);
    flow.world.serve(&content);
    flow.world.file(&link(1), FileBehaviour::Dead);
    flow.try_callback(&content).await.unwrap();
    flow.world.file(&link(3), FileBehaviour::Down);
    flow.world.file(&link(4), FileBehaviour::Serves(1_000));
    let fresh = [3, 4].map(|number| FileLink::new(link(number)));
    flow.world.fresh_links(
        &"first".parse().unwrap(),
        [(STEP.parse().unwrap(), fresh.to_vec())].into(),
    );
    assert!(matches!(
        flow.process().await,
        Advanced::TryAgain {
            why: "FileUnavailable",
            ..
        }
    ));
    assert_eq!(flow.state().name(), "Capturing");
    flow.world.file(&link(3), FileBehaviour::Serves(1_000));
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        kept(&flow),
        [(1, Some(Side::Front), from(3)), (2, None, from(4))]
    );
}

#[tokio::test]
async fn a_step_of_both_sides_is_submitted_in_the_order_of_files() {
    let flow = deciding(Flow::new());
    flow.callback(&with_files(2)).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    let (_, submitted) = flow.world.submissions().remove(0);
    let sides: Vec<_> = submitted
        .into_iter()
        .map(|document| (document.side, document.sha256))
        .collect();
    assert_eq!(
        sides,
        [(Some(Side::Front), from(1)), (Some(Side::Back), from(2))]
    );
}

#[tokio::test]
async fn after_a_changed_setting_it_goes_on_with_stored_files() {
    let flow = Flow::new();
    flow.callback(&with_files(2)).await;
    // The links are dead by then and must not be needed.
    flow.world.file(&link(1), FileBehaviour::Dead);
    flow.world.file(&link(2), FileBehaviour::Dead);
    assert!(matches!(
        retry(&flow, both_sides()).await,
        Retried::TakenUp(_)
    ));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        kept(&flow),
        [
            (1, Some(Side::Front), from(1)),
            (2, Some(Side::Back), from(2))
        ]
    );
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn under_the_same_setting_a_retry_changes_nothing() {
    let flow = Flow::new();
    flow.callback(&with_files(2)).await;
    let parked = flow.world.pairing("first");
    assert!(matches!(
        retry(&flow, Policy::default()).await,
        Retried::StillParked("SeveralFiles")
    ));
    assert!(matches!(
        flow.callback(&with_files(2)).await,
        Accepted::Ignored(_)
    ));
    assert_eq!(flow.world.pairing("first"), parked);
}

#[tokio::test]
async fn a_pdf_among_the_files_takes_no_side_from_their_order() {
    let flow = deciding(Flow::new());
    flow.world.file(&link(2), FileBehaviour::ServesPdf(1_000));
    flow.callback(&with_files(2)).await;
    assert_eq!(flow.parked(), several());
    assert_eq!(
        flow.world.object_keys(),
        [
            format!("{}/SECOND_DOC.2.pdf", folder("first")),
            format!("{}/SECOND_DOC.jpg", folder("first"))
        ]
    );
    assert!(matches!(
        retry(&flow, both_sides()).await,
        Retried::StillParked("SeveralFiles")
    ));
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn several_files_of_one_side_leave_the_other_one_kept_and_named() {
    let flow = Flow::new();
    let mut content = approved("first", "client");
    let back = "SECOND_DOC_BACK".parse().unwrap();
    content
        .links
        .insert(back, vec![FileLink::new(link(1)), FileLink::new(link(2))]);
    flow.callback(&content).await;
    assert!(matches!(flow.state(), State::Parked { .. }));
    let sides: Vec<_> = flow
        .world
        .pairing("first")
        .documents
        .into_iter()
        .map(|document| (document.step.to_string(), document.side))
        .collect();
    assert_eq!(sides.len(), 3);
    assert!(sides.contains(&("SECOND_DOC_FRONT".to_owned(), Some(Side::Front))));
}

#[tokio::test]
async fn the_same_bytes_listed_twice_are_one_file() {
    let flow = Flow::new();
    flow.world
        .file(&link(1), FileBehaviour::ServesContent("front"));
    flow.world
        .file(&link(2), FileBehaviour::ServesContent("front"));
    flow.callback(&with_files(2)).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    let (_, submitted) = flow.world.submissions().remove(0);
    let sides: Vec<_> = submitted.iter().map(|document| document.side).collect();
    assert_eq!(sides, [Some(Side::Front)]);
}

#[tokio::test]
async fn a_front_listed_twice_beside_a_back_is_one_front() {
    let flow = deciding(Flow::new());
    for (number, content) in [(1, "front"), (2, "front"), (3, "back")] {
        flow.world
            .file(&link(number), FileBehaviour::ServesContent(content));
    }
    flow.callback(&with_files(3)).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    let (_, submitted) = flow.world.submissions().remove(0);
    let shown: Vec<_> = submitted
        .iter()
        .map(|document| (document.side, document.sha256.clone()))
        .collect();
    let (front, back) = (Digest256::of(b"front"), Digest256::of(b"back"));
    assert_eq!(
        shown,
        [(Some(Side::Front), front), (Some(Side::Back), back)]
    );
}
