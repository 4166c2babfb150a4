//! Follows a file link: only to allowed origins, redirects included.

use futures_util::StreamExt;
use reqwest::header::{CONTENT_LENGTH, LOCATION, TRANSFER_ENCODING};
use reqwest::{Response, StatusCode};
use time::format_description::well_known::Iso8601;
use time::{OffsetDateTime, PrimitiveDateTime};
use url::Url;
use verification::Timestamp;
use verification::identifiers::StepName;
use verification::ports::{CaptureError, StoreUnavailable};
use verification::reason::ParkReason;
use verification::secret::FileLink;

use super::measured_body::ByteChunks;
use super::origins::FileOrigins;

/// S3 redirects once, from a general address to the bucket's region.
const MAXIMUM_REDIRECTS: u32 = 3;

/// A file on its way.
pub(crate) struct Fetched {
    /// Promised by the server. `None`: chunked, which marks its own end.
    pub length: Option<u64>,
    pub chunks: ByteChunks,
    /// From the link itself.
    pub expires_at: Option<Timestamp>,
}

pub(crate) struct LinkFetcher {
    http: reqwest::Client,
    origins: FileOrigins,
}

impl LinkFetcher {
    pub fn new(http: reqwest::Client, origins: FileOrigins) -> Self {
        Self { http, origins }
    }

    pub async fn fetch(&self, link: &FileLink, step: &StepName) -> Result<Fetched, CaptureError> {
        let not_allowed =
            || CaptureError::Refused(ParkReason::LinkOriginNotAllowed { step: step.clone() });
        let unusable = || CaptureError::Refused(ParkReason::LinkUnusable { step: step.clone() });
        let mut url: Url = link.expose().parse().map_err(|_| not_allowed())?;
        let expires_at = expiry(&url);
        for _ in 0..=MAXIMUM_REDIRECTS {
            if !self.origins.allow(&url) {
                return Err(not_allowed());
            }
            let answer = self.http.get(url.clone()).send().await.map_err(|error| {
                // The URL carries a signature that opens the file.
                CaptureError::Unavailable(StoreUnavailable::new(
                    "fetching a file",
                    error.without_url(),
                ))
            })?;
            match answer.status() {
                StatusCode::OK => {
                    let length = promised_length(&answer);
                    // With neither, a file that was cut off looks whole.
                    if length.is_none() && !is_chunked(&answer) {
                        return Err(CaptureError::NotAFile);
                    }
                    let chunks = answer
                        .bytes_stream()
                        .map(|chunk| chunk.map_err(|error| error.without_url().into()));
                    return Ok(Fetched {
                        length,
                        chunks: chunks.boxed(),
                        expires_at,
                    });
                }
                // Without a location: S3's word that the bucket lies elsewhere.
                status if status.is_redirection() => {
                    let location = answer
                        .headers()
                        .get(LOCATION)
                        .and_then(|location| location.to_str().ok());
                    url = location
                        .and_then(|location| url.join(location).ok())
                        .ok_or_else(unusable)?;
                }
                status if status.is_success() => return Err(CaptureError::NotAFile),
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                    return Err(unavailable("busy"));
                }
                // S3 answers 403 to an expired link, and 400 after its signer's session.
                status if status.is_client_error() => return Err(CaptureError::LinkDead),
                _ => return Err(unavailable("server error")),
            }
        }
        Err(unusable())
    }
}

fn unavailable(why: &'static str) -> CaptureError {
    CaptureError::Unavailable(StoreUnavailable::new("fetching a file", why))
}

fn promised_length(answer: &Response) -> Option<u64> {
    answer
        .headers()
        .get(CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn is_chunked(answer: &Response) -> bool {
    let encoding = answer
        .headers()
        .get(TRANSFER_ENCODING)
        .and_then(|encoding| encoding.to_str().ok());
    encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked"))
}

/// When the link expires, if it says so.
///
/// `Expires` (Unix seconds) in older S3 links, `X-Amz-Date` and `X-Amz-Expires` in newer ones.
/// (Source: Amazon S3, "Authenticating requests", signature versions 2 and 4 with query
/// parameters.)
fn expiry(url: &Url) -> Option<Timestamp> {
    let parameter = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.into_owned())
    };
    if let Some(seconds) = parameter("Expires").and_then(|seconds| seconds.parse::<i64>().ok()) {
        return Some(Timestamp::from_milliseconds(seconds.checked_mul(1_000)?));
    }
    let signed_at = PrimitiveDateTime::parse(&parameter("X-Amz-Date")?, &Iso8601::DEFAULT)
        .ok()
        .map(PrimitiveDateTime::assume_utc);
    let signed_at = signed_at.map(OffsetDateTime::unix_timestamp)?;
    let lifetime: i64 = parameter("X-Amz-Expires")?.parse().ok()?;
    Some(Timestamp::from_milliseconds(
        signed_at.checked_add(lifetime)?.checked_mul(1_000)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_signed_links_tell_when_they_die() {
        let at = |link: &str| expiry(&link.parse().unwrap());
        assert_eq!(
            at("https://s3.example/a?Expires=1795422063&Signature=x"),
            Some(Timestamp::from_milliseconds(1_795_422_063_000))
        );
        assert_eq!(
            at("https://s3.example/a?X-Amz-Date=20261123T080103Z&X-Amz-Expires=3600"),
            Some(Timestamp::from_milliseconds(1_795_424_463_000))
        );
        for silent in [
            "https://s3.example/a",
            "https://s3.example/a?Expires=soon",
            "https://s3.example/a?X-Amz-Date=20261123T080103Z",
        ] {
            assert_eq!(at(silent), None, "{silent}");
        }
    }
}
