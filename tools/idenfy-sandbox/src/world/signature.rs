//! HMAC-SHA256 in lower-case hexadecimal digits, and the digest of journals.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// HMAC-SHA256 of `message` as 64 hexadecimal digits; an HMAC key may have any length.
pub(crate) fn hex_hmac(key: &[u8], message: &[u8]) -> String {
    mac(key, message).map_or_else(String::new, |mac| hex::encode(mac.finalize().into_bytes()))
}

fn mac(key: &[u8], message: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::new_from_slice(key).ok()?;
    mac.update(message);
    Some(mac)
}

/// SHA-256 of `message` as 64 hexadecimal digits.
pub(crate) fn hex_sha256(message: &[u8]) -> String {
    hex::encode(Sha256::digest(message))
}

/// Compares in constant time: by the codes of both texts.
pub(crate) fn same(expected: &str, given: &str) -> bool {
    let codes = mac(b"", expected.as_bytes()).zip(mac(b"", given.as_bytes()));
    codes.is_some_and(|(expected, given)| {
        given
            .verify_slice(&expected.finalize().into_bytes())
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{hex_hmac, hex_sha256, same};

    #[test]
    fn the_published_test_vector_holds() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex_hmac(b"Jefe", b"what do ya want for nothing?"), expected);
        assert_eq!(
            hex_sha256(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn only_equal_texts_are_the_same() {
        assert!(same("abc", "abc"));
        assert!(!same("abc", "abd"));
        assert!(!same("abc", "ab"));
    }
}
