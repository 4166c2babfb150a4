//! Reports of the workers: what is begun and what came of it.

use super::{ALREADY_KNOWN, Effect, MAXIMUM_ATTEMPTS, OUT_OF_PLACE, Step, Transition, merge};
use crate::document::{Plan, StoredDocument};
use crate::identifiers::ScanRef;
use crate::pairing::{Pairing, Resume, Second, State};
use crate::prepared::Preparation;
use crate::reason::ParkReason;
use crate::secret::AuthToken;
use crate::time::Timestamp;

impl Step<'_> {
    pub(super) fn capture_taken(&self, lease_until: Timestamp) -> Transition {
        match &self.pairing.state {
            State::Capturing { lease_until: held, .. } if *held > self.now => Transition::HeldUntil(*held),
            State::Capturing { plan, .. } => self.to(
                "CaptureTaken",
                &[Effect::CaptureDocuments],
                State::Capturing {
                    plan: plan.clone(),
                    lease_until,
                },
            ),
            _ => OUT_OF_PLACE,
        }
    }

    pub(super) fn capture_ended(&self, documents: Vec<StoredDocument>) -> Transition {
        let State::Capturing { plan, .. } = &self.pairing.state else {
            return OUT_OF_PLACE;
        };
        let mut next = self.pairing.clone();
        merge(&mut next.documents, documents, plan);
        let state = after_capture(&next, plan, self.now);
        let (what, effects): (_, &[Effect]) = match state {
            State::Captured { .. } => ("DocumentsCaptured", &[Effect::Enqueue]),
            State::Parked { .. } => ("CaptureRefused", &[]),
            _ => ("CaptureDeferred", &[Effect::Enqueue]),
        };
        let documents = next.documents;
        self.change(what, effects, |next| {
            next.documents = documents;
            next.state = state;
        })
    }

    pub(super) fn capture_refused(&self, documents: Vec<StoredDocument>, cause: ParkReason) -> Transition {
        match &self.pairing.state {
            // Captured and Authorized as well: what does not fit together shows only when everything is here.
            State::Capturing { plan, .. } | State::Captured { plan } | State::Authorized { plan, .. } => {
                let plan = plan.clone();
                self.change("CaptureRefused", &[], |next| {
                    merge(&mut next.documents, documents, &plan);
                    next.state = State::Parked {
                        cause,
                        resume: Resume::Plan(plan),
                    };
                })
            }
            _ => OUT_OF_PLACE,
        }
    }

    /// Stays `Captured`: the documents were complete before, and now it is known what is submitted of them. Once a token is being created,
    /// nothing about that changes any more.
    pub(super) fn documents_prepared(&self, preparations: Vec<Preparation>) -> Transition {
        let State::Captured { .. } = &self.pairing.state else {
            return OUT_OF_PLACE;
        };
        let mut documents = self.pairing.documents.clone();
        for Preparation { step, original, file } in preparations {
            // The same file may have been uploaded twice for a step.
            for document in &mut documents {
                if document.step == step && document.sha256 == original {
                    document.prepared = Some(file.clone());
                }
            }
        }
        if documents == self.pairing.documents {
            return ALREADY_KNOWN;
        }
        self.change("DocumentsPrepared", &[], |next| next.documents = documents)
    }

    pub(super) fn authorization_started(&self, lease_until: Timestamp) -> Transition {
        let plan = match &self.pairing.state {
            State::Captured { plan } => plan,
            State::Authorizing { lease_until: held, .. } if *held > self.now => return Transition::HeldUntil(*held),
            // The answer was lost. If a token came into being, nobody knows its secret, so it can never be used: it is as good as dead.
            State::Authorizing { plan, .. } => plan,
            _ => return OUT_OF_PLACE,
        };
        if self.pairing.attempts >= MAXIMUM_ATTEMPTS {
            return self.to(
                "AttemptsExhausted",
                &[],
                State::Parked {
                    cause: ParkReason::AttemptsExhausted,
                    resume: Resume::Plan(plan.clone()),
                },
            );
        }
        self.change("AuthorizationStarted", &[], |next| {
            next.attempts = next.attempts.saturating_add(1);
            next.state = State::Authorizing {
                plan: plan.clone(),
                lease_until,
            };
        })
    }

    pub(super) fn second_token_created(&self, held: Timestamp, scan_ref: ScanRef, auth_token: AuthToken) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.change("SecondTokenCreated", &[], |next| {
            next.superseded.extend(next.second.take().map(|earlier| earlier.scan_ref));
            next.second = Some(Second { scan_ref, overall: None });
            next.state = State::Authorized {
                plan: plan.clone(),
                auth_token,
            };
        })
    }

    pub(super) fn authorization_failed(&self, held: Timestamp) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.change("AuthorizationFailed", &[], |next| {
            next.attempts = next.attempts.saturating_sub(1);
            next.state = State::Captured { plan: plan.clone() };
        })
    }

    pub(super) fn authorization_refused(&self, held: Timestamp, cause: ParkReason) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.to(
            "AuthorizationRefused",
            &[],
            State::Parked {
                cause,
                resume: Resume::Plan(plan.clone()),
            },
        )
    }

    pub(super) fn submission_started(&self, lease_until: Timestamp) -> Transition {
        match &self.pairing.state {
            State::Submitting { lease_until: held, .. } if *held > self.now => Transition::HeldUntil(*held),
            // The first verification has turned negative since.
            State::Submitting { .. } if self.pairing.revoked.is_some() => OUT_OF_PLACE,
            // From Submitting only after the evidence showed that the token is unused.
            State::Authorized { plan, auth_token } | State::Submitting { plan, auth_token, .. } => self.to(
                "SubmissionStarted",
                &[],
                State::Submitting {
                    plan: plan.clone(),
                    auth_token: auth_token.clone(),
                    lease_until,
                },
            ),
            _ => OUT_OF_PLACE,
        }
    }

    pub(super) fn submission_accepted(&self) -> Transition {
        let State::Submitting { plan, .. } = &self.pairing.state else {
            return OUT_OF_PLACE;
        };
        self.to(
            "DocumentsSubmitted",
            &[],
            State::Submitted {
                plan: plan.clone(),
                since: self.now,
                check_at: self.now.plus(Pairing::RESULT_PATIENCE),
            },
        )
    }

    /// The documents are certainly not with the provider. If the first verification has turned negative since they were posted, they shall
    /// not be posted again, and the pairing is declined after all.
    pub(super) fn not_submitted(&self, what: &'static str, effects: &[Effect], state: State) -> Transition {
        match self.pairing.revoked {
            None => self.to(what, effects, state),
            Some(reason) => self.change(what, &[], |next| {
                next.revoked = None;
                next.state = State::Declined { reason };
            }),
        }
    }

    pub(super) fn submission_failed(&self, held: Timestamp) -> Transition {
        let Some((plan, auth_token)) = self.submitting_under(held) else {
            return OUT_OF_PLACE;
        };
        self.not_submitted(
            "SubmissionFailed",
            &[],
            State::Authorized {
                plan: plan.clone(),
                auth_token: auth_token.clone(),
            },
        )
    }

    pub(super) fn submission_refused(&self, held: Timestamp, cause: ParkReason) -> Transition {
        let Some((plan, _)) = self.submitting_under(held) else {
            return OUT_OF_PLACE;
        };
        self.not_submitted(
            "SubmissionRefused",
            &[],
            State::Parked {
                cause,
                resume: Resume::Plan(plan.clone()),
            },
        )
    }

    pub(super) fn answer_lost(&self, held: Timestamp, again_at: Timestamp) -> Transition {
        let state = if let Some(plan) = self.authorizing_under(held) {
            State::Authorizing {
                plan: plan.clone(),
                lease_until: again_at,
            }
        } else if let Some((plan, auth_token)) = self.submitting_under(held) {
            State::Submitting {
                plan: plan.clone(),
                auth_token: auth_token.clone(),
                lease_until: again_at,
            }
        } else {
            return OUT_OF_PLACE;
        };
        self.to("AnswerLost", &[], state)
    }

    pub(super) fn authorizing_under(&self, held: Timestamp) -> Option<&Plan> {
        match &self.pairing.state {
            State::Authorizing { plan, lease_until } if *lease_until == held => Some(plan),
            _ => None,
        }
    }

    pub(super) fn submitting_under(&self, held: Timestamp) -> Option<(&Plan, &AuthToken)> {
        match &self.pairing.state {
            State::Submitting {
                plan,
                auth_token,
                lease_until,
            } if *lease_until == held => Some((plan, auth_token)),
            _ => None,
        }
    }
}

/// Where a pairing goes when this is all that is in the bucket. The only ways into `Captured` lead through here, so that nothing is submitted
/// of which it is not certain what it shows, and nothing is parked for that before it is kept.
pub(super) fn after_capture(pairing: &Pairing, plan: &Plan, now: Timestamp) -> State {
    let plan = plan.clone();
    if pairing.missing(&plan).is_some() {
        return State::Capturing { plan, lease_until: now };
    }
    match pairing.undecided_step(&plan).cloned() {
        None => State::Captured { plan },
        Some(step) => State::Parked {
            cause: ParkReason::SeveralFiles { step },
            resume: Resume::Plan(plan),
        },
    }
}
