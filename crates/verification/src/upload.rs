//! One upload of the customer: whether two are the same, and which is newer.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::identifiers::Digest256;
use crate::result::{CallbackContent, StepLinks};

/// How many uploads of one verification are remembered.
/// The provider allows two attempts per session by default.
pub const MAXIMUM_UPLOADS: usize = 16;

/// The files that one callback names, told apart from other callbacks' without fetching them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// SHA-256 over the steps, their links without query, and `finished_at`.
    /// A newly signed link differs in its query only.
    pub fingerprint: Digest256,
    /// When the customer finished, in Unix seconds.
    /// `None`: the callback does not say.
    pub finished_at: Option<i64>,
    /// The archived callback that named it first.
    pub callback: Digest256,
}

/// How an upload stands to the newest one that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Same,
    Older,
    Newer,
}

impl Upload {
    /// The upload behind a result's links.
    /// The first document's files do not count.
    pub fn of(links: &StepLinks, finished_at: Option<i64>, callback: &Digest256) -> Self {
        Self {
            fingerprint: fingerprint(links, finished_at),
            finished_at,
            callback: callback.clone(),
        }
    }

    /// The upload's age among the `known` ones, of which the last is the newest.
    ///
    /// The customer's own time decides.
    /// If it is missing or equal, the later arrival is newer.
    /// A body without files is about the known ones.
    pub fn age(&self, known: &[Self]) -> Age {
        let Some(newest) = known.last() else {
            return Age::Newer;
        };
        if newest.fingerprint == self.fingerprint || !self.names_files() {
            return Age::Same;
        }
        let is_known = known
            .iter()
            .any(|upload| upload.fingerprint == self.fingerprint);
        if is_known || self.is_before_newest(known) {
            Age::Older
        } else {
            Age::Newer
        }
    }

    pub fn names_files(&self) -> bool {
        self.fingerprint != fingerprint(&StepLinks::new(), self.finished_at)
    }

    /// Whether the customer finished it before the newest one, by the customer's clock.
    pub fn is_before_newest(&self, known: &[Self]) -> bool {
        let newest = known.last().and_then(|newest| newest.finished_at);
        matches!((self.finished_at, newest), (Some(own), Some(newest)) if own < newest)
    }

    /// Adds the upload as the newest one.
    /// Forgets the oldest of too many.
    pub(crate) fn remember(self, known: &mut Vec<Self>) {
        if known.len() >= MAXIMUM_UPLOADS {
            known.remove(0);
        }
        known.push(self);
    }
}

impl CallbackContent {
    /// The upload that the body names the files of.
    pub fn upload(&self) -> Upload {
        Upload::of(&self.links, self.finished_at, &self.digest)
    }
}

/// Whether both lists lead to the same files, however the links are signed.
pub fn have_same_files(one: &StepLinks, other: &StepLinks) -> bool {
    fingerprint(one, None) == fingerprint(other, None)
}

fn fingerprint(links: &StepLinks, finished_at: Option<i64>) -> Digest256 {
    let mut hash = Sha256::new();
    for (step, links) in links.iter().filter(|(step, _)| !step.is_first_document()) {
        hash.update(step.as_str());
        for link in links {
            hash.update([0]);
            hash.update(without_query(link.expose()));
        }
        hash.update([1]);
    }
    hash.update(finished_at.unwrap_or_default().to_be_bytes());
    Digest256::from_bytes(hash.finalize().into())
}

fn without_query(link: &str) -> &str {
    link.split(['?', '#']).next().unwrap_or(link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::FileLink;

    fn links(path: &str, query: &str) -> StepLinks {
        let link = |step: &str| {
            vec![FileLink::new(format!(
                "https://files.example/{path}/{step}?{query}"
            ))]
        };
        ["SECOND_DOC_FRONT", "SECOND_DOC_BACK", "FACE"]
            .into_iter()
            .map(|step| (step.parse().unwrap(), link(step)))
            .collect()
    }

    fn upload(path: &str, query: &str, finished_at: Option<i64>) -> Upload {
        Upload::of(
            &links(path, query),
            finished_at,
            &Digest256::of(path.as_bytes()),
        )
    }

    #[test]
    fn links_signed_anew_are_the_same_upload() {
        let known = [upload("one", "Signature=a", Some(7))];
        assert_eq!(upload("one", "Signature=b", Some(7)).age(&known), Age::Same);
        assert!(have_same_files(&links("one", "a"), &links("one", "b")));
    }

    #[test]
    fn other_paths_or_another_time_are_another_upload() {
        let known = [upload("one", "a", Some(7))];
        assert_eq!(upload("two", "a", Some(7)).age(&known), Age::Newer);
        assert_eq!(upload("one", "a", Some(8)).age(&known), Age::Newer);
        assert_eq!(upload("two", "a", None).age(&known), Age::Newer);
    }

    #[test]
    fn the_first_documents_files_make_no_other_upload() {
        let mut other = links("one", "a");
        other.insert(
            "FACE".parse().unwrap(),
            vec![FileLink::new("https://files.example/other")],
        );
        assert_eq!(
            Upload::of(&other, Some(7), &Digest256::of(b"one")),
            upload("one", "a", Some(7))
        );
    }

    #[test]
    fn what_was_replaced_or_finished_before_is_older() {
        let known = [upload("one", "a", Some(7)), upload("two", "a", Some(9))];
        assert_eq!(upload("one", "b", Some(7)).age(&known), Age::Older);
        assert_eq!(upload("three", "a", Some(8)).age(&known), Age::Older);
        assert_eq!(upload("three", "a", Some(9)).age(&known), Age::Newer);
    }

    #[test]
    fn only_so_many_uploads_are_remembered() {
        let mut known = Vec::new();
        for number in 0..100 {
            upload(&number.to_string(), "a", None).remember(&mut known);
        }
        assert_eq!(known.len(), MAXIMUM_UPLOADS);
        assert_eq!(upload("99", "b", None).age(&known), Age::Same);
    }
}
