//! The documents of the demo's customers: valid files of specimen cards, the same on every run.
//! Making them takes some seconds at most. They are kept in `.local/demo`, for people to look at.

mod card;
mod pdf;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bytes::Bytes;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use local_stack::workspace;
use sha2::{Digest, Sha256};

pub use card::Card;

/// Widths in pixels. The first two make files of about 7 MB: together near the maximum of one
/// submission.
const FRONT_WIDTH: u16 = 2_192;
const BACK_WIDTH: u16 = 1_920;
const PDF_PICTURE_WIDTH: u16 = 960;

/// The highest of the format: it keeps the grain, which makes the file large.
const JPEG_QUALITY: u8 = 100;

/// A file on the customer's disk.
#[derive(Debug, Clone)]
pub struct CustomerFile {
    path: PathBuf,
    pub media_type: &'static str,
    /// As the provider's and our records name it.
    pub format: &'static str,
    pub bytes: Bytes,
    pub sha256: String,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct CustomerFiles {
    pub front: CustomerFile,
    pub back: CustomerFile,
    pub scan: CustomerFile,
}

impl CustomerFile {
    /// Where it is, from the root of the checkout.
    pub fn place(&self) -> std::path::Display<'_> {
        self.path
            .strip_prefix(workspace::root())
            .unwrap_or(&self.path)
            .display()
    }
}

impl CustomerFiles {
    /// Makes the files and writes them to the disk. Takes about a second of computing: call it on a
    /// blocking thread.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn make() -> Result<Self> {
        let directory = workspace::kept_directory().join("demo");
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let picture = Card::draw(PDF_PICTURE_WIDTH, "PDF");
        let scan = pdf::document(&picture, &jpeg(&picture)?);
        Ok(Self {
            front: keep(
                &directory,
                "specimen-front.jpg",
                "image/jpeg",
                jpeg(&Card::draw(FRONT_WIDTH, "FRONT"))?,
            )?,
            back: keep(
                &directory,
                "specimen-back.png",
                "image/png",
                png(&Card::draw(BACK_WIDTH, "BACK"))?,
            )?,
            scan: keep(&directory, "specimen-scan.pdf", "application/pdf", scan)?,
        })
    }

    pub fn all(&self) -> [&CustomerFile; 3] {
        [&self.front, &self.back, &self.scan]
    }
}

fn keep(
    directory: &Path,
    name: &str,
    media_type: &'static str,
    bytes: Vec<u8>,
) -> Result<CustomerFile> {
    let path = directory.join(name);
    std::fs::write(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(CustomerFile {
        path,
        media_type,
        format: media_type
            .split_once('/')
            .map_or(media_type, |(_, format)| format),
        sha256: sha256(&bytes),
        bytes: bytes.into(),
    })
}

/// In hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A photo of the card.
///
/// # Errors
/// Never for a card.
pub fn jpeg(card: &Card) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, JPEG_QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.encode(&card.pixels, card.width, card.height, ColorType::Rgb)?;
    Ok(file)
}

/// Not compressed: grain does not compress, and trying takes most of the time.
fn png(card: &Card) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, u32::from(card.width), u32::from(card.height));
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::NoCompression);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&card.pixels)?;
    writer.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use verification::document::{FileType, MAXIMUM_TOTAL_BYTES};

    use super::*;

    #[test]
    fn the_jpeg_is_decoded_to_nearly_the_card() {
        let card = Card::draw(320, "FRONT");
        let file = jpeg(&card).unwrap();
        assert_eq!(FileType::sniff(&file), Some(FileType::Jpeg));
        let mut decoder = zune_jpeg::JpegDecoder::new(Cursor::new(&file));
        let pixels = decoder.decode().unwrap();
        assert_eq!(decoder.dimensions(), Some((320, usize::from(card.height))));
        let farthest = pixels
            .iter()
            .zip(&card.pixels)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(farthest.unwrap() < 8, "{farthest:?}");
    }

    #[test]
    fn the_png_is_decoded_to_exactly_the_card() {
        let card = Card::draw(320, "BACK");
        let file = png(&card).unwrap();
        assert_eq!(FileType::sniff(&file), Some(FileType::Png));
        let mut reader = png::Decoder::new(Cursor::new(&file)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, card.pixels);
    }

    #[test]
    fn the_pdf_is_recognised_and_holds_the_whole_picture() {
        let card = Card::draw(320, "PDF");
        let picture = jpeg(&card).unwrap();
        let file = pdf::document(&card, &picture);
        assert_eq!(FileType::sniff(&file), Some(FileType::Pdf));
        assert!(file.windows(picture.len()).any(|window| window == picture));
    }

    #[test]
    fn both_photos_are_of_about_7_mb_and_fit_into_one_submission() {
        let front = jpeg(&Card::draw(FRONT_WIDTH, "FRONT")).unwrap().len() as u64;
        let back = png(&Card::draw(BACK_WIDTH, "BACK")).unwrap().len() as u64;
        assert!((6_700_000..7_400_000).contains(&front), "{front}");
        assert!((6_700_000..7_400_000).contains(&back), "{back}");
        assert!(front + back <= MAXIMUM_TOTAL_BYTES);
    }
}
