//! What is asked before an old or forged body can reverse a decision or spend a token.
//!
//! The provider signs no time, so a signed body is good for ever, and what arrives last need not be
//! the newest. A body that would reverse something is therefore kept as a [`Question`] beside the
//! decision that still stands. The answer of `/api/v2/status` decides between them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identifiers::Digest256;
use crate::pairing::document::Plan;
use crate::pairing::reason::DeclineReason;
use crate::result::{Overall, Tag};
use crate::time::Timestamp;

/// A result that waits for the provider's confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question<News> {
    pub news: News,
    /// When the result arrived, or when the provider was asked first.
    pub since: Timestamp,
    /// When to ask next.
    pub ask_at: Timestamp,
    /// How often the provider was asked in vain.
    pub asked: u32,
    /// Another body said something else not long before, so an answer that lags behind may confirm
    /// the older one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_disputed: bool,
}

/// What a body says about the first verification that is not believed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstNews {
    /// No body: whether the approval that is known still holds, before a token is spent on it.
    Approval,
    /// No body: whether an approval that reversed a decision still holds when no lag explains the
    /// answer. Nothing waits for it.
    Reversal,
    /// No body: whether the negative result that was confirmed still holds when no lag explains the
    /// answer. `plan`: what it has stopped.
    Decline { plan: Option<Plan> },
    Qualifies {
        overall: Overall,
        tags: Vec<Tag>,
        plan: Plan,
    },
    Declines {
        overall: Overall,
        tags: Vec<Tag>,
        reason: DeclineReason,
    },
}

/// What a body says about the second verification that is not believed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondNews {
    pub overall: Overall,
    pub tags: Vec<Tag>,
    /// The archived body. `None`: the news is from an answer of `/api/v2/status`.
    pub callback: Option<Digest256>,
}

/// What to do with a question that was not answered with yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    AskAgain(Timestamp),
    /// Contradicted for so long that a status that lags behind does not explain it.
    Contradicted,
    /// Not answered for so long that a person must look.
    Exhausted,
}

/// Pauses between two questions: the first, and the longest. Each is three times the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// How long a status may lag behind a callback. Only after it is a contradiction believed.
pub const LAG_PATIENCE: Duration = Duration::from_secs(10 * 60);

/// How long a result may stay unconfirmed before the pairing is parked.
pub const CONFIRMATION_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

impl<News> Question<News> {
    pub(crate) fn new(news: News, now: Timestamp) -> Self {
        Self {
            news,
            since: now,
            ask_at: now,
            asked: 0,
            is_disputed: false,
        }
    }

    /// What was believed is asked for once more when no lag explains the answer: a status that lags
    /// behind may have confirmed a body that was late. `None`: it was believed so late.
    pub(crate) fn once_more<Other>(&self, news: Other, now: Timestamp) -> Option<Question<Other>> {
        let ask_at = self.since.plus(LAG_PATIENCE);
        (now < ask_at).then_some(Question {
            news,
            since: self.since,
            ask_at,
            asked: self.asked.saturating_add(1),
            is_disputed: false,
        })
    }

    pub fn is_due(&self, now: Timestamp) -> bool {
        self.ask_at <= now
    }

    pub fn is_unasked(&self, now: Timestamp) -> bool {
        self.asked == 0 && self.is_due(now)
    }

    /// When somebody must look whether it was asked. A message is on its way when the question is
    /// new.
    pub(crate) fn attention_at(&self, message_patience: Duration) -> Timestamp {
        if self.asked == 0 {
            self.ask_at.plus(message_patience)
        } else {
            self.ask_at
        }
    }

    pub(crate) fn patience(&self, is_contradicted: bool, now: Timestamp) -> Patience {
        let believed_at = self.since.plus(LAG_PATIENCE);
        if is_contradicted && now >= believed_at {
            return Patience::Contradicted;
        }
        if now >= self.since.plus(CONFIRMATION_PATIENCE) {
            return Patience::Exhausted;
        }
        let again_at = now.plus(pause(self.asked));
        Patience::AskAgain(if is_contradicted {
            again_at.min(believed_at)
        } else {
            again_at
        })
    }

    /// Another body has said the contrary: only what is asked from now on tells which of them is
    /// the newer, as far as no lag explains it.
    pub(crate) fn disputed(self, now: Timestamp) -> Self {
        Self {
            since: now,
            is_disputed: true,
            ..self
        }
    }

    pub(crate) fn asked_again_at(self, ask_at: Timestamp) -> Self {
        Self {
            ask_at,
            asked: self.asked.saturating_add(1),
            ..self
        }
    }
}

fn pause(asked: u32) -> Duration {
    FIRST_PAUSE
        .saturating_mul(3_u32.saturating_pow(asked))
        .min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000);

    fn asked_at(seconds: u64, asked: u32, is_contradicted: bool) -> Patience {
        let question = Question {
            asked,
            ..Question::new((), NOW)
        };
        question.patience(is_contradicted, NOW.plus(Duration::from_secs(seconds)))
    }

    #[test]
    fn pauses_grow_to_half_an_hour() {
        let pauses: Vec<u64> = (0..8).map(|asked| pause(asked).as_secs()).collect();
        assert_eq!(pauses, [10, 30, 90, 270, 810, 1_800, 1_800, 1_800]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn a_contradiction_is_believed_once_no_lag_explains_it() {
        let ten_minutes = NOW.plus(LAG_PATIENCE);
        assert_eq!(
            asked_at(0, 0, true),
            Patience::AskAgain(NOW.plus(FIRST_PAUSE))
        );
        assert_eq!(asked_at(400, 4, true), Patience::AskAgain(ten_minutes));
        assert_eq!(asked_at(600, 5, true), Patience::Contradicted);
    }

    #[test]
    fn without_an_answer_a_day_is_the_end() {
        assert!(matches!(asked_at(86_399, 50, false), Patience::AskAgain(_)));
        assert_eq!(asked_at(86_400, 50, false), Patience::Exhausted);
    }
}
