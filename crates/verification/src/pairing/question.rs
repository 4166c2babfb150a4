//! Confirmation by the provider, before an old or forged body reverses a decision or spends a
//! token.
//!
//! The provider signs no time, so a signed body is valid for ever.
//! The body that arrives last need not be the newest.
//! A body that would reverse something is kept as a [`Question`] beside the standing decision.
//! The answer of `/api/v2/status` decides between them.

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
    /// Another body recently said something else.
    /// An answer that lags may confirm the older one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_disputed: bool,
}

/// A claim about the first verification that is not believed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FirstNews {
    /// No body: whether the known approval still holds, before a token is spent.
    Approval,
    /// No body: whether an approval that reversed a decision still holds after any lag.
    /// Nothing waits for it.
    Reversal,
    /// No body: whether a confirmed negative result still holds after any lag.
    /// `plan`: the plan that it stopped.
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

/// A claim about the second verification that is not believed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondNews {
    pub overall: Overall,
    pub tags: Vec<Tag>,
    /// The archived body. `None`: the claim is from an answer of `/api/v2/status`.
    pub callback: Option<Digest256>,
}

/// What to do after an answer that does not confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    AskAgain(Timestamp),
    /// Contradicted for longer than a status can lag behind.
    Contradicted,
    /// Not answered for so long that a person must look.
    Exhausted,
}

/// The first and the longest pause between two questions.
/// Each is three times the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// How long a status may lag behind a callback.
/// A contradiction is believed only after it.
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

    /// The same question once more, after any lag.
    /// `None`: it was answered late enough.
    /// An early answer may have confirmed a body that was late.
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

    /// When the reconciler must look whether it was asked.
    /// A new question has a message under way.
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

    /// Another body contradicts it.
    /// Only answers from now on tell which body is newer, lag aside.
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
