//! Files as customers upload them. Each has its own content, so that no two are mistaken for each other.

use uuid::Uuid;

/// A JPEG as far as anybody looks, of exactly `length` bytes.
pub fn jpeg(length: usize) -> Vec<u8> {
    starting_with(b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", length)
}

/// A PNG as far as anybody looks, of exactly `length` bytes.
pub fn png(length: usize) -> Vec<u8> {
    starting_with(b"\x89PNG\r\n\x1a\n", length)
}

/// A PDF as far as anybody looks, of exactly `length` bytes.
pub fn pdf(length: usize) -> Vec<u8> {
    starting_with(b"%PDF-1.7\n", length)
}

/// `start`, and then bytes that hardly repeat, up to `length`.
pub fn starting_with(start: &[u8], length: usize) -> Vec<u8> {
    let noise = Uuid::new_v4().into_bytes();
    let mut file = start.to_vec();
    let mut round = 0_u8;
    while file.len() < length {
        file.extend(noise.iter().map(|byte| byte.wrapping_mul(31).wrapping_add(round)));
        round = round.wrapping_add(1);
    }
    file.truncate(length);
    file
}
