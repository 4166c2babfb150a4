//! Records that no present program writes: edited by hand, or from an earlier version.

use verification::Pairing;
use verification::ports::{HistoryEntry, PairingWrite, Saved};

use super::*;

impl Flow {
    /// Changes the record past the state machine.
    pub async fn rewrite(&self, alter: impl FnOnce(&mut Pairing)) {
        let mut pairing = self.world.pairing("first");
        alter(&mut pairing);
        pairing.version += 1;
        let history = HistoryEntry::of("Rewritten", &pairing, self.world.now(), None);
        let write = PairingWrite {
            pairing,
            history,
            announcement: None,
            answered: None,
        };
        assert_eq!(self.world.save(&write).await.unwrap(), Saved::Won);
    }
}

/// Token 2 exists. The documents are not posted yet.
async fn authorized() -> Flow {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::Unavailable);
    flow.process().await;
    assert_eq!(flow.state().name(), "Authorized");
    flow
}

#[tokio::test]
async fn nothing_is_submitted_while_a_file_is_not_recorded() {
    let flow = authorized().await;
    let back = "SECOND_DOC_BACK".parse().unwrap();
    flow.rewrite(|pairing| pairing.documents.retain(|document| document.step != back))
        .await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), ParkReason::FileMissing { step: back });
    assert!(flow.world.submissions().is_empty());
}

#[tokio::test]
async fn nothing_undecided_is_submitted() {
    let flow = authorized().await;
    flow.rewrite(|pairing| {
        let State::Authorized { plan, .. } = &mut pairing.state else {
            panic!()
        };
        plan.documents[1].side = None;
    })
    .await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), ParkReason::SidesUnclear);
    assert!(flow.world.submissions().is_empty());
}

#[tokio::test]
async fn a_submission_in_doubt_without_a_name_waits_for_callbacks() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::LostBeforeDone);
    flow.process().await;
    flow.rewrite(|pairing| pairing.second = None).await;
    flow.world.wait(Duration::from_secs(11));
    assert!(matches!(
        flow.process().await,
        Advanced::TryAgain {
            why: "SecondTokenUnknown",
            ..
        }
    ));
    assert!(flow.world.submissions().is_empty());
}
