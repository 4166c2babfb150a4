//! Use case: drive a pairing forward from any state.
//!
//! Each call that cannot be repeated has a state written before it and another after it.
//! If the lease of the first has ended, a worker asks for evidence instead of calling again.
//! So any number of workers may run this, at any time, and end at any point.

mod capture;
mod confirmation;
mod preparation;

use std::sync::Arc;
use std::time::Duration;

use crate::identifiers::{ScanRef, SecondReference};
use crate::observation::Observation;
use crate::pairing::document::Plan;
use crate::pairing::reason::ParkReason;
use crate::pairing::{Pairing, State};
use crate::policy::Policy;
use crate::ports::{
    CallbackArchive, DocumentPreparation, Documents, Provider, ProviderError, StoreUnavailable,
};
use crate::result::Overall;
use crate::time::Timestamp;
use crate::transition::Event;
use crate::use_cases::change::{ChangeOutcome, PairingChanger};
use confirmation::Approval;
use preparation::Prepared;

/// Where the pairing was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advanced {
    /// There is nothing to do until something arrives. The state's name.
    Resting(&'static str),
    /// Another worker holds the lease until then. Look again.
    HeldUntil(Timestamp),
    /// It failed for now.
    /// Try again, not before `after` if the provider named a time.
    TryAgain {
        why: &'static str,
        after: Option<Duration>,
    },
    /// The circuit is open until then. Nothing was begun.
    CircuitOpen { until: Timestamp },
    /// There is no such pairing.
    Unknown,
}

pub struct Advance {
    pub changer: PairingChanger,
    pub archive: Arc<dyn CallbackArchive>,
    pub documents: Arc<dyn Documents>,
    pub preparation: Arc<dyn DocumentPreparation>,
    pub provider: Arc<dyn Provider>,
    pub policy: Policy,
}

/// The step limit of one run.
/// The longest path is shorter, so reaching it means a loop.
const MAXIMUM_STEPS: u32 = 32;

/// How long the provider may take to finish a call whose answer was lost.
/// Evidence is asked for after that.
const EVIDENCE_PAUSE: Duration = Duration::from_secs(10);

/// The pause between two looks at an unwanted submission that is in doubt.
const REVOKED_PAUSE: Duration = Duration::from_secs(10 * 60);

enum Next {
    Continue(Box<Pairing>),
    Stop(Advanced),
}

impl Advance {
    /// Drives the pairing as far as it goes now.
    /// Work and leases end at `until`.
    ///
    /// # Errors
    /// Our own stores are unavailable.
    /// The next run finds and resolves what was begun.
    pub async fn advance(
        &self,
        first: &ScanRef,
        until: Timestamp,
    ) -> Result<Advanced, StoreUnavailable> {
        let Some(mut pairing) = self.changer.pairings.find(first).await? else {
            return Ok(Advanced::Unknown);
        };
        for _ in 0..MAXIMUM_STEPS {
            if let Some(next) = self.confirm(&pairing).await? {
                match next {
                    Next::Continue(newest) => pairing = *newest,
                    Next::Stop(advanced) => return self.stop(pairing, advanced).await,
                }
                continue;
            }
            // Before the intent is written, not only before the call: waiting must not use up
            // attempts or fill
            // the history.
            if is_about_to_call(&pairing.state, self.changer.clock.now())
                && let Some(until) = self.provider.circuit_open_until(&pairing.first).await
            {
                return self.stop(pairing, Advanced::CircuitOpen { until }).await;
            }
            let first = pairing.first.clone();
            let next = match pairing.state.clone() {
                State::Capturing { .. } => self.capture(pairing, until).await?,
                _ if let Some(waiting) = self.waits_for_confirmation(&pairing) => {
                    Next::Stop(waiting)
                }
                State::Captured { plan, .. } => match self.prepare(pairing, &plan, until).await? {
                    Prepared::Ready(pairing) => self.authorize(*pairing, until).await?,
                    Prepared::Not(next) => next,
                },
                State::Settled { .. } if pairing.is_next_attempt_due() => {
                    self.follow(pairing, Event::NextAttemptStarted).await?
                }
                // While the lease lasts, the proposed change says that it is held.
                State::Authorizing { .. } => self.authorize(pairing, until).await?,
                State::Authorized { plan, .. } => self.submit(pairing, &plan, until).await?,
                State::Submitting { lease_until, .. } if lease_until > self.changer.clock.now() => {
                    Next::Stop(Advanced::HeldUntil(lease_until))
                }
                State::Submitting {
                    plan, lease_until, ..
                } => {
                    self.resolve_submission(pairing, &plan, lease_until, until)
                        .await?
                }
                state @ (State::AwaitingCallback { .. }
                | State::Submitted { .. }
                | State::Settled { .. }
                | State::Declined { .. }
                | State::Expired
                | State::Parked { .. }
                | State::Erasing { .. }) => Next::Stop(Advanced::Resting(state.name())),
            };
            match next {
                Next::Continue(newest) => pairing = *newest,
                Next::Stop(advanced) => return self.stop_at(&first, advanced).await,
            }
        }
        Ok(Advanced::TryAgain {
            why: "TooManySteps",
            after: None,
        })
    }

