//! Results of the first verification.

use super::{ALREADY_HEARD, ALREADY_KNOWN, Effect, FirstResult, Machine, OUT_OF_PLACE, Transition};
use crate::identifiers::{Digest256, UploadId};
use crate::pairing::document::Plan;
use crate::pairing::question::{FirstNews, Patience, Question};
use crate::pairing::reason::{DeclineReason, ParkReason, Stage};
use crate::pairing::{Pairing, Resume, Standing, State, Verdict};
use crate::policy::Judgement;
use crate::result::{Overall, Status, Tag};
use crate::time::Timestamp;
use crate::upload::Age;

impl Machine<'_> {
    pub(super) fn first_result(&self, result: &FirstResult) -> Transition {
        if let Some(callback) = &result.callback
            && !result.is_retry
            && self.pairing.has_heard(callback)
        {
            return self.heard_again(callback, result.lease_until);
        }
        match &result.judgement {
            Judgement::Qualifies(plan) => self.qualified(result, plan),
            Judgement::Declines(reason) => self.declined(result, *reason),
            Judgement::Unclear(reason) => self.unclear(result, reason.clone()),
            Judgement::NotYet(waiting) => match &self.pairing.state {
                State::AwaitingCallback {
                    waiting: Some(known),
                    ..
                } if known == waiting && self.pairing.first_overall == Some(result.overall) => {
                    ALREADY_KNOWN
                }
                State::AwaitingCallback { .. } | State::Expired => {
                    self.first_news("FirstResultNotFinal", &[], result, |next| {
                        next.state = State::AwaitingCallback {
                            until: self.now.plus(Pairing::REVIEW_PATIENCE),
                            waiting: Some(*waiting),
                        };
                    })
                }
                _ => OUT_OF_PLACE,
            },
            Judgement::Lapsed => match self.pairing.state {
                State::AwaitingCallback { .. } => {
                    self.first_news("FirstExpired", &[], result, |next| {
                        next.state = State::Expired
                    })
                }
                State::Expired => ALREADY_KNOWN,
                // The link of a finished session, or an older one of the same customer.
                _ => OUT_OF_PLACE,
            },
            Judgement::Removed => match self.pairing.state {
                State::AwaitingCallback { .. } => {
                    self.first_news("FirstRemoved", &[], result, |next| {
                        next.state = State::Declined {
                            reason: DeclineReason::FirstRemoved,
                        };
                    })
                }
                _ => OUT_OF_PLACE,
            },
        }
    }

    /// A body that has had its effect decides nothing again.
    /// If the worker that it started is gone, another one continues.
    fn heard_again(&self, callback: &Digest256, lease_until: Timestamp) -> Transition {
        match &self.pairing.state {
            State::Capturing {
                plan,
                lease_until: held,
                ..
            } if plan.callback == *callback => {
                if *held > self.now {
                    Transition::HeldUntil(*held)
                } else {
                    self.recapture("CaptureTakenOver", plan.clone(), lease_until)
                }
            }
            _ => ALREADY_HEARD,
        }
    }

    fn qualified(&self, result: &FirstResult, plan: &Plan) -> Transition {
        if self
            .pairing
            .client_id
            .as_ref()
            .is_some_and(|known| *known != plan.client_id)
        {
            return self.unclear(result, ParkReason::ClientMismatch);
        }
        let age = result.upload.age(&self.pairing.uploads);
        // A body that was not believed may have named it before.
        let is_anothers =
            |current: &Plan| current.fingerprint != plan.fingerprint && result.upload.names_files();
        let is_newer = age == Age::Newer
            || (age == Age::Same && self.pairing.state.plan().is_some_and(is_anothers));
        // Documents are with the provider, whichever upload the approval names.
        if self.pairing.revoked.is_some() {
            return self.approved_after_revocation(result, plan, is_newer);
        }
        // Without the customer's times, the status must decide: the decline may be older.
        let may_reopen = matches!(self.pairing.state, State::Declined { .. }) && result.confirm;
        if age == Age::Older
            && (!may_reopen || result.upload.is_before_newest(&self.pairing.uploads))
        {
            return Transition::Nothing("OlderUpload");
        }
        if !is_newer
            && !matches!(self.pairing.state, State::Declined { .. })
            && self.pairing.first_question.is_some()
        {
            return self.dispute(result);
        }
        let begin = |what| self.captured_anew(what, result, plan, None);
        let displaced = || Some(Box::new(self.pairing.state.clone()));
        match &self.pairing.state {
            State::AwaitingCallback { .. } => begin("FirstResultQualified"),
            State::Declined { .. } if result.confirm => {
                self.ask_about_first(result, |overall, tags| FirstNews::Qualifies {
                    overall,
                    tags,
                    plan: plan.clone(),
                })
            }
            State::Declined { .. }
            | State::Expired
            | State::Parked {
                resume: Resume::Callback(_),
                ..
            } => begin("Reopened"),
            State::Capturing { displaced, .. } if is_newer => {
                self.captured_anew("UploadReplaced", result, plan, displaced.clone())
            }
            State::Capturing { lease_until, .. } if *lease_until > self.now => {
                Transition::HeldUntil(*lease_until)
            }
            // The worker is gone. These links are at least as fresh as the planned ones.
            State::Capturing { plan: old, .. } => {
                self.recapture("CaptureTakenOver", resigned(old, plan), result.lease_until)
            }
            // Nothing was posted yet. A token that exists lapses unused.
            State::Captured { .. } | State::Authorizing { .. } | State::Authorized { .. }
                if is_newer =>
            {
                self.captured_anew("UploadReplaced", result, plan, None)
            }
            // Also while the older documents' approval is in question.
            State::Submitting { .. } | State::Submitted { .. } | State::Settled { .. }
                if is_newer
                    && (self.pairing.state.verdict().is_none() || self.may_become_approved()) =>
            {
                self.first_news("UploadWaits", &[], result, |next| {
                    next.next_upload = Some(plan.clone());
                    next.dispute_first_question(self.now);
                })
            }
            State::Settled { verdict, .. } if is_newer && *verdict != Verdict::Approved => {
                self.captured_anew("UploadReplaced", result, plan, displaced())
            }
            State::Parked {
                resume: Resume::Plan(_),
                ..
            } if is_newer => self.captured_anew("UploadReplaced", result, plan, displaced()),
            // The old links failed and these are newly signed, or the policy judges the files
            // differently now.
            State::Parked {
                cause,
                resume: Resume::Plan(old),
            } if cause.stage() == Stage::Capturing
                && (!matches!(cause, ParkReason::SeveralFiles { .. })
                    || old.documents != plan.documents) =>
            {
                self.first_news("Reopened", &[Effect::CaptureDocuments], result, |next| {
                    next.state = State::Capturing {
                        plan: resigned(old, plan),
                        lease_until: result.lease_until,
                        displaced: None,
                        waiting: None,
                    };
                })
            }
            _ if self.pairing.first_question.is_some() => self.dispute(result),
            _ => ALREADY_KNOWN,
        }
    }

    fn may_become_approved(&self) -> bool {
        self.pairing.state.verdict() != Some(Verdict::Approved)
            && self.pairing.has_second_question()
    }

    /// Starts the plan anew: its files are fetched, even if the bucket has others.
    fn captured_anew(
        &self,
        what: &'static str,
        result: &FirstResult,
        plan: &Plan,
        displaced: Option<Box<State>>,
    ) -> Transition {
        self.first_news(what, &[Effect::CaptureDocuments], result, |next| {
            next.client_id = Some(plan.client_id.clone());
            next.first_question
                .take_if(|question| !matches!(question.news, FirstNews::Declines { .. }));
            next.dispute_first_question(self.now);
            next.forget_second_question();
            next.state = State::Capturing {
                plan: plan.clone(),
                lease_until: result.lease_until,
                displaced,
                waiting: None,
            };
        })
    }

    /// The same files, copied by another worker.
    fn recapture(&self, what: &'static str, plan: Plan, lease_until: Timestamp) -> Transition {
        let displaced = match &self.pairing.state {
            State::Capturing { displaced, .. } => displaced.clone(),
            _ => None,
        };
        self.to(
            what,
            &[Effect::CaptureDocuments],
            State::Capturing {
                plan,
                lease_until,
                displaced,
                waiting: None,
            },
        )
    }

    /// An approval that would take a revocation back.
    fn approved_after_revocation(
        &self,
        result: &FirstResult,
        plan: &Plan,
        is_newer: bool,
    ) -> Transition {
        let wait = |next: &mut Pairing| {
            if is_newer {
                next.next_upload = Some(plan.clone());
            }
        };
        if !result.confirm {
            return self.first_news(
                "RevocationWithdrawn",
                &[Effect::EnqueueOnceStored],
                result,
                |next| {
                    next.revoked = None;
                    wait(next);
                },
            );
        }
        let news = FirstNews::Qualifies {
            overall: result.overall,
            tags: result.tags.clone(),
            plan: plan.clone(),
        };
        self.heard(
            "FirstResultInQuestion",
            &[Effect::EnqueueOnceStored],
            result,
            |next| {
                next.first_question = Some(Question::new(news, self.now));
                wait(next);
            },
        )
    }

    fn declined(&self, result: &FirstResult, reason: DeclineReason) -> Transition {
        let has_qualified = self.pairing.first_callback.is_some();
        let reverses_nothing = match &self.pairing.state {
            _ if self.pairing.revoked.is_some() => true,
            State::AwaitingCallback { .. } | State::Declined { .. } | State::Expired => true,
            State::Parked {
                resume: Resume::Callback(_),
                ..
            } => !has_qualified,
            _ => false,
        };
        let is_known = match &self.pairing.state {
            State::Declined { reason: known } => *known == reason,
            _ => self.pairing.revoked == Some(reason),
        };
        if is_known && self.pairing.first_question.is_some() {
            return self.dispute(result);
        }
        // The result is known. It may still be about newer files.
        if is_known && result.upload.age(&self.pairing.uploads) != Age::Newer {
            return ALREADY_KNOWN;
        }
        if result.confirm && !reverses_nothing {
            return self.ask_about_first(result, |overall, tags| FirstNews::Declines {
                overall,
                tags,
                reason,
            });
        }
        self.first_news(self.decline_word(), &[], result, |next| {
            self.decline(next, reason)
        })
    }

    const fn decline_word(&self) -> &'static str {
        if self.is_with_the_provider() {
            "FirstResultRevoked"
        } else {
            "FirstResultDeclined"
        }
    }

    /// Submitted documents cannot be taken back.
    /// If the pairing were declined now and reopened later, it would submit them twice.
    fn decline(&self, next: &mut Pairing, reason: DeclineReason) {
        if self.is_with_the_provider() {
            next.revoked = Some(reason);
        } else {
            next.state = State::Declined { reason };
            next.next_upload = None;
            next.forget_second_question();
        }
        next.keep_only_what_may_reopen();
        next.dispute_first_question(self.now);
    }

    /// Whether the provider has the documents, or may have them.
    const fn is_with_the_provider(&self) -> bool {
        is_with_the_provider(&self.pairing.state)
    }

    fn unclear(&self, result: &FirstResult, cause: ParkReason) -> Transition {
        let Some(callback) = result.callback.clone() else {
            return self.unclear_without_callback(result, cause);
        };
        let age = result.upload.age(&self.pairing.uploads);
        match &self.pairing.state {
            _ if age == Age::Older => Transition::Nothing("OlderUpload"),
            State::Parked { cause: known, .. } if *known == cause && age == Age::Same => {
                ALREADY_KNOWN
            }
            State::AwaitingCallback { .. }
            | State::Declined { .. }
            | State::Expired
            | State::Parked {
                resume: Resume::Callback(_),
                ..
            } => self.first_news("FirstResultUnclear", &[], result, |next| {
                next.state = State::Parked {
                    cause,
                    resume: Resume::Callback(callback),
                };
            }),
            // The newest documents count, and what these are is not clear.
            State::Capturing { .. }
            | State::Captured { .. }
            | State::Authorizing { .. }
            | State::Authorized { .. }
            | State::Parked {
                resume: Resume::Plan(_),
                ..
            } if age == Age::Newer && !self.is_with_the_provider() => {
                self.heard("FirstResultUnclear", &[], result, |next| {
                    next.state = State::Parked {
                        cause,
                        resume: Resume::Callback(callback),
                    };
                })
            }
            State::Submitting { .. } | State::Submitted { .. } if age == Age::Newer => {
                self.heard("FirstResultUnclear", &[], result, |next| {
                    next.next_upload = None
                })
            }
            // A clear result was signed before. An unclear one does not revoke it.
            _ => OUT_OF_PLACE,
        }
    }

    /// The provider's answer cannot be acted on without the body that never came.
    fn unclear_without_callback(&self, result: &FirstResult, cause: ParkReason) -> Transition {
        match self.pairing.state {
            State::AwaitingCallback { .. } => {
                self.first_news("FirstResultUnclear", &[], result, |next| {
                    next.state = State::Parked {
                        cause,
                        // The name of an empty body, which is in no archive.
                        resume: Resume::Callback(Digest256::of(b"")),
                    };
                })
            }
            _ => OUT_OF_PLACE,
        }
    }

    /// More of what stands, while something else is in question.
    fn dispute(&self, result: &FirstResult) -> Transition {
        self.heard(
            "FirstResultInQuestion",
            &[Effect::EnqueueOnceStored],
            result,
            |next| {
                next.dispute_first_question(self.now);
            },
        )
    }

    fn ask_about_first(
        &self,
        result: &FirstResult,
        news: impl FnOnce(Overall, Vec<Tag>) -> FirstNews,
    ) -> Transition {
        let news = news(result.overall, result.tags.clone());
        self.heard(
            "FirstResultInQuestion",
            &[Effect::EnqueueOnceStored],
            result,
            |next| {
                next.first_question = Some(Question::new(news, self.now));
            },
        )
    }

    /// A change by a believed body: it is the newest result.
    fn first_news(
        &self,
        what: &'static str,
        effects: &[Effect],
        result: &FirstResult,
        alter: impl FnOnce(&mut Pairing),
    ) -> Transition {
        self.heard(what, effects, result, |next| {
            next.first_overall = Some(result.overall);
            next.first_tags.clone_from(&result.tags);
            alter(next);
            if let (State::Capturing { .. }, Some(callback)) = (&next.state, &result.callback) {
                next.first_callback = Some(callback.clone());
            }
        })
    }

    /// A change by a body. The body and its upload are remembered.
    fn heard(
        &self,
        what: &'static str,
        effects: &[Effect],
        result: &FirstResult,
        alter: impl FnOnce(&mut Pairing),
    ) -> Transition {
        self.change(what, effects, |next| {
            if let Some(callback) = &result.callback {
                remember(&mut next.heard, callback);
                if result.upload.age(&next.uploads) == Age::Newer {
                    result.upload.clone().remember(&mut next.uploads);
                }
            }
            alter(next);
        })
    }
}

