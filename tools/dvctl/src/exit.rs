//! Exit statuses, for scripts.

use std::io::Write;
use std::process::ExitCode;

/// The exit status. Its numbers are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// Nothing was done, or the outcome is unknown. The message advises.
    Failed = 1,
    Usage = 2,
    /// The named verification, stack or other thing does not exist.
    NotFound = 3,
    /// Only a part was done.
    Partly = 4,
    /// `doctor`, `probe`: it works, with warnings.
    Warned = 5,
    /// `probe`: iDenfy's account does not fit.
    Unfit = 6,
    /// By SIGINT or SIGTERM. The message says how to go on.
    Interrupted = 130,
}

impl Exit {
    /// The outcome of several things together.
    pub fn of_all(each: impl IntoIterator<Item = Self>) -> Self {
        let mut all = each.into_iter();
        let Some(first) = all.next() else {
            return Self::Done;
        };
        all.fold(
            first,
            |sum, next| if sum == next { sum } else { Self::Partly },
        )
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Prints why the program cannot start.
pub fn cannot_start(error: &dyn std::error::Error) -> ExitCode {
    // If this fails, nobody can be told.
    drop(writeln!(std::io::stderr(), "dvctl: cannot start: {error}"));
    Exit::Failed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_different_ends_are_partly() {
        assert_eq!(Exit::of_all([]), Exit::Done);
        assert_eq!(Exit::of_all([Exit::Done, Exit::Done]), Exit::Done);
        assert_eq!(
            Exit::of_all([Exit::NotFound, Exit::NotFound]),
            Exit::NotFound
        );
        assert_eq!(Exit::of_all([Exit::Done, Exit::NotFound]), Exit::Partly);
        assert_eq!(
            Exit::of_all([Exit::Partly, Exit::Done, Exit::Done]),
            Exit::Partly
        );
    }
}
