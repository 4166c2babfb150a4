//! `cargo xtask bench`: whether the budgets are kept, measured beside the same flow in Python and
//! Node.js.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::{Bench, Measurement, Programs, Report, Setting};
use harness::Interruption;
use local_stack::{Toolchain, workspace};
use tokio::process::Command;

use rehearsal::process::{run_to_end, search_path};
use rehearsal::release;

/// Measure the functions against their budgets
///
/// Builds the release programs, installs the peers below .local, and measures all of them on the
/// emulator, by turns. A complete run writes docs/BENCHMARKS.md, which says what is measured and
/// how. Measurements: size, start, first, callback, copying, answer, submission, preparation,
/// sessions, stack, burst, growth. An interrupted run leaves what it has measured, and names the
/// rest. With --only or --without-build nothing is written. `cargo xtask test` runs a short form
/// (size and start), which writes nothing either. A busy machine shows in the times; processor
/// time and memory are steadier.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Run one measurement only; may be repeated. Writes no file
    #[arg(long, value_name = "NAME")]
    only: Vec<Measurement>,

    /// Leave one measurement out; may be repeated. The file that is written names it
    #[arg(long, value_name = "NAME", conflicts_with = "only")]
    leave_out: Vec<Measurement>,

    /// Print the results as JSON instead of a table
    #[arg(long)]
    json: bool,

    /// Fail if a budget is missed
    #[arg(long)]
    check: bool,

    /// Measure the release programs as they are, without building them anew. Writes no file
    #[arg(long)]
    without_build: bool,
}

/// Runs the command to its end.
///
/// # Errors
/// The build fails, the stack does not start, or the document cannot be written. A measurement that
/// fails is in the report and in the exit status.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    tokio::select! {
        outcome = measure(&arguments) => outcome,
        code = interruption.wait() => {
            // What was started is being ended; its guards need a moment.
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(code)
        }
    }
}

/// The shortest form, so that the command cannot break unseen. Measures the release programs as
/// they are.
///
/// # Errors
/// As for [`run`], and a measurement fails.
pub async fn short(toolchain: &Toolchain) -> Result<()> {
    build_baseline(toolchain).await?;
    let bench = Bench::start(programs()?, progress).await?;
    let report = bench
        .measure(&[Measurement::Size, Measurement::Start])
        .await;
    bench.end().await;
    progress(&report.table());
    ensure!(report.failed.is_empty(), "a measurement failed");
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<ExitCode> {
    let toolchain = Toolchain::prepare(progress).await?;
    if !arguments.without_build {
        progress("building the release programs, some ten minutes the first time");
        release::build(&toolchain).await?;
        build_baseline(&toolchain).await?;
    }
    let setting = Setting::find().await;
    let began = Instant::now();
    let bench = Bench::start(programs()?, progress).await?;
    let measurements: Vec<Measurement> = if arguments.only.is_empty() {
        let wanted = |one: &Measurement| !arguments.leave_out.contains(one);
        Measurement::ALL.into_iter().filter(wanted).collect()
    } else {
        arguments.only.clone()
    };
    let writes = arguments.only.is_empty() && !arguments.without_build;
    let mut report = Report::default();
    for (index, measurement) in measurements.iter().enumerate() {
        let measured = bench.measure(&[*measurement]).await;
        report.lines.extend(measured.lines);
        report.failed.extend(measured.failed);
        report.left_out = measured.left_out;
        let left_out = arguments.leave_out.iter();
        let left_out = left_out.map(|one| format!("{} (--leave-out)", one.name()));
        report.left_out.extend(left_out);
        if writes {
            // After each: a run that is interrupted leaves what it has measured.
            let mut so_far = report.clone();
            let missing = measurements.iter().skip(index + 1);
            let missing = missing.map(|one| format!("{} (the run was interrupted)", one.name()));
            so_far.left_out.extend(missing);
            write(&setting.document(&so_far))?;
        }
    }
    bench.end().await;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{}", report.table());
    }
    progress(&format!(
        "measured in {:.0} s",
        began.elapsed().as_secs_f64()
    ));
    let is_failure = !report.failed.is_empty() || (arguments.check && !report.all_met());
    Ok(if is_failure {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn write(document: &str) -> Result<()> {
    let path = workspace::root().join("docs").join("BENCHMARKS.md");
    std::fs::write(&path, document).with_context(|| format!("cannot write {}", path.display()))
}

/// What the functions are compared with is built with the same compiler, linker and profile as they
/// are.
async fn build_baseline(toolchain: &Toolchain) -> Result<()> {
    let mut build = Command::new(toolchain.sam_directory().join("cargo-lambda"));
    build.args(["lambda", "build", "--release", "--package", "baseline"]);
    build
        .args(["--target", RELEASE_TARGET])
        .arg("--lambda-dir")
        .arg(baseline_directory());
    build.env("PATH", search_path(&[toolchain.sam_directory()])?);
    run_to_end(&mut build).await
}

/// The target that `sam build` builds for by default, see `Architecture` in `template.yaml`.
const RELEASE_TARGET: &str = "x86_64-unknown-linux-gnu";

fn baseline_directory() -> PathBuf {
    workspace::root().join("target").join("baseline")
}

fn programs() -> Result<Programs> {
    let mut functions = BTreeMap::new();
    let directory = release::directory();
    for entry in std::fs::read_dir(&directory)
        .with_context(|| format!("cannot read {}", directory.display()))?
    {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        if path.join("bootstrap").is_file() {
            functions.insert(name, path.join("bootstrap"));
        }
    }
    Ok(Programs {
        functions,
        does_nothing: existing(&baseline_directory().join("does-nothing"))?,
        plain_copy: existing(&baseline_directory().join("plain-copy"))?,
    })
}

fn existing(directory: &Path) -> Result<PathBuf> {
    let program = directory.join("bootstrap");
    ensure!(program.is_file(), "there is no {}", program.display());
    Ok(program)
}

fn progress(line: &str) {
    eprintln!("[bench] {line}");
}
