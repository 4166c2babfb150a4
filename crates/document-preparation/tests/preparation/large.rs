//! Photos of the largest sizes, and the memory and time that they take.

use document_preparation::Format;
use mozjpeg::{ColorSpace, Compress};

use crate::samples::*;
use crate::support::*;

/// 50 megapixels.
const LARGEST: (usize, usize) = (8_160, 6_120);

/// Stripes of noise between smooth stripes, in Y, Cb and Cr.
fn photo(size: (usize, usize), factors: [(i32, i32); 3], is_progressive: bool) -> Vec<u8> {
    let mut encoder = Compress::new(ColorSpace::JCS_YCbCr);
    encoder.set_fastest_defaults();
    encoder.set_size(size.0, size.1);
    encoder.set_quality(85.0);
    if is_progressive {
        encoder.set_progressive_mode();
    }
    for (component, factors) in encoder.components_mut().iter_mut().zip(factors) {
        (component.h_samp_factor, component.v_samp_factor) = factors;
    }
    let noise = noise(size.0, 1);
    let mut row = vec![0; size.0 * 3];
    let mut encoder = encoder.start_compress(Vec::new()).unwrap();
    for y in 0..size.1 {
        for (x, (sample, noise)) in row.iter_mut().zip(&noise).enumerate() {
            let smooth = (x / 64 + y / 32) as u8 / 2;
            *sample = if y % 64 < 8 {
                smooth + noise.rotate_left(y as u32 % 8) / 8
            } else {
                smooth + 16
            };
        }
        encoder.write_scanlines(&row).unwrap();
    }
    turned(&encoder.finish().unwrap())
}

const HALVED: [(i32, i32); 3] = [(2, 2), (1, 1), (1, 1)];
const FULL: [(i32, i32); 3] = [(1, 1), (1, 1), (1, 1)];

/// The smallest limit: what large PDFs leave for one picture.
#[test]
fn fifty_megapixels_are_turned_in_100_megabytes() {
    for factors in [HALVED, FULL] {
        let photo = photo(LARGEST, factors, false);
        for (limit, is_made) in [(15 * MEGABYTE, true), (200_000, true), (2_000, false)] {
            let answer = answer("jpeg", &photo, limit);
            println!(
                "{} to {limit}: {} {:?}",
                photo.len(),
                answer.outcome,
                answer.usage
            );
            assert_eq!(answer.outcome.starts_with("{Derived"), is_made);
            assert!(answer.usage.peak_kilobytes < 100_000);
            assert!(answer.usage.cpu_milliseconds < 10_000);
        }
    }
}

/// libjpeg keeps all coefficients of these.
#[test]
fn progressive_photos_fit_or_have_too_many_pixels() {
    // 4.5 bytes a pixel with halved colour, 7.5 with full colour.
    for (size, factors, is_taken) in [
        ((5_950, 4_460), HALVED, true),
        ((6_016, 4_480), HALVED, false),
        ((4_640, 3_440), FULL, true),
        ((4_672, 3_456), FULL, false),
    ] {
        let answer = answer("jpeg", &photo(size, factors, true), 30 * MEGABYTE);
        println!(
            "{size:?} {factors:?}: {} {:?}",
            answer.outcome, answer.usage
        );
        if is_taken {
            assert!(answer.outcome.starts_with("{Derived"), "{}", answer.outcome);
        } else {
            assert_eq!(answer.outcome, "{Refused:TooManyPixels}");
            assert!(answer.usage.cpu_milliseconds < 500, "{:?}", answer.usage);
        }
    }
}

#[test]
fn the_longest_sides_are_turned() {
    for size in [(65_500, 200), (200, 65_500)] {
        for (factors, is_progressive) in [([(2, 4), (1, 1), (1, 1)], false), (FULL, false)] {
            let made = derived(
                Format::Jpeg,
                &photo(size, factors, is_progressive),
                30 * MEGABYTE,
            );
            assert_eq!((made.width, made.height), (size.1, size.0));
        }
    }
}

#[test]
fn large_webp_fits_or_has_too_many_pixels() {
    for (size, is_taken) in [((4_096, 3_072), true), ((8_000, 6_000), false)] {
        let row = noise(size.0, 1);
        let rgb: Vec<u8> = (0..size.1).flat_map(|_| row.iter().copied()).collect();
        let webp = webp(&rgb, size.0, size.1, image_webp::ColorType::Rgb8, None);
        let answer = answer("webp", &webp, 30 * MEGABYTE);
        println!("{size:?}: {} {:?}", answer.outcome, answer.usage);
        assert_eq!(
            answer.outcome.starts_with("{Derived"),
            is_taken,
            "{}",
            answer.outcome
        );
    }
}
