//! Idempotency keys: one session per key, however often the request is repeated.
//!
//! iDenfy has no idempotency key, and only the answer to creating Token 1 has the customer's link.
//! So the key is claimed before Token 1 is created.
//! The answer is stored in the transaction that records the pairing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::identifiers::Digest256;
use crate::session::Opened;
use crate::time::Timestamp;

/// How long a claim excludes other requests.
/// Longer than `ApiFunction` may run (30 s), so no live request is overtaken.
const LEASE: Duration = Duration::from_secs(35);

/// A request that may be repeated.
/// Digests only: the key may be anything, and the body names the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    pub key: Digest256,
    pub body: Digest256,
}

impl IdempotentRequest {
    /// Keys are per caller.
    /// `body` is canonical: equal bytes mean the same request.
    pub fn new(caller: &str, key: &str, body: &[u8]) -> Self {
        Self {
            // Neither part contains a line feed, so the text identifies both.
            key: Digest256::of(format!("{caller}\n{key}").as_bytes()),
            body: Digest256::of(body),
        }
    }
}

/// What is stored under a key: a claim, or the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionKey {
    pub key: Digest256,
    pub body: Digest256,
    /// The end of the claim's lease.
    /// It identifies the claim: leases do not overlap.
    pub lease_until: Timestamp,
    /// The end of the session's life.
    /// The record counts as absent from then on.
    pub expires_at: Timestamp,
    /// `None`: still being worked on, or the process has ended.
    pub answer: Option<Opened>,
}

/// What a stored key means for a request that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing holds the key: the request may claim it.
    Free,
    InProgress,
    /// The key belongs to another body.
    Reused,
    Answered(Opened),
}

impl SessionKey {
    /// A claim for a session that lives for `expiry`.
    pub(crate) fn claim(request: &IdempotentRequest, expiry: Duration, now: Timestamp) -> Self {
        let lease_until = now.plus(LEASE);
        Self {
            key: request.key.clone(),
            body: request.body.clone(),
            lease_until,
            expires_at: now.plus(expiry).max(lease_until),
            answer: None,
        }
    }

    pub(crate) fn answered(&self, opened: &Opened) -> Self {
        Self {
            expires_at: opened.expires_at,
            answer: Some(opened.clone()),
            ..self.clone()
        }
    }

    pub(crate) fn standing(&self, body: &Digest256, now: Timestamp) -> Standing {
        // The store may keep a record longer than its life.
        if self.expires_at <= now {
            return Standing::Free;
        }
        if self.body != *body {
            return Standing::Reused;
        }
        match &self.answer {
            Some(opened) => Standing::Answered(opened.clone()),
            None if self.lease_until > now => Standing::InProgress,
            None => Standing::Free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{AuthToken, SessionLink};
    use crate::session::Session;

    const START: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn request(body: &str) -> IdempotentRequest {
        IdempotentRequest::new("caller", "key", body.as_bytes())
    }

    fn opened() -> Opened {
        Opened {
            session: Session {
                scan_ref: "session-1".parse().unwrap(),
                auth_token: AuthToken::new("token-4711"),
                redirect_url: SessionLink::new("https://provider.example/token-4711"),
                steps: None,
            },
            expires_at: START.plus(HOUR),
        }
    }

    fn after(duration: Duration) -> Timestamp {
        START.plus(duration)
    }

    #[test]
    fn keys_of_different_callers_never_meet() {
        let key = |caller: &str, key: &str| IdempotentRequest::new(caller, key, b"{}").key;
        assert_eq!(key("a", "k"), key("a", "k"));
        assert_ne!(key("a", "k"), key("b", "k"));
        assert_ne!(key("a", "bk"), key("ab", "k"));
    }

    #[test]
    fn a_claim_holds_its_key_for_the_lease_and_no_longer() {
        let claim = SessionKey::claim(&request("one"), HOUR, START);
        let standing = |body: &str, now| claim.standing(&request(body).body, now);
        let last = Timestamp::from_milliseconds(claim.lease_until.milliseconds() - 1);
        assert_eq!(standing("one", last), Standing::InProgress);
        assert_eq!(standing("one", claim.lease_until), Standing::Free);
        assert_eq!(standing("two", claim.lease_until), Standing::Reused);
        assert_eq!(standing("two", after(HOUR)), Standing::Free);
    }

    #[test]
    fn an_answer_is_given_for_the_session_s_life_and_its_body() {
        let answered = SessionKey::claim(&request("one"), HOUR, START).answered(&opened());
        let standing = |body: &str, now| answered.standing(&request(body).body, now);
        let last = after(HOUR - Duration::from_millis(1));
        assert_eq!(standing("one", last), Standing::Answered(opened()));
        assert_eq!(standing("two", last), Standing::Reused);
        assert_eq!(standing("one", after(HOUR)), Standing::Free);
    }

    #[test]
    fn a_session_without_any_life_is_claimed_for_the_lease() {
        let claim = SessionKey::claim(&request("one"), Duration::ZERO, START);
        assert_eq!(
            claim.standing(&request("one").body, START),
            Standing::InProgress
        );
    }

    #[test]
    fn a_stored_key_prints_neither_token_nor_link() {
        let answered = SessionKey::claim(&request("one"), HOUR, START).answered(&opened());
        assert!(!format!("{answered:#?}").contains("4711"));
    }
}
