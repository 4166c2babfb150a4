//! What becomes of an uploaded file: in the confined child, and by the same code in this process.

use std::fs::File;
use std::io::{Cursor, Read, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use document_preparation::fuzzing::prepare_here;
use document_preparation::{
    Format, Need, PrepareError, Refusal, START_BYTES, Usage, Workbench, inspect_start,
};
use serde_json::Value;

use crate::resources::peak_kilobytes;

/// Memory that no child may exceed, in kB.
const MOST_KILOBYTES: u64 = 160_000;

/// Time of the processor that a child has, in milliseconds.
const MOST_MILLISECONDS: u64 = 30_000;

/// Larger pictures are for the child alone: they take seconds.
const MOST_PIXELS_HERE: usize = 1_500_000;

/// What the work may take beside the picture, in kB.
const OTHER_KILOBYTES: usize = 16_000;

/// What the child's report takes behind the JPEG.
const REPORT_BYTES: usize = 512;

/// A PNG's signature.
const SIGNATURE_BYTES: usize = 8;

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// The program that is started as a child, if it is not this one. It must call
/// `document_preparation::run_if_asked` first.
pub fn set_program(program: &Path) {
    PROGRAM.get_or_init(|| program.to_owned());
}

/// One file and what is asked for.
struct Task {
    format: Format,
    limit: u64,
    file: Vec<u8>,
}

impl Task {
    /// The first byte says what the file is and whether zeros make it too large, the second how
    /// large it may be.
    fn of(input: &[u8]) -> Option<Self> {
        let (&[how, size], file) = input.split_first_chunk()?;
        let mut file = file.to_vec();
        let format = match (how & 0x7F) % 6 {
            0 => Format::Jpeg,
            1 => {
                repair_checksums(&mut file);
                Format::Png
            }
            2 => Format::Webp,
            3 => Format::Heic,
            4 => Format::Pdf,
            _ => Format::Png,
        };
        let limit = match usize::from(size) {
            0 => 15_000_000,
            1 => file.len().saturating_sub(1),
            size => 4 * size * size,
        };
        if how & 0x80 != 0 && limit < 1_000_000 && file.len() <= limit {
            file.resize(limit + 1, 0);
        }
        Some(Self {
            format,
            limit: limit as u64,
            file,
        })
    }

    fn original(&self) -> File {
        let mut original = unnamed();
        original.write_all(&self.file).unwrap();
        original.rewind().unwrap();
        original
    }

    /// What the file's header says of its size. 0: nothing that can be read.
    fn pixels(&self) -> usize {
        let sides = match self.format {
            Format::Jpeg => sides_of_jpeg(&self.file),
            Format::Png => png::Decoder::new(Cursor::new(&self.file))
                .read_header_info()
                .ok()
                .map(|header| (header.width, header.height)),
            Format::Webp => image_webp::WebPDecoder::new(Cursor::new(&self.file))
                .ok()
                .map(|decoder| decoder.dimensions()),
            Format::Heic | Format::Pdf => None,
        };
        sides.map_or(0, |(width, height)| width as usize * height as usize)
    }

    /// Nothing is done if, and only if, the start says that nothing has to be done.
    fn agrees_with_its_start(&self, is_nothing: bool) {
        if self.file.len() as u64 > self.limit {
            assert!(!is_nothing, "{} bytes are too many", self.file.len());
            return;
        }
        let start = &self.file[..self.file.len().min(START_BYTES)];
        let need = inspect_start(self.format, start);
        if start.len() == self.file.len() || need == Need::Nothing {
            assert_eq!(need == Need::Nothing, is_nothing, "{need:?}");
        }
    }
}

/// The answer of a child or of its work.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Nothing,
    Refused(String),
    Jpeg(Vec<u8>),
}

