//! What a file's start tells about the work that it needs.

use std::io::Cursor;

use crate::jpeg_segments::{Held, orientation};
use crate::orientation::Orientation;
use crate::preparation::{Format, Refusal};

/// How many bytes of a file [`inspect_start`] should see.
/// In a JPEG, EXIF data come first or second, in a segment of 64 KiB at most.
pub const START_BYTES: usize = 128 * 1024;

/// The work on a file before it is submitted, size aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It may go as it is.
    Nothing,
    /// [`Workbench::prepare`](crate::Workbench::prepare) must see the whole of it.
    Preparation,
    /// It can never be submitted.
    Refused(Refusal),
}

/// Judges a file by its first [`START_BYTES`], or by all of it if shorter.
/// Only [`EncryptionScan`](crate::EncryptionScan) can tell whether a PDF is encrypted.
///
/// Decodes nothing: linear in `start`, with at most one EXIF segment copied.
///
/// A JPEG or PNG that is odd but not turned may go as it is.
/// The provider judges what it can read.
pub fn inspect_start(format: Format, start: &[u8]) -> Need {
    match format {
        Format::Jpeg => match orientation(Cursor::new(start)) {
            Ok(Held::Known(Orientation::Upright)) => Need::Nothing,
            Ok(Held::Known(_)) => Need::Preparation,
            Ok(Held::OutOfBytes) if start.len() < START_BYTES => Need::Nothing,
            Ok(Held::OutOfBytes) | Err(_) => Need::Preparation,
        },
        // Most programs that show a PNG look at no orientation.
        Format::Png | Format::Pdf => Need::Nothing,
        Format::Webp => Need::Preparation,
        Format::Heic => Need::Refused(Refusal::FormatNotConvertible),
    }
}
