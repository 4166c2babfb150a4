//! A version may go live if it accepts signed callbacks and refuses forged ones.

use std::fmt;

use serde_json::Value;

use crate::deployment_hooks::HookStatus;
use crate::version_invoker::InvocationError;

/// A version's answer to one callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    /// It crashed or ran out of time.
    Failed,
    /// Not an HTTP response.
    Unreadable,
    /// It was not reached, or gave no answer in time.
    Unreachable,
}

impl Answer {
    /// What a forged callback must be answered.
    pub const REFUSED: Self = Self::Status(401);

    /// Of an invocation's outcome.
    pub fn of(invoked: &Result<Value, InvocationError>) -> Self {
        let answer = match invoked {
            Ok(answer) => answer,
            Err(InvocationError::Failed) => return Self::Failed,
            Err(InvocationError::Unreadable) => return Self::Unreadable,
            Err(InvocationError::Unavailable(_)) => return Self::Unreachable,
        };
        let status = answer.get("statusCode").and_then(Value::as_u64);
        status
            .and_then(|status| u16::try_from(status).ok())
            .map_or(Self::Unreadable, Self::Status)
    }
}

/// For the log.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Failed => f.write_str("failed"),
            Self::Unreadable => f.write_str("unreadable"),
            Self::Unreachable => f.write_str("unreachable"),
        }
    }
}

/// Only the two right answers pass. Accepting everything is worse than failing.
pub fn judge(signed: Answer, forged: Answer) -> HookStatus {
    match (signed, forged) {
        (Answer::Status(200), Answer::REFUSED) => HookStatus::Succeeded,
        _ => HookStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_two_right_answers_let_a_version_go_live() {
        let answers = [
            Answer::Status(200),
            Answer::Status(401),
            Answer::Status(403),
            Answer::Status(503),
            Answer::Failed,
            Answer::Unreadable,
            Answer::Unreachable,
        ];
        for signed in answers {
            for forged in answers {
                let is_right = (signed, forged) == (Answer::Status(200), Answer::Status(401));
                let expected = if is_right {
                    HookStatus::Succeeded
                } else {
                    HookStatus::Failed
                };
                assert_eq!(judge(signed, forged), expected, "{signed} {forged}");
            }
        }
    }

    #[test]
    fn an_answer_is_read_for_its_status_and_nothing_else() {
        for (answer, read) in [
            (json!({"statusCode": 200, "headers": {}, "body": ""}), "200"),
            (json!({"statusCode": 70_000}), "unreadable"),
            (json!({"statusCode": "200"}), "unreadable"),
            (json!({"errorMessage": "…"}), "unreadable"),
            (json!(null), "unreadable"),
        ] {
            assert_eq!(
                Answer::of(&Ok(answer.clone())).to_string(),
                read,
                "{answer}"
            );
        }
        assert_eq!(Answer::of(&Err(InvocationError::Failed)), Answer::Failed);
    }
}
