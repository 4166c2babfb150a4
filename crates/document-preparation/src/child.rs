//! The process in which a picture is decoded: this program, started again.
//!
//! It has one argument and no environment.
//! Its standard input is the original, its standard output an empty file.

use std::fs::File;
use std::io::{Error, ErrorKind, Result, Seek};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use rustix::time::{ClockId, clock_gettime};

use crate::limits::{confine, peak_kilobytes};
use crate::output::Output;
use crate::preparation::{Failure, Format, Refusal, prepare};
use crate::report::{Outcome, REPORT_BYTES, Report, Usage};

/// Starts the argument that says what the process is for.
const PURPOSE: &str = "prepare-document:";

/// The child's exit code if it could not be confined, or could not read or write its files
/// (`EX_TEMPFAIL`).
pub(crate) const UNAVAILABLE: u8 = 75;

/// The child's exit code when the argument is wrong (`EX_USAGE`).
const MISUSED: u8 = 64;

const FORMATS: [(Format, &str); 5] = [
    (Format::Jpeg, "jpeg"),
    (Format::Png, "png"),
    (Format::Webp, "webp"),
    (Format::Heic, "heic"),
    (Format::Pdf, "pdf"),
];

/// The argument for a child: the file's format, and the JPEG's size limit in bytes.
pub(crate) fn argument(format: Format, limit_bytes: u64) -> String {
    let name = FORMATS
        .iter()
        .find(|(known, _)| *known == format)
        .map_or("", |(_, name)| name);
    format!("{PURPOSE}{name}:{limit_bytes}")
}

fn parse(task: &str) -> Option<(Format, u64)> {
    let (name, limit) = task.split_once(':')?;
    let (format, _) = FORMATS.into_iter().find(|(_, known)| *known == name)?;
    Some((format, limit.parse().ok()?))
}

/// Prepares one document and returns the exit code, if this process was started for that.
///
/// Call it first in `main`, before a runtime or a thread exists: it drops all rights of the
/// process.
pub fn run_if_asked() -> Option<ExitCode> {
    let argument = std::env::args_os().nth(1)?;
    let task = argument.to_str()?.strip_prefix(PURPOSE)?;
    let Some((format, limit)) = parse(task) else {
        return Some(ExitCode::from(MISUSED));
    };
    Some(run(format, limit).map_or(ExitCode::from(UNAVAILABLE), |()| ExitCode::SUCCESS))
}

fn run(format: Format, limit: u64) -> Result<()> {
    // The last files that are opened.
    let mut input = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    let mut status = File::open("/proc/self/status")?;
    confine(&mut status, limit.saturating_add(REPORT_BYTES))?;

    match input.rewind() {
        // A pipe has no start to return to. It fails later: no picture can be read from it.
        Err(error) if error.kind() == ErrorKind::NotSeekable => {}
        other => other?,
    }
    let mut output = Output::new(output, limit);
    output.restart()?;
    // Libraries work only on what they were given, so a panic leaves no half-done state in use.
    let prepared = catch_unwind(AssertUnwindSafe(|| {
        prepare(format, &input, limit, &mut output)
    }));
    let outcome = match prepared.unwrap_or(Err(Failure::Refused(Refusal::Unreadable))) {
        Ok(Some(facts)) => Outcome::Derived(facts),
        Ok(None) => Outcome::Nothing,
        Err(Failure::Refused(refusal)) => Outcome::Refused(refusal),
        Err(Failure::Io(error)) => return Err(error),
    };
    if !matches!(outcome, Outcome::Derived(_)) {
        output.restart()?;
    }
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let milliseconds = time
        .tv_sec
        .saturating_mul(1_000)
        .saturating_add(time.tv_nsec / 1_000_000);
    let usage = Usage {
        cpu_milliseconds: u64::try_from(milliseconds).map_err(Error::other)?,
        peak_kilobytes: peak_kilobytes(&mut status)?,
    };
    output.write_report(&Report { outcome, usage }.to_line()?)
}
