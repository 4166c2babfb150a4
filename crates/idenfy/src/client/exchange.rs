//! One call with its answer as it came.
//!
//! The typed operations are an exchange and a reading of its answer. A tool that examines the
//! provider itself has both.

use std::fmt;

use reqwest::Method;
use serde::Serialize;
use serde_json::{Map, Value};

use super::Client;
use crate::Error;
use crate::error::answer::Answer;
use crate::error::classify::identifier_of;

/// The operations with a small JSON body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Token,
    Status,
    Files,
    Delete,
}

impl Operation {
    const fn path(self) -> &'static str {
        match self {
            Self::Token => "api/v2/token",
            Self::Status => "api/v2/status",
            Self::Files => "api/v2/files",
            Self::Delete => "api/v2/delete",
        }
    }
}

/// A request of the operations that take a `scanRef` and nothing else.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScanRef<'a> {
    pub(super) scan_ref: &'a str,
}

/// What the provider answered, good or bad.
/// `Debug` shows the status only: the rest may hold a token or a link.
pub struct Exchange(Answer);

impl Client {
    /// Sends any JSON to an operation. The answer is not judged.
    ///
    /// # Errors
    /// There is no whole answer.
    pub async fn exchange(
        &self,
        operation: Operation,
        body: &impl Serialize,
    ) -> Result<Exchange, Error> {
        let timeout = match operation {
            Operation::Token => self.timeouts.token,
            Operation::Status | Operation::Files | Operation::Delete => self.timeouts.others,
        };
        let request = self.request(Method::POST, operation.path(), timeout);
        let answer = Answer::read(request.json(body).send().await?).await?;
        Ok(Exchange(answer))
    }
}

impl Exchange {
    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.0.status
    }

    /// The members of the answer's JSON object. May hold a token, links or a text of the provider.
    #[must_use]
    pub fn members(&self) -> Option<Map<String, Value>> {
        self.0.object()
    }

    /// The error's `identifier`, if it is a word.
    #[must_use]
    pub fn identifier(&self) -> Option<String> {
        self.members().as_ref().and_then(identifier_of)
    }

    /// Whether a header of this name came, in any case of letters.
    #[must_use]
    pub fn has_header(&self, name: &str) -> bool {
        self.0.headers.contains_key(name)
    }

    pub(super) const fn answer(&self) -> &Answer {
        &self.0
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Exchange")
            .field("status", &self.0.status)
            .finish_non_exhaustive()
    }
}
