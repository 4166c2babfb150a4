//! The sandbox's wall clock, and how its times are written.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The wall clock, to the precision that all times in the sandbox have.
pub(crate) fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// RFC 3339 in UTC.
pub(crate) fn timestamp(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
