//! What the program has from outside its arguments.

use adapters::{HttpClientError, SystemClock, http_client};

use crate::pace::Interruption;

#[derive(Clone, Debug)]
pub struct Environment {
    pub(crate) http: reqwest::Client,
    pub(crate) clock: SystemClock,
    pub(crate) interruption: Interruption,
}

/// Why there is no environment to run in.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    #[error(transparent)]
    Http(#[from] HttpClientError),
    #[error("signals cannot be watched")]
    Signals(#[from] std::io::Error),
}

impl Environment {
    /// The process's own. Call it in a runtime.
    ///
    /// # Errors
    /// The HTTP client cannot be built, or signals cannot be watched.
    pub fn new() -> Result<Self, EnvironmentError> {
        Ok(Self {
            http: http_client()?,
            clock: SystemClock,
            interruption: Interruption::watch()?,
        })
    }
}
