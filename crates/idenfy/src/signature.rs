//! Callback signatures: hex HMAC-SHA256 over the body's raw bytes, in the header
//! `Idenfy-Signature`.
//!
//! [`SigningKeys::verify`] is the only way from received bytes to a [`VerifiedBody`].
//! Only a [`VerifiedBody`] can be parsed, so no body is read before its origin is proven.
//! The check cannot be turned off, and a delivery without a signature fails.
//! The provider sets one key per notification.
//! Rotation overlaps, hence the list of keys.
//! (Source: documentation.idenfy.com, "Callback signing".)

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::VerifiedBody;

/// The header that carries the signature. Header names are case-insensitive.
pub const SIGNATURE_HEADER: &str = "Idenfy-Signature";

/// The bytes of an HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;

/// One signing key, as typed into the provider's dashboard. `Debug` hides it.
#[derive(Clone)]
pub struct SigningKey {
    /// The key is expanded once; every signature starts from a copy.
    prepared: Hmac<Sha256>,
    /// In bytes.
    length: usize,
}

/// An empty signing key would accept any signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signing key is empty")]
pub struct EmptySigningKey;

impl SigningKey {
    /// Takes the key as it is.
    /// White space inside or around it is part of it.
    ///
    /// # Errors
    /// [`EmptySigningKey`] if the key is empty or only white space.
    pub fn new(key: impl Into<String>) -> Result<Self, EmptySigningKey> {
        let key = key.into();
        if key.trim().is_empty() {
            return Err(EmptySigningKey);
        }
        // HMAC takes keys of every length, so this cannot fail for a key that is not empty.
        let prepared = Hmac::new_from_slice(key.as_bytes()).map_err(|_| EmptySigningKey)?;
        let length = key.len();
        Ok(Self { prepared, length })
    }

    /// The signature of a body: 64 characters of lower-case hex.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        hex::encode(self.over(body).finalize().into_bytes())
    }

    fn over(&self, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.prepared.clone();
        mac.update(body);
        mac
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(redacted)")
    }
}

/// The keys that a delivery may be signed with: at least one.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    current: SigningKey,
    others: Vec<SigningKey>,
}

/// Without a key no delivery can be told from a forgery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no signing key")]
pub struct NoSigningKeys;

/// Why a delivery cannot be taken for the provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is absent or blank: the notification has no key, or the caller is not the
    /// provider.
    #[error("the signature is missing")]
    Missing,
    /// Not 64 hexadecimal digits.
    #[error("the signature is not 64 hexadecimal digits")]
    Malformed,
    /// No key gives this signature for this body.
    #[error("the signature matches no signing key")]
    Mismatch,
}

impl SigningKeys {
    /// The first key is the current one.
    ///
    /// # Errors
    /// [`NoSigningKeys`] if the list is empty.
    pub fn new(keys: Vec<SigningKey>) -> Result<Self, NoSigningKeys> {
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or(NoSigningKeys)?;
        Ok(Self {
            current,
            others: keys.collect(),
        })
    }

    /// The key that a delivery should be signed with now.
    #[must_use]
    pub const fn current(&self) -> &SigningKey {
        &self.current
    }

    /// Bytes of the shortest key.
    #[must_use]
    pub fn shortest(&self) -> usize {
        let others = self.others.iter().map(|key| key.length);
        others.fold(self.current.length, usize::min)
    }

