//! Invented callbacks.

use std::collections::BTreeMap;

use crate::identifiers::{Digest256, UploadId};
use crate::result::{CallbackContent, Overall, StepsVerdict};
use crate::secret::FileLink;

/// An approved first verification with a valid second document in `SECOND_DOC_FRONT` and
/// `SECOND_DOC_BACK`.
pub fn approved(scan_ref: &str, client_id: &str) -> CallbackContent {
    let steps = ["SECOND_DOC_BACK", "SECOND_DOC_FRONT"];
    let link = |step: &str| {
        vec![FileLink::new(format!(
            "https://files.example/{scan_ref}/{step}"
        ))]
    };
    let mut links: BTreeMap<_, _> = steps
        .iter()
        .map(|step| (step.parse().unwrap(), link(step)))
        .collect();
    for first_document in ["FRONT", "BACK", "FACE"] {
        links.insert(first_document.parse().unwrap(), link(first_document));
    }
    CallbackContent {
        scan_ref: scan_ref.parse().unwrap(),
        client_id: Some(client_id.parse().unwrap()),
        has_unusable_client: false,
        external_ref: None,
        is_final: Some(true),
        overall: Some(Overall::Approved),
        steps_verdict: StepsVerdict::Valid,
        steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
        has_unusable_steps: false,
        links,
        country: Some("LT".parse().unwrap()),
        finished_at: Some(1),
        tags: Vec::new(),
        digest: Digest256::of(scan_ref.as_bytes()),
    }
}

/// The second verification's result.
pub fn second(scan_ref: &str, first: &str, overall: Overall) -> CallbackContent {
    CallbackContent {
        external_ref: Some(format!("dv2:{first}")),
        overall: Some(overall),
        steps_verdict: StepsVerdict::NotJudged,
        steps: Vec::new(),
        ..approved(scan_ref, "ignored")
    }
}

/// The bucket's folder of the upload that [`approved`] names, without the final slash.
pub fn folder(scan_ref: &str) -> String {
    let upload = UploadId::of(&Digest256::of(scan_ref.as_bytes()));
    format!("documents/{scan_ref}/{upload}")
}