    /// Work that has failed for a day is a person's.
    async fn stop(
        &self,
        pairing: Pairing,
        advanced: Advanced,
    ) -> Result<Advanced, StoreUnavailable> {
        let has_failed = matches!(
            advanced,
            Advanced::TryAgain { .. } | Advanced::CircuitOpen { .. }
        );
        let has_question = pairing.first_question.is_some() || !has_failed;
        if has_question || self.changer.clock.now() < pairing.since.plus(Pairing::WORK_PATIENCE) {
            return Ok(advanced);
        }
        let given_up = self.change(pairing, Event::GivenUp).await?.into_pairing();
        Ok(Advanced::Resting(given_up.state.name()))
    }

    async fn stop_at(
        &self,
        first: &ScanRef,
        advanced: Advanced,
    ) -> Result<Advanced, StoreUnavailable> {
        if !matches!(
            advanced,
            Advanced::TryAgain { .. } | Advanced::CircuitOpen { .. }
        ) {
            return Ok(advanced);
        }
        match self.changer.pairings.find(first).await? {
            Some(pairing) => self.stop(pairing, advanced).await,
            None => Ok(Advanced::Unknown),
        }
    }

    async fn authorize(
        &self,
        pairing: Pairing,
        until: Timestamp,
    ) -> Result<Next, StoreUnavailable> {
        if let State::Authorizing { lease_until, .. } = pairing.state
            && lease_until > self.changer.clock.now()
        {
            return Ok(Next::Stop(Advanced::HeldUntil(lease_until)));
        }
        let confirmed = match self.confirm_approval(pairing.clone()).await? {
            Approval::Confirmed(confirmed) => confirmed,
            Approval::Not(next) => return Ok(next),
        };
        let held = self.lease(until);
        let event = Event::AuthorizationStarted {
            lease_until: held,
            confirmed,
        };
        let pairing = match self.change(pairing, event).await? {
            ChangeOutcome::Changed { pairing, .. } if pairing.state.lease_until() == Some(held) => {
                *pairing
            }
            ChangeOutcome::Changed { pairing, .. } | ChangeOutcome::Nothing { pairing, .. } => {
                return Ok(Next::Continue(pairing));
            }
            ChangeOutcome::HeldUntil { until, .. } => {
                return Ok(Next::Stop(Advanced::HeldUntil(until)));
            }
        };
        // The plan as written, which may differ from the one read first.
        let State::Authorizing { plan, .. } = pairing.state.clone() else {
            return Ok(Next::Continue(Box::new(pairing)));
        };
        match self
            .provider
            .create_second_token(&plan.client_id, &SecondReference::of(&pairing.first))
            .await
        {
            Ok(token) => {
                self.changer
                    .observer
                    .observe(Observation::SecondTokenCreated);
                if token.has_steps_left {
                    self.changer
                        .observer
                        .observe(Observation::SuppressionFailed);
                }
                self.follow(
                    pairing,
                    Event::SecondTokenCreated {
                        held,
                        scan_ref: token.scan_ref,
                        auth_token: token.auth_token,
                    },
                )
                .await
            }
            Err(ProviderError::CircuitOpen { until }) => {
                self.change(pairing, Event::AuthorizationFailed { held })
                    .await?;
                Ok(Next::Stop(Advanced::CircuitOpen { until }))
            }
            Err(ProviderError::Unavailable { kind, retry_after }) => {
                self.change(pairing, Event::AuthorizationFailed { held })
                    .await?;
                Ok(Next::Stop(Advanced::TryAgain {
                    why: kind.as_str(),
                    after: retry_after,
                }))
            }
            // A token may exist whose secret is lost. It can never be used.
            Err(ProviderError::InDoubt { kind }) => self.answer_lost(pairing, held, kind).await,
            Err(ProviderError::TokenNotValid) => {
                let reason = ParkReason::SecondTokenRefused {
                    kind: "TokenNotValid".to_owned(),
                    identifier: None,
                };
                self.follow(pairing, Event::AuthorizationRefused { held, reason })
                    .await
            }
            Err(ProviderError::Refused { kind, identifier }) => {
                let reason = ParkReason::SecondTokenRefused {
                    kind: kind.as_str().to_owned(),
                    identifier,
                };
                self.follow(pairing, Event::AuthorizationRefused { held, reason })
                    .await
            }
            Err(ProviderError::Documents(reason)) => {
                self.follow(pairing, Event::AuthorizationRefused { held, reason })
                    .await
            }
        }
    }

