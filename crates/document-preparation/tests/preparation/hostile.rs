//! Files that promise more than they are.

use document_preparation::{Format, MAXIMUM_PIXELS, Need, Refusal, inspect_start};

use crate::cases::case;
use crate::samples::*;
use crate::support::*;

/// Refused by its header: little memory, and hardly any time.
fn assert_refused_at_once(format: &str, bytes: &[u8], limit: u64, refusal: &str) {
    let answer = answer(format, bytes, limit);
    println!(
        "{} bytes of {format}: {} {:?}",
        bytes.len(),
        answer.outcome,
        answer.usage
    );
    assert_eq!(answer.outcome, format!("{{Refused:{refusal}}}"));
    assert!(answer.usage.peak_kilobytes < 20_000, "{:?}", answer.usage);
    assert!(answer.usage.cpu_milliseconds < 500, "{:?}", answer.usage);
}

#[test]
fn a_jpeg_of_four_gigapixels_is_refused_by_its_header() {
    let mut bomb = jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 90);
    let frame = bomb
        .windows(2)
        .position(|marker| marker == [0xFF, 0xC0])
        .unwrap();
    for sides in [
        [0xFF, 0xDC, 0xFF, 0xDC],
        [0xFF, 0xFF, 0, 1],
        [0, 1, 0xFF, 0xFF],
    ] {
        bomb[frame + 5..frame + 9].copy_from_slice(&sides);
        assert_refused_at_once("jpeg", &turned(&bomb), MEGABYTE, "TooManyPixels");
    }
}

fn png_header(width: u32, height: u32, depth: u8) -> Vec<u8> {
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[depth, 0, 0, 0, 0],
    ]
    .concat();
    [b"\x89PNG\r\n\x1A\n", &chunk(b"IHDR", &header)[..]].concat()
}

#[test]
fn a_png_with_a_long_side_is_refused_by_its_header() {
    for (width, height, depth) in [
        (50_000_000, 1, 1),
        (1, 50_000_000, 8),
        (65_501, 1, 8),
        (65_500, 65_500, 8),
    ] {
        // The start of a zlib stream, with enough data to exceed a real submission's limit.
        let bytes = [
            png_header(width, height, depth),
            chunk(b"zeRo", &vec![0; 15_500_000]),
            chunk(b"IDAT", b"\x78\x01"),
        ]
        .concat();
        assert_refused_at_once("png", &bytes, 15_000_000, "TooManyPixels");
    }
}

#[test]
fn a_webp_with_too_many_pixels_is_refused_by_its_header() {
    // 16,383 × 16,383, one less than the largest size of a lossless WEBP.
    let bits: u32 = 16_382 | (16_382 << 14);
    let frame = [&b"\x2F"[..], &bits.to_le_bytes(), &[0; 5]].concat();
    let mut bomb = b"RIFF".to_vec();
    bomb.extend((frame.len() as u32 + 12).to_le_bytes());
    bomb.extend(b"WEBPVP8L");
    bomb.extend((frame.len() as u32).to_le_bytes());
    bomb.extend(frame);
    assert_refused_at_once("webp", &bomb, MEGABYTE, "TooManyPixels");
    const { assert!(16_383 * 16_383 > MAXIMUM_PIXELS) };
}

#[test]
fn a_webp_with_a_chunk_of_four_gigabytes_is_unreadable() {
    assert_refused_at_once(
        "webp",
        &case("declared-chunk-of-4-gigabytes.webp"),
        MEGABYTE,
        "Unreadable",
    );
}

/// A chunk of a WEBP, filled up to an even length.
fn webp_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_le_bytes();
    let mut chunk = [kind, &length[..], content].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

/// Around a frame, with a canvas of 16 × 16 pixels.
fn extended_webp(flags: u8, chunks: &[Vec<u8>]) -> Vec<u8> {
    let header = webp_chunk(b"VP8X", &[flags, 0, 0, 0, 15, 0, 0, 15, 0, 0]);
    let body = [&b"WEBP"[..], &header, &chunks.concat()].concat();
    webp_chunk(b"RIFF", &body)
}

/// The decoder made room for 268 megapixels before it compared the sizes, and the child died.
#[test]
fn a_webp_frame_larger_than_its_canvas_is_unreadable() {
    let largest = 16_383_u16.to_le_bytes();
    let lossy = [&b"\x10\0\0\x9D\x01\x2A"[..], &largest, &largest, &[0; 64]].concat();
    let bits: u32 = 16_382 | (16_382 << 14);
    let lossless = [&b"\x2F"[..], &bits.to_le_bytes(), &[0; 64]].concat();
    for frame in [webp_chunk(b"VP8 ", &lossy), webp_chunk(b"VP8L", &lossless)] {
        let animated = [&[0; 6][..], &[15, 0, 0, 15, 0, 0], &[0; 4], &frame].concat();
        let still = extended_webp(0, &[frame]);
        let animation = extended_webp(
            2,
            &[webp_chunk(b"ANIM", &[0; 6]), webp_chunk(b"ANMF", &animated)],
        );
        assert_refused_at_once("webp", &still, MEGABYTE, "Unreadable");
        assert_refused_at_once("webp", &animation, MEGABYTE, "Unreadable");
    }
}

/// Directories that overlap made 25 million entries of 64 KB.
#[test]
fn overlapping_exif_directories_cost_nothing() {
    let bomb = case("overlapping-exif-directories.jpg");
    assert_eq!(inspect_start(Format::Jpeg, &bomb), Need::Nothing);
    let usage = answer("jpeg", &bomb, MEGABYTE).usage;
    assert!(
        usage.peak_kilobytes < 20_000 && usage.cpu_milliseconds < 500,
        "{usage:?}"
    );
}

/// 30 MB of segments that are hardly longer than their headers.
#[test]
fn a_jpeg_of_nothing_but_segments_is_walked_in_little_memory() {
    for filler in [
        &b"\xFF\xE0\0\x02"[..],
        b"\xFF\xDB\0\x02",
        b"\xFF\xDB\0\x02\xFF\xE0\0\x02",
        b"\xFF\xFF\xFF\xFF",
        b"\xFF\0\xFF\xD0",
    ] {
        let bytes = [b"\xFF\xD8", &filler.repeat(7_500_000)[..]].concat();
        let answer = answer("jpeg", &bytes, MEGABYTE);
        println!("{filler:?} {} {:?}", answer.outcome, answer.usage);
        assert_eq!(answer.outcome, "{Refused:Unreadable}");
        assert!(answer.usage.peak_kilobytes < 20_000, "{:?}", answer.usage);
        assert!(answer.usage.cpu_milliseconds < 5_000, "{:?}", answer.usage);
        inspect_start(Format::Jpeg, &bytes[..128 * 1024]);
    }
}

#[test]
fn a_truncated_picture_is_never_filled_up_with_grey() {
    let rgb = noise(200, 100);
    let photo = with_exif(&jpeg(&rgb, 200, 100, 90), &exif(6));
    let drawing = png(&rgb, 200, 100, png::ColorType::Rgb, png::BitDepth::Eight);
    let modern = webp(&rgb, 200, 100, image_webp::ColorType::Rgb8, None);
    for (format, bytes) in [
        (Format::Jpeg, photo),
        (Format::Png, drawing),
        (Format::Webp, modern),
    ] {
        for percent in [40, 70, 95] {
            let cut = &bytes[..bytes.len() * percent / 100];
            let made = prepare(format, cut, cut.len() as u64 - 1);
            assert_eq!(
                made,
                Err(Refusal::Unreadable),
                "{format:?} of which {percent} % is there"
            );
        }
    }
}
