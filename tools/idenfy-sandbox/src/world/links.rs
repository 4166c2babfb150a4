//! Signed, temporary links to files, with the query members of the provider's file store. An
//! altered or expired link is refused. A link is valid in one sandbox only.

use std::collections::HashMap;

use time::macros::format_description;
use time::{Duration, OffsetDateTime, PrimitiveDateTime};
use url::Url;
use uuid::Uuid;

use crate::world::signature::{hex_hmac, same};

const DATE: &[time::format_description::BorrowedFormatItem<'static>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");

/// Where a file is, below `/files/`: `scanRef`, folder, name.
pub(crate) type Path<'a> = [&'a str; 3];

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

    /// A new, unique link to `<origin>/files/<path>`, for `seconds` from `at`. `None` if the origin
    /// is not a URL.
    pub(crate) fn issue(
        &self,
        origin: &str,
        path: Path<'_>,
        at: OffsetDateTime,
        seconds: u32,
    ) -> Option<String> {
        let mut link = Url::parse(origin).ok()?;
        link.path_segments_mut()
            .ok()?
            .pop_if_empty()
            .push("files")
            .extend(path);
        let date = at.format(DATE).ok()?;
        let token = Uuid::new_v4().simple().to_string();
        let signature = self.sign(path, &date, &seconds.to_string(), &token);
        link.query_pairs_mut()
            .append_pair("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
            .append_pair("X-Amz-Date", &date)
            .append_pair("X-Amz-Expires", &seconds.to_string())
            .append_pair("X-Amz-Security-Token", &token)
            .append_pair("X-Amz-SignedHeaders", "host")
            .append_pair("X-Amz-Signature", &signature);
        Some(link.into())
    }

    /// Whether a link is genuine and within its time at `now`.
    pub(crate) fn check(
        &self,
        path: Path<'_>,
        query: &HashMap<String, String>,
        now: OffsetDateTime,
    ) -> Result<(), LinkError> {
        let member = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let (date, seconds) = (member("X-Amz-Date"), member("X-Amz-Expires"));
        if !same(
            &self.sign(path, date, seconds, member("X-Amz-Security-Token")),
            member("X-Amz-Signature"),
        ) {
            return Err(LinkError::Altered);
        }
        let issued = PrimitiveDateTime::parse(date, DATE)
            .map_err(|_| LinkError::Altered)?
            .assume_utc();
        let seconds: i64 = seconds.parse().map_err(|_| LinkError::Altered)?;
        if issued + Duration::seconds(seconds) <= now {
            Err(LinkError::Expired)
        } else {
            Ok(())
        }
    }

    fn sign(&self, path: Path<'_>, date: &str, seconds: &str, token: &str) -> String {
        hex_hmac(
            &self.key,
            format!("{}\n{date}\n{seconds}\n{token}", path.join("\n")).as_bytes(),
        )
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;
    use url::Url;

    use super::{LinkError, LinkSigner};
    use crate::world::route::query_members;

    #[test]
    fn a_link_is_good_for_its_file_and_its_time_only() {
        let signer = LinkSigner::new();
        let issued = datetime!(2026-01-02 03:04:05 UTC);
        let path = ["ref", "folder", "STEP ONE.png"];
        let link = signer
            .issue("http://127.0.0.1:1/", path, issued, 60)
            .unwrap();
        let link = Url::parse(&link).unwrap();
        assert_eq!(link.path(), "/files/ref/folder/STEP%20ONE.png");
        let query = query_members(link.query());
        assert_eq!(query["X-Amz-Date"], "20260102T030405Z");
        assert_ne!(
            signer
                .issue("http://127.0.0.1:1/", path, issued, 60)
                .unwrap(),
            link.as_str()
        );

        let at = |seconds| issued + Duration::seconds(seconds);
        assert_eq!(signer.check(path, &query, at(59)), Ok(()));
        assert_eq!(signer.check(path, &query, at(60)), Err(LinkError::Expired));
        for other in [
            ["ref", "folder", "OTHER.png"],
            ["ref", "other", "STEP ONE.png"],
        ] {
            assert_eq!(signer.check(other, &query, at(0)), Err(LinkError::Altered));
        }
        assert_eq!(
            LinkSigner::new().check(path, &query, at(0)),
            Err(LinkError::Altered)
        );
    }
}
