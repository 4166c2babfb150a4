//! SDK errors as the ports' `Unavailable`, with a source chain that names service and code and
//! prints no request.

use std::error::Error;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use verification::ports::Unavailable;

/// What is left of an SDK error: its kind, the service's code and the transport's own words. The
/// service's message is left out, because services quote requests in it.
#[derive(Debug, thiserror::Error)]
enum SdkFailure {
    #[error("the request could not be built")]
    NotBuilt,
    #[error("no answer in time")]
    TimedOut,
    #[error("the request could not be sent: {0}")]
    NotSent(String),
    #[error("the answer could not be read")]
    Unreadable,
    #[error("the service refused ({})", .0.as_deref().unwrap_or("no code"))]
    Refused(Option<String>),
}

pub(crate) fn unavailable<E, R>(what: &'static str, error: SdkError<E, R>) -> Unavailable
where
    E: ProvideErrorMetadata,
{
    let failure = match &error {
        SdkError::ConstructionFailure(_) => SdkFailure::NotBuilt,
        SdkError::TimeoutError(_) => SdkFailure::TimedOut,
        SdkError::DispatchFailure(failure) => SdkFailure::NotSent(
            failure
                .as_connector_error()
                .map(|error| chain(error))
                .unwrap_or_default(),
        ),
        SdkError::ServiceError(_) => SdkFailure::Refused(code(&error).map(str::to_owned)),
        _ => SdkFailure::Unreadable,
    };
    Unavailable::new(what, failure)
}

/// A part of a request that a service did not accept although it accepted the request.
pub(crate) fn refused(what: &'static str, code: Option<&str>) -> Unavailable {
    Unavailable::new(what, SdkFailure::Refused(code.map(str::to_owned)))
}

/// The transport's causes, in one line. It never has a URL in it.
fn chain(error: &dyn Error) -> String {
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
