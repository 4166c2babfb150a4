//! Real pictures, made here, through the whole of the preparation and looked at pixel by pixel afterwards.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use document_preparation::{
    BEST_QUALITY, Change, Derived, Format, LEAST_QUALITY, LEAST_SIDE, MAXIMUM_PIXELS, Need, Refusal, START_BYTES, inspect_start, prepare,
};
use jpeg_encoder::{ColorType, Encoder};
use proptest::prelude::*;
use zune_jpeg::zune_core::bytestream::ZCursor;

const WIDTH: usize = 48;
const HEIGHT: usize = 32;
const MEGABYTE: usize = 1_000_000;

const RED: [u8; 3] = [220, 20, 20];
const GREEN: [u8; 3] = [20, 200, 20];
const BLUE: [u8; 3] = [20, 20, 220];
const WHITE: [u8; 3] = [255, 255, 255];

/// One colour in each quarter: top left, top right, bottom left, bottom right.
const UPRIGHT: [[u8; 3]; 4] = [RED, GREEN, BLUE, WHITE];

fn quarters(width: usize, height: usize, colours: [[u8; 3]; 4]) -> Vec<u8> {
    let pixel = |row: usize, column: usize| colours[2 * (row / (height / 2)) + column / (width / 2)];
    (0..height)
        .flat_map(|row| (0..width).flat_map(move |column| pixel(row, column)))
        .collect()
}

/// Noise as a camera makes it in the dark: nothing compresses worse.
fn noise(width: usize, height: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(width * height * 3).collect()
}

fn jpeg(rgb: &[u8], width: usize, height: usize, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, quality)
        .encode(rgb, width as u16, height as u16, ColorType::Rgb)
        .unwrap();
    bytes
}

/// A block of EXIF data with nothing but an orientation.
fn exif(orientation: u16) -> Vec<u8> {
    let mut block = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    block.extend(orientation.to_be_bytes());
    block.extend(b"\0\0\0\0\0\0");
    block
}

/// The picture with EXIF data before all its other segments.
fn with_exif(jpeg: &[u8], block: &[u8]) -> Vec<u8> {
    let mut bytes = b"\xFF\xD8\xFF\xE1".to_vec();
    bytes.extend((block.len() as u16 + 8).to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(block);
    bytes.extend(&jpeg[2..]);
    bytes
}

fn png(samples: &[u8], width: usize, height: usize, colour: png::ColorType, depth: png::BitDepth) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(samples).unwrap();
    bytes
}

fn webp(samples: &[u8], width: usize, height: usize, colour: image_webp::ColorType, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut bytes);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif);
    }
    encoder.encode(samples, width as u32, height as u32, colour).unwrap();
    bytes
}

fn derived(format: Format, bytes: &[u8], limit: usize) -> Derived {
    prepare(format, bytes, limit).unwrap().expect("something has to be done")
}

/// The mean colours of the quarters of a JPEG, and its size.
fn seen(jpeg: &[u8]) -> ((usize, usize), [[u8; 3]; 4]) {
    let mut decoder = zune_jpeg::JpegDecoder::new(ZCursor::new(jpeg));
    let rgb = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let centre = |row: usize, column: usize| {
        let at = ((row * height / 4) * width + column * width / 4) * 3;
        [rgb[at], rgb[at + 1], rgb[at + 2]]
    };
    ((width, height), [centre(1, 1), centre(1, 3), centre(3, 1), centre(3, 3)])
}

fn assert_looks_like(jpeg: &[u8], size: (usize, usize), colours: [[u8; 3]; 4], what: &str) {
    let (seen_size, seen) = seen(jpeg);
    assert_eq!(seen_size, size, "{what}");
    for (seen, colour) in seen.iter().zip(colours) {
        let is_near = seen.iter().zip(colour).all(|(seen, wanted)| seen.abs_diff(wanted) <= 12);
        assert!(is_near, "{what}: {seen:?} should be {colour:?}");
    }
}

