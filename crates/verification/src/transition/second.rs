//! Results of the second verification.

use super::first::remember;
use super::{
    ALREADY_HEARD, ALREADY_KNOWN, Effect, Machine, OUT_OF_PLACE, SecondResult, Transition,
};
use crate::comparison::Comparison;
use crate::identifiers::{Digest256, ScanRef};
use crate::pairing::question::{Patience, Question, SecondNews};
use crate::pairing::reason::ParkReason;
use crate::pairing::{Pairing, Second, State, Verdict};
use crate::policy::ComparisonPolicy;
use crate::result::{Overall, Status};

impl Machine<'_> {
    pub(super) fn second_result(&self, result: &SecondResult) -> Transition {
        let Some(second) = self.current_second(&result.scan_ref) else {
            return Transition::Nothing("SecondTokenSuperseded");
        };
        if let Some(callback) = &result.news.callback
            && self.pairing.has_heard(callback)
        {
            return ALREADY_HEARD;
        }
        let overall = result.news.overall;
        let is_verdict = verdict(overall).is_some();
        match &self.pairing.state {
            State::Settled { .. } if second.overall == Some(overall) => {
                self.second_known(second, &result.news)
            }
            // Captured and Authorizing too: the result may come after a person took the pairing up
            // again.
            // Settled too, but a provisional result does not revoke a final one.
            State::Captured { .. }
            | State::Authorizing { .. }
            | State::Authorized { .. }
            | State::Submitting { .. }
            | State::Submitted { .. }
            | State::Settled { .. }
            | State::Parked { .. }
                if is_verdict && !result.provisional && self.is_about(second) =>
            {
                if result.confirm {
                    self.ask_about_second(&result.news)
                } else {
                    self.settle(
                        &result.news,
                        None,
                        result.comparison,
                        result.comparison_policy,
                    )
                }
            }
            State::Authorized { .. } | State::Submitting { .. } | State::Submitted { .. }
                if result.provisional =>
            {
                self.second_at_work(second, &result.news)
            }
            State::Authorized { .. } | State::Submitting { .. } | State::Submitted { .. }
                if overall == Overall::Expired =>
            {
                if result.confirm {
                    self.ask_about_second(&result.news)
                } else {
                    self.second_expired(&result.news)
                }
            }
            State::Submitted { .. } | State::Submitting { .. } if overall == Overall::Unknown => {
                self.second_news(
                    "SecondResultUnclear",
                    self.rest_effects(),
                    &result.news,
                    |next| {
                        self.rest(next, ParkReason::OverallUnknown);
                    },
                )
            }
            _ => OUT_OF_PLACE,
        }
    }

    /// More of what stands, while something else is in question.
    fn second_known(&self, second: &Second, news: &SecondNews) -> Transition {
        if second.question.is_none() {
            return ALREADY_KNOWN;
        }
        self.change(
            "SecondResultInQuestion",
            &[Effect::EnqueueOnceStored],
            |next| {
                next.heard_of(news.callback.as_ref());
                if let Some(second) = &mut next.second {
                    let question = second.question.take();
                    second.question = question.map(|question| question.disputed(self.now));
                }
            },
        )
    }

    /// It is being worked on: proof that the documents were accepted.
    fn second_at_work(&self, second: &Second, news: &SecondNews) -> Transition {
        match &self.pairing.state {
            _ if news.overall == Overall::Active => OUT_OF_PLACE,
            State::Authorized { plan, .. } | State::Submitting { plan, .. } => {
                self.second_news("SecondResultNotFinal", &[], news, |next| {
                    next.state = State::Submitted {
                        plan: plan.clone(),
                        since: self.now,
                        check_at: self.now.plus(Pairing::RESULT_PATIENCE),
                    };
                })
            }
            _ if second.overall == Some(news.overall) => ALREADY_KNOWN,
            _ => self.second_news("SecondResultNotFinal", &[], news, |_| ()),
        }
    }

    fn second_expired(&self, news: &SecondNews) -> Transition {
        match &self.pairing.state {
            State::Authorized { .. } | State::Submitting { .. } => self.second_token_died(),
            State::Submitted { .. } => {
                self.second_news("SecondExpired", self.rest_effects(), news, |next| {
                    self.rest(next, ParkReason::SecondExpired);
                })
            }
            _ => OUT_OF_PLACE,
        }
    }

    /// `again`: what to ask once more.
    fn settle(
        &self,
        news: &SecondNews,
        again: Option<Question<SecondNews>>,
        comparison: Option<Comparison>,
        policy: ComparisonPolicy,
    ) -> Transition {
        let Some(found) = verdict(news.overall) else {
            return OUT_OF_PLACE;
        };
        let (verdict, reason) = match policy.objection(comparison) {
            Some(reason) if found == Verdict::Approved => (Verdict::Suspected, Some(reason)),
            _ => (found, None),
        };
        let is_next_due = verdict != Verdict::Approved && self.pairing.next_upload.is_some();
        let effects: &[Effect] = if is_next_due {
            &[Effect::EnqueueOnceStored]
        } else {
            &[]
        };
        self.second_news("SecondResult", effects, news, |next| {
            next.comparison = comparison;
            if let Some(second) = &mut next.second {
                second.question = again;
            }
            next.state = State::Settled { verdict, reason };
            if verdict == Verdict::Approved {
                next.next_upload = None;
            }
        })
    }

    fn ask_about_second(&self, news: &SecondNews) -> Transition {
        self.change(
            "SecondResultInQuestion",
            &[Effect::EnqueueOnceStored],
            |next| {
                next.heard_of(news.callback.as_ref());
                if let Some(second) = &mut next.second {
                    let question = second.question.as_ref();
                    let was_disputed = question.is_some_and(|question| question.is_disputed);
                    let asked = question.map(|question| question.news.overall);
                    let settled = second
                        .overall
                        .filter(|_| matches!(self.pairing.state, State::Settled { .. }));
                    let is_disputed = was_disputed
                        || [asked, settled]
                            .into_iter()
                            .flatten()
                            .any(|known| known != news.overall);
                    second.question = Some(Question {
                        is_disputed,
                        ..Question::new(news.clone(), self.now)
                    });
                }
            },
        )
    }

    /// A change by a result that is believed.
    fn second_news(
        &self,
        what: &'static str,
        effects: &[Effect],
        news: &SecondNews,
        alter: impl FnOnce(&mut Pairing),
    ) -> Transition {
        self.change(what, effects, |next| {
            next.heard_of(news.callback.as_ref());
            if let Some(second) = &mut next.second {
                second.overall = Some(news.overall);
                second.tags.clone_from(&news.tags);
                if verdict(news.overall).is_some() || news.overall == Overall::Expired {
                    second.question = None;
                }
            }
            alter(next);
        })
    }

    pub(super) fn second_token_died(&self) -> Transition {
        match &self.pairing.state {
            State::Authorized { plan, .. } | State::Submitting { plan, .. } => {
                self.not_submitted("SecondTokenDied", State::captured(plan.clone()))
            }
            _ => OUT_OF_PLACE,
        }
    }

    fn current_second(&self, scan_ref: &ScanRef) -> Option<&Second> {
        self.pairing
            .second
            .as_ref()
            .filter(|second| second.scan_ref == *scan_ref)
    }

    /// Whether it is the newest Token 2.
    /// An earlier one's outcome does not count.
    pub(super) fn is_current(&self, scan_ref: Option<&ScanRef>) -> bool {
        self.pairing.second.as_ref().map(|second| &second.scan_ref) == scan_ref
    }

    fn is_settled_as(&self, overall: Overall) -> bool {
        let known = self
            .pairing
            .second
            .as_ref()
            .and_then(|second| second.overall);
        matches!(self.pairing.state, State::Settled { .. }) && known == Some(overall)
    }

    /// Whether the Token 2 is about the plan's documents.
    fn is_about(&self, second: &Second) -> bool {
        self.pairing
            .state
            .plan()
            .is_none_or(|plan| plan.upload == second.upload)
    }
}

