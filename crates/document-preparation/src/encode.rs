//! A JPEG that fits: first at a lower quality, then with fewer pixels.

use std::io::{Error, Write};

use jpeg_encoder::{ColorType, Encoder};

use crate::downscale::downscale;
use crate::picture::Picture;

/// The quality that is tried first, on the scale of the Independent JPEG Group (1 to 100). From 90 on, colour is kept at full resolution.
pub const BEST_QUALITY: u8 = 90;
/// Below this, fine print begins to break up, so a picture loses pixels instead.
pub const LEAST_QUALITY: u8 = 75;
/// A longer side with fewer pixels than this is not tried: a card of 85.6 mm then has 350 dots an inch.
pub const LEAST_SIDE: usize = 1_200;

const QUALITIES: [u8; 4] = [BEST_QUALITY, 85, 80, LEAST_QUALITY];
/// What pictures with fewer pixels are written with.
const SCALED_QUALITY: u8 = 80;
/// Each attempt has this many per cent of the sides of the one before, so a little less than two thirds of its pixels.
const SCALE_PERCENT: usize = 80;

/// A picture as it was written.
pub(crate) struct Encoded {
    pub jpeg: Vec<u8>,
    pub width: u16,
    pub height: u16,
    pub quality: u8,
}

/// The best JPEG of at most `limit` bytes; `None` when there is none that could be read.
pub(crate) fn encode_within(picture: &Picture, limit: usize) -> Option<Encoded> {
    if let Some(encoded) = QUALITIES.iter().find_map(|&quality| encode(picture, quality, limit)) {
        return Some(encoded);
    }
    let scaled = |side: usize| (side.saturating_mul(SCALE_PERCENT) / 100).max(1);
    let (mut width, mut height) = (scaled(picture.width), scaled(picture.height));
    while width.max(height) >= LEAST_SIDE {
        // Always from the full picture: shrinking what was shrunk blurs.
        let small = downscale(picture, width, height);
        if let Some(encoded) = encode(&small, SCALED_QUALITY, limit) {
            return Some(encoded);
        }
        (width, height) = (scaled(width), scaled(height));
    }
    None
}

fn encode(picture: &Picture, quality: u8, limit: usize) -> Option<Encoded> {
    let (width, height) = (u16::try_from(picture.width).ok()?, u16::try_from(picture.height).ok()?);
    let mut output = Bounded { bytes: Vec::new(), limit };
    let encoder = Encoder::new(&mut output, quality);
    // Either the output is full, or the picture is one that JPEG does not know.
    encoder.encode(&picture.rgb, width, height, ColorType::Rgb).ok()?;
    Some(Encoded {
        jpeg: output.bytes,
        width,
        height,
        quality,
    })
}

/// Takes so many bytes and no more, so that an attempt that fails costs neither memory nor all of its time.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > self.limit {
            return Err(Error::other("larger than allowed"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
