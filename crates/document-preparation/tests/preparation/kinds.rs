//! Kinds of JPEG that viewers show, all turned.

use document_preparation::{Format, Refusal};
use mozjpeg::{ColorSpace, Compress};

use crate::samples::*;
use crate::support::*;

const SIZE: (usize, usize) = (161, 99);

fn assert_upright(photo: &[u8], what: &str) {
    let made = derived(Format::Jpeg, photo, MEGABYTE);
    assert_eq!((made.width, made.height), SIZE, "{what}");
    let distance = distance_from_scene(&made.jpeg);
    assert!(distance <= 4.0, "{what}: {distance:.1}");
}

fn rgb_encoder((width, height): (usize, usize)) -> Compress {
    encoder(width, height, 92)
}

#[test]
fn every_sampling_of_colour_is_turned_upright() {
    let (size, rgb) = turned_scene(SIZE.0, SIZE.1);
    for luma in [
        (1, 1),
        (2, 1),
        (1, 2),
        (2, 2),
        (4, 1),
        (1, 4),
        (3, 1),
        (4, 2),
        (2, 4),
    ] {
        let mut encoder = rgb_encoder(size);
        for (component, factors) in encoder
            .components_mut()
            .iter_mut()
            .zip([luma, (1, 1), (1, 1)])
        {
            (component.h_samp_factor, component.v_samp_factor) = factors;
        }
        assert_upright(&turned(&encode(encoder, &rgb)), &format!("{luma:?}"));
    }
}

#[test]
fn progressive_photos_are_turned_upright() {
    let (size, rgb) = turned_scene(SIZE.0, SIZE.1);
    let mut encoder = rgb_encoder(size);
    encoder.set_progressive_mode();
    let photo = turned(&encode(encoder, &rgb));
    assert_upright(&photo, "progressive");
    let without_end = &photo[..photo.len() - 2];
    assert_eq!(
        prepare(Format::Jpeg, without_end, MEGABYTE),
        Err(Refusal::Unreadable)
    );
}

/// A file that was cut between two scans and closed again shows less than the camera saw.
#[test]
fn a_progressive_photo_without_all_scans_is_unreadable() {
    let (size, rgb) = turned_scene(SIZE.0, SIZE.1);
    let mut encoder = rgb_encoder(size);
    encoder.set_progressive_mode();
    let photo = turned(&encode(encoder, &rgb));
    let scans: Vec<usize> = (0..photo.len() - 1)
        .filter(|&at| photo[at..at + 2] == [0xFF, 0xDA])
        .collect();
    assert!(scans.len() > 3);
    for &scan in &scans[1..] {
        let tables = photo[..scan]
            .windows(2)
            .rposition(|pair| pair == [0xFF, 0xC4])
            .unwrap();
        for cut in [scan, tables] {
            let closed = [&photo[..cut], b"\xFF\xD9"].concat();
            assert_eq!(
                prepare(Format::Jpeg, &closed, MEGABYTE),
                Err(Refusal::Unreadable),
                "{cut}"
            );
        }
    }
}

#[test]
fn a_scan_for_each_component_is_as_good_as_one() {
    let ((width, height), rgb) = turned_scene(SIZE.0, SIZE.1);
    let ycc: Vec<u8> = rgb
        .chunks(3)
        .flat_map(|pixel| ycc(pixel.try_into().unwrap()))
        .collect();
    let photo = turned(&jpeg_in_scans(&ycc, width, height, &[0, 1, 2]));
    assert_upright(&photo, "three scans");
    assert_upright(&photo[..photo.len() - 2], "three scans without an end");
    let incomplete = turned(&jpeg_in_scans(&ycc, width, height, &[0, 1]));
    assert_eq!(
        prepare(Format::Jpeg, &incomplete, MEGABYTE),
        Err(Refusal::Unreadable)
    );
    let endless = turned(&jpeg_in_scans(&ycc, width, height, &[0, 1, 2].repeat(11)));
    assert_eq!(
        prepare(Format::Jpeg, &endless, MEGABYTE),
        Err(Refusal::Unreadable),
        "33 scans"
    );
}

