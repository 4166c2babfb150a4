//! Why a call failed, by what can be done about it.
//!
//! The provider answers with a code, an `identifier`, both or neither.
//! Its documents disagree about the codes, so the identifier decides first (see [`classify`]).
//! Identifiers are an open set.
//! No variant holds or prints a provider's text, a token or a link.

pub(crate) mod answer;
pub(crate) mod classify;
pub(crate) mod member;
pub(crate) mod retry_after;

use std::time::Duration;

/// An error from another library.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection came about; the request was not sent.
    #[error("iDenfy could not be connected to")]
    NotConnected(#[source] BoxError),
    /// The connection broke, or time ran out, before the whole request was sent: not executed.
    /// Submissions only.
    /// Other requests are small enough to leave at once.
    #[error("the request could not be sent to iDenfy to its end")]
    NotSent(#[source] BoxError),
    /// No whole answer within the time limit. The request may have arrived.
    #[error("iDenfy did not answer in time")]
    TimedOut(#[source] BoxError),
    /// The connection broke before the whole answer arrived.
    /// The request may have arrived.
    #[error("the connection to iDenfy was lost")]
    ConnectionLost(#[source] BoxError),
    /// The API key or secret is wrong.
    #[error("iDenfy refuses the API key")]
    Unauthorized,
    /// The account's credits or token limit are used up.
    #[error("the iDenfy account is out of funds")]
    OutOfFunds,
    /// The key may not do this in its environment, or the account is inactive.
    #[error("iDenfy forbids this operation for the account or environment")]
    Forbidden,
    /// The feature is not in the contract. Direct processing must be ordered.
    #[error("the feature is not in the iDenfy contract")]
    NotInContract,
    /// Over the requests allowed per hour: 10,000 by default.
    /// What they are counted over is not documented.
    #[error("iDenfy limits the rate of requests")]
    RateLimited {
        /// The header `Retry-After`, at most a day.
        /// Not documented, but a gateway may send it.
        retry_after: Option<Duration>,
    },
    /// HTTP 409: the client already has an active session.
    /// It ends by itself.
    #[error("the client has an active iDenfy session")]
    ActiveSession,
    /// The token is expired, used or unknown.
    /// After an in-doubt call: perhaps it was accepted.
    #[error("iDenfy does not accept the token")]
    TokenNotValid,
    /// The request was refused for what is in it.
    #[error("iDenfy rejected the request: {identifier} (HTTP {status})")]
    Rejected {
        /// The provider's identifier, such as `MISSING_VALUE`: upper-case letters, digits and `_`
        /// only.
        identifier: String,
        /// 200 is possible: the provider reports some rejections so.
        status: u16,
        /// The member or step that the provider's text seems to be about.
        /// A harmless name, as a hint.
        member: Option<String>,
    },
    /// The request was refused and no identifier says why.
    #[error("iDenfy rejected the request (HTTP {status})")]
    RejectedWithoutIdentifier { status: u16 },
    /// A fault at the provider's.
    #[error("iDenfy failed (HTTP {status})")]
    ServerError { status: u16 },
    /// An undocumented answer: HTML from a gateway, a redirect, incomplete JSON, or more than 1
    /// MiB.
    #[error("iDenfy's answer cannot be read (HTTP {status})")]
    UnreadableAnswer { status: u16 },
    /// HTTP 413: a hop on the way accepts less than the provider's documented limit.
    #[error("the request is too large for iDenfy")]
    TooLarge,
    /// The request would exceed [`MAXIMUM_REQUEST_BYTES`](crate::MAXIMUM_REQUEST_BYTES). Not sent.
    #[error("the request would have {bytes} bytes, more than the {maximum} that iDenfy takes")]
    RequestTooLarge { bytes: u64, maximum: u64 },
    /// An image could not be read to its declared end.
    /// The aborted request cannot have been accepted.
    #[error("an image could not be read while it was being sent")]
    Source(#[source] SourceError),
}

/// What was wrong with an image's stream.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("reading failed")]
    Failed(#[source] BoxError),
    #[error("the image ended after {received} of {declared} bytes")]
    EndedEarly { declared: u64, received: u64 },
    #[error("the image has more than its declared {declared} bytes")]
    TooLong { declared: u64 },
}

impl Error {
    /// Whether the same call may succeed later without any change.
    ///
    /// It does not say whether the call may be *repeated*: ask [`Error::may_have_been_carried_out`]
    /// too.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotConnected(_)
            | Self::NotSent(_)
            | Self::TimedOut(_)
            | Self::ConnectionLost(_)
            | Self::RateLimited { .. }
            | Self::ActiveSession
            | Self::ServerError { .. }
            // Probably a gateway's temporary page.
            | Self::UnreadableAnswer { .. } => true,
            Self::Source(SourceError::Failed(_) | SourceError::EndedEarly { .. }) => true,
            // The declared length is wrong and stays wrong.
            Self::Source(SourceError::TooLong { .. }) => false,
            // The gateway gave up waiting for the request (408), or did not risk it (425).
            Self::RejectedWithoutIdentifier { status } => matches!(status, 408 | 425),
            // A person or the caller must act: another key, contract, budget, token or request.
            Self::Unauthorized
            | Self::OutOfFunds
            | Self::Forbidden
            | Self::NotInContract
            | Self::TokenNotValid
            | Self::Rejected { .. }
            | Self::TooLarge
            | Self::RequestTooLarge { .. } => false,
        }
    }

    /// Whether the provider may have executed the call although it failed.
    ///
    /// True means in doubt.
    /// There is no idempotency key.
    /// So a call that costs money or a token must not be repeated before evidence settles the
    /// matter.
    /// [`Error::TokenNotValid`] is false because *this* call did nothing.
    #[must_use]
    pub fn may_have_been_carried_out(&self) -> bool {
        match self {
            Self::TimedOut(_) | Self::ConnectionLost(_) | Self::ServerError { .. } => true,
            // A refusal is certain only with a code that refuses.
            Self::UnreadableAnswer { status } | Self::RejectedWithoutIdentifier { status } => {
                !(400..500).contains(status)
            }
            Self::NotConnected(_)
            | Self::NotSent(_)
            | Self::Unauthorized
            | Self::OutOfFunds
            | Self::Forbidden
            | Self::NotInContract
            | Self::RateLimited { .. }
            | Self::ActiveSession
            | Self::TokenNotValid
            | Self::Rejected { .. }
            | Self::TooLarge
            | Self::RequestTooLarge { .. }
            | Self::Source(_) => false,
        }
    }

    /// A stable word, for metrics and log fields.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotConnected(_) => "not_connected",
            Self::NotSent(_) => "not_sent",
            Self::TimedOut(_) => "timed_out",
            Self::ConnectionLost(_) => "connection_lost",
            Self::Unauthorized => "unauthorized",
            Self::OutOfFunds => "out_of_funds",
            Self::Forbidden => "forbidden",
            Self::NotInContract => "not_in_contract",
            Self::RateLimited { .. } => "rate_limited",
            Self::ActiveSession => "active_session",
            Self::TokenNotValid => "token_not_valid",
            Self::Rejected { .. } => "rejected",
            Self::RejectedWithoutIdentifier { .. } => "rejected_without_identifier",
            Self::ServerError { .. } => "server_error",
            Self::UnreadableAnswer { .. } => "unreadable_answer",
            Self::TooLarge => "too_large",
            Self::RequestTooLarge { .. } => "request_too_large",
            Self::Source(_) => "source",
        }
    }
}

/// A transport failure.
/// The request's address is left out: it may hold a client's name.
impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        // A connection attempt that times out is both. Nothing was sent.
        if error.is_connect() || error.is_builder() {
            Self::NotConnected(error.into())
        } else if error.is_timeout() {
            Self::TimedOut(error.into())
        } else {
            Self::ConnectionLost(error.into())
        }
    }
}
