#![doc = include_str!("../README.md")]
#![warn(missing_debug_implementations)]

mod auth_token;
mod callback;
mod client;
mod credentials;
mod error;
mod lenient_json;
mod scan_ref;
mod selection;
mod signature;
mod submission;
mod verified_body;
mod word;

pub use auth_token::AuthToken;
pub use callback::{
    Callback, FileUrls, Identity, OverallWord, Status, StepsVerdictWord, UnreadableCallback,
};
pub use client::{
    AdditionalSteps, Client, CreateToken, Exchange, Files, Operation, Questionnaire, Step,
    StepKind, Timeouts, Token, TokenType,
};
pub use credentials::Credentials;
pub use error::retry_after::read as retry_after;
pub use error::{BoxError, Error, SourceError};
pub use selection::NotJson;
pub use signature::{
    EmptySigningKey, NoSigningKeys, SIGNATURE_HEADER, SignatureError, SigningKey, SigningKeys,
};
pub use submission::{Image, MAXIMUM_REQUEST_BYTES, Submission, TokenField};
pub use verified_body::VerifiedBody;