/// What `/api/v2/status` says of the first verification.
impl Machine<'_> {
    pub(super) fn first_status(&self, said: Option<&Status>) -> Transition {
        let question = match (&self.pairing.first_question, &self.pairing.state) {
            // A token is about to be spent, so a question that could wait is due now.
            // A yes does not answer it: it may be of a worker that asked before the reversal.
            (Some(question), State::Captured { .. } | State::Authorizing { .. })
                if matches!(question.news, FirstNews::Reversal)
                    && said.and_then(Status::settled) != Some(Overall::Approved) =>
            {
                Question {
                    news: FirstNews::Approval,
                    ..question.clone()
                }
            }
            // An answer that another worker was faster with.
            (Some(question), _) if !question.is_due(self.now) => return OUT_OF_PLACE,
            (Some(question), _) => question.clone(),
            (None, State::Captured { .. } | State::Authorizing { .. }) => {
                Question::new(FirstNews::Approval, self.now)
            }
            (None, _) => return OUT_OF_PLACE,
        };
        let negative = |overall| match overall {
            Overall::Denied => Some(DeclineReason::FirstDenied),
            Overall::Suspected => Some(DeclineReason::FirstSuspected),
            _ => None,
        };
        let settled = said.and_then(Status::settled);
        let tags = said.map(|said| said.tags.clone()).unwrap_or_default();
        match (&question.news, settled) {
            (FirstNews::Approval | FirstNews::Reversal, Some(Overall::Approved)) => {
                self.without_first_question("ResultConfirmed")
            }
            (FirstNews::Decline { .. }, Some(settled)) if negative(settled).is_some() => {
                self.without_first_question("ResultConfirmed")
            }
            (
                FirstNews::Qualifies {
                    overall,
                    tags,
                    plan,
                },
                Some(Overall::Approved),
            ) => self.confirm_approval(&question, *overall, tags, Some(plan)),
            (
                FirstNews::Declines {
                    overall,
                    tags,
                    reason,
                },
                Some(settled),
            ) if *overall == settled => self.confirm_decline(&question, *overall, tags, *reason),
            // Denied or suspected: the status declines too, if for another reason.
            (FirstNews::Declines { .. }, Some(settled)) if let Some(reason) = negative(settled) => {
                self.confirm_decline(&question, settled, &tags, reason)
            }
            (FirstNews::Approval | FirstNews::Reversal, Some(settled))
                if let Some(reason) = negative(settled) =>
            {
                match question.patience(true, self.now) {
                    Patience::Contradicted => {
                        self.confirm_decline(&question, settled, &tags, reason)
                    }
                    patience => self.wait_for_first(question, patience),
                }
            }
            (FirstNews::Decline { plan }, Some(Overall::Approved)) => {
                match question.patience(true, self.now) {
                    Patience::Contradicted => {
                        self.confirm_approval(&question, Overall::Approved, &tags, plan.as_ref())
                    }
                    patience => self.wait_for_first(question, patience),
                }
            }
            (FirstNews::Declines { .. }, Some(Overall::Approved))
            | (FirstNews::Qualifies { .. }, Some(Overall::Denied | Overall::Suspected)) => {
                match question.patience(true, self.now) {
                    Patience::Contradicted => self.without_first_question("ResultNotConfirmed"),
                    patience => self.wait_for_first(question, patience),
                }
            }
            _ => {
                let patience = question.patience(false, self.now);
                self.wait_for_first(question, patience)
            }
        }
    }

    fn wait_for_first(&self, question: Question<FirstNews>, patience: Patience) -> Transition {
        match patience {
            Patience::AskAgain(ask_at) => self.change("ResultUnconfirmed", &[], |next| {
                next.first_question = Some(question.asked_again_at(ask_at));
            }),
            // It was confirmed before.
            _ if matches!(
                question.news,
                FirstNews::Decline { .. } | FirstNews::Reversal
            ) =>
            {
                self.without_first_question("ResultUnconfirmed")
            }
            Patience::Contradicted | Patience::Exhausted => {
                self.change("ConfirmationGivenUp", &[], |next| {
                    let standing = Standing {
                        first_question: Some(question),
                        ..self.standing()
                    };
                    self.park_standing(next, ParkReason::ResultUnconfirmed, standing);
                })
            }
        }
    }

    fn without_first_question(&self, what: &'static str) -> Transition {
        if self.pairing.first_question.is_none() {
            return ALREADY_KNOWN;
        }
        self.change(what, &[Effect::Enqueue], |next| next.first_question = None)
    }

    fn confirm_approval(
        &self,
        question: &Question<FirstNews>,
        overall: Overall,
        tags: &[Tag],
        plan: Option<&Plan>,
    ) -> Transition {
        let record = |next: &mut Pairing| {
            next.first_overall = Some(overall);
            next.first_tags = tags.to_vec();
            next.first_question = question.once_more(FirstNews::Reversal, self.now);
        };
        if self.pairing.revoked.is_some() {
            return self.change("RevocationWithdrawn", &[Effect::Enqueue], |next| {
                record(next);
                next.revoked = None;
            });
        }
        match (&self.pairing.state, plan) {
            (State::Declined { .. }, Some(plan)) => {
                self.change("Reopened", &[Effect::Enqueue], |next| {
                    record(next);
                    next.client_id = Some(plan.client_id.clone());
                    next.first_callback = Some(plan.callback.clone());
                    next.state = State::Capturing {
                        plan: plan.clone(),
                        lease_until: self.now,
                        displaced: None,
                        waiting: None,
                    };
                })
            }
            _ => self.without_first_question("ResultConfirmed"),
        }
    }

    fn confirm_decline(
        &self,
        question: &Question<FirstNews>,
        overall: Overall,
        tags: &[Tag],
        reason: DeclineReason,
    ) -> Transition {
        self.change(self.decline_word(), &[], |next| {
            next.first_overall = Some(overall);
            next.first_tags = tags.to_vec();
            self.decline(next, reason);
            let plan = self.pairing.state.plan().cloned();
            next.first_question = question.once_more(FirstNews::Decline { plan }, self.now);
        })
    }
}

