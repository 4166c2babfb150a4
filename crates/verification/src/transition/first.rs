//! Results of the first verification.

use super::{ALREADY_KNOWN, Effect, OUT_OF_PLACE, Step, Transition, merge};
use crate::document::Plan;
use crate::identifiers::Digest256;
use crate::pairing::{Pairing, Resume, State};
use crate::policy::Judgement;
use crate::reason::{DeclineReason, ParkReason, Stage};
use crate::result::Overall;
use crate::time::Timestamp;

impl Step<'_> {
    pub(super) fn first_result(&self, overall: Overall, judgement: Judgement, callback: Digest256, lease_until: Timestamp) -> Transition {
        match judgement {
            Judgement::Qualifies(plan) => self.qualified(overall, plan, lease_until),
            Judgement::Declines(reason) => self.declined(overall, reason),
            Judgement::Unclear(reason) => self.unclear(overall, reason, callback),
            Judgement::NotYet(waiting) => match &self.pairing.state {
                State::AwaitingCallback { waiting: Some(known), .. }
                    if *known == waiting && self.pairing.first_overall == Some(overall) =>
                {
                    ALREADY_KNOWN
                }
                State::AwaitingCallback { .. } | State::Expired => self.change("FirstResultNotFinal", &[], |next| {
                    next.first_overall = Some(overall);
                    next.state = State::AwaitingCallback {
                        until: self.now.plus(Pairing::REVIEW_PATIENCE),
                        waiting: Some(waiting),
                    };
                }),
                _ => OUT_OF_PLACE,
            },
            Judgement::Lapsed => match self.pairing.state {
                State::AwaitingCallback { .. } => self.change("FirstExpired", &[], |next| {
                    next.first_overall = Some(overall);
                    next.state = State::Expired;
                }),
                State::Expired => ALREADY_KNOWN,
                // The link of a session that was finished, or an older one of the same customer.
                _ => OUT_OF_PLACE,
            },
            Judgement::Removed => match self.pairing.state {
                State::AwaitingCallback { .. } => self.change("FirstRemoved", &[], |next| {
                    next.first_overall = Some(overall);
                    next.state = State::Declined {
                        reason: DeclineReason::FirstRemoved,
                    };
                }),
                _ => OUT_OF_PLACE,
            },
        }
    }

    pub(super) fn qualified(&self, overall: Overall, plan: Plan, lease_until: Timestamp) -> Transition {
        let begin = |what| {
            self.change(what, &[Effect::CaptureDocuments], |next| {
                next.first_overall = Some(overall);
                next.client_id = Some(plan.client_id.clone());
                merge(&mut next.documents, Vec::new(), &plan);
                next.state = State::Capturing {
                    plan: plan.clone(),
                    lease_until,
                };
            })
        };
        match &self.pairing.state {
            State::AwaitingCallback { .. } => begin("FirstResultQualified"),
            State::Declined { .. } | State::Expired => begin("Reopened"),
            State::Capturing { lease_until, .. } if *lease_until > self.now => Transition::HeldUntil(*lease_until),
            // Whoever copied has gone; this callback's links are at least as fresh as the ones planned with.
            State::Capturing { .. } => begin("CaptureTakenOver"),
            State::Parked {
                resume: Resume::Callback(_),
                ..
            } => begin("Reopened"),
            // The files could not be had with the old links. The same body again would end the same way.
            State::Parked {
                cause,
                resume: Resume::Plan(old),
            } if cause.stage() == Stage::Capturing && old.callback != plan.callback => begin("Reopened"),
            // The files are here, and the policy says something else about them now.
            State::Parked {
                cause: ParkReason::SeveralFiles { .. },
                resume: Resume::Plan(old),
            } if *old != plan => begin("Reopened"),
            _ if self.pairing.revoked.is_some() => self.change("RevocationWithdrawn", &[], |next| {
                next.first_overall = Some(overall);
                next.revoked = None;
            }),
            _ => ALREADY_KNOWN,
        }
    }

    pub(super) fn declined(&self, overall: Overall, reason: DeclineReason) -> Transition {
        match &self.pairing.state {
            State::Declined { reason: known } if *known == reason => ALREADY_KNOWN,
            _ if self.is_with_the_provider() => {
                if self.pairing.revoked == Some(reason) {
                    return ALREADY_KNOWN;
                }
                self.change("FirstResultRevoked", &[], |next| {
                    next.first_overall = Some(overall);
                    next.revoked = Some(reason);
                })
            }
            // An ordinary "no step" after documents were captured would contradict what was signed before; it declines all the same.
            _ => self.change("FirstResultDeclined", &[], |next| {
                next.first_overall = Some(overall);
                next.state = State::Declined { reason };
            }),
        }
    }

    /// Whether the provider has the documents, or may have them. What it has cannot be taken back, and a pairing that were declined now
    /// and reopened later would submit them a second time.
    fn is_with_the_provider(&self) -> bool {
        match &self.pairing.state {
            State::Submitting { .. } | State::Submitted { .. } | State::Settled { .. } => true,
            // An unknown word after a plan was made is the second verification's.
            State::Parked {
                cause,
                resume: Resume::Plan(_),
            } => cause.is_after_acceptance() || *cause == ParkReason::OverallUnknown,
            _ => false,
        }
    }

    pub(super) fn unclear(&self, overall: Overall, cause: ParkReason, callback: Digest256) -> Transition {
        match &self.pairing.state {
            State::Parked { cause: known, .. } if *known == cause => ALREADY_KNOWN,
            State::AwaitingCallback { .. }
            | State::Declined { .. }
            | State::Expired
            | State::Parked {
                resume: Resume::Callback(_),
                ..
            } => self.change("FirstResultUnclear", &[], |next| {
                next.first_overall = Some(overall);
                next.state = State::Parked {
                    cause,
                    resume: Resume::Callback(callback),
                };
            }),
            // A clear result was signed before; an unclear one does not take it back.
            _ => OUT_OF_PLACE,
        }
    }
}
