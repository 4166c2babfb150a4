//! Files on disk for a browser to upload: real pictures, as far as a browser that shows them can
//! tell.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::fixture::PDF;

const WIDTH: u16 = 320;
const HEIGHT: u16 = 200;

/// A folder with one document of each kind.
pub struct Documents {
    folder: TempDir,
}

impl Documents {
    pub fn create() -> Self {
        let documents = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let picture = picture();
        let jpeg = jpeg_encoder::Encoder::new_file(documents.path("front.jpg"), 80).unwrap();
        jpeg.encode(&picture, WIDTH, HEIGHT, jpeg_encoder::ColorType::Rgb)
            .unwrap();
        let file = std::fs::File::create(documents.path("back.png")).unwrap();
        let mut png = png::Encoder::new(file, u32::from(WIDTH), u32::from(HEIGHT));
        png.set_color(png::ColorType::Rgb);
        png.write_header()
            .unwrap()
            .write_image_data(&picture)
            .unwrap();
        std::fs::write(documents.path("permit.pdf"), PDF).unwrap();
        std::fs::write(documents.path("letter.txt"), "This is not a document.").unwrap();
        documents
    }

    pub fn jpeg(&self) -> PathBuf {
        self.path("front.jpg")
    }

    pub fn png(&self) -> PathBuf {
        self.path("back.png")
    }

    pub fn pdf(&self) -> PathBuf {
        self.path("permit.pdf")
    }

    /// Neither picture nor PDF.
    pub fn text(&self) -> PathBuf {
        self.path("letter.txt")
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}

/// A card in bands of colour.
fn picture() -> Vec<u8> {
    let pixel = |column: u16, row: u16| match (column / 8, row / 40) {
        (0..12, 1..4) => [90, 110, 120],
        (_, band) => [200, 220 - 12 * band as u8, 210],
    };
    (0..HEIGHT)
        .flat_map(|row| (0..WIDTH).flat_map(move |column| pixel(column, row)))
        .collect()
}
