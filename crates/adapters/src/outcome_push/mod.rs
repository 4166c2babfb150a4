//! Outcomes as signed HTTPS requests to the application.
//!
//! Headers, signature and body follow Standard Webhooks 1.0.0, so that an application verifies them
//! with a library. (Source: github.com/standard-webhooks, `spec/standard-webhooks.md`.)

mod endpoint;
mod message;
mod signing;
mod url;

pub use self::endpoint::{OutcomePush, PushError};
pub use self::message::{OutcomeMessage, UnreadableOutcome};
pub use self::signing::SigningSecrets;
pub use self::url::{InvalidPushUrl, PushUrl};
