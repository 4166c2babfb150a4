//! Files as customers upload them. Each has content of its own.
#![expect(
    clippy::expect_used,
    reason = "encoding into memory fails for no picture that is made here"
)]

use std::sync::atomic::{AtomicU64, Ordering};

use jpeg_encoder::{ColorType, Encoder};
use sha2::{Digest, Sha256};

/// A small picture with a long trailer, as some telephones write them; of exactly `length` bytes.
pub fn jpeg(length: usize) -> Vec<u8> {
    let mut picture = Vec::new();
    let encoder = Encoder::new(&mut picture, 90);
    encoder
        .encode(&starting_with(b"", 16 * 16), 16, 16, ColorType::Luma)
        .expect("a picture");
    starting_with(&picture, length)
}

/// The signature of a PNG and noise, of exactly `length` bytes.
pub fn png(length: usize) -> Vec<u8> {
    starting_with(b"\x89PNG\r\n\x1a\n", length)
}

/// A PDF with one empty page, of exactly `length` bytes, at least 700.
pub fn pdf(length: usize) -> Vec<u8> {
    pdf_with(length, "")
}

/// The same for which a key is needed.
pub fn encrypted_pdf(length: usize) -> Vec<u8> {
    pdf_with(length, " /Encrypt 5 0 R")
}

/// A stream fills it up. `trailer` is added to the trailer's dictionary.
fn pdf_with(length: usize, trailer: &str) -> Vec<u8> {
    let without_filling = pdf_filled(0, trailer).len();
    // A longer filling needs more digits for its own length and for the table's position.
    let mut filling = length.checked_sub(without_filling).expect("a longer PDF");
    loop {
        let pdf = pdf_filled(filling, trailer);
        match pdf.len().checked_sub(length) {
            Some(0) => return pdf,
            Some(excess) => filling -= excess,
            None => filling += length - pdf.len(),
        }
    }
}

fn pdf_filled(filling: usize, trailer: &str) -> Vec<u8> {
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>".to_vec(),
        [
            format!("<< /Length {filling} >>\nstream\n").as_bytes(),
            &starting_with(b"", filling),
            b"\nendstream",
        ]
        .concat(),
        b"<< /Filter /Standard /V 1 /R 2 /P -4 /O (owner) /U (user) >>".to_vec(),
    ];
    let mut pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        table.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.extend(format!("{number} 0 obj\n").as_bytes());
        pdf.extend(object);
        pdf.extend(b"\nendobj\n");
    }
    let start = pdf.len();
    let size = objects.len() + 1;
    pdf.extend(
        format!(
            "{table}trailer\n<< /Size {size} /Root 1 0 R{trailer} >>\nstartxref\n{start}\n%%EOF\n"
        )
        .as_bytes(),
    );
    pdf
}

/// `start`, then noise up to `length`. The noise depends on the test's name and on the number of
/// calls so far: a test has the same files in every run.
pub fn starting_with(start: &[u8], length: usize) -> Vec<u8> {
    let noise = noise();
    let mut file = start.to_vec();
    let mut round = 0_u8;
    while file.len() < length {
        file.extend(
            noise
                .iter()
                .map(|byte| byte.wrapping_mul(31).wrapping_add(round)),
        );
        round = round.wrapping_add(1);
    }
    file.truncate(length);
    file
}

fn noise() -> [u8; 32] {
    static ASKED: AtomicU64 = AtomicU64::new(0);
    let asked = ASKED.fetch_add(1, Ordering::Relaxed);
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    Sha256::digest(format!("{test} {asked}")).into()
}

/// A valid photo of noise, which hardly compresses. `orientation` is that of its EXIF data, 1 to
/// 8.
pub fn photo(width: u16, height: u16, quality: u8, orientation: u8) -> Vec<u8> {
    let rgb = starting_with(b"", usize::from(width) * usize::from(height) * 3);
    let mut picture = Vec::new();
    let encoder = Encoder::new(&mut picture, quality);
    encoder
        .encode(&rgb, width, height, ColorType::Rgb)
        .expect("a picture");
    let mut photo =
        b"\xff\xd8\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"
            .to_vec();
    photo.push(orientation);
    photo.extend(b"\0\0\0\0\0\0");
    photo.extend(picture.get(2..).expect("segments"));
    photo
}

/// A small photo lying on its side whose header says that it has 65,500 × 65,500 pixels.
pub fn bomb() -> Vec<u8> {
    let mut photo = photo(16, 16, 90, 6);
    let frame = photo
        .windows(2)
        .position(|marker| marker == [0xff, 0xc0])
        .expect("a frame");
    let size = photo.get_mut(frame + 5..frame + 9).expect("a whole frame");
    size.copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    photo
}

/// A valid WEBP.
pub fn webp(width: u32, height: u32) -> Vec<u8> {
    let rgb = starting_with(b"", width as usize * height as usize * 3);
    let mut picture = Vec::new();
    let encoder = image_webp::WebPEncoder::new(&mut picture);
    encoder
        .encode(&rgb, width, height, image_webp::ColorType::Rgb8)
        .expect("a picture");
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pdf_has_the_wanted_length_and_its_table_is_found() {
        for length in [700, 999, 1_000, 40_000, 9_999_999, 10_000_000] {
            for pdf in [pdf(length), encrypted_pdf(length)] {
                assert_eq!(pdf.len(), length);
                let end = String::from_utf8_lossy(&pdf[length - 40..]).into_owned();
                let start = end
                    .split("startxref\n")
                    .nth(1)
                    .and_then(|rest| rest.lines().next());
                let start: usize = start
                    .and_then(|start| start.parse().ok())
                    .expect("a number");
                assert!(pdf[start..].starts_with(b"xref\n"));
            }
        }
    }
}
