//! The customer uploads again.
//! The newest documents count.
//! Two uploads are never mixed.

use verification::ports::{DocumentPreparation, PreparationError};
use verification::result::StepLinks;

use super::*;

const FRONT: &str = "SECOND_DOC_FRONT";
const BACK: &str = "SECOND_DOC_BACK";

/// Links to the files under `folder`, signed with `signature`.
fn links(folder: &str, signature: &str) -> StepLinks {
    let link = |step: &str| {
        vec![FileLink::new(format!(
            "https://files.example/{folder}/{step}?Signature={signature}"
        ))]
    };
    [FRONT, BACK]
        .into_iter()
        .map(|step| (step.parse().unwrap(), link(step)))
        .collect()
}

/// A result about the customer's upload of this number, with its own body.
fn about(number: i64, overall: Overall, body: &str) -> CallbackContent {
    CallbackContent {
        overall: Some(overall),
        links: links(&number.to_string(), body),
        finished_at: Some(number),
        digest: Digest256::of(body.as_bytes()),
        ..approved("first", "client")
    }
}

fn link(number: i64, step: &str, body: &str) -> String {
    format!("https://files.example/{number}/{step}?Signature={body}")
}

fn broken(step: &str) -> FileBehaviour {
    FileBehaviour::Refused(ParkReason::FileUnreadable {
        step: step.parse().unwrap(),
    })
}

impl Flow {
    /// The upload of each submission, by the digest of its files.
    fn submitted_files(&self) -> Vec<Vec<Digest256>> {
        let submissions = self.world.submissions();
        let files = |(_, documents): &(_, Vec<verification::document::StoredDocument>)| {
            documents
                .iter()
                .map(|document| document.sha256.clone())
                .collect()
        };
        submissions.iter().map(files).collect()
    }
}

/// The upload's files, which the memory identifies by their links.
fn files(number: i64, body: &str) -> Vec<Digest256> {
    [FRONT, BACK]
        .map(|step| Digest256::of(link(number, step, body).as_bytes()))
        .to_vec()
}

#[tokio::test]
async fn after_an_upload_that_is_never_taken_a_good_one_is_submitted() {
    let flow = Flow::confirming();
    let bad = about(1, Overall::Approved, "bad");
    flow.world.file(&link(1, FRONT, "bad"), broken(FRONT));
    flow.callback(&bad).await;
    assert_eq!(flow.parked().as_str(), "FileUnreadable");
    flow.callback(&about(2, Overall::Approved, "good")).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.submitted_files(), [files(2, "good")]);
}

#[tokio::test]
async fn front_of_one_upload_never_goes_with_back_of_another() {
    let flow = Flow::confirming();
    flow.world.file(&link(1, BACK, "one"), broken(BACK));
    flow.callback(&about(1, Overall::Approved, "one")).await;
    assert_eq!(
        flow.parked().as_str(),
        "FileUnreadable",
        "its front is in the bucket"
    );
    flow.callback(&about(2, Overall::Approved, "two")).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.submitted_files(), [files(2, "two")]);
}

/// What the provider refuses shows when it is prepared.
struct Refuses(ParkReason);

#[async_trait::async_trait]
impl DocumentPreparation for Refuses {
    async fn inspect(
        &self,
        _: &ScanRef,
        _: &[verification::document::StoredDocument],
        _: verification::Timestamp,
    ) -> Result<Vec<bool>, PreparationError> {
        Err(PreparationError::Refused(self.0.clone()))
    }

    async fn prepare(
        &self,
        _: &ScanRef,
        _: &[verification::document::StoredDocument],
        _: &[bool],
        _: verification::Timestamp,
    ) -> Result<Vec<verification::prepared::Preparation>, PreparationError> {
        Err(PreparationError::Refused(self.0.clone()))
    }
}

#[tokio::test]
async fn after_a_file_of_a_wrong_kind_a_good_one_is_submitted() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "heic")).await;
    let step = FRONT.parse().unwrap();
    let refusing = Advance {
        preparation: Arc::new(Refuses(ParkReason::FileTypeNotAccepted { step })),
        ..Ports::in_memory(&flow.world).advance(flow.advance.policy.clone())
    };
    refusing
        .advance(&"first".parse().unwrap(), flow.until())
        .await
        .unwrap();
    assert_eq!(flow.parked().as_str(), "FileTypeNotAccepted");
    flow.callback(&about(2, Overall::Approved, "jpeg")).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.submitted_files(), [files(2, "jpeg")]);
}

