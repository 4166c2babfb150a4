//! Opening a session: `POST /api/v2/token`.

mod echo;
mod request;

use std::fmt;

use url::Url;

pub use self::echo::{Step, StepKind};
pub use self::request::{AdditionalSteps, CreateToken, Questionnaire, TokenType};
use super::Client;
use super::exchange::{Exchange, Operation};
use crate::selection::Members;
use crate::{AuthToken, Error, scan_ref};

/// A session that is ready to be used once.
/// `Debug` hides the token, and the link that contains it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    pub auth_token: AuthToken,
    /// The verification's reference, by which its callbacks are recognised.
    pub scan_ref: String,
    /// Time until the session must be started, in seconds: as echoed, else as requested.
    pub expiry_seconds: u32,
    /// The customer's link, where the provider gives one; otherwise see [`Client::redirect_link`].
    pub redirect_url: Option<Url>,
    /// The session's additional steps by the echo, in alphabetical order.
    /// `None`: the echo does not say.
    /// With [`AdditionalSteps::AccountDefault`] these are the account's.
    /// After [`AdditionalSteps::Suppressed`] there should be none.
    /// That echo is not documented, so treat a step as a warning rather than a failure.
    pub steps: Option<Vec<Step>>,
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Token")
            .field("auth_token", &self.auth_token)
            .field("scan_ref", &self.scan_ref)
            .field("expiry_seconds", &self.expiry_seconds)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a token. Costs a credit, perhaps at once.
    ///
    /// Not repeatable if [`Error::may_have_been_carried_out`] is true: let the lost token expire.
    /// Documents disagree on the success code.
    /// Any 2xx with `authToken` and `scanRef` is one.
    ///
    /// # Errors
    /// [`Error::ActiveSession`] if the client has another session open.
    /// Otherwise any [`Error`] except those about submissions.
    pub async fn create_token(&self, request: &CreateToken) -> Result<Token, Error> {
        self.exchange(Operation::Token, request)
            .await?
            .token(request.expiry_seconds)
    }
}

impl Exchange {
    /// Reads the answer to a token request. `requested` is the expiry that it named, in seconds.
    ///
    /// # Errors
    /// As for [`Client::create_token`](crate::Client::create_token).
    pub fn token(&self, requested: u32) -> Result<Token, Error> {
        self.answer().expect_object(|members| {
            Some(Token {
                auth_token: AuthToken::new(members.text("authToken")?),
                scan_ref: members
                    .text("scanRef")
                    .filter(|text| scan_ref::is_usable(text))?
                    .to_owned(),
                expiry_seconds: members
                    .integer("expiryTime")
                    .and_then(|seconds| u32::try_from(seconds).ok())
                    .unwrap_or(requested),
                redirect_url: members
                    .text("redirectUrl")
                    .and_then(|text| Url::parse(text).ok()),
                steps: echo::steps(members.get("additionalSteps")),
            })
        })
    }
}
