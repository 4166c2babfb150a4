//! libjpeg with a definite answer: rows in or out, or one error.

use std::fs::File;
use std::io::{BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use mozjpeg::{ColorSpace, Compress, Decompress};
use mozjpeg_sys::{jpeg_common_struct, jpeg_error_mgr};

use crate::colour::{cmyk_to_ycc, grey_to_ycc, rgb_to_ycc};
use crate::excerpt::Excerpt;
use crate::jpeg_plan::JpegPlan;
use crate::planes::CHANNELS;

/// Larger than libjpeg's own look-ahead, so that it takes its fast path.
const BUFFER_BYTES: usize = 64 * 1024;

/// Rows that are compressed at once.
const STRIPE_ROWS: usize = 16;

/// Makes Y, Cb and Cr of a row.
type Convert = fn(&[u8], &mut [u8]);

/// The picture is broken, or the output is full.
#[derive(Debug)]
pub(crate) struct Stopped;

/// Decodes a JPEG at `eighths` of its size.
/// Gives each row to `row` as Y, Cb and Cr, from top to bottom.
///
/// A warning of libjpeg is an error here.
/// It means that data are missing or corrupt and replaced by grey.
pub(crate) fn decode_rows(
    plan: &JpegPlan,
    input: &File,
    eighths: u8,
    mut row: impl FnMut(usize, &[u8]),
) -> Result<(), Stopped> {
    guarded(|| {
        let reader = BufReader::with_capacity(BUFFER_BYTES, Excerpt::new(input, &plan.stream));
        let mut decoder = Decompress::builder()
            .with_err(error_manager())
            .from_reader(reader)?;
        if decoder.size() != (plan.width, plan.height) {
            return Ok(None);
        }
        decoder.scale(eighths);
        let (layout, convert): (ColorSpace, Convert) = match decoder.color_space() {
            ColorSpace::JCS_GRAYSCALE => (ColorSpace::JCS_GRAYSCALE, grey_to_ycc),
            ColorSpace::JCS_YCbCr => (ColorSpace::JCS_YCbCr, |stored, ycc| {
                ycc.copy_from_slice(stored)
            }),
            ColorSpace::JCS_RGB => (ColorSpace::JCS_RGB, rgb_to_ycc),
            ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK => (ColorSpace::JCS_CMYK, cmyk_to_ycc),
            _ => return Ok(None),
        };
        let mut started = decoder.to_colorspace(layout)?;
        let (width, height) = (started.width(), started.height());
        let mut stored = vec![0_u8; started.min_flat_buffer_size() / height.max(1)];
        let mut pixels = vec![0_u8; width.saturating_mul(CHANNELS)];
        for y in 0..height {
            started.read_scanlines_into(&mut stored)?;
            convert(&stored, &mut pixels);
            row(y, &pixels);
        }
        Ok(Some(()))
    })
}

/// Encodes a baseline JPEG of rows of Y, Cb and Cr, which `fill` provides in order.
pub(crate) fn encode_rows(
    (width, height): (usize, usize),
    quality: u8,
    has_full_colour: bool,
    output: impl Write,
    mut fill: impl FnMut(&mut [u8]),
) -> Result<(), Stopped> {
    guarded(|| {
        let mut encoder = Compress::new_err(Box::new(error_manager()), ColorSpace::JCS_YCbCr);
        encoder.set_fastest_defaults();
        encoder.set_size(width, height);
        encoder.set_quality(quality.into());
        let pixels = if has_full_colour { (1, 1) } else { (2, 2) };
        encoder.set_chroma_sampling_pixel_sizes(pixels, pixels);
        let mut started = encoder.start_compress(output)?;
        let row_bytes = width.saturating_mul(CHANNELS);
        let mut stripe = vec![0_u8; row_bytes.saturating_mul(STRIPE_ROWS)];
        let mut left = height;
        while left > 0 {
            let rows = left.min(STRIPE_ROWS);
            let stripe = stripe
                .get_mut(..rows.saturating_mul(row_bytes))
                .unwrap_or_default();
            stripe.chunks_exact_mut(row_bytes).for_each(&mut fill);
            started.write_scanlines(stripe)?;
            left = left.saturating_sub(rows);
        }
        started.finish()?;
        Ok(Some(()))
    })
}

/// After libjpeg has stopped, nothing of its work is used.
fn guarded<T>(work: impl FnOnce() -> std::io::Result<Option<T>>) -> Result<T, Stopped> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(Some(done))) => Ok(done),
        Ok(Ok(None) | Err(_)) | Err(_) => Err(Stopped),
    }
}

/// Unwinds at errors and warnings alike, and prints nothing.
fn error_manager() -> jpeg_error_mgr {
    jpeg_error_mgr {
        error_exit: Some(stop),
        emit_message: Some(stop_at_warning),
        output_message: Some(ignore),
        format_message: None,
        reset_error_mgr: Some(ignore),
        msg_code: 0,
        msg_parm: Default::default(),
        trace_level: 0,
        num_warnings: 0,
        jpeg_message_table: std::ptr::null(),
        last_jpeg_message: 0,
        addon_message_table: std::ptr::null(),
        first_addon_message: 0,
        last_addon_message: 0,
    }
}

extern "C-unwind" fn ignore(_: &mut jpeg_common_struct) {}

extern "C-unwind" fn stop(_: &mut jpeg_common_struct) {
    resume_unwind(Box::new(Stopped));
}

/// Levels from 0 on are for tracing.
extern "C-unwind" fn stop_at_warning(_: &mut jpeg_common_struct, level: std::ffi::c_int) {
    if level < 0 {
        resume_unwind(Box::new(Stopped));
    }
}
