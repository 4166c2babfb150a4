//! How a camera was held, by the start of a JPEG.
//!
//! Compared with a second reading of the same standards that has the whole of it before it.

use document_preparation::{Format, Need, START_BYTES, inspect_start};

use crate::resources::in_linear_time;

/// The longest EXIF data of a segment: its length, of 16 bits, counts itself and the prefix.
const LONGEST_EXIF: usize = 0xFFFF - 2 - 6;

/// What a reader knows at the end of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Upright,
    Turned,
    /// More may follow that says it.
    Open,
}

impl Held {
    const fn need(self, length: usize) -> Need {
        match self {
            Self::Turned => Need::Preparation,
            Self::Open if length >= START_BYTES => Need::Preparation,
            Self::Upright | Self::Open => Need::Nothing,
        }
    }
}

/// The first byte says how the rest is lengthened beyond what is looked at, the second where it is
/// cut.
pub(crate) fn jpeg_segments(input: &[u8]) {
    let Some((&[lengthened, cut], rest)) = input.split_first_chunk() else {
        return;
    };
    let mut jpeg = [b"\xFF\xD8", rest].concat();
    if lengthened & 1 == 1 {
        let filler = match lengthened >> 1 & 3 {
            0 => vec![lengthened],
            1 => b"\xFF\xE0\0\x02".to_vec(),
            2 => b"\xFF\xFF\xE1\0\x09Exif\0\0I".to_vec(),
            _ => rest.to_vec(),
        };
        if filler.is_empty() {
            return;
        }
        let missing = START_BYTES.saturating_sub(jpeg.len());
        jpeg.extend(filler.into_iter().cycle().take(missing));
    }
    let held = held(&jpeg);
    let need = in_linear_time(jpeg.len(), || inspect_start(Format::Jpeg, &jpeg));
    assert_eq!(need, held.need(jpeg.len()), "{held:?}");

    let start = &jpeg[..(jpeg.len() * usize::from(cut) / 256).max(2)];
    let earlier = self::held(start);
    assert_eq!(
        inspect_start(Format::Jpeg, start),
        earlier.need(start.len())
    );
    if earlier != Held::Open {
        assert_eq!(earlier, held, "the answer was final");
    }
    assert_eq!(
        inspect_start(Format::Jpeg, rest),
        self::held(rest).need(rest.len())
    );
}

/// The input is EXIF data.
pub(crate) fn orientation(exif: &[u8]) {
    let exif = &exif[..exif.len().min(LONGEST_EXIF)];
    let length = u16::try_from(exif.len() + 8).unwrap().to_be_bytes();
    let jpeg = [
        b"\xFF\xD8\xFF\xE1",
        &length[..],
        b"Exif\0\0",
        exif,
        b"\xFF\xDA\0\x02",
    ]
    .concat();
    let expected = if is_turned(exif) {
        Need::Preparation
    } else {
        Need::Nothing
    };
    assert_eq!(inspect_start(Format::Jpeg, &jpeg), expected);
    assert_eq!(held(&jpeg).need(jpeg.len()), expected);
    for other in [Format::Png, Format::Pdf] {
        assert_eq!(inspect_start(other, &jpeg), Need::Nothing);
    }
}

/// (Source: ITU-T T.81, annex B.)
fn held(jpeg: &[u8]) -> Held {
    if !jpeg.starts_with(b"\xFF\xD8") {
        return Held::Upright;
    }
    let mut at = 2;
    loop {
        // A marker is 0xFF, any number of times, and something else.
        while jpeg.get(at).is_some_and(|&byte| byte != 0xFF) {
            at += 1;
        }
        while jpeg.get(at) == Some(&0xFF) {
            at += 1;
        }
        let Some(&marker) = jpeg.get(at) else {
            return Held::Open;
        };
        at += 1;
        match marker {
            0 | 1 | 0xD0..=0xD7 => continue,
            0xD8 | 0xD9 => return Held::Upright,
            _ => {}
        }
        let Some(&[high, low]) = jpeg.get(at..at + 2) else {
            return Held::Open;
        };
        if marker == 0xDA {
            return Held::Upright;
        }
        let length = usize::from(u16::from_be_bytes([high, low])).max(2);
        if marker == 0xE1 {
            let Some(content) = jpeg.get(at + 2..at + length) else {
                return Held::Open;
            };
            if let Some(exif) = content.strip_prefix(b"Exif\0\0") {
                return if is_turned(exif) {
                    Held::Turned
                } else {
                    Held::Upright
                };
            }
        }
        at += length;
    }
}

/// Whether one of the first directory's 512 first entries is an orientation from 2 to 8, and none
/// before it is one that can be read. (Source: TIFF 6.0, section 2.)
fn is_turned(exif: &[u8]) -> bool {
    let block = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let is_little = match block.get(..2) {
        Some(b"II") => true,
        Some(b"MM") => false,
        _ => return false,
    };
    let number = |bytes: &[u8]| {
        let place = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        if is_little {
            bytes.iter().rev().fold(0, place)
        } else {
            bytes.iter().fold(0, place)
        }
    };
    let Some(head) = block.get(..8) else {
        return false;
    };
    let start = usize::try_from(number(&head[4..8])).unwrap();
    let directory = block.get(start..).unwrap_or_default();
    if number(&head[2..4]) != 42 || directory.len() < 2 {
        return false;
    }
    let count = usize::try_from(number(&directory[..2])).unwrap().min(512);
    for entry in directory[2..].chunks(12).take(count) {
        // The last one may be cut behind what counts of its value.
        let value = match (entry.get(2..4).map(number), entry.len()) {
            (Some(3), 10..) => number(&entry[8..10]),
            (Some(4), 12..) => number(&entry[8..12]),
            _ => continue,
        };
        if number(&entry[..2]) == 0x0112 && number(&entry[4..8]) == 1 {
            return (2..=8).contains(&value);
        }
    }
    false
}
