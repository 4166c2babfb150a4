//! Pictures to prepare.

use mozjpeg::{ColorSpace, Compress};

pub const WIDTH: usize = 48;
pub const HEIGHT: usize = 32;

pub const RED: [u8; 3] = [220, 20, 20];
pub const GREEN: [u8; 3] = [20, 200, 20];
pub const BLUE: [u8; 3] = [20, 20, 220];
pub const WHITE: [u8; 3] = [255, 255, 255];

/// One colour in each quarter: top left, top right, bottom left, bottom right.
pub const UPRIGHT: [[u8; 3]; 4] = [RED, GREEN, BLUE, WHITE];

pub fn quarters(width: usize, height: usize, colours: [[u8; 3]; 4]) -> Vec<u8> {
    let pixel =
        |row: usize, column: usize| colours[2 * (row / (height / 2)) + column / (width / 2)];
    (0..height)
        .flat_map(|row| (0..width).flat_map(move |column| pixel(row, column)))
        .collect()
}

/// Noise of a camera in the dark, which compresses worst of all.
pub fn noise(width: usize, height: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next)
        .take(width * height * 3)
        .collect()
}

/// The upright scene of the cases: a gradient with a colour in each corner and a black F.
pub fn scene(width: usize, height: usize) -> Vec<u8> {
    let corner = width.min(height) / 5;
    let pixel = |x: usize, y: usize| -> [u8; 3] {
        match (
            x < corner,
            x >= width - corner,
            y < corner,
            y >= height - corner,
        ) {
            (true, _, true, _) => return [220, 30, 30],
            (_, true, true, _) => return [30, 200, 30],
            (true, _, _, true) => return [30, 30, 220],
            (_, true, _, true) => return [230, 220, 30],
            _ => {}
        }
        let is_in = |from: usize, to: usize, top: usize, bottom: usize| {
            (width * from / 16..width * to / 16).contains(&x)
                && (height * top / 60..height * bottom / 60).contains(&y)
        };
        if is_in(6, 7, 12, 48) || is_in(6, 10, 12, 17) || is_in(6, 9, 30, 35) {
            return [10, 10, 10];
        }
        [
            120 + 80 * x / width,
            120 + 80 * y / height,
            160 - 60 * x / width,
        ]
        .map(|sample| sample as u8)
    };
    (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
        .collect()
}

/// The scene as a camera of orientation 6 stores it, and its stored size.
pub fn turned_scene(width: usize, height: usize) -> ((usize, usize), Vec<u8>) {
    let upright = scene(width, height);
    let pixel =
        |x: usize, y: usize| -> [u8; 3] { upright[(y * width + x) * 3..][..3].try_into().unwrap() };
    // The stored column and row hold the upright picture's row and, from the right, column.
    let stored = (0..width)
        .flat_map(|row| (0..height).flat_map(move |column| pixel(width - 1 - row, column)));
    ((height, width), stored.collect())
}

/// An encoder of baseline JPEGs from red, green and blue.
pub fn encoder(width: usize, height: usize, quality: u8) -> Compress {
    let mut encoder = Compress::new(ColorSpace::JCS_RGB);
    encoder.set_fastest_defaults();
    encoder.set_size(width, height);
    encoder.set_quality(quality.into());
    encoder
}

pub fn encode(encoder: Compress, samples: &[u8]) -> Vec<u8> {
    let mut encoder = encoder.start_compress(Vec::new()).unwrap();
    encoder.write_scanlines(samples).unwrap();
    encoder.finish().unwrap()
}

pub fn jpeg(rgb: &[u8], width: usize, height: usize, quality: u8) -> Vec<u8> {
    encode(encoder(width, height, quality), rgb)
}

/// A block of EXIF data with nothing but an orientation.
pub fn exif(orientation: u16) -> Vec<u8> {
    let mut block = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
    block.extend(orientation.to_be_bytes());
    block.extend(b"\0\0\0\0\0\0");
    block
}

/// The picture with EXIF data before all its other segments.
pub fn with_exif(jpeg: &[u8], block: &[u8]) -> Vec<u8> {
    let mut bytes = b"\xFF\xD8\xFF\xE1".to_vec();
    bytes.extend((block.len() as u16 + 8).to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(block);
    bytes.extend(&jpeg[2..]);
    bytes
}

/// A photo that lies on its side.
pub fn turned(jpeg: &[u8]) -> Vec<u8> {
    with_exif(jpeg, &exif(6))
}

pub fn png(
    samples: &[u8],
    width: usize,
    height: usize,
    colour: png::ColorType,
    depth: png::BitDepth,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(samples)
        .unwrap();
    bytes
}

/// A chunk of a PNG.
pub fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let checked = [kind, content].concat();
    let length = (content.len() as u32).to_be_bytes();
    [&length[..], &checked, &crc32(&checked).to_be_bytes()].concat()
}

/// The PNG with another chunk after the signature of 8 bytes and the header of 25.
pub fn with_chunk(png: &[u8], kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&png[..33], &chunk(kind, content), &png[33..]].concat()
}

/// The PNG with an ancillary chunk of zeros.
pub fn padded(png: &[u8], bytes: usize) -> Vec<u8> {
    with_chunk(png, b"zeRo", &vec![0; bytes])
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256)
        .map(|byte| {
            (0..8).fold(byte, |value: u32, _| {
                if value & 1 == 1 {
                    0xEDB8_8320 ^ (value >> 1)
                } else {
                    value >> 1
                }
            })
        })
        .collect();
    !bytes.iter().fold(!0, |remainder, &byte| {
        table[usize::from(remainder as u8 ^ byte)] ^ (remainder >> 8)
    })
}

pub fn webp(
    samples: &[u8],
    width: usize,
    height: usize,
    colour: image_webp::ColorType,
    exif: Option<Vec<u8>>,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image_webp::WebPEncoder::new(&mut bytes);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif);
    }
    encoder
        .encode(samples, width as u32, height as u32, colour)
        .unwrap();
    bytes
}

/// A JPEG with a scan for each component, made of three grey ones.
/// It ends if `scans` has all.
pub fn jpeg_in_scans(ycc: &[u8], width: usize, height: usize, scans: &[u8]) -> Vec<u8> {
    let grey = |component: usize| {
        let mut encoder = Compress::new(ColorSpace::JCS_GRAYSCALE);
        encoder.set_fastest_defaults();
        encoder.set_size(width, height);
        encoder.set_quality(95.0);
        encoder.set_optimize_coding(false);
        let samples: Vec<u8> = ycc.iter().skip(component).step_by(3).copied().collect();
        encode(encoder, &samples)
    };
    let first = grey(0);
    let at = |marker: u8| {
        first
            .windows(2)
            .position(|pair| pair == [0xFF, marker])
            .unwrap()
    };
    let (frame, scan) = (at(0xC0), at(0xDA));
    let mut bytes = first[..frame].to_vec();
    bytes.extend(b"\xFF\xC0\0\x11\x08");
    bytes.extend(&first[frame + 5..frame + 9]);
    bytes.extend(b"\x03\x01\x11\0\x02\x11\0\x03\x11\0");
    // The tables that come after the frame.
    bytes.extend(&first[frame + 13..scan]);
    for &component in scans {
        let grey = grey(component.into());
        let scan = grey
            .windows(2)
            .position(|pair| pair == [0xFF, 0xDA])
            .unwrap();
        bytes.extend([0xFF, 0xDA, 0, 8, 1, component + 1, 0, 0, 63, 0]);
        bytes.extend(&grey[scan + 10..grey.len() - 2]);
    }
    bytes.extend(b"\xFF\xD9");
    bytes
}
