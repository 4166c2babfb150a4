//! Files that once went wrong. Each stands for a kind.

use document_preparation::{Change, Format, Refusal};

use crate::samples::padded;
use crate::support::{MEGABYTE, answer, derived, distance_from_scene, prepare};

/// What must become of a file.
enum Right {
    /// Nothing: it may go as it is.
    AsItIs,
    Refused(Refusal),
    /// A JPEG of the upright scene.
    Upright(&'static [Change]),
}

use Change::{Converted, Turned};
use Right::{AsItIs, Refused, Upright};

const CASES: [(&str, Format, Right); 14] = [
    (
        "animation-of-one-frame.webp",
        Format::Webp,
        Upright(&[Converted]),
    ),
    (
        "declared-chunk-of-4-gigabytes.webp",
        Format::Webp,
        Refused(Refusal::Unreadable),
    ),
    ("exif-in-png-turned.png", Format::Png, AsItIs),
    (
        "half-scan-then-eoi-turned.jpg",
        Format::Jpeg,
        Refused(Refusal::Unreadable),
    ),
    ("interlaced-turned.png", Format::Png, AsItIs),
    (
        "no-eoi-maker-trailer-turned.jpg",
        Format::Jpeg,
        Upright(&[Turned]),
    ),
    ("overlapping-exif-directories.jpg", Format::Jpeg, AsItIs),
    (
        "phone.heic",
        Format::Heic,
        Refused(Refusal::FormatNotConvertible),
    ),
    (
        "restart-marker-missing-turned.jpg",
        Format::Jpeg,
        Refused(Refusal::Unreadable),
    ),
    (
        "restart-markers-turned.jpg",
        Format::Jpeg,
        Upright(&[Turned]),
    ),
    ("sampling-3x1-turned.jpg", Format::Jpeg, Upright(&[Turned])),
    (
        "stray-bytes-between-segments-turned.jpg",
        Format::Jpeg,
        Upright(&[Turned]),
    ),
    // Whether a PDF is encrypted is not asked here.
    ("text-with-endstream-and-trailer.pdf", Format::Pdf, AsItIs),
    ("two-kilobytes-before-header.pdf", Format::Pdf, AsItIs),
];

pub fn case(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/cases/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_case_has_the_right_end() {
    println!(
        "{:<42}{:<62}{:>6}{:>9}{:>10}",
        "case", "outcome", "ms", "kB", "distance"
    );
    for (name, format, right) in CASES {
        let bytes = case(name);
        let made = prepare(format, &bytes, MEGABYTE);
        let seen = answer(&format!("{format:?}").to_lowercase(), &bytes, MEGABYTE);
        let distance = match (&made, right) {
            (Ok(None), AsItIs) => 0.0,
            (Err(refusal), Refused(right)) if *refusal == right => 0.0,
            (Ok(Some(made)), Upright(changes)) if made.changes == changes => {
                assert_eq!(seen.jpeg, made.jpeg, "{name}");
                distance_from_scene(&made.jpeg)
            }
            _ => panic!("{name}: {made:?}"),
        };
        println!(
            "{name:<42}{:<62.60}{:>6}{:>9}{distance:>10.1}",
            seen.outcome, seen.usage.cpu_milliseconds, seen.usage.peak_kilobytes
        );
        assert!(distance <= 4.0, "{name}: {distance:.1}");
    }
}

#[test]
fn a_png_above_the_limit_comes_out_upright() {
    for name in ["exif-in-png-turned.png", "interlaced-turned.png"] {
        let made = derived(Format::Png, &padded(&case(name), 100_000), 100_000);
        assert_eq!(made.changes, [Converted, Turned], "{name}");
        assert_eq!((made.width, made.height), (161, 99), "{name}");
        assert!(distance_from_scene(&made.jpeg) <= 4.0, "{name}");
    }
}

#[test]
fn two_frames_of_a_webp_are_not_converted() {
    // The frame twice: the animation's only chunks behind its header are ANIM and ANMF.
    let mut bytes = case("animation-of-one-frame.webp");
    let frame = bytes.windows(4).position(|kind| kind == b"ANMF").unwrap();
    let again = bytes[frame..].to_vec();
    bytes.extend(again);
    let length = (bytes.len() as u32 - 8).to_le_bytes();
    bytes[4..8].copy_from_slice(&length);
    assert_eq!(
        prepare(Format::Webp, &bytes, MEGABYTE),
        Err(Refusal::FormatNotConvertible)
    );
}
