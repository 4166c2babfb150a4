//! iDenfy's signature, written a second time: the code under test must not judge itself.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The lower-case hexadecimal HMAC-SHA256 of `body`. An HMAC key may have any length.
pub fn sign(key: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}
