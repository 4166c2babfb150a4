//! Signed, temporary links to files, with the query members of the provider's file store. A link that was altered or whose time
//! is over is refused; links made by one sandbox mean nothing to another.

use std::collections::HashMap;

use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};
use url::Url;
use uuid::Uuid;

use crate::signature::{hex_hmac, same};

const DATE: &[time::format_description::BorrowedFormatItem<'static>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// Why a link is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkError {
    Altered,
    Expired,
}

/// Makes and checks links; the key is drawn at start.
#[derive(Debug)]
pub(crate) struct LinkSigner {
    key: [u8; 16],
}

impl LinkSigner {
    pub(crate) fn new() -> Self {
        Self {
            key: *Uuid::new_v4().as_bytes(),
        }
    }

    /// A link to `<origin>/files/<scan_ref>/<name>` for `seconds` from `at`; none when the origin is not a URL.
    pub(crate) fn issue(&self, origin: &str, scan_ref: &str, name: &str, at: OffsetDateTime, seconds: u32) -> Option<String> {
        let mut link = Url::parse(origin).ok()?;
        link.path_segments_mut().ok()?.pop_if_empty().extend(["files", scan_ref, name]);
        let date = at.format(DATE).ok()?;
        let signature = self.sign(scan_ref, name, &date, &seconds.to_string());
        link.query_pairs_mut()
            .append_pair("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
            .append_pair("X-Amz-Date", &date)
            .append_pair("X-Amz-Expires", &seconds.to_string())
            .append_pair("X-Amz-SignedHeaders", "host")
            .append_pair("X-Amz-Signature", &signature);
        Some(link.into())
    }

    /// Whether the query of a link to this file is genuine and its time not over at `now`.
    pub(crate) fn check(&self, scan_ref: &str, name: &str, query: &HashMap<String, String>, now: OffsetDateTime) -> Result<(), LinkError> {
        let member = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let (date, seconds) = (member("X-Amz-Date"), member("X-Amz-Expires"));
        if !same(&self.sign(scan_ref, name, date, seconds), member("X-Amz-Signature")) {
            return Err(LinkError::Altered);
        }
        let issued = PrimitiveDateTime::parse(date, DATE).map_err(|_| LinkError::Altered)?.assume_utc();
        let seconds: i64 = seconds.parse().map_err(|_| LinkError::Altered)?;
        if issued + Duration::seconds(seconds) <= now {
            Err(LinkError::Expired)
        } else {
            Ok(())
        }
    }

    fn sign(&self, scan_ref: &str, name: &str, date: &str, seconds: &str) -> String {
        hex_hmac(&self.key, format!("{scan_ref}\n{name}\n{date}\n{seconds}").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;
    use url::Url;

    use super::{LinkError, LinkSigner};
    use crate::route::query_members;

    #[test]
    fn a_link_is_good_for_its_file_and_its_time_only() {
        let signer = LinkSigner::new();
        let issued = datetime!(2026-01-02 03:04:05 UTC);
        let link = signer.issue("http://127.0.0.1:1/", "ref", "STEP ONE.png", issued, 60).unwrap();
        let link = Url::parse(&link).unwrap();
        assert_eq!(link.path(), "/files/ref/STEP%20ONE.png");
        let query = query_members(link.query());
        assert_eq!(query["X-Amz-Date"], "20260102T030405Z");

        let at = |seconds| issued + Duration::seconds(seconds);
        assert_eq!(signer.check("ref", "STEP ONE.png", &query, at(59)), Ok(()));
        assert_eq!(signer.check("ref", "STEP ONE.png", &query, at(60)), Err(LinkError::Expired));
        assert_eq!(signer.check("ref", "OTHER.png", &query, at(0)), Err(LinkError::Altered));
        assert_eq!(
            LinkSigner::new().check("ref", "STEP ONE.png", &query, at(0)),
            Err(LinkError::Altered)
        );
    }
}
