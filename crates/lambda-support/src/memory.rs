//! How much memory the process has used at most, for the log line of each unit of work.

/// The peak of the resident set in kilobytes, since the process started (`VmHWM` of
/// `/proc/self/status`, see proc(5)). `None` where there is no such file.
pub fn peak_memory_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_peak_is_there_and_plausible() {
        let peak = super::peak_memory_kilobytes().unwrap();
        assert!((100..100_000_000).contains(&peak), "{peak} kB");
    }
}
