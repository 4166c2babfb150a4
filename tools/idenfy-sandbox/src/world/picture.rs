//! Stand-ins for photos: valid PNG images of one colour, 8 × 8 pixels. Each name has a colour of
//! its own.

use bytes::Bytes;
use png::{BitDepth, ColorType, Encoder, EncodingError};
use sha2::{Digest, Sha256};

const SIDE: u32 = 8;

/// The picture for a name.
pub(crate) fn png(name: &str) -> Bytes {
    let colour: Vec<u8> = Sha256::digest(name).into_iter().take(3).collect();
    // Writing to memory does not fail.
    encode(&colour.repeat((SIDE * SIDE) as usize))
        .unwrap_or_default()
        .into()
}

fn encode(pixels: &[u8]) -> Result<Vec<u8>, EncodingError> {
    let mut image = Vec::new();
    let mut encoder = Encoder::new(&mut image, SIDE, SIDE);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::png;

    #[test]
    fn pictures_are_png_and_differ_by_name() {
        assert!(png("FRONT").starts_with(b"\x89PNG\r\n\x1a\n"));
        assert_eq!(png("FRONT"), png("FRONT"));
        assert_ne!(png("FRONT"), png("BACK"));
    }
}
