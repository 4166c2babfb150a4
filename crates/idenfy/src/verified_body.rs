//! A callback's body whose origin is proven.
//!
//! Nothing else can be parsed, so an unverified body cannot be acted on by mistake.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{Callback, Identity, UnreadableCallback};

/// The raw bytes of a callback, known to be the provider's.
/// Its `Debug` shows their number only.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedBody(Bytes);

impl VerifiedBody {
    /// For bodies read back from one's own archive, which were verified before they went in.
    ///
    /// Never for bytes from the network: those go through
    /// [`SigningKeys::verify`](crate::SigningKeys::verify).
    /// The archive must be one that only the verifier can write to.
    #[must_use]
    pub fn previously_verified(bytes: Bytes) -> Self {
        Self(bytes)
    }

    pub(crate) fn proven(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The bytes as received; archive these, never a re-serialised form, or the signature is lost.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The digest of the bytes.
    /// Equal digests are the same delivery, but a repeated delivery may come with freshly signed
    /// links and so with another digest: it is a first filter for repetitions, not the guard
    /// against them.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// Reads the members that matter; everything personal is skipped.
    ///
    /// # Errors
    /// [`UnreadableCallback`] when the body is no JSON object with a `scanRef`.
    /// Nothing else fails: optional members that are missing, null or of an odd type read as
    /// nothing.
    pub fn parse(&self) -> Result<Callback, UnreadableCallback> {
        Callback::read(&self.0)
    }

    /// Reads what the callback says about the person and the document, and nothing else.
    ///
    /// # Errors
    /// [`UnreadableCallback`] when the body is no JSON object.
    /// Nothing else fails: members that are missing, null, of an odd type or too long read as
    /// nothing.
    pub fn identity(&self) -> Result<Identity, UnreadableCallback> {
        Identity::read(&self.0)
    }
}

impl fmt::Debug for VerifiedBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifiedBody({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        let body = VerifiedBody::previously_verified(Bytes::from_static(b"abc"));
        assert_eq!(
            hex::encode(body.sha256()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn debug_shows_the_size_only() {
        let body = VerifiedBody::previously_verified(Bytes::from_static(b"{\"name\":\"Ona\"}"));
        assert_eq!(format!("{body:?}"), "VerifiedBody(14 bytes)");
    }
}
