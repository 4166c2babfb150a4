//! Every file that once failed, uploaded by a customer: the copy that the provider gets, its cost,
//! and the delay of a customer beside it. `cargo xtask test every_document` prints the table.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use harness::{FRONT, Session, Stack, pictures};
use serde_json::{Value, json};
use verification::document::FileType;
use verification::identifiers::Digest256;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

/// What must become of a file.
#[derive(Clone, Copy, Debug)]
enum Right {
    /// The provider gets the file as it is.
    AsItIs,
    /// The provider gets the cases' scene upright: red top left, green top right, blue bottom left,
    /// yellow bottom right.
    Upright,
    /// The provider gets a JPEG.
    Converted,
    /// The provider gets nothing.
    Parked(&'static str),
    /// One of these: the fuzzer has made it.
    Some,
}

use Right::{AsItIs, Converted, Parked, Upright};

/// Why a picture may be parked.
const REASONS: [&str; 6] = [
    "FileEmpty",
    "FileEncrypted",
    "FileTypeNotAccepted",
    "FileUnreadable",
    // By the provider, of a file that may go as it is.
    "SubmissionRefused",
    "TooManyPixels",
];

const CASES: [(&str, Right); 14] = [
    ("animation-of-one-frame.webp", Converted),
    (
        "declared-chunk-of-4-gigabytes.webp",
        Parked("FileUnreadable"),
    ),
    ("exif-in-png-turned.png", AsItIs),
    ("half-scan-then-eoi-turned.jpg", Parked("FileUnreadable")),
    ("interlaced-turned.png", AsItIs),
    ("no-eoi-maker-trailer-turned.jpg", Upright),
    ("overlapping-exif-directories.jpg", AsItIs),
    ("phone.heic", Parked("FileTypeNotAccepted")),
    (
        "restart-marker-missing-turned.jpg",
        Parked("FileUnreadable"),
    ),
    ("restart-markers-turned.jpg", Upright),
    ("sampling-3x1-turned.jpg", Upright),
    ("stray-bytes-between-segments-turned.jpg", Upright),
    (
        "text-with-endstream-and-trailer.pdf",
        Parked("FileEncrypted"),
    ),
    (
        "two-kilobytes-before-header.pdf",
        Parked("FileTypeNotAccepted"),
    ),
];

/// A PNG of this size, made larger than a submission allows by a meaningless chunk.
fn vast_png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().expect("a header");
    let filling = png::chunk::ChunkType(*b"zeRo");
    writer
        .write_chunk(filling, &vec![0; 15_500_000])
        .expect("a chunk");
    // Rows that begin. How many more there are does not matter.
    writer
        .write_chunk(png::chunk::IDAT, b"\x78\x01")
        .expect("a chunk");
    drop(writer);
    file
}

fn cases() -> BTreeMap<String, (Vec<u8>, Right)> {
    let directory =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/document-preparation/tests/cases");
    let files = std::fs::read_dir(directory).expect("the cases");
    let mut cases: BTreeMap<String, (Vec<u8>, Right)> = files
        .map(|file| {
            let file = file.expect("a file");
            let name = file.file_name().to_string_lossy().into_owned();
            let right = CASES.iter().find(|(known, _)| *known == name);
            let (_, right) = right.unwrap_or_else(|| panic!("say what must become of {name}"));
            (name, (std::fs::read(file.path()).expect("a file"), *right))
        })
        .collect();
    // The first two bytes of a fuzzer's input choose the preparation.
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/child");
    for file in std::fs::read_dir(corpus).expect("the corpus") {
        let file = file.expect("a file");
        let input = std::fs::read(file.path()).expect("a file");
        let name = format!("fuzz {}", file.file_name().to_string_lossy());
        cases.insert(
            name,
            (input.get(2..).unwrap_or_default().to_vec(), Right::Some),
        );
    }
    for (width, height) in [(50_000_000, 1), (1, 50_000_000)] {
        let name = format!("{width} x {height}.png");
        cases.insert(name, (vast_png(width, height), Parked("TooManyPixels")));
    }
    cases.insert(
        "photo of 12 megapixels.jpg".to_owned(),
        (pictures::photo(4_000, 3_000, 80, 6), Converted),
    );
    cases
}

/// The image that the provider got.
async fn received(session: &Session<'_>) -> Value {
    session.requests("process").await.unwrap()[0]["images"][0].clone()
}

async fn copy(stack: &Stack, session: &Session<'_>) -> Vec<u8> {
    let image = received(session).await;
    let sha256 = image["sha256"].as_str().expect("a digest");
    let key = format!(
        "documents/{}/prepared/{FRONT}-{sha256}.jpg",
        session.scan_ref
    );
    stack.object(&key).await.unwrap()
}

