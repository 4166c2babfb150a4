//! What iDenfy answers, as one list of cases.
//!
//! Three subjects are held to it: the sandbox, the simulation's provider, and iDenfy itself
//! (`tests/live`). A difference is a mistake in a model, or news about iDenfy.
//!
//! The list has what the flow and `dvctl probe` rely on. Where the documentation is silent, a case
//! allows every reading that the flow lives with.

mod cases;
mod subject;

pub use cases::CASES;
pub use subject::{Key, Refusal, Subject, Token, TokenKind, WireAnswer};

use futures_util::future::BoxFuture;

/// What a subject must be able to do for a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The calls that the flow makes.
    Calls,
    /// Any request over HTTP, bad ones included.
    Wire,
    /// One accepted submission, which may cost a credit.
    Submission,
}

/// One case.
#[derive(Debug)]
pub struct Case {
    /// What holds.
    pub name: &'static str,
    pub needs: Needs,
    check: for<'a> fn(&'a dyn Subject) -> BoxFuture<'a, Result<(), String>>,
}

/// Runs the cases that the subject can do. Returns what differs, one line for each case.
pub async fn differences(subject: &dyn Subject, able: &[Needs]) -> Vec<String> {
    let mut differences = Vec::new();
    for case in CASES.iter().filter(|case| able.contains(&case.needs)) {
        if let Err(difference) = (case.check)(subject).await {
            differences.push(format!("{}: {difference}", case.name));
        }
    }
    differences
}
