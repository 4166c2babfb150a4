//! A JPEG's segments in order, as tolerant as viewers are.
//!
//! Skips stray bytes between segments.
//! Linear in the bytes read, in constant memory.
//! (Source: ITU-T T.81, annex B; for EXIF, CIPA DC-008-2019, 4.7.2.)

use std::io::{BufRead, Read, Result, Seek};

use crate::exif_orientation::of_exif;
use crate::orientation::Orientation;

pub(crate) const START_OF_IMAGE: u8 = 0xD8;
pub(crate) const END_OF_IMAGE: u8 = 0xD9;
pub(crate) const START_OF_SCAN: u8 = 0xDA;
/// APP1.
const EXIF_MARKER: u8 = 0xE1;
/// Starts the content of the segment that holds EXIF data.
const EXIF: &[u8] = b"Exif\0\0";

/// What comes next in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Segment(Segment),
    EndOfImage,
    /// The start of another image.
    StartOfImage,
    /// The bytes ended first: there may be more.
    OutOfBytes,
}

/// One segment.
/// Its bytes from 0xFF to its content's last are at `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub marker: u8,
    pub start: u64,
    pub end: u64,
}

/// Walks from segment to segment.
pub(crate) struct Segments<R> {
    reader: R,
    at: u64,
}

impl<R: BufRead + Seek> Segments<R> {
    /// `None`: this does not start as a JPEG does.
    pub(crate) fn open(reader: R) -> Result<Option<Self>> {
        let mut segments = Self { reader, at: 0 };
        let is_jpeg = segments.byte()? == Some(0xFF) && segments.byte()? == Some(START_OF_IMAGE);
        Ok(is_jpeg.then_some(segments))
    }

    /// Where the next byte is read.
    pub(crate) const fn position(&self) -> u64 {
        self.at
    }

    /// The next segment that has a place in an image.
    /// The rest of the one before is *not* skipped.
    /// Within a scan's data, 0xFF is always followed by 0x00 or a restart marker, which are passed
    /// over as stray bytes are.
    pub(crate) fn next(&mut self) -> Result<Next> {
        loop {
            let Some(marker) = self.marker()? else {
                return Ok(Next::OutOfBytes);
            };
            let start = self.at.saturating_sub(2);
            match marker {
                START_OF_IMAGE => return Ok(Next::StartOfImage),
                END_OF_IMAGE => return Ok(Next::EndOfImage),
                // Escaped bytes and restart markers of a scan. No length, and no meaning elsewhere.
                0x00 | 0x01 | 0xD0..=0xD7 => continue,
                _ => {}
            }
            let (Some(high), Some(low)) = (self.byte()?, self.byte()?) else {
                return Ok(Next::OutOfBytes);
            };
            let length = u64::from(u16::from_be_bytes([high, low])).max(2);
            let end = start.saturating_add(2).saturating_add(length);
            return Ok(Next::Segment(Segment { marker, start, end }));
        }
    }

    /// The content of the segment that was just found, without its length.
    /// Shorter if the bytes end.
    pub(crate) fn content(&mut self, segment: Segment) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        let left = segment.end.saturating_sub(self.at);
        self.reader.by_ref().take(left).read_to_end(&mut content)?;
        self.at = self.at.saturating_add(content.len() as u64);
        Ok(content)
    }

    /// Skips the rest of the segment that was just found.
    pub(crate) fn skip(&mut self, segment: Segment) -> Result<()> {
        let left = segment.end.saturating_sub(self.at);
        self.reader
            .seek_relative(i64::try_from(left).unwrap_or(i64::MAX))?;
        self.at = self.at.saturating_add(left);
        Ok(())
    }

    /// The byte after the next 0xFF, which any number of fill bytes may follow.
    fn marker(&mut self) -> Result<Option<u8>> {
        self.at = self.at.saturating_add(self.reader.skip_until(0xFF)? as u64);
        loop {
            match self.byte()? {
                Some(0xFF) => {}
                other => return Ok(other),
            }
        }
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        let byte = self.reader.fill_buf()?.first().copied();
        if byte.is_some() {
            self.reader.consume(1);
            self.at = self.at.saturating_add(1);
        }
        Ok(byte)
    }
}

/// How the camera was held, as far as the bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Known(Orientation),
    /// The bytes ended before the picture began.
    OutOfBytes,
}

/// Looks for EXIF data before the first scan. The first ones count.
pub(crate) fn orientation<R: BufRead + Seek>(reader: R) -> Result<Held> {
    let upright = Held::Known(Orientation::Upright);
    let Some(mut segments) = Segments::open(reader)? else {
        return Ok(upright);
    };
    loop {
        match segments.next()? {
            Next::OutOfBytes => return Ok(Held::OutOfBytes),
            Next::EndOfImage | Next::StartOfImage => return Ok(upright),
            Next::Segment(segment) if segment.marker == START_OF_SCAN => return Ok(upright),
            Next::Segment(segment) if segment.marker == EXIF_MARKER => {
                let content = segments.content(segment)?;
                if segments.position() < segment.end {
                    return Ok(Held::OutOfBytes);
                }
                if let Some(exif) = content.strip_prefix(EXIF) {
                    return Ok(Held::Known(of_exif(exif)));
                }
            }
            Next::Segment(segment) => segments.skip(segment)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// EXIF data of orientation 6 in a segment.
    const TURNED: &[u8] =
        b"\xFF\xE1\0\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

    fn held(parts: &[&[u8]]) -> Held {
        orientation(Cursor::new(parts.concat())).unwrap()
    }

    #[test]
    fn exif_is_found_behind_segments_fill_and_stray_bytes() {
        let turned = Held::Known(Orientation::Clockwise);
        for before in [
            &b""[..],
            b"\xFF\xE0\0\x04ab",
            b"\xFF\xFF",
            b"stray\xFF\0bytes\xFF\xD3",
            b"\xFF\xE0\0\0",
        ] {
            assert_eq!(held(&[b"\xFF\xD8", before, TURNED]), turned, "{before:?}");
        }
    }

    #[test]
    fn what_comes_after_the_first_scan_is_not_looked_at() {
        let upright = Held::Known(Orientation::Upright);
        assert_eq!(held(&[b"\xFF\xD8\xFF\xDA\0\x02data", TURNED]), upright);
        assert_eq!(held(&[b"\xFF\xD8\xFF\xD9", TURNED]), upright);
        assert_eq!(held(&[b"\x89PNG", TURNED]), upright);
    }

    #[test]
    fn a_start_without_a_scan_says_that_there_may_be_more() {
        let start = [b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xE0\0\x09", &b"abc"[..]].concat();
        for start in [
            &start[..],
            &[b"\xFF\xD8", TURNED].concat()[..TURNED.len() + 1],
        ] {
            for length in 2..start.len() {
                assert_eq!(held(&[&start[..length]]), Held::OutOfBytes, "{length}");
            }
        }
    }
}