/// Whether the corners of the picture have the colours of the scene.
fn is_upright(jpeg: &[u8]) -> bool {
    let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
    let rgb = decoder.decode().expect("a picture");
    let (width, height) = decoder.dimensions().expect("dimensions");
    let corner = |x: usize, y: usize| {
        let at = (y * width + x) * 3;
        [rgb[at] > 127, rgb[at + 1] > 127, rgb[at + 2] > 127]
    };
    let (right, bottom) = (width - 3, height - 3);
    [
        corner(2, 2),
        corner(right, 2),
        corner(2, bottom),
        corner(right, bottom),
    ] == [
        [true, false, false],
        [false, true, false],
        [false, false, true],
        [true, true, false],
    ]
}

/// A customer with good files, beside the others.
async fn neighbour(stack: &Stack) -> Duration {
    let session = stack.session_with_documents().await.unwrap();
    let began = Instant::now();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    began.elapsed()
}

async fn row(stack: &Stack, name: &str, file: Vec<u8>, right: Right) -> String {
    let session = stack.session().await.unwrap();
    // The browser's media type, which has no effect.
    let file_type = FileType::sniff(&file);
    let media_type = file_type.map_or("application/octet-stream", FileType::media_type);
    session
        .upload(FRONT, media_type, file.clone())
        .await
        .unwrap();
    let began = Instant::now();
    session
        .finish_expecting_200(json!({"additionalSteps": "VALID"}))
        .await
        .unwrap();
    let pairing = session.until_one_of(&["Settled", "Parked"]).await.unwrap();
    let took = began.elapsed();
    match right {
        AsItIs => assert_eq!(
            received(&session).await["sha256"],
            Digest256::of(&file).to_string(),
            "{name}: {pairing}"
        ),
        Upright => assert!(is_upright(&copy(stack, &session).await), "{name}"),
        Right::Some => match pairing.reason.as_deref() {
            None => assert!(received(&session).await["bytes"].is_u64(), "{name}"),
            Some(reason) => assert!(REASONS.contains(&reason), "{name}: {pairing}"),
        },
        Converted => assert!(
            copy(stack, &session).await.starts_with(&[0xFF, 0xD8]),
            "{name}"
        ),
        Parked(reason) => {
            assert_eq!(pairing.reason.as_deref(), Some(reason), "{name}: {pairing}");
            session.assert_nothing_spent().await.unwrap();
        }
    }
    let lines = stack
        .log_records("processor", &session.scan_ref)
        .await
        .unwrap();
    let number = |event: &str, member: &str| {
        let of_event = lines.iter().filter(|line| line["event"] == event);
        of_event.filter_map(|line| line[member].as_u64()).max()
    };
    let printed =
        |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let child = number("document_inspected", "peak_memory_kb");
    let processor = number("pairing_advanced", "peak_memory_kb");
    assert!(
        processor.is_none_or(|kilobytes| kilobytes <= 64_000),
        "{name}: {processor:?} kB"
    );
    assert!(
        child.is_none_or(|kilobytes| kilobytes <= 160_000),
        "{name}: {child:?} kB"
    );
    format!(
        "{name:42} {:>10} {:>24} {:>8} {:>9} {:>9} {:>7.1}",
        file.len(),
        format!("{right:?}"),
        printed(number("document_inspected", "cpu_ms")),
        printed(child),
        printed(processor),
        took.as_secs_f64(),
    )
}

#[tokio::test]
async fn every_document_comes_to_a_right_end() {
    let stack = Stack::shared().await.unwrap();
    let alone = neighbour(&stack).await;
    println!(
        "{:42} {:>10} {:>24} {:>8} {:>9} {:>9} {:>7}",
        "file", "bytes", "right", "cpu ms", "child kB", "proc. kB", "s"
    );
    let mut delay = Duration::ZERO;
    for (name, (file, right)) in cases() {
        let (row, beside) = tokio::join!(row(&stack, &name, file, right), neighbour(&stack));
        println!("{row}");
        delay = delay.max(beside.saturating_sub(alone));
    }
    println!("a neighbour alone: {alone:.1?}; later beside the slowest of these: {delay:.1?}");
}

/// Every one of them at once, as a bad day brings them.
#[tokio::test]
async fn every_document_at_once_holds_up_nobody() {
    let stack = Stack::shared().await.unwrap();
    let uploads = cases().into_iter().map(|(name, (file, right))| {
        let stack = &stack;
        async move { row(stack, &name, file, right).await }
    });
    let (rows, beside) = tokio::join!(join_all(uploads), neighbour(&stack));
    println!(
        "{} documents at once; the neighbour settled after {beside:.1?}",
        rows.len()
    );
}