#[tokio::test]
async fn after_a_refusal_a_newer_upload_is_submitted_without_a_person() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "a")).await;
    flow.world.fault("process", Fault::Refused);
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    flow.callback(&about(2, Overall::Approved, "b")).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.submitted_files(), [files(2, "b")]);
}

#[tokio::test]
async fn after_two_files_of_a_step_a_callback_with_one_decides() {
    let flow = Flow::confirming();
    let mut two = about(1, Overall::Approved, "two files");
    two.links
        .get_mut(&FRONT.parse().unwrap())
        .unwrap()
        .push(FileLink::new("https://files.example/1/more"));
    flow.callback(&two).await;
    assert_eq!(flow.parked().as_str(), "SeveralFiles");
    flow.callback(&about(2, Overall::Approved, "one file"))
        .await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.submitted_files(), [files(2, "one file")]);
}

#[tokio::test]
async fn reopened_with_newer_files_those_are_submitted() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "a")).await;
    flow.callback(&about(1, Overall::Denied, "d")).await;
    flow.pass(20).await;
    assert_eq!(flow.state().name(), "Declined");
    flow.callback(&about(2, Overall::Approved, "b")).await;
    flow.pass(20).await;
    assert_eq!(flow.submitted_files(), [files(2, "b")]);
}

#[tokio::test]
async fn the_same_upload_signed_anew_changes_nothing() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "a")).await;
    flow.process().await;
    let before = flow.world.pairing("first");
    let objects = flow.world.object_keys();
    flow.callback(&CallbackContent {
        links: links("1", "anew"),
        digest: Digest256::of(b"anew"),
        ..about(1, Overall::Approved, "a")
    })
    .await;
    assert_eq!(flow.world.pairing("first").state, before.state);
    assert_eq!(flow.world.object_keys(), objects);
    assert!(flow.world.take_messages().len() <= 1);
}

#[tokio::test]
async fn an_older_upload_that_arrives_late_changes_nothing() {
    let flow = Flow::confirming();
    flow.callback(&about(2, Overall::Approved, "b")).await;
    let late = flow.callback(&about(1, Overall::Approved, "a")).await;
    assert_eq!(late, Accepted::Ignored("OlderUpload"));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.submitted_files(), [files(2, "b")]);
}

#[tokio::test]
async fn a_newer_upload_waits_for_the_result_of_the_older_one() {
    let once = vec![files(1, "a")];
    let twice = vec![files(1, "a"), files(2, "b")];
    for (overall, submitted) in [(Overall::Approved, once), (Overall::Denied, twice)] {
        let flow = Flow::confirming();
        flow.callback(&about(1, Overall::Approved, "a")).await;
        flow.process().await;
        assert_eq!(
            flow.callback(&about(2, Overall::Approved, "b")).await,
            Accepted::Changed("UploadWaits")
        );
        assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
        flow.callback(&second("second-1", "first", overall)).await;
        flow.process().await;
        assert_eq!(flow.submitted_files(), submitted, "{overall}");
    }
}

#[tokio::test]
async fn a_denial_that_names_newer_files_makes_the_older_ones_old() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Denied, "d")).await;
    flow.callback(&about(2, Overall::Denied, "d, newer files"))
        .await;
    let late = flow.callback(&about(1, Overall::Approved, "a")).await;
    assert_eq!(late, Accepted::Ignored("OlderUpload"));
}

#[tokio::test]
async fn a_denial_without_files_replaces_no_upload() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "a")).await;
    let denial = CallbackContent {
        links: StepLinks::new(),
        ..about(1, Overall::Denied, "d")
    };
    flow.callback(&denial).await;
    flow.pass(20).await;
    assert_eq!(flow.state().name(), "Declined");
    flow.callback(&about(1, Overall::Approved, "approved after all"))
        .await;
    flow.pass(20).await;
    assert_eq!(flow.state().name(), "Submitted");
}

