//! `cargo xtask demo`: sets everything up and plays the whole flow with real files for two
//! customers. Shows what happened in the bucket, the table, the queues, the functions' logs and the
//! provider's journals.
//!
//! The exit status is 0 only if both customers settle and every check holds. Everything that the
//! program started ends with it, however it ends.

mod customer;
mod flow;
mod logs;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::documents::CustomerFiles;
use harness::{Description, Interruption, Look, Stack, describe};
use local_stack::{Functions, LocalStack, Options};
use verification::identifiers::ScanRef;

use crate::application;
use crate::demo::flow::{Customer, DemoRun, Upload};
use crate::demo::logs::FUNCTIONS;
use crate::demo::report::{Report, bytes, megabytes};

/// Set everything up, play the whole flow with real files, and show what happened
///
/// Starts the AWS emulator, deploys template.yaml into it, and starts the iDenfy sandbox. Then two
/// customers upload their second documents, two photos of 7 MB and a PDF, and every step is
/// checked. The exit status is 0 only if both settle.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Leave everything running until interrupted, to look around
    #[arg(long)]
    keep: bool,

    /// Take the functions' programs from this directory instead of building them
    #[arg(long, value_name = "DIRECTORY", env = "LOCAL_STACK_PREBUILT")]
    prebuilt: Option<PathBuf>,

    /// Without colours and bold text
    #[arg(long, env = "NO_COLOR", hide = true, num_args = 0..=1, default_missing_value = "1")]
    no_color: Option<String>,
}

/// Bound of a function's memory while it moves two files of 7 MB each.
const MEMORY_BOUND: u64 = 32_000_000;

/// Lines of a function's log that are shown after a failure.
const SHOWN_LOG_LINES: usize = 20;

/// Wait for a function's log; lines appear some moments after they were written.
const LOG_PATIENCE: Duration = Duration::from_secs(30);

/// Time for the guards of a start that was given up. They need milliseconds, and do not depend on
/// this program.
const DROPPED_PROCESSES_GRACE: Duration = Duration::from_millis(500);

/// Runs the command to its end.
///
/// # Errors
/// The stack cannot be started. Later failures are reported where they happen, and by the exit
/// status.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    let report = *REPORT.get_or_init(|| Report::begin(arguments.no_color.as_deref()));
    report.line(
        "The whole dual verification on this machine: the functions and template.yaml of this \
         checkout, real files, an",
    );
    report.line(
        "AWS emulator and a stand-in for iDenfy. What follows was read back from where it says, \
         and checked.",
    );

    report.heading("Setting up");
    let functions = arguments
        .prebuilt
        .map_or(Functions::Build, Functions::Prebuilt);
    let mut stack = tokio::select! {
        started = start(functions) => started?,
        code = interruption.wait() => {
            // The future is dropped by now, and with it what had been started.
            tokio::time::sleep(DROPPED_PROCESSES_GRACE).await;
            return Ok(code);
        }
    };
    report.step("ready");
    report.detail("emulator", stack.endpoint_url());
    report.detail("webhook", stack.output("WebhookUrl")?);
    report.detail("API", stack.output("ApiUrl")?);
    report.detail("provider", stack.sandbox_url().unwrap_or("none"));

    let demonstration = Demonstration::prepare(report, &stack)?;
    let outcome = tokio::select! {
        played = demonstration.play() => played,
        failed = stack.failed() => failed.map(|never| match never {}),
        code = interruption.wait() => {
            stack.stop().await;
            return Ok(code);
        }
    };
    let code = match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            demonstration
                .failed(&error, &stack.emulator_log_tail())
                .await;
            ExitCode::FAILURE
        }
    };
    if arguments.keep {
        keep(report, &mut stack, &mut interruption).await?;
    }
    stack.stop().await;
    Ok(code)
}

/// The report of this process. The set-up tells its steps to a plain function.
static REPORT: OnceLock<Report> = OnceLock::new();

fn progress(line: &str) {
    if let Some(report) = REPORT.get() {
        report.step(line);
    }
}

async fn start(functions: Functions) -> Result<LocalStack> {
    LocalStack::start(Options {
        functions,
        progress,
        ..Options::default()
    })
    .await
}

/// The customers' stack, and where it is reported.
struct Demonstration {
    report: Report,
    stack: Stack,
}

impl Demonstration {
    fn prepare(report: Report, stack: &LocalStack) -> Result<Self> {
        let stack = Stack::connect(Description::of(stack)?)?;
        Ok(Self { report, stack })
    }

