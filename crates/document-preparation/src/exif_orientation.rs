//! The orientation in a block of EXIF data.

use exif::{In, Reader, Tag};

use crate::orientation::Orientation;

/// What the block says; upright when it says nothing, or nothing that can be read: cameras write a lot of broken EXIF, and a picture is not
/// refused for it.
pub(crate) fn of_exif(block: &[u8]) -> Orientation {
    let mut reader = Reader::new();
    let read = reader.continue_on_error(true).read_raw(block.to_vec());
    let Ok(exif) = read.or_else(|error| error.distill_partial_result(|_| {})) else {
        return Orientation::Upright;
    };
    let tag = exif.get_field(Tag::Orientation, In::PRIMARY);
    tag.and_then(|field| field.value.get_uint(0))
        .map_or(Orientation::Upright, Orientation::of_tag)
}