    /// Proves that the body was signed with one of the keys.
    ///
    /// Digits may be of either case, with white space around them.
    /// Every key is tried, in constant time.
    /// So the time tells neither how much of a guess was right nor which key is in use.
    ///
    /// # Errors
    /// [`SignatureError`]: refuse the delivery and do not read its body.
    pub fn verify(
        &self,
        body: Bytes,
        signature: Option<&[u8]>,
    ) -> Result<VerifiedBody, SignatureError> {
        let digits = signature.unwrap_or_default().trim_ascii();
        if digits.is_empty() {
            return Err(SignatureError::Missing);
        }
        let mut claimed = [0; SIGNATURE_BYTES];
        hex::decode_to_slice(digits, &mut claimed).map_err(|_| SignatureError::Malformed)?;

        let keys = std::iter::once(&self.current).chain(&self.others);
        let matches = keys
            .filter(|key| key.over(&body).verify_slice(&claimed).is_ok())
            .count();
        if matches == 0 {
            Err(SignatureError::Mismatch)
        } else {
            Ok(VerifiedBody::proven(body))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    const KEY: &str = "Jefe";
    const BODY: &[u8] = b"what do ya want for nothing?";
    const SIGNATURE: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    fn keys(keys: &[&str]) -> SigningKeys {
        SigningKeys::new(
            keys.iter()
                .map(|key| SigningKey::new(*key).unwrap())
                .collect(),
        )
        .unwrap()
    }

    fn verify(keys: &SigningKeys, signature: &[u8]) -> Result<VerifiedBody, SignatureError> {
        keys.verify(Bytes::from_static(BODY), Some(signature))
    }

    #[test]
    fn the_shortest_key_is_found_wherever_it_stands() {
        let key = |text: &str| SigningKey::new(text).unwrap();
        for keys in [["long one", "short"], ["short", "long one"]] {
            assert_eq!(
                SigningKeys::new(keys.map(key).into()).unwrap().shortest(),
                5
            );
        }
    }

    #[test]
    fn signing_agrees_with_the_published_vector() {
        assert_eq!(SigningKey::new(KEY).unwrap().sign(BODY), SIGNATURE);
    }

    #[test]
    fn a_signed_body_is_verified_and_unchanged() {
        assert_eq!(
            &verify(&keys(&[KEY]), SIGNATURE.as_bytes()).unwrap().bytes()[..],
            BODY
        );
    }

    #[test]
    fn upper_case_and_surrounding_white_space_are_accepted() {
        let signature = format!(" \t{}\r\n", SIGNATURE.to_uppercase());
        assert!(verify(&keys(&[KEY]), signature.as_bytes()).is_ok());
    }

    #[test]
    fn any_of_the_keys_may_have_signed() {
        for list in [["current", KEY], [KEY, "previous"]] {
            assert!(
                verify(&keys(&list), SIGNATURE.as_bytes()).is_ok(),
                "{list:?}"
            );
        }
    }

    #[test]
    fn an_absent_or_blank_signature_is_missing() {
        let keys = keys(&[KEY]);
        assert_eq!(
            keys.verify(Bytes::from_static(BODY), None).unwrap_err(),
            SignatureError::Missing
        );
        assert_eq!(verify(&keys, b"").unwrap_err(), SignatureError::Missing);
        assert_eq!(verify(&keys, b"  ").unwrap_err(), SignatureError::Missing);
    }

    #[test]
    fn what_is_not_sixty_four_digits_is_malformed() {
        let keys = keys(&[KEY]);
        let shorter = &SIGNATURE.as_bytes()[..62];
        let longer = format!("{SIGNATURE}00");
        let prefixed = format!("sha256={SIGNATURE}");
        let odd = SIGNATURE.replace('5', "x");
        for signature in [
            b"a".as_slice(),
            shorter,
            longer.as_bytes(),
            prefixed.as_bytes(),
            odd.as_bytes(),
            &[0xff; 64],
        ] {
            assert_eq!(
                verify(&keys, signature).unwrap_err(),
                SignatureError::Malformed
            );
        }
    }

    #[test]
    fn a_changed_body_or_signature_or_a_foreign_key_is_a_mismatch() {
        let changed = SIGNATURE.replacen('5', "6", 1);
        assert_eq!(
            verify(&keys(&[KEY]), changed.as_bytes()).unwrap_err(),
            SignatureError::Mismatch
        );
        assert_eq!(
            verify(&keys(&["other"]), SIGNATURE.as_bytes()).unwrap_err(),
            SignatureError::Mismatch
        );
        let body = Bytes::from_static(b"what do ya want for nothing!");
        assert_eq!(
            keys(&[KEY])
                .verify(body, Some(SIGNATURE.as_bytes()))
                .unwrap_err(),
            SignatureError::Mismatch
        );
    }

    #[test]
    fn keys_that_prove_nothing_are_refused() {
        assert_eq!(SigningKey::new(" ").unwrap_err(), EmptySigningKey);
        assert_eq!(SigningKeys::new(Vec::new()).unwrap_err(), NoSigningKeys);
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(
            format!("{:?}", keys(&[KEY])),
            "SigningKeys { current: SigningKey(redacted), others: [] }"
        );
    }
}