#[tokio::test]
async fn in_doubt_replaced_documents_are_not_posted_again() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "a")).await;
    flow.world.fault("process", Fault::LostBeforeDone);
    flow.process().await;
    // Forged or old: the provider confirms its approval, but newer files are known now.
    flow.callback(&about(2, Overall::Denied, "d")).await;
    flow.world.status_of("first", Overall::Approved);
    flow.pass(60).await;
    assert_eq!(flow.submitted_files().len(), 0);
    flow.world.expire_tokens();
    flow.pass(30).await;
    assert_eq!(flow.parked(), ParkReason::NewerUploadNotApproved);
    // Judged again, the denial is asked about like any other after an approval.
    flow.retrying(Policy::default())
        .retry(&"first".parse().unwrap())
        .await
        .unwrap();
    flow.pass(20).await;
    assert_eq!(flow.parked(), ParkReason::NewerUploadNotApproved);
}

/// `/files` lists other paths than the callback, so the files may differ.
#[tokio::test]
async fn files_of_both_lists_are_never_submitted_together() {
    let flow = Flow::confirming();
    let content = about(1, Overall::Approved, "a");
    flow.world.file(&link(1, FRONT, "a"), FileBehaviour::Dead);
    flow.callback(&content).await;
    let fresh = links("elsewhere", "fresh");
    let fresh_link = |step: &str| fresh[&step.parse().unwrap()][0].expose().to_owned();
    flow.world
        .file(&fresh_link(FRONT), FileBehaviour::Serves(1));
    flow.world.file(&fresh_link(BACK), FileBehaviour::Down);
    flow.world.fresh_links(&content.scan_ref, fresh.clone());
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    // The callback's link to the back still works. It must not be used.
    flow.world.file(&fresh_link(BACK), FileBehaviour::Serves(1));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    let expected = [FRONT, BACK].map(|step| Digest256::of(fresh_link(step).as_bytes()));
    assert_eq!(flow.submitted_files(), [expected]);
}

#[tokio::test]
async fn the_same_files_are_not_submitted_again_after_no_result() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "a")).await;
    flow.process().await;
    // A later upload of the very same bytes.
    let again = CallbackContent {
        finished_at: Some(2),
        digest: Digest256::of(b"again"),
        ..about(1, Overall::Approved, "a")
    };
    flow.callback(&again).await;
    for _ in 0..20 {
        flow.world.wait(Duration::from_secs(12 * 60 * 60));
        flow.reconcile().await;
        flow.process().await;
    }
    assert_eq!(flow.parked(), ParkReason::ResultOverdue);
    assert_eq!(flow.submitted_files().len(), 1);
}

#[tokio::test]
async fn a_callback_for_another_client_goes_no_further() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "a")).await;
    let other = CallbackContent {
        client_id: Some("another".parse().unwrap()),
        ..about(2, Overall::Approved, "b")
    };
    flow.callback(&other).await;
    assert_eq!(flow.parked(), ParkReason::ClientMismatch);
    assert_eq!(
        flow.world.pairing("first").client_id,
        Some("client".parse().unwrap())
    );
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn files_that_a_denial_has_named_are_not_mixed_with_others() {
    let flow = Flow::confirming();
    flow.world.file(&link(1, BACK, "one"), FileBehaviour::Down);
    flow.callback(&about(1, Overall::Approved, "one")).await;
    assert_eq!(
        flow.state().name(),
        "Capturing",
        "the front is in the bucket"
    );
    // Not believed, but it names the newer files.
    flow.callback(&about(2, Overall::Denied, "d")).await;
    flow.callback(&about(2, Overall::Approved, "two")).await;
    flow.pass(20).await;
    assert_eq!(flow.submitted_files(), [files(2, "two")]);
}

#[tokio::test]
async fn no_newer_upload_begins_while_a_verdict_is_in_question() {
    let flow = Flow::confirming();
    flow.callback(&about(1, Overall::Approved, "a")).await;
    flow.process().await;
    flow.callback(&second("second-1", "first", Overall::Denied))
        .await;
    flow.process().await;
    let approved = CallbackContent {
        digest: Digest256::of(b"approved after all"),
        ..second("second-1", "first", Overall::Approved)
    };
    flow.callback(&approved).await;
    let waits = flow.callback(&about(2, Overall::Approved, "b")).await;
    assert_eq!(waits, Accepted::Changed("UploadWaits"));
    flow.pass(20).await;
    assert_eq!(flow.state().verdict(), Some(Verdict::Approved));
    assert_eq!(flow.submitted_files(), [files(1, "a")]);
}
