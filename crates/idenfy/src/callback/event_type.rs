//! Which notification a delivery belongs to, as its header says.

use std::fmt;

use crate::word::{normalised, word};

/// The header that names the event. It is not covered by the signature: route and count by it,
/// never decide by it.
pub const EVENT_TYPE_HEADER: &str = "Idenfy-Event-Type";

/// The event a delivery reports.
///
/// The provider's documents spell the names with the prefix `IDENTIFICATION_` or
/// `ID_VERIFICATION_`, and CANCELLED with one L or two. All spellings read the same; what is new
/// reads as [`EventType::Other`]; nothing is refused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// The older event that stands for all of them, and what a delivery without the header is.
    Identification,
    /// The automatic result, seconds after submission.
    AutoFinished,
    /// The result of a person's review.
    ManualFinished,
    /// After more information was requested from the customer.
    Resubmitted,
    Cancelled,
    /// The token or session lapsed.
    Expired,
    /// Monitoring of a document's expiry; its body is another one.
    DocumentExpiration,
    /// Another product's event, in upper case.
    Other(String),
}

impl EventType {
    /// Reads the header's value; a delivery without it is an [`EventType::Identification`].
    #[must_use]
    pub fn of_header(value: Option<&[u8]>) -> Self {
        value.map_or(Self::Identification, |value| {
            Self::from(String::from_utf8_lossy(value).as_ref())
        })
    }

    /// The provider's current word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Identification => "IDENTIFICATION",
            Self::AutoFinished => "IDENTIFICATION_AUTO_FINISHED",
            Self::ManualFinished => "IDENTIFICATION_MANUAL_FINISHED",
            Self::Resubmitted => "IDENTIFICATION_RESUBMITTED",
            Self::Cancelled => "IDENTIFICATION_CANCELLED",
            Self::Expired => "IDENTIFICATION_EXPIRED",
            Self::DocumentExpiration => "DOCUMENT_EXPIRATION",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for EventType {
    fn from(text: &str) -> Self {
        let name = normalised(text);
        let event = name
            .strip_prefix("IDENTIFICATION")
            .or_else(|| name.strip_prefix("ID_VERIFICATION"));
        match event {
            Some("") => Self::Identification,
            Some("_AUTO_FINISHED") => Self::AutoFinished,
            Some("_MANUAL_FINISHED") => Self::ManualFinished,
            Some("_RESUBMITTED") => Self::Resubmitted,
            Some("_CANCELLED" | "_CANCELED") => Self::Cancelled,
            Some("_EXPIRED") => Self::Expired,
            _ if name.is_empty() => Self::Identification,
            _ if name == "DOCUMENT_EXPIRATION" => Self::DocumentExpiration,
            _ => Self::Other(word(text)),
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_of_names_read_the_same() {
        for (suffix, event) in [
            ("", EventType::Identification),
            ("_AUTO_FINISHED", EventType::AutoFinished),
            ("_MANUAL_FINISHED", EventType::ManualFinished),
            ("_RESUBMITTED", EventType::Resubmitted),
            ("_CANCELLED", EventType::Cancelled),
            ("_CANCELED", EventType::Cancelled),
            ("_EXPIRED", EventType::Expired),
        ] {
            for prefix in ["IDENTIFICATION", "ID_VERIFICATION", "id verification"] {
                assert_eq!(EventType::from(format!("{prefix}{suffix}").as_str()), event);
            }
        }
    }

    #[test]
    fn the_provider_s_word_reads_as_itself() {
        for word in [
            "IDENTIFICATION_AUTO_FINISHED",
            "IDENTIFICATION_CANCELLED",
            "DOCUMENT_EXPIRATION",
            "FACIAL_AUTHENTICATION",
        ] {
            let event = EventType::from(word);
            assert_eq!(event.as_str(), word);
            assert_eq!(event.to_string(), word);
        }
    }

    #[test]
    fn another_product_s_event_that_is_known_is_not_among_the_others() {
        assert_eq!(
            EventType::from("Document expiration"),
            EventType::DocumentExpiration
        );
    }

    #[test]
    fn a_delivery_without_the_header_is_the_older_event() {
        assert_eq!(EventType::of_header(None), EventType::Identification);
        assert_eq!(EventType::of_header(Some(b" ")), EventType::Identification);
    }

    #[test]
    fn unknown_and_unreadable_names_are_other() {
        assert_eq!(
            EventType::from("VIDEO_CALL_FINISHED"),
            EventType::Other("VIDEO_CALL_FINISHED".to_owned())
        );
        assert_eq!(
            EventType::from("ID_VERIFICATION_MOVED"),
            EventType::Other("ID_VERIFICATION_MOVED".to_owned())
        );
        assert_eq!(
            EventType::of_header(Some(&[0xff, 0xfe])),
            EventType::Other("UNRECOGNISED".to_owned())
        );
    }
}
