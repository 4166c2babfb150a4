//! A JPEG's segments before its first scan: where the EXIF data are, and where the picture begins.
//!
//! (Source: ITU-T T.81, annex B; for EXIF, CIPA DC-008-2019, 4.7.2.)

/// Starts the content of the segment that holds EXIF data.
const EXIF: &[u8] = b"Exif\0\0";

const START_OF_IMAGE: u8 = 0xD8;
const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;
/// APP1.
const EXIF_MARKER: u8 = 0xE1;

/// What is known before the first scan.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Segments<'a> {
    /// The EXIF data of the first segment that has any.
    pub exif: Option<&'a [u8]>,
    pub end: End,
}

/// Where reading the segments ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    /// At the first scan, whose data begin at this offset.
    Scan(usize),
    /// The bytes ended first: there may be more.
    OutOfBytes,
    /// At something that is not a segment.
    #[default]
    Malformed,
}

/// Reads the segments, as far as `bytes` go.
pub(crate) fn segments(bytes: &[u8]) -> Segments<'_> {
    let mut found = Segments::default();
    if !bytes.starts_with(&[0xFF, START_OF_IMAGE]) {
        return found;
    }
    let mut at = 2_usize;
    loop {
        found.end = End::OutOfBytes;
        let Some(&first) = bytes.get(at) else { return found };
        let Some(&marker) = bytes.get(at.saturating_add(1)) else {
            return found;
        };
        if first != 0xFF {
            found.end = End::Malformed;
            return found;
        }
        match marker {
            // A marker may be preceded by any number of fill bytes.
            0xFF => {
                at = at.saturating_add(1);
                continue;
            }
            // These have no length and no place here.
            0x00 | 0x01 | 0xD0..=0xD9 => {
                found.end = End::Malformed;
                return found;
            }
            _ => {}
        }
        let length = bytes
            .get(at.saturating_add(2)..at.saturating_add(4))
            .and_then(|length| length.first_chunk());
        let Some(length) = length.copied().map(u16::from_be_bytes) else {
            return found;
        };
        if length < 2 {
            found.end = End::Malformed;
            return found;
        }
        let (content, next) = (at.saturating_add(4), at.saturating_add(2).saturating_add(usize::from(length)));
        if marker == START_OF_SCAN {
            found.end = End::Scan(next);
            return found;
        }
        let Some(content) = bytes.get(content..next) else { return found };
        if marker == EXIF_MARKER && found.exif.is_none() {
            found.exif = content.strip_prefix(EXIF);
        }
        at = next;
    }
}

/// Whether the picture goes on to its end. A decoder would fill what is missing of a truncated one with grey, which looks like a document
/// that was photographed badly.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let End::Scan(start) = segments(bytes).end else { return false };
    // Within a scan's data, 0xFF is always followed by 0x00 or a restart marker; the end is unmistakable.
    let scans = bytes.get(start..).unwrap_or_default();
    scans.windows(2).any(|pair| pair == [0xFF, END_OF_IMAGE])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exif_is_found_behind_other_segments_and_fill_bytes() {
        let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xFF\xE1\0\x0AExif\0\0MM\xFF\xE1\0\x0AExif\0\0II\xFF\xDA\0\x02data\xFF\xD9";
        let found = segments(jpeg);
        assert_eq!(found.exif, Some(&b"MM"[..]));
        assert_eq!(found.end, End::Scan(jpeg.len() - 6));
        assert!(is_whole(jpeg));
        assert!(!is_whole(&jpeg[..jpeg.len() - 1]));
    }

    #[test]
    fn an_end_within_a_thumbnail_is_not_the_pictures_end() {
        let jpeg = b"\xFF\xD8\xFF\xE1\0\x0C\xFF\xD8\xFF\xDA\0\x02..\xFF\xD9\xFF\xDA\0\x02data";
        assert!(!is_whole(jpeg));
    }

    #[test]
    fn every_start_of_a_jpeg_says_that_there_may_be_more() {
        let jpeg = b"\xFF\xD8\xFF\xE1\0\x0AExif\0\0MM\xFF\xDA\0\x02";
        for length in 2..jpeg.len() - 4 {
            assert_eq!(segments(&jpeg[..length]).end, End::OutOfBytes, "{length}");
        }
    }

    #[test]
    fn what_is_no_segment_is_malformed() {
        for bytes in [
            &b""[..],
            b"\xFF\xD8\xFF\xE0\0\x01",
            b"\xFF\xD8noise",
            b"\xFF\xD8\xFF\xD9",
            b"\x89PNG",
        ] {
            assert_eq!(segments(bytes).end, End::Malformed, "{bytes:?}");
        }
    }
}
