//! Any bytes get an answer. proptest prints a failure and repeats it from its regressions file.

use document_preparation::{EncryptionScan, Format, inspect_start};
use proptest::prelude::*;

use crate::samples::*;
use crate::support::{MOST_KILOBYTES, answer, prepare};

const FORMATS: [Format; 5] = [
    Format::Jpeg,
    Format::Png,
    Format::Webp,
    Format::Heic,
    Format::Pdf,
];

fn real_files() -> Vec<(Format, Vec<u8>)> {
    let rgb = noise(40, 30);
    let mut progressive = encoder(40, 30, 80);
    progressive.set_progressive_mode();
    vec![
        (Format::Jpeg, with_exif(&jpeg(&rgb, 40, 30, 80), &exif(6))),
        (
            Format::Jpeg,
            with_exif(&encode(progressive, &rgb), &exif(7)),
        ),
        (
            Format::Png,
            png(&rgb, 40, 30, png::ColorType::Rgb, png::BitDepth::Eight),
        ),
        (
            Format::Webp,
            webp(&rgb, 40, 30, image_webp::ColorType::Rgb8, Some(exif(5))),
        ),
    ]
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        format in 0..5_usize,
        limit in 0..600_u64,
    ) {
        let format = FORMATS[format];
        inspect_start(format, &bytes);
        prepare(format, &bytes, limit).ok();
        let mut scan = EncryptionScan::default();
        scan.push(&bytes);
        scan.is_encrypted();
    }

    #[test]
    fn real_files_with_a_few_bytes_changed_have_an_answer(
        file in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        limit in 500..100_000_u64,
    ) {
        let (format, mut bytes) = real_files().swap_remove(file);
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        inspect_start(format, &bytes);
        let answer = answer(&format!("{format:?}").to_lowercase(), &bytes, limit);
        prop_assert!(answer.usage.peak_kilobytes <= MOST_KILOBYTES);
    }
}
