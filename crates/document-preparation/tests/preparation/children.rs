//! Children that are not what they should be.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use document_preparation::{Format, PrepareError, Refusal, Workbench};

use crate::samples::*;
use crate::support::*;

/// The outcome of a child with this script for a turned photo, in at most 1,000 bytes.
fn prepared_by(script: &str) -> Result<Option<document_preparation::Derived>, PrepareError> {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("child");
    std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let photo = turned(&jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 90));
    prepare_with(&Workbench::new(program), Format::Jpeg, &photo, 1_000)
}

/// What comes of a child that leaves these bytes behind.
fn prepared_from(output: &[u8]) -> Result<Option<document_preparation::Derived>, PrepareError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(output).unwrap();
    prepared_by(&format!("cat {}", file.path().display()))
}

fn report(bytes: usize) -> Vec<u8> {
    let facts = r#""width":9,"height":9,"quality":90,"changes":["Turned"]"#;
    let usage = r#"{"cpu_milliseconds":1,"peak_kilobytes":1}"#;
    let outcome = format!(r#"{{"Derived":{{"bytes":{bytes},{facts}}}}}"#);
    let mut line = format!(r#"{{"outcome":{outcome},"usage":{usage}}}"#).into_bytes();
    line.resize(511, b' ');
    line.push(b'\n');
    line
}

#[test]
fn a_child_that_fails_or_says_nothing_makes_a_file_unreadable() {
    for script in [
        "",
        "exit 1",
        "exit 64",
        "kill -SEGV $$",
        "kill -KILL $$",
        "ulimit -t 1; while :; do :; done",
    ] {
        let made = prepared_by(script);
        assert!(
            matches!(made, Err(PrepareError::Refused(Refusal::Unreadable, None))),
            "{script}: {made:?}"
        );
    }
}

#[test]
fn nonsense_makes_a_file_unreadable() {
    let whole = [b"\xFF\xD8", &[7; 96][..], b"\xFF\xD9"].concat();
    let headless = [b"\xFF\xD7", &[7; 96][..], b"\xFF\xD9"].concat();
    let endless = [b"\xFF\xD8", &[7; 96][..], b"\xFF\xD8"].concat();
    let large = [b"\xFF\xD8", &[7; 997][..], b"\xFF\xD9"].concat();
    for (jpeg, report, what) in [
        (&whole, b"nonsense".to_vec(), "no report"),
        (&whole, vec![b'{'; 512], "no JSON"),
        (&whole, vec![b'['; 512], "deep JSON"),
        (&whole, vec![0xFF; 512], "no text"),
        (&whole, report(99), "more than promised"),
        (&whole, report(101), "less than promised"),
        (&headless, report(100), "no start"),
        (&endless, report(100), "no end"),
        (&large, report(1_001), "more than allowed"),
        (&Vec::new(), report(0), "nothing"),
    ] {
        let made = prepared_from(&[&jpeg[..], &report].concat());
        assert!(
            matches!(made, Err(PrepareError::Refused(Refusal::Unreadable, None))),
            "{what}: {made:?}"
        );
    }
    let made = prepared_from(&[&whole[..], &report(100)].concat())
        .unwrap()
        .unwrap();
    assert_eq!(
        (made.bytes, made.jpeg.metadata().unwrap().len()),
        (100, 100)
    );
}

#[test]
fn a_child_that_cannot_be_started_or_write_is_unavailable() {
    let missing = Workbench::new(PathBuf::from("/nonexistent"));
    let made = prepare_with(&missing, Format::Webp, b"RIFF", 9);
    assert!(
        matches!(made, Err(PrepareError::Unavailable(_))),
        "{made:?}"
    );
    let made = prepared_by("exit 75");
    assert!(
        matches!(made, Err(PrepareError::Unavailable(_))),
        "{made:?}"
    );

    // A device that is always full, and a file that must not be written.
    for path in ["/dev/full", "/dev/null"] {
        let output = std::fs::OpenOptions::new()
            .write(path == "/dev/full")
            .read(true)
            .open(path)
            .unwrap();
        let photo = turned(&jpeg(&quarters(WIDTH, HEIGHT, UPRIGHT), WIDTH, HEIGHT, 90));
        let mut child = Command::new(PROGRAM);
        let status = child
            .arg("prepare-document:jpeg:9999")
            .stdin(file(&photo))
            .stdout(output)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(75), "{path}");
    }
}

#[test]
fn without_a_task_the_program_says_how_it_is_used() {
    let run = |arguments: &[&str]| {
        Command::new(PROGRAM)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    for arguments in [&[][..], &["help"]] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(64));
        assert!(
            String::from_utf8(output.stderr)
                .unwrap()
                .starts_with("Usage: prepare-document ")
        );
    }
    for task in [
        "", "jpeg", "jpeg:", "jpeg:x", "jpeg:-1", "gif:1", "jpeg:1:1",
    ] {
        let output = run(&[&format!("prepare-document:{task}")]);
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(64), 0),
            "{task}"
        );
    }
}
