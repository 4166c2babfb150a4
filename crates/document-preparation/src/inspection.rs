//! What the start of a file tells about what must be done with it.

use crate::exif_orientation::of_exif;
use crate::jpeg_segments::{End, segments};
use crate::orientation::Orientation;
use crate::preparation::{Format, Refusal};

/// How many bytes of a file [`inspect_start`] should see: EXIF data come first or second in a JPEG, in a segment of 64 KiB at most.
pub const START_BYTES: usize = 128 * 1024;

/// What must be done with a file before it is submitted, apart from its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It may go as it is.
    Nothing,
    /// [`prepare`](crate::prepare) must see the whole of it.
    Preparation,
    /// It can never be submitted.
    Refused(Refusal),
}

/// Judges a file by its first [`START_BYTES`], or by all of it if it has fewer. Whether a PDF is encrypted, only
/// [`EncryptionScan`](crate::EncryptionScan) can tell.
///
/// A JPEG or PNG that is odd without being turned may go as it is: the provider is the judge of what it can read.
pub fn inspect_start(format: Format, start: &[u8]) -> Need {
    match format {
        Format::Jpeg => {
            let segments = segments(start);
            match segments.exif.map(of_exif) {
                Some(Orientation::Upright) => Need::Nothing,
                Some(_) => Need::Preparation,
                None if segments.end == End::OutOfBytes && start.len() >= START_BYTES => Need::Preparation,
                None => Need::Nothing,
            }
        }
        // Cameras make no PNG, and most programs that show one look at no orientation.
        Format::Png | Format::Pdf => Need::Nothing,
        Format::Webp => Need::Preparation,
        Format::Heic => Need::Refused(Refusal::FormatNotConvertible),
    }
}
