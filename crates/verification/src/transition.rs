//! The state machine: one pure function from a pairing and an event to the next pairing.
//!
//! Every combination of state and event has an answer, and the complete table is kept as a snapshot. What the function returns is only a
//! proposal: it becomes true when a conditional write of it wins.

use crate::document::{Plan, StoredDocument};
use crate::identifiers::ScanRef;
use crate::pairing::{Pairing, Second, State, Verdict};
use crate::policy::Judgement;
use crate::reason::{DeclineReason, ParkReason, Stage};
use crate::result::Overall;
use crate::secret::AuthToken;
use crate::time::Timestamp;

/// How many times a Token 2 may be begun for one pairing. Each may cost a credit.
pub const MAXIMUM_ATTEMPTS: u32 = 3;

/// What happened to a pairing.
///
/// Where a worker reports what came of its work, `held` is the end of the lease that it worked under. If somebody else has taken over
/// since, the report is out of place: a late failure must not undo what the other one is doing. Two leases never have the same end,
/// because one is taken only after the earlier has ended.
#[derive(Clone, Debug)]
pub enum Event {
    /// A callback of the first verification. If it qualifies, whoever applies it takes the lease and copies the files.
    FirstResult {
        overall: Overall,
        judgement: Judgement,
        lease_until: Timestamp,
    },
    /// A callback (or an answered question) about the second verification.
    SecondResult {
        scan_ref: ScanRef,
        overall: Overall,
        provisional: bool,
    },
    /// Somebody takes over the copying of files.
    CaptureTaken {
        lease_until: Timestamp,
    },
    /// Copying ended for now: these files are in the bucket, and if they are not all, the rest is for whoever comes next.
    CaptureEnded {
        documents: Vec<StoredDocument>,
    },
    /// A file can never be captured or submitted.
    CaptureRefused {
        documents: Vec<StoredDocument>,
        reason: ParkReason,
    },
    /// A Token 2 is about to be created.
    AuthorizationStarted {
        lease_until: Timestamp,
    },
    SecondTokenCreated {
        held: Timestamp,
        scan_ref: ScanRef,
        auth_token: AuthToken,
    },
    /// Creating Token 2 failed without a token having come into being.
    AuthorizationFailed {
        held: Timestamp,
    },
    AuthorizationRefused {
        held: Timestamp,
        reason: ParkReason,
    },
    /// The documents are about to be posted.
    SubmissionStarted {
        lease_until: Timestamp,
    },
    SubmissionAccepted,
    /// The documents were certainly not accepted, and the token is certainly unused.
    SubmissionFailed {
        held: Timestamp,
    },
    SubmissionRefused {
        held: Timestamp,
        reason: ParkReason,
    },
    /// The answer to creating Token 2 or to posting the documents was lost. Nobody looks before `again_at`: the provider may be slow.
    AnswerLost {
        held: Timestamp,
        again_at: Timestamp,
    },
    /// Token 2 is dead and nothing was accepted with it.
    SecondTokenDied,
    /// A person takes a parked pairing up again.
    RetryRequested,
}

/// What the change asks of whoever applies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Once the change is stored: copy the files, because this caller holds the lease now.
    CaptureDocuments,
    /// *Before* the change is stored: tell the processor. A message only says "look at this pairing", so one too many or too early is
    /// absorbed, while one that a crash prevented after the write would be missed.
    Enqueue,
}

/// What an event does to a pairing.
#[derive(Clone, Debug)]
pub enum Transition {
    Change(Box<Change>),
    /// Nothing is to be written, for the reason given (a stable word for logs).
    Nothing(&'static str),
    /// Somebody else is at work until then.
    HeldUntil(Timestamp),
}

#[derive(Clone, Debug)]
pub struct Change {
    /// The next pairing, version and time of change included.
    pub next: Pairing,
    /// What was decided, as a stable word for the history.
    pub what: &'static str,
    pub effects: Vec<Effect>,
}

/// Applies `event` at the time `now`.
pub fn apply(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    let step = Step { pairing, now };
    match event {
        Event::FirstResult {
            overall,
            judgement,
            lease_until,
        } => step.first_result(overall, judgement, lease_until),
        Event::SecondResult {
            scan_ref,
            overall,
            provisional,
        } => step.second_result(&scan_ref, overall, provisional),
        Event::CaptureTaken { lease_until } => step.capture_taken(lease_until),
        Event::CaptureEnded { documents } => step.capture_ended(documents),
        Event::CaptureRefused { documents, reason } => step.capture_refused(documents, reason),
        Event::AuthorizationStarted { lease_until } => step.authorization_started(lease_until),
        Event::SecondTokenCreated {
            held,
            scan_ref,
            auth_token,
        } => step.second_token_created(held, scan_ref, auth_token),
        Event::AuthorizationFailed { held } => step.authorization_failed(held),
        Event::AuthorizationRefused { held, reason } => step.authorization_refused(held, reason),
        Event::SubmissionStarted { lease_until } => step.submission_started(lease_until),
        Event::SubmissionAccepted => step.submission_accepted(),
        Event::SubmissionFailed { held } => step.submission_failed(held),
        Event::SubmissionRefused { held, reason } => step.submission_refused(held, reason),
        Event::AnswerLost { held, again_at } => step.answer_lost(held, again_at),
        Event::SecondTokenDied => step.second_token_died(),
        Event::RetryRequested => step.retry_requested(),
    }
}

struct Step<'a> {
    pairing: &'a Pairing,
    now: Timestamp,
}

