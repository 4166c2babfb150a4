//! The orientation in a block of EXIF data.
//!
//! Reads only the entries of the first directory.
//! Follows no pointer but the one to it.
//! Keeps nothing.
//! (Source: TIFF 6.0, section 2; CIPA DC-008-2019, "Orientation".)

use crate::orientation::Orientation;

/// A directory has some 20 entries in files that cameras write.
const MAXIMUM_ENTRIES: usize = 512;

const ENTRY_BYTES: usize = 12;
const ORIENTATION_TAG: u16 = 0x0112;
const SHORT: u16 = 3;
const LONG: u16 = 4;

/// The block's orientation.
/// Upright if it is unreadable.
/// Cameras write much broken EXIF, and a picture is not refused for it.
pub(crate) fn of_exif(block: &[u8]) -> Orientation {
    // Some programs put the JPEG segment's prefix before the data of other formats too.
    let block = block.strip_prefix(b"Exif\0\0").unwrap_or(block);
    tag(block).map_or(Orientation::Upright, Orientation::of_tag)
}

fn tag(block: &[u8]) -> Option<u32> {
    let is_little_endian = match block.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *block.get(at..)?.first_chunk()?;
        Some(if is_little_endian {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let long = |at: usize| {
        let bytes = *block.get(at..)?.first_chunk()?;
        Some(if is_little_endian {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    };
    if short(2)? != 42 {
        return None;
    }
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?).min(MAXIMUM_ENTRIES);
    let first = directory.checked_add(2)?;
    (0..entries).find_map(|entry| {
        let at = first.checked_add(entry.checked_mul(ENTRY_BYTES)?)?;
        if short(at)? != ORIENTATION_TAG || long(at.checked_add(4)?)? != 1 {
            return None;
        }
        let value = at.checked_add(8)?;
        match short(at.checked_add(2)?)? {
            SHORT => short(value).map(u32::from),
            LONG => long(value),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(is_little_endian: bool, entries: &[(u16, u16, u32)]) -> Vec<u8> {
        let short = |value: u16| {
            if is_little_endian {
                value.to_le_bytes()
            } else {
                value.to_be_bytes()
            }
        };
        let long = |value: u32| {
            if is_little_endian {
                value.to_le_bytes()
            } else {
                value.to_be_bytes()
            }
        };
        let mut block = if is_little_endian {
            b"II".to_vec()
        } else {
            b"MM".to_vec()
        };
        block.extend(short(42));
        block.extend(long(8));
        block.extend(short(entries.len() as u16));
        for &(tag, kind, value) in entries {
            block.extend(short(tag));
            block.extend(short(kind));
            block.extend(long(1));
            match kind {
                SHORT => block.extend([short(value as u16), [0; 2]].concat()),
                _ => block.extend(long(value)),
            }
        }
        block
    }

    #[test]
    fn both_byte_orders_and_both_widths_are_read() {
        for is_little_endian in [true, false] {
            for kind in [SHORT, LONG] {
                let block = block(
                    is_little_endian,
                    &[(0x0100, LONG, 4), (ORIENTATION_TAG, kind, 6)],
                );
                assert_eq!(
                    of_exif(&block),
                    Orientation::Clockwise,
                    "{is_little_endian} {kind}"
                );
                assert_eq!(
                    of_exif(&[b"Exif\0\0", &block[..]].concat()),
                    Orientation::Clockwise
                );
            }
        }
    }

    #[test]
    fn at_most_512_entries_are_looked_at() {
        let filler = vec![(0x0100, LONG, 4); MAXIMUM_ENTRIES - 1];
        let last = [&filler[..], &[(ORIENTATION_TAG, SHORT, 6)]].concat();
        assert_eq!(of_exif(&block(false, &last)), Orientation::Clockwise);
        let late = [
            &filler[..],
            &[(0x0100, LONG, 4), (ORIENTATION_TAG, SHORT, 6)],
        ]
        .concat();
        assert_eq!(of_exif(&block(false, &late)), Orientation::Upright);
    }

    #[test]
    fn every_cut_of_a_block_has_an_answer() {
        let whole = block(true, &[(ORIENTATION_TAG, SHORT, 6)]);
        for length in 0..whole.len() {
            of_exif(&whole[..length]);
        }
    }
}
