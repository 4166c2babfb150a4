//! The files that the webhook left: copied with the callback's links while they live, then with fresh ones.

use super::{Advance, Advanced, Next};
use crate::capture::{Captured, Unfinished, capture_documents};
use crate::change::{Attempted, Changes};
use crate::document::Plan;
use crate::identifiers::ScanRef;
use crate::pairing::Pairing;
use crate::ports::{ProviderError, Unavailable};
use crate::reason::ParkReason;
use crate::result::StepLinks;
use crate::time::Timestamp;
use crate::transition::Event;

/// How often a file that comes too short is asked for before it is given up.
const TRUNCATION_TRIES: u32 = 3;

impl Advance {
    pub(super) async fn capture(&self, pairing: Pairing, plan: Plan, until: Timestamp) -> Result<Next, Unavailable> {
        let pairing = match self
            .change(
                pairing,
                Event::CaptureTaken {
                    lease_until: self.lease(until),
                },
            )
            .await?
        {
            Attempted::Changed { pairing, .. } => *pairing,
            Attempted::Nothing { pairing, .. } => return Ok(Next::Continue(pairing)),
            Attempted::HeldUntil { until, .. } => return Ok(Next::Stop(Advanced::HeldUntil(until))),
        };
        let first = pairing.first.clone();
        let mut links = self
            .archive
            .read(&first, &plan.callback)
            .await?
            .map(|facts| facts.links)
            .unwrap_or_default();
        let mut known = pairing.documents.clone();
        let mut are_fresh = false;
        let mut tries = 0;
        let (refused, try_again) = loop {
            tries += 1;
            let Captured {
                documents,
                refused,
                unfinished,
            } = capture_documents(self.documents.as_ref(), &first, &plan, &known, &links, until).await;
            known.extend(documents);
            if refused.is_some() || unfinished.is_empty() {
                break (refused, None);
            }
            if let Some((planned, _)) = unfinished.iter().find(|(_, why)| matches!(why, Unfinished::NoLink)) {
                if are_fresh {
                    let step = planned.step.clone();
                    let has_link = links.get(&step).is_some_and(|links| links.len() > planned.file.index());
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
                    Ok(fresh) => links = fresh,
                    Err(FreshLinks::Later(try_again)) => break (None, Some(try_again)),
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
            let truncated = unfinished.iter().find(|(_, why)| matches!(why, Unfinished::Truncated));
            match truncated {
                Some((planned, _)) if tries >= TRUNCATION_TRIES => {
                    break (
                        Some(ParkReason::FileTruncated {
                            step: planned.step.clone(),
                        }),
                        None,
                    );
                }
                Some(_) => {}
                None => {
                    break (
                        None,
                        Some(Advanced::TryAgain {
                            why: "FileUnavailable",
                            after: None,
                        }),
                    );
                }
            }
        };
        let event = match refused {
            Some(reason) => Event::CaptureRefused { documents: known, reason },
            None => Event::CaptureEnded { documents: known },
        };
        // This worker goes on by itself, so no message is needed for what it has captured.
        let attempted = Changes {
            queue: None,
            ..self.changes()
        }
        .attempt(pairing, None, |_| event.clone())
        .await?;
        Ok(match try_again {
            Some(advanced) => Next::Stop(advanced),
            None => Next::Continue(attempted.into_pairing()),
        })
    }

    async fn fresh_links(&self, first: &ScanRef) -> Result<StepLinks, FreshLinks> {
        match self.provider.files(first).await {
            Ok(links) => Ok(links),
            Err(ProviderError::LeftAlone { until }) => Err(FreshLinks::Later(Advanced::LeftAlone { until })),
            Err(ProviderError::Unavailable { retry_after, .. }) => Err(FreshLinks::Later(Advanced::TryAgain {
                why: "FreshLinksUnavailable",
                after: retry_after,
            })),
            Err(ProviderError::InDoubt { .. }) => Err(FreshLinks::Later(Advanced::TryAgain {
                why: "FreshLinksUnavailable",
                after: None,
            })),
            Err(ProviderError::TokenNotValid | ProviderError::Refused { .. } | ProviderError::Documents(_)) => Err(FreshLinks::Never),
        }
    }
}

enum FreshLinks {
    Later(Advanced),
    Never,
}
