//! A program under measurement: started as Lambda starts it, asked as Lambda asks it, watched from
//! outside.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use local_stack::Python;
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::process::{Child, Command};

use crate::processor_time::ProcessorClock;
use crate::runtime_api::RuntimeApi;

/// What to start.
#[derive(Clone, Debug)]
pub struct Program {
    /// For messages.
    pub name: String,
    pub executable: PathBuf,
    pub arguments: Vec<OsString>,
    /// Everything that it finds in its environment, apart from what Lambda sets for every function.
    pub variables: BTreeMap<String, String>,
    pub directory: PathBuf,
}

/// What starting cost, from before the process exists until it polls for its first event.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub took: Duration,
    pub cpu: Duration,
}

/// What one event cost, until the program and its extension polled for the next.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub answer: Value,
    /// Until the answer. Work may follow it.
    pub answered: Duration,
    pub took: Duration,
    pub cpu: Duration,
}

/// A started program that waits for events. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    name: String,
    runtime_api: RuntimeApi,
    process: Child,
    process_id: u32,
    clock: ProcessorClock,
    log: NamedTempFile,
    start: Start,
}

impl Program {
    /// The same program with other variables.
    pub fn with<'a>(mut self, variables: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        self.variables.extend(
            variables
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        self
    }

    /// Starts it and waits until it polls for its first event.
    ///
    /// # Errors
    /// It does not start, or ends, or does not poll within a minute; with the end of what it
    /// printed.
    pub async fn start(&self) -> Result<Running> {
        let mut runtime_api = RuntimeApi::start().await?;
        let mut clock = ProcessorClock::start(&Python::find()?).await?;
        let log = NamedTempFile::new()?;
        let mut command = Command::new(&self.executable);
        command
            .args(&self.arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(&self.variables)
            .envs(LAMBDA)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address())
            .stdin(Stdio::null())
            .stdout(log.reopen()?)
            .stderr(log.reopen()?)
            .kill_on_drop(true);
        let began = Instant::now();
        let process = command
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let process_id = process.id().context("the process has no id")?;
        let polled = runtime_api.poll().await;
        let polled = polled.with_context(|| printed(&self.name, &log))?;
        let start = Start {
            took: polled.duration_since(began),
            cpu: used(&mut clock, process_id).await?,
        };
        Ok(Running {
            name: self.name.clone(),
            runtime_api,
            process,
            process_id,
            clock,
            log,
            start,
        })
    }
}

/// What Lambda sets for every function. (Source: "Defined runtime environment variables".)
const LAMBDA: [(&str, &str); 12] = [
    ("AWS_ACCESS_KEY_ID", "test"),
    ("AWS_SECRET_ACCESS_KEY", "test"),
    ("AWS_SESSION_TOKEN", "test"),
    ("AWS_REGION", local_stack::REGION),
    ("AWS_DEFAULT_REGION", local_stack::REGION),
    ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "measured"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "measured"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("LANG", "C.UTF-8"),
];

impl Running {
    pub fn start(&self) -> Start {
        self.start
    }

    /// Hands it one event and waits until it has answered and has nothing left to do.
    ///
    /// # Errors
    /// It fails, ends, or takes longer than a minute; with the end of what it printed.
    pub async fn invoke(&mut self, event: &Value) -> Result<Invocation> {
        let before = used(&mut self.clock, self.process_id).await?;
        let began = Instant::now();
        let answered = self.runtime_api.invoke(event).await;
        let answered = answered.with_context(|| self.printed())?;
        let polled = self.runtime_api.poll().await?;
        let after = used(&mut self.clock, self.process_id).await?;
        Ok(Invocation {
            answer: answered.answer,
            answered: answered.at.duration_since(began),
            // A program may poll before its answer has been read here.
            took: polled.max(answered.at).duration_since(began),
            cpu: after.saturating_sub(before),
        })
    }

    /// The end of what it has printed, with its name.
    pub fn printed(&self) -> String {
        printed(&self.name, &self.log)
    }

    /// The most memory that was resident at once, in bytes (`VmHWM`, proc(5)): the program's own
    /// pages, its libraries' and the heap's.
    ///
    /// # Errors
    /// The process has ended.
    pub fn peak_memory(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    /// What is resident now, in bytes (`VmRSS`).
    ///
    /// # Errors
    /// The process has ended.
    pub fn memory(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process_id))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes =
            line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Ok(kilobytes.with_context(|| format!("{} has no {name}", self.name))? * 1024)
    }

    /// Ends it and waits until it has ended.
    ///
    /// # Errors
    /// The operating system refuses.
    pub async fn stop(mut self) -> Result<()> {
        self.process
            .kill()
            .await
            .with_context(|| format!("cannot end {}", self.name))
    }
}

/// The processor time of the process and of the children that it has waited for. That of children
/// is counted in hundredths of a second (proc(5), `cutime` and `cstime`).
async fn used(clock: &mut ProcessorClock, process_id: u32) -> Result<Duration> {
    let own = clock.read(process_id).await?;
    let stat = std::fs::read_to_string(format!("/proc/{process_id}/stat"))?;
    // The name before it may contain anything.
    let (_, fields) = stat.rsplit_once(')').context("a process has a name")?;
    let children = fields.split_whitespace().skip(13).take(2);
    let hundredths: u64 = children.filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(own + Duration::from_millis(10 * hundredths))
}

fn printed(name: &str, log: &NamedTempFile) -> String {
    let text = std::fs::read(log.path()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.get(lines.len().saturating_sub(20)..);
    format!("{name} printed\n{}", last.unwrap_or_default().join("\n"))
}
