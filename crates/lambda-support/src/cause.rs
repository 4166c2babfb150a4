//! Errors in log lines.

use std::error::Error;

/// The causes below an error, in one line, for the field beside the error's own text. `None` if it
/// has no cause.
pub fn cause(error: &dyn Error) -> Option<String> {
    error.source().map(adapters::error_chain)
}

#[cfg(test)]
mod tests {
    use verification::ports::StoreUnavailable;

    use super::*;

    #[test]
    fn causes_stand_in_one_line_without_the_error_itself() {
        let inner = StoreUnavailable::new("reading the table", "throttled");
        let outer = StoreUnavailable::new("answering", inner);
        assert_eq!(
            cause(&outer).as_deref(),
            Some("reading the table failed: throttled")
        );
        let bare = StoreUnavailable {
            what: "answering",
            source: None,
        };
        assert_eq!(cause(&bare), None);
    }
}