/// The work of the child, in this process, where a fuzzer sees what it reaches.
pub(crate) fn child_in_process(input: &[u8]) {
    let Some(task) = Task::of(input) else {
        return;
    };
    let pixels = task.pixels();
    if pixels > MOST_PIXELS_HERE {
        return;
    }
    let (answer, peak) = peak_kilobytes(|| work(&task));
    // All pictures and copies of them: the planes, and what is most of what a decoder has beside
    // them.
    let expected = OTHER_KILOBYTES + (pixels * 16 + task.file.len() * 3) / 1_000;
    assert!(
        peak <= expected as u64,
        "{peak} kB for {pixels} pixels, expected are {expected}"
    );
    task.agrees_with_its_start(answer == Answer::Nothing);
}

/// The child itself.
pub(crate) fn child(input: &[u8]) {
    let Some(task) = Task::of(input) else {
        return;
    };
    let (answer, usage) = ask(&task);
    assert!(usage.peak_kilobytes <= MOST_KILOBYTES, "{usage:?}");
    assert!(usage.cpu_milliseconds <= MOST_MILLISECONDS, "{usage:?}");
    task.agrees_with_its_start(answer == Answer::Nothing);
    if task.pixels() <= MOST_PIXELS_HERE {
        assert!(
            answer == work(&task),
            "the child does what it would not do here"
        );
    }
    assert!(
        answer == through_workbench(&task),
        "the workbench says something else"
    );
}

fn work(task: &Task) -> Answer {
    let mut output = unnamed();
    let copy = output.try_clone().unwrap();
    let input = task.original();
    // As the child does it: a decoder that panics is a picture that cannot be read.
    let prepared = expecting_panics(|| prepare_here(task.format, &input, task.limit, copy));
    match prepared.map(|prepared| prepared.expect("files in memory can be read and written")) {
        Ok(Ok(None)) => Answer::Nothing,
        Ok(Ok(Some(written))) => {
            let jpeg = content(&mut output);
            assert_eq!(jpeg.len() as u64, written.bytes);
            is_sound(&jpeg, (written.width, written.height), task.limit);
            Answer::Jpeg(jpeg)
        }
        Ok(Err(refusal)) => Answer::Refused(format!("{refusal:?}")),
        Err(_) => Answer::Refused(format!("{:?}", Refusal::Unreadable)),
    }
}

/// Starts a child by hand. It tells its use of resources with any answer.
fn ask(task: &Task) -> (Answer, Usage) {
    let mut output = unnamed();
    let format = format!("{:?}", task.format).to_lowercase();
    let status = Command::new(program())
        .arg(format!("prepare-document:{format}:{}", task.limit))
        .env_clear()
        .stdin(task.original())
        .stdout(output.try_clone().unwrap())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "the child ended with {status}");
    let mut bytes = content(&mut output);
    let report = bytes.split_off(bytes.len() - REPORT_BYTES);
    let mut report: Value = serde_json::from_slice(&report).unwrap();
    let usage: Usage = serde_json::from_value(report["usage"].take()).unwrap();
    let outcome = &report["outcome"];
    let answer = if outcome == "Nothing" {
        Answer::Nothing
    } else if let Some(refusal) = outcome["Refused"].as_str() {
        Answer::Refused(refusal.to_owned())
    } else {
        let facts = &outcome["Derived"];
        let side = |name: &str| u16::try_from(facts[name].as_u64().unwrap()).unwrap();
        is_sound(&bytes, (side("width"), side("height")), task.limit);
        return (Answer::Jpeg(bytes), usage);
    };
    assert!(bytes.is_empty());
    (answer, usage)
}

/// As the processor does it.
fn through_workbench(task: &Task) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let workbench = Workbench::new(program());
    match runtime.block_on(workbench.prepare(task.format, task.original(), task.limit)) {
        Ok(None) => Answer::Nothing,
        Ok(Some(mut derived)) => {
            let jpeg = content(&mut derived.jpeg);
            assert_eq!(jpeg.len() as u64, derived.bytes);
            Answer::Jpeg(jpeg)
        }
        Err(PrepareError::Refused(refusal, _)) => Answer::Refused(format!("{refusal:?}")),
        Err(PrepareError::Unavailable(error)) => panic!("{error}"),
    }
}