/// The state does not take this event: it is late, early or meant for another pairing.
const OUT_OF_PLACE: Transition = Transition::Nothing("OutOfPlace");
const ALREADY_KNOWN: Transition = Transition::Nothing("AlreadyKnown");

impl Step<'_> {
    fn change(&self, what: &'static str, effects: &[Effect], alter: impl FnOnce(&mut Pairing)) -> Transition {
        let mut next = self.pairing.clone();
        alter(&mut next);
        next.version = self.pairing.version.saturating_add(1);
        next.updated_at = self.now;
        Transition::Change(Box::new(Change {
            next,
            what,
            effects: effects.to_vec(),
        }))
    }

    fn to(&self, what: &'static str, effects: &[Effect], state: State) -> Transition {
        self.change(what, effects, |next| next.state = state)
    }

    fn first_result(&self, overall: Overall, judgement: Judgement, lease_until: Timestamp) -> Transition {
        match judgement {
            Judgement::Qualifies(plan) => self.qualified(overall, plan, lease_until),
            Judgement::Declines(reason) => self.declined(overall, reason),
            Judgement::Unclear(reason) => self.unclear(overall, reason),
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

    fn qualified(&self, overall: Overall, plan: Plan, lease_until: Timestamp) -> Transition {
        let begin = |what| {
            self.change(what, &[Effect::CaptureDocuments], |next| {
                next.first_overall = Some(overall);
                next.client_id = Some(plan.client_id.clone());
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
            State::Parked { plan: None, .. } => begin("Reopened"),
            // The files could not be had with the old links. The same body again would end the same way.
            State::Parked { cause, plan: Some(old) } if cause.stage() == Stage::Capturing && old.callback != plan.callback => {
                begin("Reopened")
            }
            _ if self.pairing.revoked.is_some() => self.change("RevocationWithdrawn", &[], |next| {
                next.first_overall = Some(overall);
                next.revoked = None;
            }),
            _ => ALREADY_KNOWN,
        }
    }

    fn declined(&self, overall: Overall, reason: DeclineReason) -> Transition {
        match &self.pairing.state {
            State::Declined { reason: known } if *known == reason => ALREADY_KNOWN,
            // An ordinary "no step" after documents were captured would contradict what was signed before; it declines all the same.
            State::AwaitingCallback { .. }
            | State::Capturing { .. }
            | State::Captured { .. }
            | State::Authorizing { .. }
            | State::Authorized { .. }
            | State::Declined { .. }
            | State::Expired
            | State::Parked { .. } => self.change("FirstResultDeclined", &[], |next| {
                next.first_overall = Some(overall);
                next.state = State::Declined { reason };
            }),
            State::Submitting { .. } | State::Submitted { .. } | State::Settled { .. } if self.pairing.revoked == Some(reason) => {
                ALREADY_KNOWN
            }
            State::Submitting { .. } | State::Submitted { .. } | State::Settled { .. } => self.change("FirstResultRevoked", &[], |next| {
                next.first_overall = Some(overall);
                next.revoked = Some(reason);
            }),
        }
    }

    fn unclear(&self, overall: Overall, cause: ParkReason) -> Transition {
        match &self.pairing.state {
            State::Parked { cause: known, .. } if *known == cause => ALREADY_KNOWN,
            State::AwaitingCallback { .. } | State::Declined { .. } | State::Expired | State::Parked { plan: None, .. } => {
                self.change("FirstResultUnclear", &[], |next| {
                    next.first_overall = Some(overall);
                    next.state = State::Parked { cause, plan: None };
                })
            }
            // A clear result was signed before; an unclear one does not take it back.
            _ => OUT_OF_PLACE,
        }
    }

    fn second_result(&self, scan_ref: &ScanRef, overall: Overall, provisional: bool) -> Transition {
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
            // A result that may still change does not take back one that was final.
            (State::Settled { .. }, ..) if provisional => OUT_OF_PLACE,
            (
                State::Authorized { .. }
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
                    plan: Some(plan.clone()),
                };
            }),
            (State::Submitted { plan, .. } | State::Submitting { plan, .. }, None, Overall::Unknown) => {
                self.change("SecondResultUnclear", &[], |next| {
                    record(next);
                    next.state = State::Parked {
                        cause: ParkReason::OverallUnknown,
                        plan: Some(plan.clone()),
                    };
                })
            }
            _ => OUT_OF_PLACE,
        }
    }

    fn capture_taken(&self, lease_until: Timestamp) -> Transition {
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

    fn capture_ended(&self, documents: Vec<StoredDocument>) -> Transition {
        let State::Capturing { plan, .. } = &self.pairing.state else {
            return OUT_OF_PLACE;
        };
        let mut next = self.pairing.clone();
        merge(&mut next.documents, documents);
        let complete = next.planned_documents(plan).is_some();
        let (what, state) = if complete {
            ("DocumentsCaptured", State::Captured { plan: plan.clone() })
        } else {
            (
                "CaptureDeferred",
                State::Capturing {
                    plan: plan.clone(),
                    lease_until: self.now,
                },
            )
        };
        let documents = next.documents;
        self.change(what, &[Effect::Enqueue], |next| {
            next.documents = documents;
            next.state = state;
        })
    }

    fn capture_refused(&self, documents: Vec<StoredDocument>, cause: ParkReason) -> Transition {
        match &self.pairing.state {
            // Captured and Authorized as well: what does not fit together shows only when everything is here.
            State::Capturing { plan, .. } | State::Captured { plan } | State::Authorized { plan, .. } => {
                let plan = Some(plan.clone());
                self.change("CaptureRefused", &[], |next| {
                    merge(&mut next.documents, documents);
                    next.state = State::Parked { cause, plan };
                })
            }
            _ => OUT_OF_PLACE,
        }
    }

    fn authorization_started(&self, lease_until: Timestamp) -> Transition {
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
                    plan: Some(plan.clone()),
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

    fn second_token_created(&self, held: Timestamp, scan_ref: ScanRef, auth_token: AuthToken) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.change("SecondTokenCreated", &[], |next| {
            next.second = Some(Second { scan_ref, overall: None });
            next.state = State::Authorized {
                plan: plan.clone(),
                auth_token,
            };
        })
    }

    fn authorization_failed(&self, held: Timestamp) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.change("AuthorizationFailed", &[], |next| {
            next.attempts = next.attempts.saturating_sub(1);
            next.state = State::Captured { plan: plan.clone() };
        })
    }

    fn authorization_refused(&self, held: Timestamp, cause: ParkReason) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.to(
            "AuthorizationRefused",
            &[],
            State::Parked {
                cause,
                plan: Some(plan.clone()),
            },
        )
    }

    fn submission_started(&self, lease_until: Timestamp) -> Transition {
        match &self.pairing.state {
            State::Submitting { lease_until: held, .. } if *held > self.now => Transition::HeldUntil(*held),
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

    fn submission_accepted(&self) -> Transition {
        let State::Submitting { plan, .. } = &self.pairing.state else {
            return OUT_OF_PLACE;
        };
        self.to(
            "DocumentsSubmitted",
            &[],
            State::Submitted {
                plan: plan.clone(),
                since: self.now,
            },
        )
    }

    fn submission_failed(&self, held: Timestamp) -> Transition {
        let Some((plan, auth_token)) = self.submitting_under(held) else {
            return OUT_OF_PLACE;
        };
        self.to(
            "SubmissionFailed",
            &[],
            State::Authorized {
                plan: plan.clone(),
                auth_token: auth_token.clone(),
            },
        )
    }

    fn submission_refused(&self, held: Timestamp, cause: ParkReason) -> Transition {
        let Some((plan, _)) = self.submitting_under(held) else {
            return OUT_OF_PLACE;
        };
        self.to(
            "SubmissionRefused",
            &[],
            State::Parked {
                cause,
                plan: Some(plan.clone()),
            },
        )
    }

    fn answer_lost(&self, held: Timestamp, again_at: Timestamp) -> Transition {
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

    fn authorizing_under(&self, held: Timestamp) -> Option<&Plan> {
        match &self.pairing.state {
            State::Authorizing { plan, lease_until } if *lease_until == held => Some(plan),
            _ => None,
        }
    }

    fn submitting_under(&self, held: Timestamp) -> Option<(&Plan, &AuthToken)> {
        match &self.pairing.state {
            State::Submitting {
                plan,
                auth_token,
                lease_until,
            } if *lease_until == held => Some((plan, auth_token)),
            _ => None,
        }
    }

    fn second_token_died(&self) -> Transition {
        match &self.pairing.state {
            State::Authorized { plan, .. } | State::Submitting { plan, .. } => {
                self.to("SecondTokenDied", &[Effect::Enqueue], State::Captured { plan: plan.clone() })
            }
            _ => OUT_OF_PLACE,
        }
    }

    fn retry_requested(&self) -> Transition {
        let State::Parked { plan: Some(plan), .. } = &self.pairing.state else {
            return OUT_OF_PLACE;
        };
        let state = if self.pairing.planned_documents(plan).is_some() {
            State::Captured { plan: plan.clone() }
        } else {
            State::Capturing {
                plan: plan.clone(),
                lease_until: self.now,
            }
        };
        self.change("RetryRequested", &[Effect::Enqueue], |next| {
            next.attempts = 0;
            next.state = state;
        })
    }
}

/// Adds the newly stored documents; one stored again for the same step replaces the older record of it.
fn merge(known: &mut Vec<StoredDocument>, new: Vec<StoredDocument>) {
    for document in new {
        known.retain(|old| old.step != document.step);
        known.push(document);
    }
}
