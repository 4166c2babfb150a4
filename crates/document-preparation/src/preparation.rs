//! The child's whole way from the upload to what is submitted.

use std::fs::File;
use std::io::BufReader;

use serde::{Deserialize, Serialize};

use crate::encode::encode_within;
use crate::jpeg_plan::JpegPlan;
use crate::jpeg_segments::{Held, orientation};
use crate::orientation::{Orientation, Upright};
use crate::output::Output;
use crate::picture::{Picture, grid_of_jpeg};
use crate::png_picture::PngPlan;
use crate::report::Facts;
use crate::webp_picture;

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
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the format is neither taken nor converted")]
    FormatNotConvertible,
    /// Broken, truncated, or something else than its first bytes say.
    #[error("the picture cannot be read")]
    Unreadable,
    /// More than [`MAXIMUM_PIXELS`](crate::MAXIMUM_PIXELS), or than its compression leaves memory
    /// for.
    #[error("the picture has too many pixels")]
    TooManyPixels,
    /// Only an unreadable rest of it would fit.
    #[error("the file cannot be made small enough")]
    TooLarge,
}

/// What was done.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
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

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    /// The files could not be read or written.
    Io(std::io::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

/// Makes the copy to submit, of at most `limit` bytes.
/// The file is at its start.
/// `None`: it may go as it is.
///
/// Deterministic: the same file and limit give the same bytes.
pub(crate) fn prepare(
    format: Format,
    input: &File,
    limit: u64,
    output: &mut Output,
) -> Result<Option<Facts>, Failure> {
    let is_too_large = input.metadata()?.len() > limit;
    let (picture, orientation) = match format {
        Format::Jpeg => {
            let orientation = match orientation(BufReader::new(input))? {
                Held::Known(orientation) => orientation,
                Held::OutOfBytes => Orientation::Upright,
            };
            if !is_too_large && orientation == Orientation::Upright {
                return Ok(None);
            }
            (
                Picture::of_jpeg(&JpegPlan::read(input)?, input)?,
                orientation,
            )
        }
        Format::Png if !is_too_large => return Ok(None),
        Format::Png => {
            let plan = PngPlan::read(input)?;
            (plan.decode(input)?, plan.orientation)
        }
        Format::Webp => (
            webp_picture::decode(input)?,
            webp_picture::orientation(input)?,
        ),
        Format::Heic => return Err(Refusal::FormatNotConvertible.into()),
        Format::Pdf if is_too_large => return Err(Refusal::TooLarge.into()),
        Format::Pdf => return Ok(None),
    };
    let Picture { planes, grid } = picture;
    let upright = Upright {
        planes: &planes,
        orientation,
    };
    let full_width = upright.width();
    let encoded = encode_within(upright, output)?;
    drop(planes);
    let written = grid_of_jpeg(&JpegPlan::read(output.file())?, output.file())?;
    if !grid.resembles(orientation, &written) {
        return Err(Refusal::Unreadable.into());
    }
    let is_converted = format != Format::Jpeg;
    let changes = [
        (is_converted, Change::Converted),
        (orientation != Orientation::Upright, Change::Turned),
        (is_too_large && !is_converted, Change::Recompressed),
        (encoded.width < full_width, Change::ScaledDown),
    ];
    let side = |side: usize| u16::try_from(side).map_err(|_| Refusal::TooManyPixels);
    Ok(Some(Facts {
        bytes: encoded.bytes,
        width: side(encoded.width)?,
        height: side(encoded.height)?,
        quality: encoded.quality,
        changes: changes
            .into_iter()
            .filter_map(|(is_done, change)| is_done.then_some(change))
            .collect(),
    }))
}