/// What `/api/v2/status` says of the second verification.
impl Machine<'_> {
    pub(super) fn second_status(
        &self,
        scan_ref: &ScanRef,
        said: Option<&Status>,
        comparison: Option<Comparison>,
        policy: ComparisonPolicy,
    ) -> Transition {
        let second = self
            .current_second(scan_ref)
            .filter(|second| self.is_about(second));
        let question = second.and_then(|second| second.question.clone());
        // Or an answer that another worker was faster with.
        let Some(question) = question.filter(|question| question.is_due(self.now)) else {
            return OUT_OF_PLACE;
        };
        let news = &question.news;
        let settled = said.and_then(Status::settled);
        if settled == Some(news.overall) {
            return self.confirm_second(&question, comparison, policy);
        }
        let verdict = settled.filter(|settled| verdict(*settled).is_some());
        let is_contradicted = verdict.is_some() || settled == Some(Overall::Expired);
        match question.patience(is_contradicted, self.now) {
            Patience::AskAgain(ask_at) => self.change("ResultUnconfirmed", &[], |next| {
                if let Some(second) = &mut next.second {
                    second.question = Some(question.asked_again_at(ask_at));
                }
            }),
            // The provider's own word may be news: of a body that was lost, or overtaken by this
            // one.
            Patience::Contradicted => self.change("ResultNotConfirmed", &[], |next| {
                let Some(second) = &mut next.second else {
                    return;
                };
                second.question = verdict
                    .filter(|verdict| second.overall != Some(*verdict))
                    .map(|overall| {
                        let tags = said.map(|said| said.tags.clone()).unwrap_or_default();
                        let callback = None;
                        Question::new(
                            SecondNews {
                                overall,
                                tags,
                                callback,
                            },
                            self.now,
                        )
                    });
            }),
            // It was confirmed before.
            Patience::Exhausted if self.is_settled_as(news.overall) => {
                self.change("ResultUnconfirmed", &[], Pairing::forget_second_question)
            }
            Patience::Exhausted => self.change("ConfirmationGivenUp", &[], |next| {
                self.park_standing(next, ParkReason::ResultUnconfirmed, self.standing());
            }),
        }
    }

    fn confirm_second(
        &self,
        question: &Question<SecondNews>,
        comparison: Option<Comparison>,
        policy: ComparisonPolicy,
    ) -> Transition {
        let news = &question.news;
        if self.is_settled_as(news.overall) {
            self.change("ResultConfirmed", &[], Pairing::forget_second_question)
        } else if news.overall == Overall::Expired {
            self.second_expired(news)
        } else {
            let again = question
                .once_more(news.clone(), self.now)
                .filter(|_| question.is_disputed);
            self.settle(news, again, comparison, policy)
        }
    }
}

impl Pairing {
    /// What was to be confirmed about older documents.
    pub(super) fn forget_second_question(&mut self) {
        if let Some(second) = &mut self.second {
            second.question = None;
        }
    }

    /// Remembers a body that has had its effect.
    /// Forgets the oldest of too many.
    pub(super) fn heard_of(&mut self, callback: Option<&Digest256>) {
        if let Some(callback) = callback {
            remember(&mut self.heard, callback);
        }
    }
}

/// The outcome that a final result of the second verification is.
const fn verdict(overall: Overall) -> Option<Verdict> {
    match overall {
        Overall::Approved => Some(Verdict::Approved),
        Overall::Denied => Some(Verdict::Denied),
        Overall::Suspected => Some(Verdict::Suspected),
        _ => None,
    }
}
