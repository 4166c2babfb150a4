//! One line of what `doctor` and `probe` find.

use std::fmt;

use serde::Serialize;

use crate::failure::Failure;

/// The result of one check, or of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    Ok,
    Warning,
    /// `probe` only: the answers do not tell.
    Unknown,
    Failed,
}

/// One check.
#[derive(Debug, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub result: Health,
    pub found: String,
    /// What to do.
    #[serde(rename = "do", skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    pub fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            result: Health::Ok,
            found: found.into(),
            advice: None,
        }
    }

    pub fn warning(
        name: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            result: Health::Warning,
            advice: Some(advice.into()),
            ..Self::ok(name, found)
        }
    }

    pub fn failed(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            result: Health::Failed,
            advice: Some(advice.into()),
            ..Self::ok(name, found)
        }
    }

    pub fn unknown(
        name: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            result: Health::Unknown,
            advice: Some(advice.into()),
            ..Self::ok(name, found)
        }
    }

    /// A check that could not be made.
    pub fn of(name: &'static str, failure: &Failure) -> Self {
        let advice = failure.advice().map(str::to_owned);
        Self {
            result: Health::Failed,
            advice,
            ..Self::ok(name, failure.message())
        }
    }

    pub fn from(name: &'static str, checked: Result<Self, Failure>) -> Self {
        checked.unwrap_or_else(|failure| Self::of(name, &failure))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = match self.result {
            Health::Ok => "ok",
            Health::Warning => "warning",
            Health::Unknown => "unknown",
            Health::Failed => "FAILED",
        };
        write!(f, "{result:<8} {:<14} {}", self.name, self.found)?;
        match &self.advice {
            Some(advice) => write!(f, "; do: {advice}"),
            None => Ok(()),
        }
    }
}