    async fn submit(
        &self,
        pairing: Pairing,
        plan: &Plan,
        until: Timestamp,
    ) -> Result<Next, StoreUnavailable> {
        if pairing.planned_documents(plan).is_none() {
            let reason = match pairing.missing(plan) {
                Some(planned) => ParkReason::FileMissing {
                    step: planned.step.clone(),
                },
                None => ParkReason::SidesUnclear,
            };
            return self
                .follow(
                    pairing,
                    Event::CaptureRefused {
                        upload: plan.upload.clone(),
                        documents: Vec::new(),
                        reason,
                    },
                )
                .await;
        }
        let held = self.lease(until);
        // Certainty about this post says nothing about the one before it.
        let is_in_doubt = matches!(pairing.state, State::Submitting { .. });
        let not_posted = if is_in_doubt {
            Event::AnswerLost {
                held,
                again_at: self.changer.clock.now().plus(EVIDENCE_PAUSE),
            }
        } else {
            Event::SubmissionFailed { held }
        };
        let pairing = match self
            .change(pairing, Event::SubmissionStarted { lease_until: held })
            .await?
        {
            ChangeOutcome::Changed { pairing, .. } if pairing.state.lease_until() == Some(held) => {
                *pairing
            }
            ChangeOutcome::Changed { pairing, .. } | ChangeOutcome::Nothing { pairing, .. } => {
                return Ok(Next::Continue(pairing));
            }
            ChangeOutcome::HeldUntil { until, .. } => {
                return Ok(Next::Stop(Advanced::HeldUntil(until)));
            }
        };
        // The token as written, which may differ from the one read first.
        let State::Submitting {
            plan, auth_token, ..
        } = pairing.state.clone()
        else {
            return Ok(Next::Continue(Box::new(pairing)));
        };
        let documents = pairing.planned_documents(&plan).unwrap_or_default();
        match self
            .provider
            .submit(&pairing.first, &auth_token, &plan, &documents)
            .await
        {
            Ok(()) => {
                self.changer
                    .observer
                    .observe(Observation::DocumentsSubmitted);
                let second = pairing
                    .second
                    .as_ref()
                    .map(|second| second.scan_ref.clone());
                self.follow(pairing, Event::SubmissionAccepted { second })
                    .await
            }
            Err(ProviderError::CircuitOpen { until }) => {
                self.change(pairing, not_posted).await?;
                Ok(Next::Stop(Advanced::CircuitOpen { until }))
            }
            Err(ProviderError::Unavailable { kind, retry_after }) => {
                self.change(pairing, not_posted).await?;
                Ok(Next::Stop(Advanced::TryAgain {
                    why: kind.as_str(),
                    after: retry_after,
                }))
            }
            // Stays Submitting: the next run asks what became of it.
            Err(ProviderError::InDoubt { kind }) => self.answer_lost(pairing, held, kind).await,
            Err(ProviderError::TokenNotValid) => self.weigh_evidence(pairing).await,
            Err(ProviderError::Refused { kind, identifier }) => {
                let reason = ParkReason::SubmissionRefused {
                    kind: kind.as_str().to_owned(),
                    identifier,
                };
                self.follow(pairing, Event::SubmissionRefused { held, reason })
                    .await
            }
            Err(ProviderError::Documents(reason)) => {
                self.follow(pairing, Event::SubmissionRefused { held, reason })
                    .await
            }
        }
    }

    async fn answer_lost(
        &self,
        pairing: Pairing,
        held: Timestamp,
        kind: &'static str,
    ) -> Result<Next, StoreUnavailable> {
        let again_at = self.changer.clock.now().plus(EVIDENCE_PAUSE);
        self.change(pairing, Event::AnswerLost { held, again_at })
            .await?;
        Ok(Next::Stop(Advanced::TryAgain {
            why: kind,
            after: Some(EVIDENCE_PAUSE),
        }))
    }

