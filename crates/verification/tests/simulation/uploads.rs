//! The customers' uploads: their files, and the links to them.
//!
//! A link is a path and a signature.
//! Signed again, it leads to the same file.
//! The same bytes may be found under several paths.

use std::collections::{BTreeMap, BTreeSet};

use verification::identifiers::{Digest256, ScanRef, StepName};
use verification::result::StepLinks;
use verification::secret::FileLink;

use super::random_faults::RandomFaults;
use super::timeline::{HOUR, SECOND, Timeline};
use super::trouble::Trouble;

/// When the customer finished an upload, compared with the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    Later,
    /// The body names the same time, or an account without that member names none.
    SameTime,
    Unknown,
}

#[derive(Default)]
pub struct Uploads {
    serial: u64,
    known: BTreeMap<ScanRef, Vec<Upload>>,
    links: BTreeMap<String, Link>,
    /// Files that are not what direct processing takes.
    refused: BTreeSet<String>,
}

#[derive(Clone)]
pub struct Upload {
    /// As the checks count it.
    pub number: usize,
    path: String,
    pub finished_at: Option<i64>,
    /// The name of each file's content.
    files: BTreeMap<StepName, Vec<String>>,
}

struct Link {
    content: String,
    expires_at: i64,
}

impl Upload {
    /// The digests of its files.
    pub fn digests(&self) -> BTreeSet<Digest256> {
        self.files
            .values()
            .flatten()
            .map(|content| Digest256::of(content.as_bytes()))
            .collect()
    }
}

impl Uploads {
    pub fn newest(&self, scan_ref: &ScanRef) -> Option<&Upload> {
        self.known.get(scan_ref)?.last()
    }

    /// The customer uploads the steps' files, some of them perhaps again.
    pub fn add(
        &mut self,
        timeline: &Timeline,
        random_faults: &RandomFaults,
        scan_ref: &ScanRef,
        steps: &[StepName],
        finished: Finished,
    ) {
        self.serial += 1;
        let serial = self.serial;
        let before = self.newest(scan_ref).cloned();
        if before.is_some() {
            timeline.count("customer uploaded again");
        }
        let is_the_same = before.is_some() && timeline.chance(0.15);
        let mut files = BTreeMap::new();
        for step in steps {
            let earlier = before.as_ref().and_then(|before| before.files.get(step));
            let contents = match earlier {
                Some(earlier) if is_the_same || timeline.chance(0.1) => earlier.clone(),
                _ => {
                    let count = if random_faults.trouble.is_none() && timeline.chance(0.02) {
                        2
                    } else {
                        1
                    };
                    (0..count)
                        .map(|file| format!("{scan_ref}/{serial}/{step}/{file}"))
                        .collect()
                }
            };
            files.insert(step.clone(), contents);
        }
        if is_the_same {
            timeline.count("same files uploaded again");
        }
        if timeline.elapsed() < random_faults.calm_after
            && timeline.chance(random_faults.link_trouble * 0.1)
        {
            timeline.count("file of a type that is not taken");
            self.refused
                .extend(files.values().last().into_iter().flatten().cloned());
        }
        let now = timeline.milliseconds() / SECOND;
        let finished_at = match finished {
            Finished::Later => Some(
                before
                    .as_ref()
                    .and_then(|before| before.finished_at)
                    .map_or(now, |earlier| now.max(earlier + 1)),
            ),
            Finished::SameTime => before
                .as_ref()
                .map_or(Some(now), |before| before.finished_at),
            Finished::Unknown => None,
        };
        let upload = Upload {
            number: 0,
            path: format!("{scan_ref}/{serial}"),
            finished_at,
            files,
        };
        self.known.entry(scan_ref.clone()).or_default().push(upload);
    }

    pub fn newest_mut(&mut self, scan_ref: &ScanRef) -> Option<&mut Upload> {
        self.known.get_mut(scan_ref)?.last_mut()
    }

    /// Newly signed links to an upload's files.
    /// `folder`: the server's path, which may differ by caller.
    pub fn sign(
        &mut self,
        timeline: &Timeline,
        random_faults: &RandomFaults,
        upload: &Upload,
        folder: &str,
    ) -> StepLinks {
        let trouble = |part: f64| {
            timeline.elapsed() < random_faults.calm_after
                && timeline.chance(random_faults.link_trouble * part)
        };
        let mut links = StepLinks::new();
        for (step, contents) in &upload.files {
            if trouble(0.05) {
                timeline.count("step without a link");
                continue;
            }
            for (number, content) in contents.iter().enumerate() {
                self.serial += 1;
                let link = format!(
                    "https://files.example/{folder}/{}/{step}/{number}?Signature={}",
                    upload.path, self.serial
                );
                let is_dead = random_faults.trouble == Some(Trouble::LinksDead) || trouble(0.3);
                let life = if is_dead { 0 } else { HOUR };
                let expires_at = timeline.milliseconds() + life;
                let content = content.clone();
                self.links.insert(
                    link.clone(),
                    Link {
                        content,
                        expires_at,
                    },
                );
                links
                    .entry(step.clone())
                    .or_default()
                    .push(FileLink::new(link));
            }
        }
        links
    }

    /// The content that the link leads to; `None`: it is dead.
    pub fn content(&self, link: &FileLink, now: i64) -> Option<String> {
        let link = self.links.get(link.expose())?;
        (link.expires_at > now).then(|| link.content.clone())
    }

    pub fn is_refused(&self, content: &str) -> bool {
        self.refused.contains(content)
    }
}
