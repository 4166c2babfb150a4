//! PNG, row by row.
//!
//! The decoder sees only the header, palette, transparency and data.
//! (Source: PNG, third edition, 5 and 11.)

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

use png::{ColorType, Transformations};

use crate::colour::on_white;
use crate::excerpt::{Excerpt, Pieces};
use crate::exif_orientation::of_exif;
use crate::limits::bounded;
use crate::orientation::Orientation;
use crate::picture::{Picture, PictureRows};
use crate::planes::Planes;
use crate::preparation::{Failure, Refusal};

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1A\n";

/// Length, type and checksum of a chunk.
const CHUNK_OVERHEAD: u64 = 12;

/// The start of EXIF data, which has the orientation.
const EXIF_BYTES: u64 = 64 * 1024;

/// What the decoder may allocate, in bytes: a row of 65,500 pixels, and its packed form.
const DECODER_BYTES: usize = 4_000_000;

/// The chunks that matter.
pub(crate) struct PngPlan {
    pub orientation: Orientation,
    stream: Pieces,
}

impl PngPlan {
    /// Goes from chunk to chunk.
    pub(crate) fn read(input: &File) -> Result<Self, Failure> {
        let mut reader = BufReader::new(input);
        reader.rewind()?;
        let mut signature = [0; 8];
        if reader.read_exact(&mut signature).is_err() || &signature != SIGNATURE {
            return Err(Refusal::Unreadable.into());
        }
        let mut stream = Pieces::default();
        stream.append_range(0, 8)?;
        let mut orientation = Orientation::Upright;
        let mut start = 8_u64;
        loop {
            let mut head = [0; 8];
            if reader.read_exact(&mut head).is_err() {
                break;
            }
            let (length, kind) = head.split_at(4);
            let length = length
                .first_chunk()
                .map_or(0, |length| u64::from(u32::from_be_bytes(*length)));
            let end = start.saturating_add(length).saturating_add(CHUNK_OVERHEAD);
            match kind {
                b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT" | b"IEND" => {
                    stream.append_range(start, end)?
                }
                b"eXIf" => {
                    let mut exif = Vec::new();
                    reader
                        .by_ref()
                        .take(length.min(EXIF_BYTES))
                        .read_to_end(&mut exif)?;
                    orientation = of_exif(&exif);
                }
                _ => {}
            }
            if kind == b"IEND" {
                break;
            }
            reader.seek(SeekFrom::Start(end))?;
            start = end;
        }
        Ok(Self {
            orientation,
            stream,
        })
    }

    /// Decodes the picture.
    pub(crate) fn decode(&self, input: &File) -> Result<Picture, Refusal> {
        let reader = BufReader::new(Excerpt::new(input, &self.stream));
        let mut decoder = png::Decoder::new_with_limits(
            reader,
            png::Limits {
                bytes: DECODER_BYTES,
            },
        );
        decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
        let header = decoder
            .read_header_info()
            .map_err(|_| Refusal::Unreadable)?;
        let side = |side: u32| usize::try_from(side).map_err(|_| Refusal::TooManyPixels);
        let (width, height) = bounded(side(header.width)?, side(header.height)?)?;
        let is_interlaced = header.interlaced;
        let mut reader = decoder.read_info().map_err(|_| Refusal::Unreadable)?;
        let (colour, _) = reader.output_color_type();
        let row_bytes = width.saturating_mul(colour.samples());
        // Only what is not interlaced comes row by row.
        let whole_bytes = if is_interlaced {
            row_bytes.saturating_mul(height)
        } else {
            0
        };
        let mut rows = PictureRows::new(Planes::with_room(width, height, whole_bytes)?);
        if is_interlaced {
            let mut samples = vec![0; whole_bytes];
            reader
                .next_frame(&mut samples)
                .map_err(|_| Refusal::Unreadable)?;
            samples
                .chunks_exact(row_bytes)
                .try_for_each(|row| push_row(&mut rows, colour, row))?;
        } else {
            while let Some(row) = reader.next_row().map_err(|_| Refusal::Unreadable)? {
                push_row(&mut rows, colour, row.data())?;
            }
        }
        rows.finish()
    }
}

fn push_row(rows: &mut PictureRows, colour: ColorType, row: &[u8]) -> Result<(), Refusal> {
    match colour {
        ColorType::Rgb => rows.push(row.as_chunks().0.iter().copied()),
        ColorType::Rgba => rows.push(row.as_chunks().0.iter().copied().map(on_white)),
        ColorType::Grayscale => rows.push(row.iter().map(|&grey| [grey; 3])),
        ColorType::GrayscaleAlpha => {
            let pixels = row.as_chunks().0.iter();
            rows.push(pixels.map(|&[grey, alpha]| on_white([grey, grey, grey, alpha])));
        }
        ColorType::Indexed => return Err(Refusal::Unreadable),
    }
    Ok(())
}
