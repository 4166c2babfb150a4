//! Documents for direct processing: `POST /api/v2/process`, sent as a stream.
//!
//! The request is JSON with the images in base64, up to 20 MB.
//! It is never built in memory.
//! [`body`] writes the JSON around the images and encodes them as they arrive.
//! Its exact length follows from the images' declared lengths.

pub(crate) mod base64_stream;
pub(crate) mod body;

use std::fmt;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::Serialize;

use self::base64_stream::encoded_length;
use crate::{AuthToken, BoxError};

/// The provider's limit for a whole request of direct processing. "20 MB", in the smaller of two
/// readings.
/// Base64 takes a third more, so the images have just under 15 MB together.
/// (Source: "Direct processing".)
pub const MAXIMUM_REQUEST_BYTES: u64 = 20_000_000;

/// One person's documents, sent with a token of their own.
/// `Debug` shows steps and lengths.
pub struct Submission {
    /// From [`Client::create_token`](crate::Client::create_token); unused, and used up by this.
    pub token: AuthToken,
    /// Under which name the token is sent.
    pub token_field: TokenField,
    /// The issuing country of the document, two letters. Sent in upper case.
    pub country: String,
    /// Such as `PASSPORT`. `None`: the provider detects it from the `FRONT` image.
    pub document_type: Option<String>,
    /// Each step once.
    /// `FRONT` is always needed, `BACK` if the document has one.
    pub images: Vec<Image>,
}

/// The name of the token's member. The provider's documents disagree on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TokenField {
    /// `token`, in the newest documents.
    #[default]
    Token,
    /// `authToken`, in all documents up to 2025.
    AuthToken,
}

/// One image: PNG, JPEG or PDF.
pub struct Image {
    /// The provider's name for the side or kind, such as `FRONT`.
    pub step: String,
    /// The exact number of bytes that `content` yields.
    pub length: u64,
    /// The bytes, in chunks of any size.
    /// Read once, as fast as the network takes it.
    pub content: BoxStream<'static, Result<Bytes, BoxError>>,
}

/// The request without its images.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_token: Option<&'a str>,
    country: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_type: Option<&'a str>,
}

const SUFFIX: &str = "}}";

impl Submission {
    /// The exact length of the request's body, in bytes.
    #[must_use]
    pub fn content_length(&self) -> u64 {
        let around = self.prefix().len() + SUFFIX.len();
        let images = self.images.iter().enumerate().map(|(position, image)| {
            let around = opening(position, &image.step).len() + CLOSING.len();
            encoded_length(image.length).saturating_add(around as u64)
        });
        images.fold(around as u64, u64::saturating_add)
    }

    /// Everything before the first image.
    fn prefix(&self) -> String {
        let token = Some(self.token.expose());
        let (token, auth_token) = match self.token_field {
            TokenField::Token => (token, None),
            TokenField::AuthToken => (None, token),
        };
        let country = self.country.to_ascii_uppercase();
        let head = json(&Head {
            token,
            auth_token,
            country,
            document_type: self.document_type.as_deref(),
        });
        // The object stays open for the images.
        format!("{},\"images\":{{", head.strip_suffix('}').unwrap_or(&head))
    }
}

const CLOSING: &str = "\"";

/// The text between the image before (if any) and this one's base64.
fn opening(position: usize, step: &str) -> String {
    let comma = if position == 0 { "" } else { "," };
    format!("{comma}{}:\"", json(&step))
}

/// Strings always serialise.
/// An empty text would only make the provider reject the request.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl fmt::Debug for Submission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Submission")
            .field("token", &self.token)
            .field("token_field", &self.token_field)
            .field("images", &self.images)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Image")
            .field("step", &self.step)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
