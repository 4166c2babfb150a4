//! Every file of the corpora, and seeded mutations of them, through every target.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fastrand::Rng;

/// An input is never longer than this.
const LONGEST: usize = 128 * 1024;

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// Runs the target. What fails is kept.
fn run(target: fuzz::Target, input: &[u8], what: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.bin", target.name));
        std::fs::write(&path, input).unwrap();
        println!("{what} fails {}: {}", target.name, path.display());
        std::panic::resume_unwind(panic);
    }
}

fn replay(name: &str, mutations: usize) {
    fuzz::set_program(Path::new(env!("CARGO_BIN_EXE_fuzz")));
    let target = fuzz::find(name).unwrap();
    let files = corpus(target.corpus);
    assert!(!files.is_empty());
    for (path, bytes) in &files {
        run(target, bytes, &path.display().to_string());
    }
    let seed =
        std::env::var("FUZZ_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("FUZZ_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    for number in 0..mutations {
        let mut input = random.choice(&files).unwrap().1.clone();
        for _ in 0..random.u8(1..=4) {
            let other = &random.choice(&files).unwrap().1;
            mutate(&mut random, &mut input, other);
        }
        input.truncate(LONGEST);
        run(target, &input, &format!("mutation {number} of seed {seed}"));
    }
}

/// Numbers at which something often ends.
const EDGES: [u8; 8] = [0, 1, 0x7F, 0x80, 0xFF, 0xD8, b'"', b'\n'];

fn mutate(random: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    let at = random.usize(0..=input.len());
    let end = at + random.usize(0..=16).min(input.len() - at);
    match random.u8(..8) {
        0 => input[at..end].fill_with(|| random.u8(..)),
        1 => input[at..end].fill(*random.choice(&EDGES).unwrap()),
        2 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.u8(..8);
            }
        }
        3 => input.insert(at, random.u8(..)),
        4 => drop(input.drain(at..end)),
        5 => input.truncate(at),
        6 => {
            let copied = input[at..end].to_vec();
            let place = random.usize(0..=input.len());
            input.splice(place..place, copied);
        }
        _ => {
            let from = random.usize(0..=other.len());
            let to = from + random.usize(0..=64).min(other.len() - from);
            input.splice(at..end, other[from..to].iter().copied());
        }
    }
}

#[test]
fn callback() {
    replay("callback", 4_000);
}

#[test]
fn signature() {
    replay("signature", 4_000);
}

#[test]
fn origins() {
    replay("origins", 4_000);
}

#[test]
fn pdf() {
    replay("pdf", 4_000);
}

#[test]
fn jpeg_segments() {
    replay("jpeg_segments", 2_000);
}

#[test]
fn orientation() {
    replay("orientation", 10_000);
}

#[test]
fn names() {
    replay("names", 4_000);
}

#[test]
fn child() {
    replay("child", 600);
}

#[test]
fn child_in_process() {
    replay("child_in_process", 3_000);
}
