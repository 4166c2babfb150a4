//! iDenfy's signature, written down a second time so that the one under test is not its own judge.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The lower-case hexadecimal HMAC-SHA256 of `body`.
pub fn sign(key: &str, body: &[u8]) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}
