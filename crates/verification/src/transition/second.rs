//! Results of the second verification.

use super::{ALREADY_KNOWN, Effect, OUT_OF_PLACE, Step, Transition};
use crate::identifiers::ScanRef;
use crate::pairing::{Pairing, Resume, State, Verdict};
use crate::reason::ParkReason;
use crate::result::Overall;

impl Step<'_> {
    pub(super) fn second_result(&self, scan_ref: &ScanRef, overall: Overall, provisional: bool) -> Transition {
        let is_current = self.pairing.second.as_ref().is_some_and(|second| second.scan_ref == *scan_ref);
        if !is_current {
            return Transition::Nothing("SecondTokenSuperseded");
        }
        let verdict = match overall {
            Overall::Approved => Some(Verdict::Approved),
            Overall::Denied => Some(Verdict::Denied),
            Overall::Suspected => Some(Verdict::Suspected),
            _ => None,
        };
        let record = |next: &mut Pairing| {
            if let Some(second) = &mut next.second {
                second.overall = Some(overall);
            }
        };
        match (&self.pairing.state, verdict, overall) {
            (State::Settled { verdict: known }, Some(verdict), _) if *known == verdict => ALREADY_KNOWN,
            // Captured and Authorizing as well: a person who takes a pairing up again may be overtaken by the result. Settled as well, but a
            // result that may still change does not take back one that was final.
            (
                State::Captured { .. }
                | State::Authorizing { .. }
                | State::Authorized { .. }
                | State::Submitting { .. }
                | State::Submitted { .. }
                | State::Settled { .. }
                | State::Parked { .. },
                Some(verdict),
                _,
            ) if !provisional => self.change("SecondResult", &[], |next| {
                record(next);
                next.state = State::Settled { verdict };
            }),
            // It is being worked on: proof that the documents were accepted.
            (State::Authorized { plan, .. } | State::Submitting { plan, .. }, _, _) if provisional && overall != Overall::Active => self
                .change("SecondResultNotFinal", &[], |next| {
                    record(next);
                    next.state = State::Submitted {
                        plan: plan.clone(),
                        since: self.now,
                        check_at: self.now.plus(Pairing::RESULT_PATIENCE),
                    };
                }),
            (State::Submitted { .. }, _, _) if provisional && overall != Overall::Active => {
                let known = self.pairing.second.as_ref().is_some_and(|second| second.overall == Some(overall));
                if known {
                    ALREADY_KNOWN
                } else {
                    self.change("SecondResultNotFinal", &[], record)
                }
            }
            (State::Authorized { .. } | State::Submitting { .. }, None, Overall::Expired) => self.second_token_died(),
            (State::Submitted { plan, .. }, None, Overall::Expired) => self.change("SecondExpired", &[], |next| {
                record(next);
                next.state = State::Parked {
                    cause: ParkReason::SecondExpired,
                    resume: Resume::Plan(plan.clone()),
                };
            }),
            (State::Submitted { plan, .. } | State::Submitting { plan, .. }, None, Overall::Unknown) => {
                self.change("SecondResultUnclear", &[], |next| {
                    record(next);
                    next.state = State::Parked {
                        cause: ParkReason::OverallUnknown,
                        resume: Resume::Plan(plan.clone()),
                    };
                })
            }
            _ => OUT_OF_PLACE,
        }
    }

    pub(super) fn second_token_died(&self) -> Transition {
        match &self.pairing.state {
            State::Authorized { plan, .. } | State::Submitting { plan, .. } => {
                self.not_submitted("SecondTokenDied", &[Effect::Enqueue], State::Captured { plan: plan.clone() })
            }
            _ => OUT_OF_PLACE,
        }
    }
}
