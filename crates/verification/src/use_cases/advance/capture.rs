//! Copies the files that the webhook left, with the callback's links or with fresh ones.

use super::{Advance, Advanced, Next};
use crate::identifiers::{ScanRef, StepName, UploadId};
use crate::pairing::document::{Plan, StoredDocument};
use crate::pairing::reason::{ParkReason, WaitingReason};
use crate::pairing::{Pairing, State};
use crate::ports::{ProviderError, StoreUnavailable};
use crate::result::StepLinks;
use crate::time::Timestamp;
use crate::transition::Event;
use crate::upload::{Upload, have_same_files};
use crate::use_cases::capture::{Captured, Unfinished, capture_documents};
use crate::use_cases::change::ChangeOutcome;

/// How often a file that is too short, or an unusable answer, is fetched again.
const MAXIMUM_TRIES: u32 = 3;

impl Advance {
    pub(super) async fn capture(
        &self,
        pairing: Pairing,
        until: Timestamp,
    ) -> Result<Next, StoreUnavailable> {
        let mut pairing = match self
            .change(
                pairing,
                Event::CaptureTaken {
                    lease_until: self.lease(until),
                },
            )
            .await?
        {
            ChangeOutcome::Changed { pairing, .. } => *pairing,
            ChangeOutcome::Nothing { pairing, .. } => return Ok(Next::Continue(pairing)),
            ChangeOutcome::HeldUntil { until, .. } => {
                return Ok(Next::Stop(Advanced::HeldUntil(until)));
            }
        };
        let State::Capturing { mut plan, .. } = pairing.state.clone() else {
            return Ok(Next::Continue(Box::new(pairing)));
        };
        let first = pairing.first.clone();
        let archived = self.archive.read(&first, &plan.callback).await?;
        let mut links = plan.usable(archived.map(|content| content.links).unwrap_or_default());
        let mut known: Vec<StoredDocument> = pairing.documents_of(&plan).cloned().collect();
        let mut are_fresh = false;
        let mut tries = 0;
        let (refused, try_again) = loop {
            tries += 1;
            let Captured {
                documents,
                refused,
                unfinished,
            } = capture_documents(
                self.documents.as_ref(),
                &first,
                &plan,
                &known,
                &links,
                until,
            )
            .await;
            known.extend(documents);
            if refused.is_some() || unfinished.is_empty() {
                break (refused, None);
            }
            if let Some((planned, _)) = unfinished
                .iter()
                .find(|(_, why)| matches!(why, Unfinished::NoLink))
            {
                if are_fresh {
                    let step = planned.step.clone();
                    let files = plan
                        .documents
                        .iter()
                        .filter(|planned| planned.step == step)
                        .count();
                    let has_link = links.get(&step).is_some_and(|links| links.len() >= files);
                    break (
                        Some(if has_link {
                            ParkReason::LinkDead { step }
                        } else {
                            ParkReason::FileMissing { step }
                        }),
                        None,
                    );
                }
                match self.fresh_links(&first).await {
                    Ok(fresh) => {
                        let (old, fresh) = (of_plan(&plan, links), of_plan(&plan, fresh));
                        if !have_same_files(&old, &fresh) {
                            let files =
                                UploadId::of(&Upload::of(&fresh, None, &plan.callback).fingerprint);
                            match self.replace_files(pairing, &plan, files.clone()).await? {
                                Ok(replaced) => pairing = replaced,
                                Err(next) => return Ok(next),
                            }
                            plan.upload = files;
                            plan.are_links_replaced = true;
                            known = pairing.documents_of(&plan).cloned().collect();
                        }
                        links = fresh;
                    }
                    Err(FreshLinks::Later(try_again)) => {
                        break (
                            None,
                            Some((WaitingReason::FreshLinksUnavailable, try_again)),
                        );
                    }
                    Err(FreshLinks::Never) => {
                        break (
                            Some(ParkReason::LinkDead {
                                step: planned.step.clone(),
                            }),
                            None,
                        );
                    }
                }
                are_fresh = true;
                continue;
            }
            let incomplete = unfinished.iter().find_map(|(planned, why)| {
                let step = planned.step.clone();
                match why {
                    Unfinished::Truncated => Some(ParkReason::FileTruncated { step }),
                    Unfinished::NotAFile => Some(ParkReason::LinkUnusable { step }),
                    Unfinished::NoLink | Unfinished::Later => None,
                }
            });
            match incomplete {
                Some(reason) if tries >= MAXIMUM_TRIES => break (Some(reason), None),
                Some(_) => {}
                None => {
                    break (
                        None,
                        Some((
                            WaitingReason::FileUnavailable,
                            Advanced::TryAgain {
                                why: "FileUnavailable",
                                after: None,
                            },
                        )),
                    );
                }
            }
        };
        let upload = plan.upload.clone();
        let event = match refused {
            Some(reason) => Event::CaptureRefused {
                upload,
                documents: known,
                reason,
            },
            None => Event::CaptureEnded {
                upload,
                documents: known,
                waiting: try_again.as_ref().map(|(waiting, _)| *waiting),
            },
        };
        let changed = self.change(pairing, event).await?;
        Ok(match try_again {
            Some((_, advanced)) => Next::Stop(advanced),
            None => Next::Continue(changed.into_pairing()),
        })
    }

    /// Fresh links may lead to other files, so all are fetched again.
    /// Fails with the next step if the pairing has changed.
    async fn replace_files(
        &self,
        pairing: Pairing,
        plan: &Plan,
        files: UploadId,
    ) -> Result<Result<Pairing, Next>, StoreUnavailable> {
        if plan.upload == files {
            return Ok(Ok(pairing));
        }
        let event = Event::FilesReplaced {
            upload: plan.upload.clone(),
            files,
        };
        Ok(match self.change(pairing, event).await? {
            ChangeOutcome::Changed { pairing, .. } => Ok(*pairing),
            changed => Err(Next::Continue(changed.into_pairing())),
        })
    }

    async fn fresh_links(&self, first: &ScanRef) -> Result<StepLinks, FreshLinks> {
        match self.provider.files(first).await {
            Ok(links) => Ok(links),
            Err(ProviderError::CircuitOpen { until }) => {
                Err(FreshLinks::Later(Advanced::CircuitOpen { until }))
            }
            Err(ProviderError::Unavailable { retry_after, .. }) => {
                Err(FreshLinks::Later(Advanced::TryAgain {
                    why: "FreshLinksUnavailable",
                    after: retry_after,
                }))
            }
            Err(ProviderError::InDoubt { .. }) => Err(FreshLinks::Later(Advanced::TryAgain {
                why: "FreshLinksUnavailable",
                after: None,
            })),
            Err(
                ProviderError::TokenNotValid
                | ProviderError::Refused { .. }
                | ProviderError::Documents(_),
            ) => Err(FreshLinks::Never),
        }
    }
}

/// The links of the steps that the plan names.
fn of_plan(plan: &Plan, links: StepLinks) -> StepLinks {
    let is_planned = |step: &StepName| plan.documents.iter().any(|planned| planned.step == *step);
    links
        .into_iter()
        .filter(|(step, _)| is_planned(step))
        .collect()
}

enum FreshLinks {
    Later(Advanced),
    Never,
}
