//! The end of a customer's session: the link back, and the message for a page with the session in
//! an iFrame. Neither is authoritative; the callback is.

use url::Url;

use crate::world::session::{Announced, Session};

/// What the customer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FinalPage {
    /// A reviewer has not judged yet.
    Waiting,
    Approved,
    /// Approved, but the callback was not acknowledged in time. The verdict stays.
    Unacknowledged,
    Failed,
    /// Neither: suspected, or ended without a result.
    Unverified,
}

impl FinalPage {
    /// The page for an overall status. Without a final one the customer waits.
    pub(crate) fn of(overall: Option<&str>) -> Self {
        match overall {
            None | Some("REVIEWING") => Self::Waiting,
            Some("APPROVED") => Self::Approved,
            Some("DENIED") => Self::Failed,
            Some(_) => Self::Unverified,
        }
    }

    /// The ending of a submitted session.
    pub(crate) fn of_session(session: &Session) -> Self {
        let is_final = session.state == crate::world::session::SessionState::Finished;
        let overall = session.results.last().and_then(Announced::overall);
        Self::of(overall.filter(|_| is_final))
    }

    /// The token request's destination. Only HTTP and HTTPS are followed.
    pub(crate) fn link(self, session: &Session) -> Option<Url> {
        let link = match self {
            Self::Approved => &session.return_urls.success,
            Self::Unacknowledged | Self::Failed => &session.return_urls.error,
            Self::Waiting | Self::Unverified => &session.return_urls.unverified,
        };
        let link = Url::parse(link.as_deref()?).ok()?;
        matches!(link.scheme(), "http" | "https").then_some(link)
    }

    /// `status` and `manualStatus` of the message, and whether its two `…Suspected` members are
    /// set.
    pub(crate) fn message(self) -> (&'static str, &'static str, bool) {
        match self {
            Self::Waiting => ("UNVERIFIED", "WAITING", false),
            // No page says that the message changes with the answer to the callback.
            Self::Approved | Self::Unacknowledged => ("APPROVED", "APPROVED", false),
            Self::Failed => ("FAILED", "FAILED", false),
            Self::Unverified => ("UNVERIFIED", "FAILED", true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FinalPage;

    #[test]
    fn only_a_final_status_ends_the_waiting() {
        assert_eq!(FinalPage::of(None), FinalPage::Waiting);
        assert_eq!(FinalPage::of(Some("REVIEWING")), FinalPage::Waiting);
        assert_eq!(FinalPage::of(Some("APPROVED")), FinalPage::Approved);
        assert_eq!(FinalPage::of(Some("DENIED")), FinalPage::Failed);
        assert_eq!(FinalPage::of(Some("SUSPECTED")), FinalPage::Unverified);
        assert_eq!(FinalPage::of(Some("EXPIRED")), FinalPage::Unverified);
    }
}
