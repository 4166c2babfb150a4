//! WEBP, which its decoder provides only as a whole.
//!
//! (Source: WebP Container Specification, RFC 9649.)

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use image_webp::WebPDecoder;

use crate::colour::on_white;
use crate::exif_orientation::of_exif;
use crate::limits::bounded;
use crate::orientation::Orientation;
use crate::picture::{Picture, PictureRows};
use crate::planes::{Planes, colour_shift};
use crate::preparation::{Failure, Refusal};

/// The start of EXIF data, which has the orientation.
const EXIF_BYTES: u64 = 64 * 1024;

/// The file's first chunk follows `RIFF`, a length and `WEBP`.
const FIRST_CHUNK: u64 = 12;

/// A chunk's header, and the part of a frame with its size.
const FRAME_START: u64 = 8 + 12;

/// What an animation says of a frame, before the frame itself.
const ANIMATION_FRAME: u64 = 16;

/// As the EXIF data say, if there are any.
pub(crate) fn orientation(input: &File) -> Result<Orientation, Failure> {
    let mut reader = BufReader::new(input);
    let mut start = FIRST_CHUNK;
    loop {
        reader.seek(SeekFrom::Start(start))?;
        let mut head = [0; 8];
        if reader.read_exact(&mut head).is_err() {
            return Ok(Orientation::Upright);
        }
        let (kind, length) = head.split_at(4);
        let length = length
            .first_chunk()
            .map_or(0, |length| u64::from(u32::from_le_bytes(*length)));
        if kind == b"EXIF" {
            let mut exif = Vec::new();
            reader.take(length.min(EXIF_BYTES)).read_to_end(&mut exif)?;
            return Ok(of_exif(&exif));
        }
        start = start
            .saturating_add(8)
            .saturating_add(length.next_multiple_of(2));
    }
}

/// Whether each frame has the size that its file announces.
/// The decoder compares them too late, after making room for the frame.
fn has_frames_as_announced(input: &File, canvas: (usize, usize)) -> Result<bool, Failure> {
    let mut reader = BufReader::new(input);
    reader.rewind()?;
    let (mut announced, mut start, mut position) = (canvas, FIRST_CHUNK, 0_u64);
    let mut bytes = Vec::new();
    loop {
        let distance = i128::from(start).saturating_sub(position.into());
        reader.seek_relative(i64::try_from(distance).unwrap_or(i64::MAX))?;
        bytes.clear();
        reader.by_ref().take(FRAME_START).read_to_end(&mut bytes)?;
        position = start.saturating_add(bytes.len() as u64);
        let Some((head, content)) = bytes.split_first_chunk::<8>() else {
            return Ok(true);
        };
        let &[kind @ .., a, b, c, d] = head;
        let length = u64::from(u32::from_le_bytes([a, b, c, d]));
        start = start.saturating_add(8);
        let side = |bits: u32| usize::try_from(bits & 0x3FFF).unwrap_or(usize::MAX);
        let said = match (&kind, content) {
            (b"ANMF", &[_, _, _, _, _, _, w, wi, wid, h, he, hei, ..]) => {
                let side = |side| usize::try_from(u32::from_le_bytes(side)).unwrap_or(usize::MAX);
                announced = (
                    side([w, wi, wid, 0]).saturating_add(1),
                    side([h, he, hei, 0]).saturating_add(1),
                );
                start = start.saturating_add(ANIMATION_FRAME);
                continue;
            }
            (b"VP8 ", &[_, _, _, _, _, _, w, wi, h, he, ..]) => (
                side(u32::from_le_bytes([w, wi, 0, 0])),
                side(u32::from_le_bytes([h, he, 0, 0])),
            ),
            (b"VP8L", &[_, a, b, c, d, ..]) => {
                let bits = u32::from_le_bytes([a, b, c, d]);
                (
                    side(bits).saturating_add(1),
                    side(bits >> 14).saturating_add(1),
                )
            }
            _ => announced,
        };
        if said != announced {
            return Ok(false);
        }
        start = start.saturating_add(length.next_multiple_of(2));
    }
}

/// Decodes the picture.
pub(crate) fn decode(input: &File) -> Result<Picture, Failure> {
    let mut reader = BufReader::new(input);
    reader.rewind()?;
    let mut decoder = WebPDecoder::new(reader).map_err(|_| Refusal::Unreadable)?;
    let side = |side: u32| usize::try_from(side).map_err(|_| Refusal::TooManyPixels);
    let (width, height) = decoder.dimensions();
    let (width, height) = bounded(side(width)?, side(height)?)?;
    // It is unknown which of its frames shows the document.
    if decoder.is_animated() && decoder.num_frames() != 1 {
        return Err(Refusal::FormatNotConvertible.into());
    }
    if !has_frames_as_announced(input, (width, height))? {
        return Err(Refusal::Unreadable.into());
    }
    let file_bytes = usize::try_from(input.metadata()?.len()).unwrap_or(usize::MAX);
    let decoder_bytes = decoder_bytes(&mut decoder, width.saturating_mul(height), file_bytes);
    let samples_bytes = decoder.output_buffer_size().ok_or(Refusal::TooManyPixels)?;
    // Beside the samples there is first the decoder's memory, and then the planes.
    colour_shift(0, 0, samples_bytes.saturating_add(decoder_bytes))?;
    colour_shift(width, height, samples_bytes)?;
    decoder.set_memory_limit(decoder_bytes);
    let has_alpha = decoder.has_alpha();
    let mut samples = vec![0; samples_bytes];
    decoder
        .read_image(&mut samples)
        .map_err(|_| Refusal::Unreadable)?;
    drop(decoder);
    let mut rows = PictureRows::new(Planes::with_room(width, height, samples_bytes)?);
    if has_alpha {
        let pixels = samples.as_chunks().0;
        pixels
            .chunks(width)
            .for_each(|row| rows.push(row.iter().copied().map(on_white)));
    } else {
        let pixels = samples.as_chunks().0;
        pixels
            .chunks(width)
            .for_each(|row| rows.push(row.iter().copied()));
    }
    Ok(rows.finish()?)
}

/// The decoder's largest memory, beside the samples that it gives.
fn decoder_bytes<R: BufRead + Seek>(
    decoder: &mut WebPDecoder<R>,
    pixels: usize,
    file_bytes: usize,
) -> usize {
    // Compressed data of the lossy kind are copied.
    let (copied, per_pixel) = match (
        decoder.is_animated(),
        decoder.is_lossy(),
        decoder.has_alpha(),
    ) {
        // The canvas and a frame of 4 bytes each, and the frame's compressed data.
        (true, ..) => (file_bytes, 12),
        // Y, U and V take 1.5 bytes, transparency 5.
        (false, true, false) => (file_bytes, 2),
        (false, true, true) => (file_bytes, 7),
        // All 4 channels are decoded, and a transform may have 1 byte for each pixel.
        (false, false, false) => (0, 5),
        (false, false, true) => (0, 1),
    };
    pixels.saturating_mul(per_pixel).saturating_add(copied)
}
