//! What becomes of photos that are whole.

use document_preparation::{
    BEST_QUALITY, Change, Format, LEAST_QUALITY, LEAST_SIDE, Need, Refusal, START_BYTES,
    inspect_start,
};

use crate::samples::*;
use crate::support::*;

fn assert_looks_like(jpeg: &[u8], size: (usize, usize), colours: [[u8; 3]; 4], what: &str) {
    let ((width, height), rgb) = pixels(jpeg);
    assert_eq!((width, height), size, "{what}");
    let centre = |row: usize, column: usize| {
        let at = ((row * height / 4) * width + column * width / 4) * 3;
        [rgb[at], rgb[at + 1], rgb[at + 2]]
    };
    let seen = [centre(1, 1), centre(1, 3), centre(3, 1), centre(3, 3)];
    for (seen, colour) in seen.iter().zip(colours) {
        let is_near = seen
            .iter()
            .zip(colour)
            .all(|(seen, wanted)| seen.abs_diff(wanted) <= 12);
        assert!(is_near, "{what}: {seen:?} should be {colour:?}");
    }
}

/// A scene as stored by a camera in each of the eight orientations.
/// The quarters of the picture, and whether its sides are swapped.
fn stored(orientation: u16) -> ([[u8; 3]; 4], bool) {
    match orientation {
        1 => ([RED, GREEN, BLUE, WHITE], false),
        2 => ([GREEN, RED, WHITE, BLUE], false),
        3 => ([WHITE, BLUE, GREEN, RED], false),
        4 => ([BLUE, WHITE, RED, GREEN], false),
        5 => ([RED, BLUE, GREEN, WHITE], true),
        6 => ([GREEN, WHITE, RED, BLUE], true),
        7 => ([WHITE, GREEN, BLUE, RED], true),
        8 => ([BLUE, RED, WHITE, GREEN], true),
        _ => unreachable!(),
    }
}

#[test]
fn a_photo_is_turned_upright_from_each_orientation() {
    for orientation in 1..=8 {
        let (colours, is_swapped) = stored(orientation);
        let (width, height) = if is_swapped {
            (HEIGHT, WIDTH)
        } else {
            (WIDTH, HEIGHT)
        };
        let photo = with_exif(
            &jpeg(&quarters(width, height, colours), width, height, 95),
            &exif(orientation),
        );
        let need = inspect_start(Format::Jpeg, &photo);
        if orientation == 1 {
            assert_eq!(need, Need::Nothing);
            assert_eq!(prepare(Format::Jpeg, &photo, MEGABYTE), Ok(None));
            continue;
        }
        assert_eq!(need, Need::Preparation, "{orientation}");
        let derived = derived(Format::Jpeg, &photo, MEGABYTE);
        assert_eq!(
            (derived.changes.as_slice(), derived.quality),
            (&[Change::Turned][..], BEST_QUALITY)
        );
        assert_looks_like(
            &derived.jpeg,
            (WIDTH, HEIGHT),
            UPRIGHT,
            &format!("orientation {orientation}"),
        );
        assert_eq!(
            inspect_start(Format::Jpeg, &derived.jpeg),
            Need::Nothing,
            "it is not turned again"
        );
    }
}