    async fn play(&self) -> Result<()> {
        let report = self.report;
        report.heading("The customers' files");
        let files = tokio::task::spawn_blocking(CustomerFiles::make).await??;
        report.step("made for this demo, of nobody, the same every time; any viewer opens them");
        for file in files.all() {
            report.detail("file", file.place());
            report.detail(
                "",
                format_args!("{}, {}", bytes(file.bytes.len() as u64), file.media_type),
            );
            report.detail("SHA-256", &file.sha256);
        }

        report.heading("The application");
        let run = DemoRun {
            report,
            stack: &self.stack,
            listener: self.stack.listen_to(application::PATTERN).await?,
        };
        report.step("listens on the bus: a rule, and a queue behind it");
        report.detail("rule", application::PATTERN);

        report.heading("Customer 1: a second document of two photos");
        let largest = run.play(&two_photos(&files)).await?;
        report.heading("Customer 2: a second document as a PDF");
        run.play(&one_pdf(&files)).await?;

        report.heading("Memory, with two files of 7 MB moved at once");
        let peaks = self.peaks(&largest).await?;
        report.heading(format_args!(
            "Both customers settled, Approved. {:.1} s in all, set-up included; memory at most {}.",
            report.elapsed().as_secs_f64(),
            peaks.join(", ")
        ));
        report.line(
            "Next: `cargo xtask demo --keep` leaves it running, `cargo xtask up` starts it empty, \
             README.md tells the rest.",
        );
        Ok(())
    }

    /// Shows the functions' peak memory with two large files moved, and checks it against the
    /// bound.
    async fn peaks(&self, largest: &ScanRef) -> Result<Vec<String>> {
        let mut peaks = Vec::new();
        for function in FUNCTIONS {
            let lines = harness::wait_for(
                LOG_PATIENCE,
                format!("the {}'s log of {largest}", function.name),
                async || {
                    let lines = function.lines(&self.stack).await?;
                    Ok(if function.has_worked_on(&lines, largest) {
                        Look::Found(lines)
                    } else {
                        Look::NotYet(format!("{} lines about other things", lines.len()))
                    })
                },
            )
            .await?;
            let peak = function.peak_memory(&lines);
            let peak = peak.with_context(|| {
                format!(
                    "{}: expected its peak memory in its log, saw none",
                    function.name
                )
            })?;
            let text = format!("{} in the {}", megabytes(peak), function.name);
            self.report.step(format_args!(
                "at most {text}; the bound is {}",
                megabytes(MEMORY_BOUND)
            ));
            self.report.detail("from its log", function.log_group());
            ensure!(
                peak <= MEMORY_BOUND,
                "peak memory of the {}: expected at most {}, saw {}",
                function.name,
                megabytes(MEMORY_BOUND),
                megabytes(peak)
            );
            peaks.push(text);
        }
        Ok(peaks)
    }

    /// Shows why, and what the functions and the emulator logged last.
    async fn failed(&self, error: &anyhow::Error, emulator_log: &str) {
        let report = self.report;
        report.heading("FAILED");
        report.step(format_args!("{error:#}"));
        for function in FUNCTIONS {
            report.heading(format_args!(
                "The end of the {}'s log, CloudWatch Logs group {}",
                function.name,
                function.log_group()
            ));
            match function.lines(&self.stack).await {
                Ok(lines) if lines.is_empty() => report.line("nothing was logged"),
                Ok(lines) => {
                    let skipped = lines.len().saturating_sub(SHOWN_LOG_LINES);
                    lines
                        .iter()
                        .skip(skipped)
                        .for_each(|line| report.line(line));
                }
                Err(error) => report.line(format_args!("{error:#}")),
            }
        }
        report.heading("The end of the emulator's log");
        report.line(emulator_log);
    }
}

fn two_photos(files: &CustomerFiles) -> Customer {
    Customer {
        client_id: "demo-customer-1",
        uploads: vec![
            Upload {
                step: "SECOND_DOC_FRONT",
                side: "FRONT",
                file: files.front.clone(),
            },
            Upload {
                step: "SECOND_DOC_BACK",
                side: "BACK",
                file: files.back.clone(),
            },
        ],
        announced_early: true,
    }
}

fn one_pdf(files: &CustomerFiles) -> Customer {
    Customer {
        client_id: "demo-customer-2",
        uploads: vec![Upload {
            step: "SECOND_DOC",
            side: "FRONT",
            file: files.scan.clone(),
        }],
        announced_early: false,
    }
}

/// Stays until interrupted, or until the emulator ends by itself.
async fn keep(
    report: Report,
    stack: &mut LocalStack,
    interruption: &mut Interruption,
) -> Result<()> {
    report.heading("Left running; Ctrl-C ends it");
    if let serde_json::Value::Object(addresses) = describe(stack) {
        for (name, value) in &addresses {
            report.line(format_args!(
                "  {name:<30}{}",
                value.as_str().unwrap_or("none")
            ));
        }
    }
    tokio::select! {
        failed = stack.failed() => failed.map(|never| match never {}),
        _ = interruption.wait() => Ok(()),
    }
}