impl Pairing {
    fn dispute_first_question(&mut self, now: Timestamp) {
        let question = self.first_question.take();
        self.first_question = question.map(|question| question.disputed(now));
    }

    /// Once declined, two questions stay: an unconfirmed approval, and whether the decline still
    /// holds after any lag.
    pub(super) fn keep_only_what_may_reopen(&mut self) {
        self.first_question.take_if(|question| {
            !matches!(
                question.news,
                FirstNews::Qualifies { .. } | FirstNews::Decline { .. }
            )
        });
    }
}

/// Whether the provider has the documents in this state, or may have them.
pub(super) const fn is_with_the_provider(state: &State) -> bool {
    match state {
        State::Submitting { .. } | State::Submitted { .. } | State::Settled { .. } => true,
        // An unknown word after a plan was made is the second verification's.
        State::Parked {
            cause,
            resume: Resume::Plan(_),
        } => cause.is_after_acceptance() || matches!(cause, ParkReason::OverallUnknown),
        State::Parked {
            resume: Resume::Standing(standing),
            ..
        } => is_with_the_provider(&standing.state),
        _ => false,
    }
}

/// The known plan with the freshest links.
/// Files fetched under other paths are not mixed with theirs.
fn resigned(old: &Plan, plan: &Plan) -> Plan {
    if old.are_links_replaced {
        return plan.clone();
    }
    Plan {
        upload: old.upload.clone(),
        ..plan.clone()
    }
}

/// Remembers a body that has had its effect.
/// Forgets the oldest of too many.
pub(super) fn remember(heard: &mut Vec<UploadId>, callback: &Digest256) {
    let callback = UploadId::of(callback);
    if heard.contains(&callback) {
        return;
    }
    if heard.len() >= Pairing::MAXIMUM_HEARD {
        heard.remove(0);
    }
    heard.push(callback);
}