#[test]
fn webp_of_every_kind_becomes_a_jpeg() {
    let rgb = quarters(WIDTH, HEIGHT, UPRIGHT);
    let opaque = webp(&rgb, WIDTH, HEIGHT, image_webp::ColorType::Rgb8, None);
    assert_eq!(inspect_start(Format::Webp, &opaque), Need::Preparation);
    let made = derived(Format::Webp, &opaque, MEGABYTE);
    assert_eq!(made.changes, [Change::Converted]);
    assert_eq!((made.width, made.height), (WIDTH, HEIGHT));
    assert_looks_like(&made.jpeg, (WIDTH, HEIGHT), UPRIGHT, "opaque");

    // What is transparent looks as on paper.
    let transparent: Vec<u8> = rgb
        .chunks(3)
        .flat_map(|pixel| {
            [
                pixel[0],
                pixel[1],
                pixel[2],
                if pixel == BLUE { 0 } else { 255 },
            ]
        })
        .collect();
    let transparent = webp(
        &transparent,
        WIDTH,
        HEIGHT,
        image_webp::ColorType::Rgba8,
        None,
    );
    let made = derived(Format::Webp, &transparent, MEGABYTE);
    assert_looks_like(
        &made.jpeg,
        (WIDTH, HEIGHT),
        [RED, GREEN, WHITE, WHITE],
        "transparent",
    );

    let (colours, _) = stored(6);
    for prefix in [&b""[..], b"Exif\0\0"] {
        let block = [prefix, &exif(6)].concat();
        let turned = webp(
            &quarters(HEIGHT, WIDTH, colours),
            HEIGHT,
            WIDTH,
            image_webp::ColorType::Rgb8,
            Some(block),
        );
        let made = derived(Format::Webp, &turned, MEGABYTE);
        assert_eq!(made.changes, [Change::Converted, Change::Turned]);
        assert_looks_like(&made.jpeg, (WIDTH, HEIGHT), UPRIGHT, "turned");
    }
}

#[test]
fn png_is_only_touched_when_it_is_too_large() {
    use png::{BitDepth, ColorType};
    let (width, height) = (600, 400);
    let rgb = scene(width, height);
    let grey: Vec<u8> = rgb.iter().step_by(3).copied().collect();
    let as_grey: Vec<u8> = grey.iter().flat_map(|&grey| [grey; 3]).collect();
    let alpha = |samples: &[u8], count: usize| -> Vec<u8> {
        samples
            .chunks(count)
            .flat_map(|pixel| [pixel, &[255]].concat())
            .collect()
    };
    let deep: Vec<u8> = rgb.iter().flat_map(|&sample| [sample, 0]).collect();
    for (bytes, truth, what) in [
        (
            png(&rgb, width, height, ColorType::Rgb, BitDepth::Eight),
            &rgb,
            "rgb",
        ),
        (
            png(
                &alpha(&rgb, 3),
                width,
                height,
                ColorType::Rgba,
                BitDepth::Eight,
            ),
            &rgb,
            "rgba",
        ),
        (
            png(&grey, width, height, ColorType::Grayscale, BitDepth::Eight),
            &as_grey,
            "grey",
        ),
        (
            png(
                &alpha(&grey, 1),
                width,
                height,
                ColorType::GrayscaleAlpha,
                BitDepth::Eight,
            ),
            &as_grey,
            "grey and alpha",
        ),
        (
            png(&deep, width, height, ColorType::Rgb, BitDepth::Sixteen),
            &rgb,
            "sixteen bits",
        ),
    ] {
        let bytes = padded(&bytes, 1_000_000);
        assert_eq!(inspect_start(Format::Png, &bytes), Need::Nothing, "{what}");
        assert_eq!(
            prepare(Format::Png, &bytes, bytes.len() as u64),
            Ok(None),
            "{what}"
        );
        let made = derived(Format::Png, &bytes, bytes.len() as u64 - 1);
        assert_eq!(made.changes, [Change::Converted], "{what}");
        assert!(
            mean_difference(&pixels(&made.jpeg).1, truth) < 2.0,
            "{what}"
        );
    }
    let plain = png(
        &quarters(width, height, UPRIGHT),
        width,
        height,
        ColorType::Rgb,
        BitDepth::Eight,
    );
    let made = prepare(Format::Png, &plain, plain.len() as u64 - 1);
    assert_eq!(
        made,
        Err(Refusal::TooLarge),
        "a drawing of a kilobyte has no smaller photo"
    );
}

