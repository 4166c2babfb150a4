//! How the program ends, for scripts.

use std::io::Write;
use std::process::ExitCode;

/// The exit status. The numbers are part of the program's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// Nothing was done, or it is not known what was; the message says what to do.
    Failed = 1,
    Usage = 2,
    /// There is no such verification, stack or other thing that was named.
    NotFound = 3,
    /// Something was done and something was not.
    Partly = 4,
    /// `doctor`: it works, and somebody should look at something.
    Warned = 5,
    /// By SIGINT or SIGTERM; where it can go on, it has said how.
    Interrupted = 130,
}

impl Exit {
    /// What came of several things together.
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

/// Says why the program could not even start.
pub fn cannot_start(error: &dyn std::error::Error) -> ExitCode {
    // Where this cannot be written, there is nobody to tell.
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