    /// The documents were being posted, and that worker is gone.
    /// An unused token is used again.
    /// The provider takes a token once, so even a lagging status cannot cause two submissions.
    async fn resolve_submission(
        &self,
        pairing: Pairing,
        plan: &Plan,
        held: Timestamp,
        until: Timestamp,
    ) -> Result<Next, StoreUnavailable> {
        let Some(second) = pairing.second.clone() else {
            return Ok(Next::Stop(Advanced::TryAgain {
                why: "SecondTokenUnknown",
                after: None,
            }));
        };
        match self
            .provider
            .status(&second.scan_ref)
            .await
            .map(|status| status.overall)
        {
            // The first result has turned negative, or newer documents wait: no second post.
            // Whether the first one arrived is certain once the status has caught up, or the token
            // expires.
            Ok(Overall::Active) if !pairing.may_be_posted_again(plan) => {
                let again_at = self.changer.clock.now().plus(REVOKED_PAUSE);
                self.change(pairing, Event::AnswerLost { held, again_at })
                    .await?;
                Ok(Next::Stop(Advanced::TryAgain {
                    why: "SubmissionInDoubt",
                    after: Some(REVOKED_PAUSE),
                }))
            }
            Ok(Overall::Active) => self.submit(pairing, plan, until).await,
            Ok(overall) => self.follow_evidence(pairing, overall).await,
            Err(error) => Ok(Next::Stop(unanswered(&error))),
        }
    }

    /// The token is not valid: an earlier post with a lost answer used it, or it has expired.
    async fn weigh_evidence(&self, pairing: Pairing) -> Result<Next, StoreUnavailable> {
        let Some(second) = pairing.second.clone() else {
            return Ok(Next::Stop(Advanced::TryAgain {
                why: "SecondTokenUnknown",
                after: None,
            }));
        };
        match self
            .provider
            .status(&second.scan_ref)
            .await
            .map(|status| status.overall)
        {
            // One answer says used, the other unused. The second callback or the next look will
            // tell.
            Ok(Overall::Active | Overall::Unknown) => Ok(Next::Stop(Advanced::TryAgain {
                why: "TokenContradiction",
                after: None,
            })),
            Ok(overall) => self.follow_evidence(pairing, overall).await,
            Err(error) => Ok(Next::Stop(unanswered(&error))),
        }
    }

    async fn follow_evidence(
        &self,
        pairing: Pairing,
        overall: Overall,
    ) -> Result<Next, StoreUnavailable> {
        let second = pairing
            .second
            .as_ref()
            .map(|second| second.scan_ref.clone());
        match overall {
            Overall::Expired => {
                self.follow(pairing, Event::SecondTokenDied { second })
                    .await
            }
            Overall::Unknown | Overall::Active => Ok(Next::Stop(Advanced::TryAgain {
                why: "StatusUnclear",
                after: None,
            })),
            // Under review, or done: accepted. The callback brings the result, not the status.
            _ => {
                self.follow(pairing, Event::SubmissionAccepted { second })
                    .await
            }
        }
    }

    /// Applies the event and continues with the pairing that results.
    async fn follow(&self, pairing: Pairing, event: Event) -> Result<Next, StoreUnavailable> {
        Ok(match self.change(pairing, event).await? {
            ChangeOutcome::HeldUntil { until, .. } => Next::Stop(Advanced::HeldUntil(until)),
            changed => Next::Continue(changed.into_pairing()),
        })
    }

    async fn change(
        &self,
        pairing: Pairing,
        event: Event,
    ) -> Result<ChangeOutcome, StoreUnavailable> {
        // This worker continues by itself, so it sends no message.
        self.changer.change(pairing, |_| event.clone()).await
    }

    /// A lease ends with its work, and never in the past.
    fn lease(&self, until: Timestamp) -> Timestamp {
        until.max(self.changer.clock.now().plus(Duration::from_secs(1)))
    }
}

/// Whether the next step is a provider's call that cannot be repeated, or the question how one
/// ended.
fn is_about_to_call(state: &State, now: Timestamp) -> bool {
    match state {
        State::Captured { .. } | State::Authorized { .. } => true,
        State::Authorizing { lease_until, .. } | State::Submitting { lease_until, .. } => {
            *lease_until <= now
        }
        _ => false,
    }
}

fn unanswered(error: &ProviderError) -> Advanced {
    match error {
        ProviderError::CircuitOpen { until } => Advanced::CircuitOpen { until: *until },
        ProviderError::Unavailable { kind, retry_after } => Advanced::TryAgain {
            why: kind.as_str(),
            after: *retry_after,
        },
        ProviderError::InDoubt { kind } => Advanced::TryAgain {
            why: kind,
            after: None,
        },
        ProviderError::Refused { kind, .. } => Advanced::TryAgain {
            why: kind.as_str(),
            after: None,
        },
        ProviderError::TokenNotValid | ProviderError::Documents(_) => Advanced::TryAgain {
            why: "StatusRefused",
            after: None,
        },
    }
}
