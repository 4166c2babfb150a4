//! Why a command ends early: message, causes, advice.

use std::error::Error;
use std::io;

use adapters::error_chain;
use verification::identifiers::ScanRef;
use verification::ports::StoreUnavailable;

use crate::exit::Exit;

/// A message for a person.
///
/// It has nothing personal or secret: services' codes, never their texts.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    message: String,
    advice: Option<String>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    /// The reader closed the pipe, as `head` does. No complaint.
    pub is_unread: bool,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            message: message.into(),
            advice: None,
            cause: None,
            is_unread: false,
        }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(message).with_exit(Exit::Usage)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(message).with_exit(Exit::NotFound)
    }

    pub fn no_verification(scan_ref: &ScanRef) -> Self {
        Self::not_found(format!("no verification has the scanRef {scan_ref}")).advise(
            "check the scanRef (either token's will do) and --stack; a verification is \
             forgotten RetentionDays after its last change",
        )
    }

    #[must_use]
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Message and causes, in one line.
    pub fn message(&self) -> String {
        match &self.cause {
            Some(cause) => format!("{}: {}", self.message, error_chain(cause.as_ref())),
            None => self.message.clone(),
        }
    }

    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

impl From<StoreUnavailable> for Failure {
    fn from(error: StoreUnavailable) -> Self {
        Self::new("AWS did not do what was asked")
            .because(error)
            .advise(
                "if access was denied, see which permissions the command needs in \
                tools/dvctl/README.md; otherwise try again",
            )
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let is_unread = error.kind() == io::ErrorKind::BrokenPipe;
        Self {
            is_unread,
            ..Self::new("cannot read or write").because(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_every_cause_in_one_line() {
        let failure = Failure::from(StoreUnavailable::new("reading the table", "throttled"));
        assert_eq!(
            failure.message(),
            "AWS did not do what was asked: reading the table failed: throttled"
        );
        assert_eq!(failure.exit, Exit::Failed);
    }
}
