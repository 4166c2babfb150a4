//! The processor time of another process, to the nanosecond, with all of its threads, also those
//! that have ended.
//!
//! The kernel has a clock of it for every process (clock_getcpuclockid(3)), which Rust's standard
//! library does not read and Python's does. So a small Python process, started before whoever is
//! measured, reads it whenever it is asked. What `/proc` tells would not do: hundredths of a second
//! for a process, and nanoseconds for living threads only, where the kernel was built with that at
//! all.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use local_stack::Python;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Answers each process id with nanoseconds. The number of the clock follows from the id, as glibc
/// computes it for Linux.
const SCRIPT: &str = "\
import sys, time
for line in sys.stdin:
    print(time.clock_gettime_ns((~int(line) << 3) | 2), flush=True)
";

/// Longer than an answer ever takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// Reads processor times. Dropping it ends its process.
#[derive(Debug)]
pub struct ProcessorClock {
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl ProcessorClock {
    /// Starts the process that reads, and waits until it does.
    ///
    /// # Errors
    /// There is no suitable Python.
    pub async fn start(python: &Python) -> Result<Self> {
        let mut process = Command::new(python.path())
            .args(["-I", "-S", "-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut clock = Self {
            questions: process.stdin.take().context("the clock has no input")?,
            answers: BufReader::new(process.stdout.take().context("the clock has no output")?)
                .lines(),
            _process: process,
        };
        clock.read(std::process::id()).await?;
        Ok(clock)
    }

    /// What the process has used since it began.
    ///
    /// # Errors
    /// There is no such process.
    pub async fn read(&mut self, process_id: u32) -> Result<Duration> {
        let asked = async {
            self.questions
                .write_all(format!("{process_id}\n").as_bytes())
                .await?;
            self.answers.next_line().await
        };
        let answer = tokio::time::timeout(DEADLINE, asked)
            .await
            .context("the clock does not answer")??;
        let answer = answer.with_context(|| format!("there is no process {process_id}"))?;
        Ok(Duration::from_nanos(answer.parse()?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn busy(duration: Duration) {
        let began = Instant::now();
        while began.elapsed() < duration {
            std::hint::spin_loop();
        }
    }

    #[tokio::test]
    async fn the_time_of_a_thread_that_has_ended_counts() {
        let mut clock = ProcessorClock::start(&Python::find().unwrap())
            .await
            .unwrap();
        let before = clock.read(std::process::id()).await.unwrap();
        std::thread::spawn(|| busy(Duration::from_millis(200)))
            .join()
            .unwrap();
        let used = clock.read(std::process::id()).await.unwrap() - before;
        // On a busy machine the thread is off the processor for much of the time that it was asked
        // to be busy.
        assert!(used >= Duration::from_millis(10), "{used:?}");
    }

    #[tokio::test]
    async fn a_process_that_is_gone_has_no_time() {
        let mut clock = ProcessorClock::start(&Python::find().unwrap())
            .await
            .unwrap();
        assert!(clock.read(u32::MAX / 16).await.is_err());
    }
}