/// A JPEG of the size that was promised, in which there is a picture and nothing about the
/// customer.
fn is_sound(jpeg: &[u8], (width, height): (u16, u16), limit: u64) {
    assert!(jpeg.len() as u64 <= limit);
    let decoder = mozjpeg::Decompress::new_mem(jpeg).unwrap();
    let sides = (usize::from(width), usize::from(height));
    assert_eq!(decoder.size(), sides);
    let mut started = decoder.rgb().unwrap();
    let pixels: Vec<[u8; 3]> = started.read_scanlines().unwrap();
    assert_eq!(pixels.len(), sides.0 * sides.1);
    started.finish().unwrap();
    let start = &jpeg[..jpeg.len().min(START_BYTES)];
    assert_eq!(inspect_start(Format::Jpeg, start), Need::Nothing);
    let mut rest = &jpeg[2..];
    while let &[0xFF, marker, high, low, ..] = rest {
        assert!(
            matches!(marker, 0xC0 | 0xC1 | 0xC4 | 0xDA | 0xDB | 0xE0),
            "a segment of the kind {marker:X}"
        );
        if marker == 0xDA {
            return;
        }
        rest = &rest[2 + usize::from(u16::from_be_bytes([high, low]))..];
    }
    panic!("there is no scan");
}

/// By the first frame that there is.
fn sides_of_jpeg(jpeg: &[u8]) -> Option<(u32, u32)> {
    let frames = jpeg.windows(9).filter(|frame| {
        frame[0] == 0xFF && (0xC0..=0xC2).contains(&frame[1]) && frame[2] == 0 && frame[3] < 64
    });
    let side = |high: u8, low: u8| u32::from(u16::from_be_bytes([high, low]));
    // What looks like a frame may be none, so the largest counts.
    frames
        .map(|frame| (side(frame[7], frame[8]), side(frame[5], frame[6])))
        .max_by_key(|(width, height)| u64::from(*width) * u64::from(*height))
}

/// Writes the checksums of a PNG's chunks anew: what is behind them is to be reached.
fn repair_checksums(png: &mut [u8]) {
    let mut at = SIGNATURE_BYTES;
    while let Some(length) = png.get(at..).and_then(|chunk| chunk.first_chunk()) {
        let length = u32::from_be_bytes(*length) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        let Some(checked) = png.get(at + 4..end) else {
            return;
        };
        let checksum = crc32(checked).to_be_bytes();
        let Some(place) = png.get_mut(end..end + 4) else {
            return;
        };
        place.copy_from_slice(&checksum);
        at = end + 4;
    }
}

/// (Source: PNG, third edition, annex D.)
fn crc32(bytes: &[u8]) -> u32 {
    static TABLE: OnceLock<Vec<u32>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let step = |value: u32| value >> 1 ^ if value & 1 == 1 { 0xEDB8_8320 } else { 0 };
        let entry = |byte| (0..8).fold(byte, |value, _| step(value));
        (0..256).map(entry).collect()
    });
    let next = |sum: u32, byte: &u8| table[usize::from(sum as u8 ^ byte)] ^ sum >> 8;
    !bytes.iter().fold(!0, next)
}

fn program() -> PathBuf {
    let this = || PathBuf::from("/proc/self/exe");
    PROGRAM.get().cloned().unwrap_or_else(this)
}

/// A file in memory.
fn unnamed() -> File {
    tempfile::tempfile_in("/dev/shm").unwrap()
}

fn content(file: &mut File) -> Vec<u8> {
    let mut content = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut content).unwrap();
    content
}

thread_local! {
    static IS_EXPECTED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Whether a panic in this thread is an answer.
pub fn is_panic_expected() -> bool {
    IS_EXPECTED.get()
}

fn expecting_panics<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    IS_EXPECTED.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_EXPECTED.set(false);
    done
}