fn ycc([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let [red, green, blue] = [red, green, blue].map(f32::from);
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    [
        luma,
        (blue - luma) / 1.772 + 128.0,
        (red - luma) / 1.402 + 128.0,
    ]
    .map(|sample| (sample + 0.5) as u8)
}

#[test]
fn grey_rgb_and_printers_colours_are_turned_upright() {
    let (size, rgb) = turned_scene(SIZE.0, SIZE.1);
    let new = |input: ColorSpace, stored: ColorSpace| {
        let mut encoder = Compress::new(input);
        encoder.set_fastest_defaults();
        encoder.set_color_space(stored);
        encoder.set_size(size.0, size.1);
        encoder.set_quality(92.0);
        encoder
    };
    assert_upright(
        &turned(&encode(new(ColorSpace::JCS_RGB, ColorSpace::JCS_RGB), &rgb)),
        "rgb",
    );
    // No ink is 255, as Adobe's programs write it.
    let cmyk: Vec<u8> = rgb
        .chunks(3)
        .flat_map(|pixel| {
            let black = pixel.iter().copied().max().unwrap().max(1);
            let ink = |sample: u8| (u32::from(sample) * 255 / u32::from(black)) as u8;
            [ink(pixel[0]), ink(pixel[1]), ink(pixel[2]), black]
        })
        .collect();
    for stored in [ColorSpace::JCS_CMYK, ColorSpace::JCS_YCCK] {
        assert_upright(
            &turned(&encode(new(ColorSpace::JCS_CMYK, stored), &cmyk)),
            &format!("{stored:?}"),
        );
    }
    let grey: Vec<u8> = rgb
        .chunks(3)
        .map(|pixel| ycc(pixel.try_into().unwrap())[0])
        .collect();
    let made = derived(
        Format::Jpeg,
        &turned(&encode(
            new(ColorSpace::JCS_GRAYSCALE, ColorSpace::JCS_GRAYSCALE),
            &grey,
        )),
        MEGABYTE,
    );
    let expected: Vec<u8> = scene(SIZE.0, SIZE.1)
        .chunks(3)
        .flat_map(|pixel| [ycc(pixel.try_into().unwrap())[0]; 3])
        .collect();
    assert!(mean_difference(&pixels(&made.jpeg).1, &expected) <= 4.0);
}

#[test]
fn every_size_is_turned_upright() {
    for (width, height) in [
        (1, 1),
        (1, 40),
        (40, 1),
        (7, 9),
        (8, 8),
        (16, 17),
        (33, 250),
        (1_000, 3),
    ] {
        let (size, rgb) = turned_scene(width.max(5), height.max(5));
        let made = derived(
            Format::Jpeg,
            &turned(&jpeg(&rgb, size.0, size.1, 95)),
            MEGABYTE,
        );
        assert_eq!((made.width, made.height), (size.1, size.0));
        let flat = [90, 120, 160].repeat(width * height);
        let made = derived(
            Format::Jpeg,
            &turned(&jpeg(&flat, width, height, 95)),
            MEGABYTE,
        );
        assert_eq!((made.width, made.height), (height, width));
        assert!(mean_difference(&pixels(&made.jpeg).1, &flat) <= 2.0);
    }
}

#[test]
fn what_belongs_to_another_picture_is_no_end() {
    let (size, rgb) = turned_scene(SIZE.0, SIZE.1);
    let photo = turned(&jpeg(&rgb, size.0, size.1, 92));
    let other = jpeg(&scene(40, 30), 40, 30, 90);
    assert_upright(
        &[&photo[..photo.len() - 2], &other[..]].concat(),
        "only the end is missing",
    );
    assert_upright(
        &[&photo[..], &other[..]].concat(),
        "another picture follows",
    );
    for percent in [50, 80, 99] {
        let cut = &photo[..photo.len() * percent / 100];
        for rest in [&b""[..], b"\xFF\xD9", &other] {
            let made = prepare(Format::Jpeg, &[cut, rest].concat(), MEGABYTE);
            assert_eq!(
                made,
                Err(Refusal::Unreadable),
                "{percent} % and {} bytes",
                rest.len()
            );
        }
    }
}

#[test]
fn odd_bytes_that_viewers_pass_over_do_no_harm() {
    let (size, rgb) = turned_scene(SIZE.0, SIZE.1);
    let photo = turned(&jpeg(&rgb, size.0, size.1, 92));
    let at = |marker: u8| {
        photo
            .windows(2)
            .position(|pair| pair == [0xFF, marker])
            .unwrap()
    };
    for marker in [0xE1, 0xDB, 0xC0, 0xC4, 0xDA] {
        for odd in [
            &b"stray"[..],
            b"\xFF\xFF\xFF",
            b"\xFF\0\xFF\xD3",
            b"\xFF\xFE\0\x04no",
            b"\xFF\xE0\0\x09JFIF\0\x09\x09",
        ] {
            let (before, after) = photo.split_at(at(marker));
            assert_upright(
                &[before, odd, after].concat(),
                &format!("{odd:?} before {marker:X}"),
            );
        }
    }
    // The header of a scan whose last bytes mean nothing in a baseline file.
    let mut zeros = photo.clone();
    let scan = at(0xDA);
    zeros[scan + 11..scan + 14].fill(0);
    assert_upright(&zeros, "scan of nothing");
}
