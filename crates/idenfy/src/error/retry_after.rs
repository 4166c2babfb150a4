//! The header `Retry-After`: seconds, or a date.

use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// The longest wait that a header can cause.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How long to wait, at most a day.
/// `None`: the header is absent or unreadable.
///
/// A date is measured against the answer's own `Date`, so neither clock must be right.
pub fn read(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let now = date(headers.get(DATE)?.to_str().ok()?)?;
            Duration::try_from(date(value)? - now).unwrap_or(Duration::ZERO)
        }
    };
    Some(wait.min(LONGEST))
}

/// HTTP's preferred form of date is also one of RFC 2822.
fn date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text.trim(), &Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn wait(retry_after: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry_after));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        read(&headers)
    }

    #[test]
    fn seconds_are_read_up_to_a_day() {
        assert_eq!(wait("120", None), Some(Duration::from_secs(120)));
        assert_eq!(wait("99999999", None), Some(LONGEST));
    }

    #[test]
    fn a_date_counts_from_the_answer_s_own_date() {
        let now = Some("Mon, 02 Nov 2026 10:00:00 GMT");
        assert_eq!(
            wait("Mon, 02 Nov 2026 10:01:30 GMT", now),
            Some(Duration::from_secs(90))
        );
        assert_eq!(
            wait("Mon, 02 Nov 2026 09:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(wait("Mon, 02 Nov 2026 10:01:30 GMT", None), None);
    }

    #[test]
    fn anything_else_says_nothing() {
        for value in ["", "soon", "-5", "1.5"] {
            assert_eq!(wait(value, None), None, "{value}");
        }
        assert_eq!(read(&HeaderMap::new()), None);
    }
}