/// How a scene is stored by a camera that is held in each of the eight ways: the quarters of the picture, and whether its sides are swapped.
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
fn a_photo_is_turned_upright_from_each_of_the_eight_orientations() {
    for orientation in 1..=8 {
        let (colours, is_swapped) = stored(orientation);
        let (width, height) = if is_swapped { (HEIGHT, WIDTH) } else { (WIDTH, HEIGHT) };
        let photo = with_exif(&jpeg(&quarters(width, height, colours), width, height, 95), &exif(orientation));
        let need = inspect_start(Format::Jpeg, &photo);
        if orientation == 1 {
            assert_eq!(need, Need::Nothing);
            assert_eq!(prepare(Format::Jpeg, &photo, MEGABYTE), Ok(None));
            continue;
        }
        assert_eq!(need, Need::Preparation, "{orientation}");
        let derived = derived(Format::Jpeg, &photo, MEGABYTE);
        assert_eq!((derived.changes.as_slice(), derived.quality), (&[Change::Turned][..], BEST_QUALITY));
        assert_looks_like(&derived.jpeg, (WIDTH, HEIGHT), UPRIGHT, &format!("orientation {orientation}"));
        assert_eq!(inspect_start(Format::Jpeg, &derived.jpeg), Need::Nothing, "it is not turned again");
    }
}

#[test]
fn webp_of_every_kind_becomes_a_jpeg_of_the_same_picture() {
    let rgb = quarters(WIDTH, HEIGHT, UPRIGHT);
    let opaque = webp(&rgb, WIDTH, HEIGHT, image_webp::ColorType::Rgb8, None);
    assert_eq!(inspect_start(Format::Webp, &opaque), Need::Preparation);
    let made = derived(Format::Webp, &opaque, MEGABYTE);
    assert_eq!(made.changes, [Change::Converted]);
    assert_eq!((usize::from(made.width), usize::from(made.height)), (WIDTH, HEIGHT));
    assert_looks_like(&made.jpeg, (WIDTH, HEIGHT), UPRIGHT, "opaque");

    // What is transparent looks as on paper.
    let transparent: Vec<u8> = rgb
        .chunks(3)
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], if pixel == BLUE { 0 } else { 255 }])
        .collect();
    let transparent = webp(&transparent, WIDTH, HEIGHT, image_webp::ColorType::Rgba8, None);
    let made = derived(Format::Webp, &transparent, MEGABYTE);
    assert_looks_like(&made.jpeg, (WIDTH, HEIGHT), [RED, GREEN, WHITE, WHITE], "transparent");

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
fn png_of_every_kind_is_only_touched_when_it_is_too_large() {
    use png::{BitDepth, ColorType};
    let rgb = quarters(600, 400, UPRIGHT);
    let noisy = noise(600, 400);
    let grey: Vec<u8> = noisy.iter().step_by(3).copied().collect();
    let with_alpha =
        |samples: &[u8], count: usize| -> Vec<u8> { samples.chunks(count).flat_map(|pixel| [pixel, &[255]].concat()).collect() };
    let deep: Vec<u8> = noisy.iter().flat_map(|&sample| [sample, 0]).collect();
    for (bytes, what) in [
        (png(&noisy, 600, 400, ColorType::Rgb, BitDepth::Eight), "rgb"),
        (png(&with_alpha(&noisy, 3), 600, 400, ColorType::Rgba, BitDepth::Eight), "rgba"),
        (png(&grey, 600, 400, ColorType::Grayscale, BitDepth::Eight), "grey"),
        (
            png(&with_alpha(&grey, 1), 600, 400, ColorType::GrayscaleAlpha, BitDepth::Eight),
            "grey and alpha",
        ),
        (png(&deep, 600, 400, ColorType::Rgb, BitDepth::Sixteen), "sixteen bits"),
    ] {
        assert_eq!(inspect_start(Format::Png, &bytes), Need::Nothing, "{what}");
        assert_eq!(prepare(Format::Png, &bytes, bytes.len()), Ok(None), "{what}");
        let made = derived(Format::Png, &bytes, bytes.len() - 1);
        assert!(made.jpeg.len() < bytes.len(), "{what}");
        assert_eq!(made.changes[0], Change::Converted, "{what}");
    }
    let plain = png(&rgb, 600, 400, ColorType::Rgb, BitDepth::Eight);
    let made = prepare(Format::Png, &plain, plain.len() - 1);
    assert_eq!(made, Err(Refusal::TooLarge), "a drawing of a kilobyte has no smaller photo");
}

