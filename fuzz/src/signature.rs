//! The proof that a body is the provider's.

use bytes::Bytes;
use idenfy::{SigningKey, SigningKeys};
use sha2::{Digest, Sha256};

/// The last is longer than a block of SHA-256.
const KEYS: [&str; 3] = [
    "current key",
    "k",
    "a previous key that is longer than the sixty-four bytes of one block, so it is hashed",
];

/// The input's first bytes say how the header is made: as it comes, or from a right signature that
/// is changed.
pub(crate) fn signature(input: &[u8]) {
    let Some((&[how, position, value], rest)) = input.split_first_chunk() else {
        return;
    };
    if how & 1 == 0 {
        let (header, body) = rest.split_at(rest.len().min(usize::from(position)));
        check(body, Some(header));
        check(body, None);
        return;
    }
    let mut body = rest.to_vec();
    let mut header = hex::encode(hmac(KEYS[usize::from(how >> 1) % 3], &body)).into_bytes();
    let at = usize::from(position);
    match how >> 3 & 7 {
        0 => {}
        1 => header[at % 64] = value,
        2 => header.insert(at % 65, value),
        3 => drop(header.remove(at % 64)),
        4 => header.make_ascii_uppercase(),
        5 => header.extend_from_within(..at % 65),
        6 => {
            let middle = at % (body.len() + 1);
            body.insert(middle, value);
        }
        _ => {
            if let Some(byte) = body.get_mut(at) {
                *byte = value;
            }
        }
    }
    check(&body, Some(&header));
}

fn check(body: &[u8], header: Option<&[u8]>) {
    let keys = KEYS.iter().map(|key| SigningKey::new(*key).unwrap());
    let keys = SigningKeys::new(keys.collect()).unwrap();
    let verified = keys.verify(Bytes::copy_from_slice(body), header);
    let is_right = header.is_some_and(|header| is_right(body, header));
    assert_eq!(verified.is_ok(), is_right, "{header:?}");
    if let Ok(verified) = verified {
        assert_eq!(verified.bytes(), body);
    }
}

/// Whether the header has the 64 digits of a signature, in either case, with white space around
/// them.
fn is_right(body: &[u8], header: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(header) else {
        return false;
    };
    let digits = text.trim_matches([' ', '\t', '\n', '\r', '\x0C']);
    KEYS.iter()
        .any(|key| digits.eq_ignore_ascii_case(&hex::encode(hmac(key, body))))
}

/// By the definition. (Source: RFC 2104, section 2.)
fn hmac(key: &str, body: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key.as_bytes());
    }
    let inner = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x36))
        .chain_update(body);
    let outer = Sha256::new()
        .chain_update(block.map(|byte| byte ^ 0x5C))
        .chain_update(inner.finalize());
    outer.finalize().into()
}