#[test]
fn a_photo_loses_detail_first_and_pixels_only_then() {
    let (width, height) = (2_000, 1_500);
    let photo = jpeg(&noise(width, height), width, height, 97);
    let bytes = photo.len() as u64;
    let slightly = derived(Format::Jpeg, &photo, bytes / 2);
    assert_eq!(slightly.changes, [Change::Recompressed]);
    assert!((LEAST_QUALITY..=BEST_QUALITY).contains(&slightly.quality));
    assert_eq!((slightly.width, slightly.height), (2_000, 1_500));

    let much = derived(Format::Jpeg, &photo, bytes / 7);
    assert_eq!(much.changes, [Change::Recompressed, Change::ScaledDown]);
    assert!(
        much.jpeg.len() as u64 > bytes / 10,
        "no smaller than it must be: {much:?}"
    );
    assert!(
        much.quality >= LEAST_QUALITY && much.width >= LEAST_SIDE,
        "{much:?}"
    );
    assert_eq!((much.width * 3 + 2) / 4, much.height, "it keeps its shape");

    assert_eq!(
        prepare(Format::Jpeg, &photo, 20_000),
        Err(Refusal::TooLarge),
        "what is left could not be read"
    );
}

#[test]
fn the_same_file_always_comes_to_the_same_bytes() {
    let photo = jpeg(&noise(1_600, 1_200), 1_600, 1_200, 95);
    let limit = photo.len() as u64 / 3;
    assert_eq!(
        prepare(Format::Jpeg, &photo, limit),
        prepare(Format::Jpeg, &photo, limit)
    );
}

#[test]
fn nothing_but_the_picture_is_in_what_is_made() {
    let mut block = exif(3);
    block.extend(b"51.5074 N 0.1278 W");
    let photo = with_exif(
        &jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 95),
        &block,
    );
    let made = derived(Format::Jpeg, &photo, MEGABYTE);
    assert!(
        !made
            .jpeg
            .windows(4)
            .any(|window| window == b"Exif" || window == b"51.5")
    );
}

#[test]
fn broken_exif_turns_nothing_and_refuses_nothing() {
    let picture = jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 90);
    // Empty, no EXIF, an entry that points outside, a directory that follows itself, half a
    // directory.
    let outside = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0";
    let circle = b"MM\0\x2A\0\0\0\x08\0\0\0\0\0\x08";
    for block in [&b""[..], b"nothing", outside, circle, &exif(6)[..14]] {
        let photo = with_exif(&picture, block);
        assert_eq!(
            inspect_start(Format::Jpeg, &photo),
            Need::Nothing,
            "{block:?}"
        );
        assert_eq!(
            prepare(Format::Jpeg, &photo, MEGABYTE),
            Ok(None),
            "{block:?}"
        );
    }
}

#[test]
fn orientation_behind_much_else_is_found_in_the_whole() {
    let turned = with_exif(
        &jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 90),
        &exif(3),
    );
    let mut late = b"\xFF\xD8".to_vec();
    for _ in 0..3 {
        late.extend(b"\xFF\xE2\xFF\xFF");
        late.extend([7; 65_533]);
    }
    late.extend(&turned[2..]);
    assert!(late.len() > START_BYTES);
    assert_eq!(
        inspect_start(Format::Jpeg, &late[..START_BYTES]),
        Need::Preparation
    );
    assert_eq!(
        derived(Format::Jpeg, &late, MEGABYTE).changes,
        [Change::Turned]
    );
}

#[test]
fn heic_is_refused_whatever_is_in_it() {
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08meta";
    assert_eq!(
        inspect_start(Format::Heic, heic),
        Need::Refused(Refusal::FormatNotConvertible)
    );
    assert_eq!(
        prepare(Format::Heic, heic, MEGABYTE),
        Err(Refusal::FormatNotConvertible)
    );
}

#[test]
fn a_pdf_is_never_changed() {
    assert_eq!(prepare(Format::Pdf, b"%PDF-1.7", 8), Ok(None));
    assert_eq!(prepare(Format::Pdf, b"%PDF-1.7", 7), Err(Refusal::TooLarge));
}