#[test]
fn a_photo_that_is_too_large_loses_detail_first_and_pixels_only_then() {
    let (width, height) = (2_000, 1_500);
    let photo = jpeg(&noise(width, height), width, height, 97);
    let slightly = derived(Format::Jpeg, &photo, photo.len() / 2);
    assert_eq!(slightly.changes, [Change::Recompressed]);
    assert!((LEAST_QUALITY..=BEST_QUALITY).contains(&slightly.quality));
    assert_eq!((slightly.width, slightly.height), (2_000, 1_500));
    assert!(slightly.jpeg.len() <= photo.len() / 2);

    let much = derived(Format::Jpeg, &photo, photo.len() / 7);
    assert_eq!(much.changes, [Change::Recompressed, Change::ScaledDown]);
    assert!(much.jpeg.len() <= photo.len() / 7);
    assert!(much.quality >= LEAST_QUALITY && usize::from(much.width) >= LEAST_SIDE, "{much:?}");
    assert_eq!(u32::from(much.width) * 3, u32::from(much.height) * 4, "it keeps its shape");

    assert_eq!(
        prepare(Format::Jpeg, &photo, 20_000),
        Err(Refusal::TooLarge),
        "what is left could not be read"
    );
}

#[test]
fn the_same_file_always_comes_to_the_same_bytes() {
    let photo = jpeg(&noise(1_600, 1_200), 1_600, 1_200, 95);
    let limit = photo.len() / 3;
    assert_eq!(prepare(Format::Jpeg, &photo, limit), prepare(Format::Jpeg, &photo, limit));
}

#[test]
fn nothing_but_the_picture_is_in_what_is_made() {
    let mut block = exif(3);
    block.extend(b"51.5074 N 0.1278 W");
    let photo = with_exif(&jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 95), &block);
    let made = derived(Format::Jpeg, &photo, MEGABYTE);
    assert!(!made.jpeg.windows(4).any(|window| window == b"Exif" || window == b"51.5"));
    assert!(format!("{made:?}").len() < 120, "{made:?}");
}

/// A header is small whatever it announces.
#[test]
fn a_bomb_is_refused_by_its_header() {
    // 65,500 × 65,500 pixels in each format.
    let side = 65_500_u32;
    let mut bomb = jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 90);
    let frame = bomb.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    bomb[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
    let turned = with_exif(&bomb, &exif(6));
    assert_eq!(prepare(Format::Jpeg, &turned, MEGABYTE), Err(Refusal::TooManyPixels));

    let mut bomb = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = b"IHDR".to_vec();
    header.extend(side.to_be_bytes());
    header.extend(side.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    for chunk in [&header[..], b"IDAT\x78\x01"] {
        bomb.extend((chunk.len() as u32 - 4).to_be_bytes());
        bomb.extend(chunk);
        bomb.extend(crc32(chunk).to_be_bytes());
    }
    assert_eq!(prepare(Format::Png, &bomb, 10), Err(Refusal::TooManyPixels));

    // 16,383 × 16,383, one less than the most that a lossless WEBP can say.
    let bits: u32 = 16_382 | (16_382 << 14);
    let frame = [&b"\x2F"[..], &bits.to_le_bytes(), &[0; 5]].concat();
    let mut bomb = b"RIFF".to_vec();
    bomb.extend((frame.len() as u32 + 12).to_le_bytes());
    bomb.extend(b"WEBPVP8L");
    bomb.extend((frame.len() as u32).to_le_bytes());
    bomb.extend(frame);
    assert_eq!(prepare(Format::Webp, &bomb, MEGABYTE), Err(Refusal::TooManyPixels));
    const { assert!(16_383 * 16_383 > MAXIMUM_PIXELS) };
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |remainder, byte| {
        (0..8).fold(remainder ^ u32::from(*byte), |value: u32, _| {
            if value & 1 == 1 { 0xEDB8_8320 ^ (value >> 1) } else { value >> 1 }
        })
    })
}

