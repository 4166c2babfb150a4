//! Documents of a wanted size: real photographs as far as a decoder can tell, and nothing that
//! compresses.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder};

/// The largest segment of a JPEG: two bytes of marker, then a length of two bytes that counts
/// itself.
const LARGEST_SEGMENT: usize = 2 + 0xFFFF;

/// A JPEG of `width` × `height` noisy pixels, filled up to exactly `size` bytes with comments,
/// which decoders skip.
///
/// # Errors
/// The picture itself is larger than that.
pub fn jpeg(width: u16, height: u16, size: usize) -> Result<Bytes> {
    let pixels = noise(usize::from(width) * usize::from(height) * 3);
    let mut picture = Vec::with_capacity(size);
    Encoder::new(&mut picture, 80).encode(&pixels, width, height, ColorType::Rgb)?;
    let missing = size
        .checked_sub(picture.len())
        .context("the picture is larger than wanted")?;
    let (start, rest) = picture
        .split_at_checked(2)
        .context("the picture has no start")?;
    let mut file = Vec::with_capacity(size);
    file.extend_from_slice(start);
    file.extend(comments(missing)?);
    file.extend_from_slice(rest);
    Ok(file.into())
}

/// A JPEG of smooth colours: few bytes for many pixels.
///
/// # Errors
/// The encoder refuses.
pub fn plain_jpeg(width: u16, height: u16) -> Result<Vec<u8>> {
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for row in 0..height {
        for column in 0..width {
            let [row, column] = [row, column].map(|place| (place >> 5).to_be_bytes()[1]);
            pixels.extend([row, column, row ^ column]);
        }
    }
    let mut picture = Vec::new();
    Encoder::new(&mut picture, 90).encode(&pixels, width, height, ColorType::Rgb)?;
    Ok(picture)
}

/// Comment segments of `size` bytes together.
fn comments(mut size: usize) -> Result<Vec<u8>> {
    let mut comments = Vec::with_capacity(size);
    while size > 0 {
        // What is left must be nothing or a whole segment, which has at least four bytes.
        let segment = if size > LARGEST_SEGMENT {
            LARGEST_SEGMENT.min(size - 4)
        } else {
            size
        };
        ensure!(segment >= 4, "a segment has at least four bytes");
        let length = u16::try_from(segment - 2)?;
        comments.extend([0xFF, 0xFE]);
        comments.extend(length.to_be_bytes());
        comments.extend(noise(segment - 4));
        size -= segment;
    }
    Ok(comments)
}

/// Bytes that look random and are the same every time (a linear congruential generator with Knuth's
/// constants).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| byte()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_exactly_the_size_and_can_be_decoded() {
        for size in [60_004, 60_005, 125_541, 125_542, 125_543, 300_000] {
            let file = jpeg(160, 120, size).unwrap();
            assert_eq!(file.len(), size);
            let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(&file));
            decoder.decode_headers().unwrap();
            assert_eq!(decoder.dimensions(), Some((160, 120)));
            assert!(decoder.decode().is_ok(), "{size}");
        }
        assert!(jpeg(160, 120, 100).is_err());
    }
}
