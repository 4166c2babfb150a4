//! Writes a JPEG that fits: at a lower quality first, then with fewer pixels.

use crate::codec::encode_rows;
use crate::downscale::Downscale;
use crate::orientation::Upright;
use crate::output::Output;
use crate::planes::CHANNELS;
use crate::preparation::{Failure, Refusal};

/// The first quality tried, on the scale of the Independent JPEG Group (1 to 100).
/// From 90 on, colour is kept at full resolution.
pub const BEST_QUALITY: u8 = 90;
/// Below this, fine print begins to break up.
/// A picture loses pixels instead.
pub const LEAST_QUALITY: u8 = 75;
/// The shortest longer side that is tried.
/// A card of 85.6 mm then has 350 dots an inch.
pub const LEAST_SIDE: usize = 1_200;

/// What pictures with fewer pixels are written with.
const SCALED_QUALITY: u8 = 80;

/// The qualities, with the least size of a picture in relation to the best.
const QUALITIES: [(u8, f64); 4] = [
    (BEST_QUALITY, 1.0),
    (85, 0.55),
    (SCALED_QUALITY, 0.45),
    (LEAST_QUALITY, 0.4),
];

/// The largest side of an attempt, as a share of the one before.
/// Each attempt shrinks by this at least.
const STEP: f64 = 0.95;

/// A picture as it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoded {
    pub bytes: u64,
    pub width: usize,
    pub height: usize,
    pub quality: u8,
}

/// Writes the best JPEG that fits into the output.
///
/// The size of a failed attempt tells which one to make next.
/// Two or three are usual.
pub(crate) fn encode_within(upright: Upright<'_>, output: &mut Output) -> Result<Encoded, Failure> {
    let full = (upright.width(), upright.height());
    let (mut share, mut reference) = (1.0, 1.0);
    for (quality, least) in QUALITIES {
        if least / reference > share {
            continue;
        }
        match attempt(upright, full, quality, output)? {
            Ok(encoded) => return Ok(encoded),
            Err(fitting) => (share, reference) = (fitting, least),
        }
    }
    let longer = full.0.max(full.1);
    let mut side = longer;
    // At this quality, an area of the same share of the bytes.
    share *= reference / 0.45;
    while side > LEAST_SIDE {
        side = scaled(side, share.sqrt().min(STEP)).max(LEAST_SIDE);
        let scale = |length: usize| {
            (length.saturating_mul(side).saturating_add(longer / 2) / longer).max(1)
        };
        match attempt(
            upright,
            (scale(full.0), scale(full.1)),
            SCALED_QUALITY,
            output,
        )? {
            Ok(encoded) => return Ok(encoded),
            Err(fitting) => share = fitting,
        }
    }
    Err(Refusal::TooLarge.into())
}

/// A side is at most 65,500 pixels, so the conversions are exact.
fn scaled(side: usize, share: f64) -> usize {
    (side as f64 * share) as usize
}

/// Writes the picture.
/// `Err`: the largest share of its bytes that would fit.
fn attempt(
    upright: Upright<'_>,
    (width, height): (usize, usize),
    quality: u8,
    output: &mut Output,
) -> Result<Result<Encoded, f64>, Failure> {
    output.restart()?;
    let mut pixels = vec![0; upright.width().saturating_mul(CHANNELS)];
    let mut row = 0;
    let mut next_row = |pixels: &mut [u8]| {
        upright.copy_row(row, pixels);
        row = row.saturating_add(1);
    };
    let has_full_colour = quality >= BEST_QUALITY && upright.planes.has_full_colour();
    let written = if (width, height) == (upright.width(), upright.height()) {
        encode_rows(
            (width, height),
            quality,
            has_full_colour,
            &mut *output,
            next_row,
        )
    } else {
        let mut downscale = Downscale::new((upright.width(), upright.height()), (width, height));
        let is_made = std::cell::Cell::new(false);
        encode_rows(
            (width, height),
            quality,
            has_full_colour,
            &mut *output,
            |made| {
                is_made.set(false);
                while !is_made.get() {
                    next_row(&mut pixels);
                    downscale.push_row(&pixels, |row| {
                        made.copy_from_slice(row);
                        is_made.set(true);
                    });
                }
            },
        )
    };
    match (output.outcome(), written) {
        (Err(error), _) => Err(Failure::Io(error)),
        (Ok(Err(share)), _) => Ok(Err(share)),
        (Ok(Ok(bytes)), Ok(())) => Ok(Ok(Encoded {
            bytes,
            width,
            height,
            quality,
        })),
        (Ok(Ok(_)), Err(_)) => Err(Refusal::Unreadable.into()),
    }
}
