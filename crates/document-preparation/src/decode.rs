//! Pictures from bytes, with a bound on what they become in memory.

use std::io::Cursor;

use image_webp::WebPDecoder;
use png::{ColorType, Transformations};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use crate::jpeg_segments::is_whole;
use crate::picture::{Picture, RGB};
use crate::preparation::{Format, Refusal};

/// The largest picture that is decoded, told by its header: room for the 48 to 50 megapixels of today's telephones.
///
/// What it costs at most is 9 bytes a pixel, in a progressive JPEG without subsampling: its coefficients, 2 bytes for each of three
/// components, beside the picture, 3 bytes. That is 450 MB, and the function's `MemorySize` in the template follows from it.
pub const MAXIMUM_PIXELS: usize = 50_000_000;

/// A progressive JPEG repeats the whole picture in each of its scans. Encoders write about ten.
const MAXIMUM_SCANS: usize = 32;

/// What the PNG and WEBP decoders may allocate beside the picture itself, in bytes. Lossless WEBP decodes to 4 bytes a pixel first.
const DECODER_BYTES: usize = MAXIMUM_PIXELS * 5;

/// Decodes the whole picture.
pub(crate) fn decode(format: Format, bytes: &[u8]) -> Result<Picture, Refusal> {
    match format {
        Format::Jpeg => jpeg(bytes),
        Format::Png => png(bytes),
        Format::Webp => webp(bytes),
        Format::Heic | Format::Pdf => Err(Refusal::FormatNotConvertible),
    }
}

/// The width and height, if the picture is not too large.
fn bounded(width: usize, height: usize) -> Result<(usize, usize), Refusal> {
    match width.checked_mul(height) {
        None | Some(0) => Err(Refusal::Unreadable),
        Some(pixels) if pixels > MAXIMUM_PIXELS => Err(Refusal::TooManyPixels),
        Some(_) => Ok((width, height)),
    }
}

/// Holds a decoder to what its header said.
fn picture(width: usize, height: usize, rgb: Vec<u8>) -> Result<Picture, Refusal> {
    if width.checked_mul(height).and_then(|pixels| pixels.checked_mul(RGB)) == Some(rgb.len()) {
        Ok(Picture { width, height, rgb })
    } else {
        Err(Refusal::Unreadable)
    }
}

fn jpeg(bytes: &[u8]) -> Result<Picture, Refusal> {
    let options = DecoderOptions::default()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAXIMUM_SCANS)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| Refusal::Unreadable)?;
    let (width, height) = decoder.dimensions().ok_or(Refusal::Unreadable)?;
    bounded(width, height)?;
    if !is_whole(bytes) {
        return Err(Refusal::Unreadable);
    }
    let rgb = decoder.decode().map_err(|_| Refusal::Unreadable)?;
    picture(width, height, rgb)
}

fn png(bytes: &[u8]) -> Result<Picture, Refusal> {
    let limits = png::Limits { bytes: DECODER_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(|_| Refusal::Unreadable)?;
    let side = |side: u32| usize::try_from(side).map_err(|_| Refusal::TooManyPixels);
    let (width, height) = bounded(side(reader.info().width)?, side(reader.info().height)?)?;
    let mut samples = vec![0; reader.output_buffer_size().ok_or(Refusal::TooManyPixels)?];
    let frame = reader.next_frame(&mut samples).map_err(|_| Refusal::Unreadable)?;
    samples.truncate(frame.buffer_size());
    let rgb = match frame.color_type {
        ColorType::Rgb => samples,
        ColorType::Rgba => on_white(samples),
        ColorType::Grayscale => samples.iter().flat_map(|&grey| [grey; RGB]).collect(),
        ColorType::GrayscaleAlpha => {
            let rgba = samples.chunks_exact(2).flat_map(|sample| match sample {
                &[grey, alpha] => [grey, grey, grey, alpha],
                _ => [0; 4],
            });
            on_white(rgba.collect())
        }
        ColorType::Indexed => return Err(Refusal::Unreadable),
    };
    picture(width, height, rgb)
}

fn webp(bytes: &[u8]) -> Result<Picture, Refusal> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|_| Refusal::Unreadable)?;
    let side = |side: u32| usize::try_from(side).map_err(|_| Refusal::TooManyPixels);
    let (width, height) = decoder.dimensions();
    let (width, height) = bounded(side(width)?, side(height)?)?;
    // Which of its frames shows the document, nobody can say.
    if decoder.is_animated() {
        return Err(Refusal::FormatNotConvertible);
    }
    decoder.set_memory_limit(DECODER_BYTES);
    let mut samples = vec![0; decoder.output_buffer_size().ok_or(Refusal::TooManyPixels)?];
    decoder.read_image(&mut samples).map_err(|_| Refusal::Unreadable)?;
    let rgb = if decoder.has_alpha() { on_white(samples) } else { samples };
    picture(width, height, rgb)
}

/// A transparent picture as it looks on paper, in the memory that it has.
fn on_white(mut rgba: Vec<u8>) -> Vec<u8> {
    let pixels = rgba.len() / 4;
    for pixel in 0..pixels {
        let Some(&[red, green, blue, alpha]) = rgba.get(pixel * 4..).and_then(|rest| rest.first_chunk()) else {
            break;
        };
        let blend = |sample: u8| {
            let (sample, alpha) = (u32::from(sample), u32::from(alpha));
            u8::try_from((sample * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
        };
        if let Some(target) = rgba.get_mut(pixel * RGB..).and_then(|rest| rest.first_chunk_mut()) {
            *target = [blend(red), blend(green), blend(blue)];
        }
    }
    rgba.truncate(pixels * RGB);
    rgba
}
