//! Time and memory of what is tested.

use std::fs::{read_to_string, write};

use rustix::time::{ClockId, clock_gettime};

/// Time of the processor that this thread has had, in milliseconds.
pub(crate) fn milliseconds() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

/// Does the work, which may take a second, and 20 µs for each byte of its input.
///
/// That is a hundred times of what optimised code takes, so it fails for what grows faster than the
/// input does.
pub(crate) fn in_linear_time<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let began = milliseconds();
    let done = work();
    let took = milliseconds() - began;
    let allowed = 1_000 + i64::try_from(bytes).unwrap() / 50;
    assert!(took <= allowed, "{bytes} bytes took {took} ms");
    done
}

/// Does the work, and tells by how many kB it made the process larger at its largest.
///
/// Other threads count as well.
pub(crate) fn peak_kilobytes<T>(work: impl FnOnce() -> T) -> (T, u64) {
    // Sets the peak to what is there now. (Source: Linux, Documentation/filesystems/proc.rst, 3.2.)
    write("/proc/self/clear_refs", "5").unwrap();
    let before = status_kilobytes("VmRSS:");
    let done = work();
    let peak = status_kilobytes("VmHWM:");
    (done, peak.saturating_sub(before))
}

fn status_kilobytes(name: &str) -> u64 {
    let status = read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.unwrap().parse().unwrap()
}
