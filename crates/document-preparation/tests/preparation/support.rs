//! Runs the preparation, and looks at what came out of it.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use document_preparation::{Change, Derived, Format, PrepareError, Refusal, Usage, Workbench};
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_prepare-document");
pub const MEGABYTE: u64 = 1_000_000;

/// Memory that no child may exceed, in kB.
pub const MOST_KILOBYTES: u64 = 160_000;

/// A picture that was made.
#[derive(Debug, PartialEq, Eq)]
pub struct Made {
    pub jpeg: Vec<u8>,
    pub width: usize,
    pub height: usize,
    pub quality: u8,
    pub changes: Vec<Change>,
}

pub fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// Through a workbench, as the processor does it.
/// An unavailable workbench is the test's fault.
pub fn prepare(format: Format, original: &[u8], limit: u64) -> Result<Option<Made>, Refusal> {
    let workbench = Workbench::new(PathBuf::from(PROGRAM));
    match prepare_with(&workbench, format, original, limit) {
        Ok(None) => Ok(None),
        Ok(Some(derived)) => Ok(Some(made(derived, limit))),
        Err(PrepareError::Refused(refusal, _)) => Err(refusal),
        Err(error) => panic!("{error:?}"),
    }
}

pub fn prepare_with(
    workbench: &Workbench,
    format: Format,
    original: &[u8],
    limit: u64,
) -> Result<Option<Derived>, PrepareError> {
    runtime().block_on(workbench.prepare(format, file(original), limit))
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn made(mut derived: Derived, limit: u64) -> Made {
    let mut jpeg = Vec::new();
    derived.jpeg.read_to_end(&mut jpeg).unwrap();
    assert_eq!(jpeg.len() as u64, derived.bytes);
    assert!(derived.bytes <= limit);
    assert_eq!(
        derived.sha256,
        <[u8; 32]>::from(<sha2::Sha256 as sha2::Digest>::digest(&jpeg))
    );
    assert!(
        derived.usage.peak_kilobytes <= MOST_KILOBYTES,
        "{:?}",
        derived.usage
    );
    Made {
        jpeg,
        width: derived.width.into(),
        height: derived.height.into(),
        quality: derived.quality,
        changes: derived.changes,
    }
}

pub fn derived(format: Format, original: &[u8], limit: u64) -> Made {
    prepare(format, original, limit)
        .unwrap()
        .expect("something has to be done")
}

/// The answer of a child started by hand.
/// A workbench does not pass it on for a refusal.
pub struct Answer {
    pub outcome: String,
    pub usage: Usage,
    pub jpeg: Vec<u8>,
}

pub fn answer(format: &str, original: &[u8], limit: u64) -> Answer {
    let mut output = tempfile::tempfile().unwrap();
    let status = Command::new(PROGRAM)
        .arg(format!("prepare-document:{format}:{limit}"))
        .env_clear()
        .stdin(file(original))
        .stdout(output.try_clone().unwrap())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let mut bytes = Vec::new();
    output.rewind().unwrap();
    output.read_to_end(&mut bytes).unwrap();
    let report = bytes.split_off(bytes.len() - 512);
    let mut report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let usage: Usage = serde_json::from_value(report["usage"].take()).unwrap();
    assert!(usage.peak_kilobytes <= MOST_KILOBYTES, "{usage:?}");
    Answer {
        outcome: report["outcome"].to_string().replace('"', ""),
        usage,
        jpeg: bytes,
    }
}

/// A JPEG's pixels and size, from another decoder than the tested one.
pub fn pixels(jpeg: &[u8]) -> ((usize, usize), Vec<u8>) {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let rgb = decoder.decode().unwrap();
    (decoder.dimensions().unwrap(), rgb)
}

/// The mean difference of all samples.
pub fn mean_difference(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let sum: u64 = one
        .iter()
        .zip(other)
        .map(|(one, other)| u64::from(one.abs_diff(*other)))
        .sum();
    sum as f64 / one.len() as f64
}

/// How far a JPEG is from the scene of its size.
pub fn distance_from_scene(jpeg: &[u8]) -> f64 {
    let ((width, height), rgb) = pixels(jpeg);
    mean_difference(&rgb, &crate::samples::scene(width, height))
}
