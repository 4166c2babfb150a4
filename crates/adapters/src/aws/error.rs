//! Why an AWS service did not do what was asked.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use verification::ports::StoreUnavailable;

/// Holds the service's code and the transport's own words.
///
/// The service's message is left out: services quote requests in it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("there are no credentials")]
    NoCredentials,
    #[error("the request could not be built")]
    NotBuilt,
    #[error("no answer in time")]
    TimedOut,
    /// The transport's causes. They hold no URL.
    #[error("the request could not be sent: {0}")]
    NotSent(String),
    #[error("the answer could not be read")]
    Unreadable,
    #[error("the service refused ({})", .code.as_deref().unwrap_or("no code"))]
    Refused {
        /// `None` for a part of a request that was accepted as a whole.
        status: Option<u16>,
        code: Option<String>,
    },
}

impl ServiceError {
    /// The service's error code, if it answered with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => code.as_deref(),
            _ => None,
        }
    }
}

/// An SDK error as the ports' error. Its source prints no request.
pub(crate) fn unavailable<E, R>(what: &'static str, error: SdkError<E, R>) -> StoreUnavailable
where
    E: ProvideErrorMetadata,
{
    let failure = match &error {
        SdkError::ConstructionFailure(_) => ServiceError::NotBuilt,
        SdkError::TimeoutError(_) => ServiceError::TimedOut,
        SdkError::DispatchFailure(failure) => ServiceError::NotSent(
            failure
                .as_connector_error()
                .map(|error| error_chain(error))
                .unwrap_or_default(),
        ),
        SdkError::ServiceError(_) => ServiceError::Refused {
            status: None,
            code: code(&error).map(str::to_owned),
        },
        _ => ServiceError::Unreadable,
    };
    StoreUnavailable::new(what, failure)
}

/// An error and its causes, in one line.
pub fn error_chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// The service's error code, if it answered with one.
pub(crate) fn code<E, R>(error: &SdkError<E, R>) -> Option<&str>
where
    E: ProvideErrorMetadata,
{
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
}
