//! The whole way from what was uploaded to what is submitted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::decode::decode;
use crate::encode::{Encoded, encode_within};
use crate::exif_orientation::of_exif;
use crate::jpeg_segments::segments;
use crate::orientation::Orientation;

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    Webp,
    /// Every kind of HEIF.
    Heic,
    Pdf,
}

/// Why a file can never be submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the format is neither taken nor converted")]
    FormatNotConvertible,
    /// Broken, truncated, or something else than its first bytes say.
    #[error("the picture cannot be read")]
    Unreadable,
    /// More than [`MAXIMUM_PIXELS`](crate::MAXIMUM_PIXELS).
    #[error("the picture has too many pixels")]
    TooManyPixels,
    /// Only an unreadable rest of it would fit.
    #[error("the file cannot be made small enough")]
    TooLarge,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was no JPEG.
    Converted,
    /// It was turned upright as its EXIF data say.
    Turned,
    /// It was too large, and is written with less detail.
    Recompressed,
    /// It has fewer pixels.
    ScaledDown,
}

/// What is submitted in the original's place: the picture alone, without EXIF and other data about the customer.
#[derive(Clone, PartialEq, Eq)]
pub struct Derived {
    pub jpeg: Vec<u8>,
    pub width: u16,
    pub height: u16,
    /// On the scale of the Independent JPEG Group.
    pub quality: u8,
    pub changes: Vec<Change>,
}

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Derived")
            .field("bytes", &self.jpeg.len())
            .field("width", &self.width)
            .field("height", &self.height)
            .field("quality", &self.quality)
            .field("changes", &self.changes)
            .finish()
    }
}

/// Makes of a file what may be submitted in at most `limit` bytes. `None`: it may go as it is.
///
/// Takes seconds and up to 9 bytes a pixel for a large picture; the same file and limit always come to the same bytes.
///
/// # Errors
/// It can never be submitted.
pub fn prepare(format: Format, original: &[u8], limit: usize) -> Result<Option<Derived>, Refusal> {
    // Decoders are held to what they were given and change nothing else, so nothing is left half-done.
    catch_unwind(AssertUnwindSafe(|| prepare_unguarded(format, original, limit))).unwrap_or(Err(Refusal::Unreadable))
}

fn prepare_unguarded(format: Format, original: &[u8], limit: usize) -> Result<Option<Derived>, Refusal> {
    let is_too_large = original.len() > limit;
    let (orientation, is_converted) = match format {
        Format::Jpeg => (segments(original).exif.map_or(Orientation::Upright, of_exif), false),
        Format::Png => (Orientation::Upright, is_too_large),
        Format::Webp => (webp_orientation(original), true),
        Format::Heic => return Err(Refusal::FormatNotConvertible),
        Format::Pdf if is_too_large => return Err(Refusal::TooLarge),
        Format::Pdf => return Ok(None),
    };
    if !is_too_large && !is_converted && orientation == Orientation::Upright {
        return Ok(None);
    }
    let picture = decode(format, original)?;
    let (stored_width, stored_height) = (picture.width, picture.height);
    let picture = orientation.apply(picture);
    let Encoded {
        jpeg,
        width,
        height,
        quality,
    } = encode_within(&picture, limit).ok_or(Refusal::TooLarge)?;
    let is_scaled = usize::from(width).saturating_mul(usize::from(height)) < stored_width.saturating_mul(stored_height);
    let changes = [
        (is_converted, Change::Converted),
        (orientation != Orientation::Upright, Change::Turned),
        (is_too_large && !is_converted, Change::Recompressed),
        (is_scaled, Change::ScaledDown),
    ];
    Ok(Some(Derived {
        jpeg,
        width,
        height,
        quality,
        changes: changes
            .into_iter()
            .filter_map(|(is_done, change)| is_done.then_some(change))
            .collect(),
    }))
}

fn webp_orientation(original: &[u8]) -> Orientation {
    let exif = image_webp::WebPDecoder::new(std::io::Cursor::new(original))
        .ok()
        .and_then(|mut decoder| decoder.exif_metadata().ok().flatten());
    // Some programs put the JPEG segment's prefix before the data.
    exif.map_or(Orientation::Upright, |exif| {
        of_exif(exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif))
    })
}