#[test]
fn a_truncated_picture_is_never_filled_up_with_grey() {
    let rgb = noise(200, 100);
    let photo = with_exif(&jpeg(&rgb, 200, 100, 90), &exif(6));
    let drawing = png(&rgb, 200, 100, png::ColorType::Rgb, png::BitDepth::Eight);
    let modern = webp(&rgb, 200, 100, image_webp::ColorType::Rgb8, None);
    for (format, bytes) in [(Format::Jpeg, photo), (Format::Png, drawing), (Format::Webp, modern)] {
        for percent in [40, 70, 95] {
            let cut = &bytes[..bytes.len() * percent / 100];
            let made = prepare(format, cut, cut.len() - 1);
            assert_eq!(made, Err(Refusal::Unreadable), "{format:?} of which {percent} % is there");
        }
    }
}

#[test]
fn broken_exif_turns_nothing_and_refuses_nothing() {
    let picture = jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 90);
    // Empty, no EXIF at all, an entry that points far outside, a directory that is its own successor, half a directory.
    let outside = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0";
    let circle = b"MM\0\x2A\0\0\0\x08\0\0\0\0\0\x08";
    for block in [&b""[..], b"nothing", outside, circle, &exif(6)[..14]] {
        let photo = with_exif(&picture, block);
        assert_eq!(inspect_start(Format::Jpeg, &photo), Need::Nothing, "{block:?}");
        assert_eq!(prepare(Format::Jpeg, &photo, MEGABYTE), Ok(None), "{block:?}");
    }
}

#[test]
fn orientation_behind_much_else_is_found_by_looking_at_the_whole() {
    let turned = with_exif(&jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 90), &exif(3));
    let mut late = b"\xFF\xD8".to_vec();
    for _ in 0..3 {
        late.extend(b"\xFF\xE2\xFF\xFF");
        late.extend([7; 65_533]);
    }
    late.extend(&turned[2..]);
    assert!(late.len() > START_BYTES);
    assert_eq!(inspect_start(Format::Jpeg, &late[..START_BYTES]), Need::Preparation);
    assert_eq!(derived(Format::Jpeg, &late, MEGABYTE).changes, [Change::Turned]);
}

#[test]
fn heic_is_refused_whatever_is_in_it() {
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08meta";
    assert_eq!(inspect_start(Format::Heic, heic), Need::Refused(Refusal::FormatNotConvertible));
    assert_eq!(prepare(Format::Heic, heic, MEGABYTE), Err(Refusal::FormatNotConvertible));
}

#[test]
fn a_pdf_is_never_changed() {
    assert_eq!(prepare(Format::Pdf, b"%PDF-1.7", 8), Ok(None));
    assert_eq!(prepare(Format::Pdf, b"%PDF-1.7", 7), Err(Refusal::TooLarge));
}

const FORMATS: [Format; 5] = [Format::Jpeg, Format::Png, Format::Webp, Format::Heic, Format::Pdf];

fn real_files() -> Vec<(Format, Vec<u8>)> {
    let rgb = noise(40, 30);
    vec![
        (Format::Jpeg, with_exif(&jpeg(&rgb, 40, 30, 80), &exif(6))),
        (Format::Png, png(&rgb, 40, 30, png::ColorType::Rgb, png::BitDepth::Eight)),
        (Format::Webp, webp(&rgb, 40, 30, image_webp::ColorType::Rgb8, Some(exif(5)))),
    ]
}

proptest! {
    /// That a panic is turned into a refusal is the last line of defence; what is shown here is that there is an answer at all.
    #[test]
    fn any_bytes_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..600), format in 0..5_usize, limit in 0..600_usize) {
        let format = FORMATS[format];
        inspect_start(format, &bytes);
        let made = prepare(format, &bytes, limit);
        if let Ok(Some(derived)) = made {
            prop_assert!(derived.jpeg.len() <= limit);
        }
        let mut scan = document_preparation::EncryptionScan::default();
        scan.push(&bytes);
        scan.is_encrypted();
    }

    #[test]
    fn real_files_with_a_few_bytes_changed_have_an_answer(
        file in 0..3_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        limit in 500..100_000_usize,
    ) {
        let (format, mut bytes) = real_files().swap_remove(file);
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        inspect_start(format, &bytes);
        if let Ok(Some(derived)) = prepare(format, &bytes, limit) {
            prop_assert!(derived.jpeg.len() <= limit);
        }
    }
}
