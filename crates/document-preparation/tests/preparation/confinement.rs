//! A child's rights, seen from outside while it waits for its first byte.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use document_preparation::{Format, PrepareError, Refusal, Workbench};
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinHandle;

use crate::support::{MEGABYTE, PROGRAM, runtime};

const DEADLINE: Duration = Duration::from_secs(20);

/// A child that waits for bytes that do not come.
struct Waiting {
    pid: u32,
    prepared: JoinHandle<Result<Option<document_preparation::Derived>, PrepareError>>,
    _writer: std::io::PipeWriter,
}

/// The limit in bytes tells the children of one process's tests apart.
async fn waiting(limit_bytes: u64) -> Waiting {
    let (reader, writer) = std::io::pipe().unwrap();
    let prepared = tokio::spawn(async move {
        let workbench = Workbench::new(PathBuf::from(PROGRAM));
        workbench
            .prepare(Format::Jpeg, File::from(OwnedFd::from(reader)), limit_bytes)
            .await
    });
    let is_confined = |&pid: &u32| limit(pid, "Max processes").as_deref() == Some("0");
    let pid = eventually(|| child(limit_bytes).filter(is_confined)).await;
    Waiting {
        pid,
        prepared,
        _writer: writer,
    }
}

async fn eventually<T>(mut seen: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = seen() {
            return seen;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "it is not so after {DEADLINE:?}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn command(limit_bytes: u64) -> Vec<u8> {
    format!("{PROGRAM}\0prepare-document:jpeg:{limit_bytes}\0").into_bytes()
}

fn child(limit_bytes: u64) -> Option<u32> {
    let processes = std::fs::read_dir("/proc").unwrap();
    let mut pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.find(|pid: &u32| {
        let seen = std::fs::read(format!("/proc/{pid}/cmdline"));
        seen.is_ok_and(|seen| seen == command(limit_bytes))
    })
}

/// The hard limit, which the soft one equals.
fn limit(pid: u32, name: &str) -> Option<String> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix(name))?
        .to_owned();
    let mut numbers = line.split_whitespace();
    let (soft, hard) = (numbers.next()?, numbers.next()?);
    assert_eq!(soft, hard, "{name}");
    Some(hard.to_owned())
}

fn status(pid: u32, name: &str) -> Option<String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))?
            .trim()
            .to_owned(),
    )
}

#[test]
fn a_child_has_no_rights_before_its_first_byte() {
    runtime().block_on(async {
        let Waiting { pid, prepared, .. } = &waiting(MEGABYTE).await;
        let number = |name: &str| limit(*pid, name).unwrap().parse::<u64>().unwrap();
        // Nothing can be opened, and no process or thread started.
        assert_eq!(number("Max open files"), 0);
        assert_eq!(number("Max processes"), 0);
        assert_eq!(number("Max core file size"), 0);
        assert_eq!(number("Max cpu time"), 30);
        assert_eq!(number("Max file size"), MEGABYTE + 512);
        assert!(
            number("Max address space") <= 160_000_000,
            "{}",
            number("Max address space")
        );
        assert_eq!(status(*pid, "NoNewPrivs:").unwrap(), "1");
        assert_eq!(status(*pid, "Threads:").unwrap(), "1");

        // Only root may look at a process that is not dumpable.
        match std::fs::read(format!("/proc/{pid}/environ")) {
            Ok(environment) => assert_eq!(environment, b""),
            Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied),
        }
        // Open are the two files, a device, the source of its memory figures, and what this process
        // leaks.
        if let Ok(entries) = std::fs::read_dir(format!("/proc/{pid}/fd")) {
            let open: Vec<String> = entries
                .map(|entry| open_file(&entry.unwrap().path()))
                .collect();
            let allowed = ["pipe:", "/dev/null", "deleted", "/status"];
            let is_known = |name: &String| allowed.iter().any(|allowed| name.contains(allowed));
            assert!(open.iter().all(is_known), "{open:?}");
        }
        let seen = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert_eq!(seen, command(MEGABYTE));
        prepared.abort();
    });
}

fn open_file(path: &std::path::Path) -> String {
    std::fs::read_link(path).unwrap().display().to_string()
}

#[test]
fn a_child_is_killed_when_the_future_is_dropped() {
    runtime().block_on(async {
        let Waiting {
            pid,
            prepared,
            _writer,
        } = waiting(MEGABYTE + 1).await;
        prepared.abort();
        assert!(prepared.await.unwrap_err().is_cancelled());
        let is_gone = || {
            status(pid, "State:")
                .is_none_or(|state| state.starts_with('Z'))
                .then_some(())
        };
        eventually(is_gone).await;
    });
}

#[test]
fn a_child_that_is_killed_makes_a_file_unreadable() {
    runtime().block_on(async {
        for (limit, signal) in (2..).zip([Signal::KILL, Signal::XCPU, Signal::ABORT]) {
            let Waiting {
                pid,
                prepared,
                _writer,
            } = waiting(MEGABYTE + limit).await;
            kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
            let made = prepared.await.unwrap();
            assert!(
                matches!(made, Err(PrepareError::Refused(Refusal::Unreadable, None))),
                "{made:?}"
            );
        }
    });
}
