//! The provider's decisions and statements, and which of them were acknowledged.
//! Pairings are checked against these.

use std::collections::{BTreeMap, BTreeSet};

use verification::identifiers::{Digest256, ScanRef};
use verification::result::{CallbackContent, Overall, Status};
use verification::upload::Upload;

use super::customer::Decision;

#[derive(Default)]
pub struct Evidence {
    decisions: BTreeMap<ScanRef, Vec<Decided>>,
    /// Which decision each body is about.
    bodies: BTreeMap<Digest256, (ScanRef, usize)>,
    forged: BTreeSet<Digest256>,
    /// First verifications of which not every body is true.
    misleading: BTreeSet<ScanRef>,
    said: BTreeMap<ScanRef, Vec<(i64, Overall)>>,
    /// The uploads that acknowledged bodies have named.
    named: BTreeMap<ScanRef, Vec<Upload>>,
}

struct Decided {
    decision: Decision,
    is_acknowledged: bool,
}

/// The number of one verification's decision.
pub type DecisionNumber = usize;

impl Evidence {
    pub fn decided(&mut self, scan_ref: &ScanRef, decision: Decision) -> DecisionNumber {
        let decisions = self.decisions.entry(scan_ref.clone()).or_default();
        decisions.push(Decided {
            decision,
            is_acknowledged: false,
        });
        decisions.len() - 1
    }

    pub fn sent(&mut self, content: &CallbackContent, number: DecisionNumber) {
        self.bodies
            .insert(content.digest.clone(), (content.scan_ref.clone(), number));
    }

    pub fn forged(&mut self, content: &CallbackContent) {
        self.forged.insert(content.digest.clone());
    }

    pub fn mislead(&mut self, first: &ScanRef) {
        self.misleading.insert(first.clone());
    }

    pub fn is_forged(&self, digest: &Digest256) -> bool {
        self.forged.contains(digest)
    }

    pub fn is_misleading(&self, first: &ScanRef) -> bool {
        self.misleading.contains(first)
    }

    /// The body was answered with 200.
    pub fn acknowledged(&mut self, content: &CallbackContent) {
        let Some((scan_ref, number)) = self.bodies.get(&content.digest) else {
            return;
        };
        if let Some(decided) = self
            .decisions
            .get_mut(scan_ref)
            .and_then(|decisions| decisions.get_mut(*number))
        {
            decided.is_acknowledged = true;
        }
        if content.links.keys().any(|step| !step.is_first_document()) {
            self.named
                .entry(content.scan_ref.clone())
                .or_default()
                .push(content.upload());
        }
    }

    /// The decisions that may stand: the newest acknowledged one, and the later ones.
    /// Empty: nothing was decided.
    pub fn standing(&self, scan_ref: &ScanRef) -> Vec<Decision> {
        let decisions = self.decisions.get(scan_ref).map_or(&[][..], Vec::as_slice);
        let newest = decisions
            .iter()
            .rposition(|decided| decided.is_acknowledged)
            .unwrap_or(0);
        decisions[newest..]
            .iter()
            .map(|decided| decided.decision)
            .collect()
    }

    pub fn was_ever(&self, scan_ref: &ScanRef, overall: Overall) -> bool {
        let decisions = self.decisions.get(scan_ref);
        decisions.is_some_and(|decisions| {
            decisions
                .iter()
                .any(|decided| decided.decision.overall == overall)
        })
    }

    pub fn status_said(&mut self, scan_ref: &ScanRef, status: &Status, now: i64) {
        if let Some(overall) = status.settled() {
            self.said
                .entry(scan_ref.clone())
                .or_default()
                .push((now, overall));
        }
    }

    /// Whether the provider, when asked since then, said so for good.
    pub fn has_said(&self, scan_ref: &ScanRef, since: i64, such: impl Fn(Overall) -> bool) -> bool {
        let said = self.said.get(scan_ref).map_or(&[][..], Vec::as_slice);
        said.iter()
            .rev()
            .take_while(|(at, _)| *at >= since)
            .any(|(_, overall)| such(*overall))
    }

    /// Whether an acknowledged body named files that the customer finished after `finished_at`.
    pub fn has_newer_upload(&self, first: &ScanRef, finished_at: i64) -> bool {
        let named = self.named.get(first).map_or(&[][..], Vec::as_slice);
        named
            .iter()
            .filter_map(|upload| upload.finished_at)
            .any(|other| other > finished_at)
    }
}
