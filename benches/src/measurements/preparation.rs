//! What preparing one large photo needs: the process in which the processor decodes a picture and
//! makes a smaller one. It reports its own memory and processor time.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::bench::Bench;
use crate::pictures::plain_jpeg;
use crate::report::Line;

pub const NAME: &str = "preparation";

/// 49.9 million pixels: as many as are decoded.
const WIDTH: u16 = 8160;
const HEIGHT: u16 = 6120;

/// Of memory, in megabytes of a million bytes.
const MOST_MEMORY: f64 = 160.0;

/// The child's report: the last bytes of what it prints.
const REPORT_BYTES: usize = 512;

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let photo = tokio::task::spawn_blocking(|| plain_jpeg(WIDTH, HEIGHT)).await??;
    let limit = photo.len() / 2;
    let original = tempfile::NamedTempFile::new()?;
    std::fs::write(original.path(), &photo)?;
    let result = tempfile::NamedTempFile::new()?;
    let program = bench.programs.functions.get("ProcessorFunction");
    let mut command = Command::new(program.context("there is no processor")?);
    command
        .arg(format!("prepare-document:jpeg:{limit}"))
        .env_clear()
        .stdin(original.reopen()?)
        .stdout(result.reopen()?)
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    let status = command.status().await?;
    ensure!(status.success(), "the photo was not prepared ({status})");
    let printed = std::fs::read(result.path())?;
    let report = printed.len().checked_sub(REPORT_BYTES);
    let report = report.and_then(|start| printed.get(start..));
    let report: Value = serde_json::from_slice(report.context("there is no report")?)?;
    ensure!(
        report.pointer("/outcome/Derived").is_some(),
        "the photo was not made smaller: {report}"
    );
    let usage = |name: &str| {
        let usage = report.pointer(&format!("/usage/{name}"));
        usage
            .and_then(Value::as_f64)
            .context("a report without usage")
    };
    let megabytes = usage("peak_kilobytes")? * 1024.0 / 1e6;
    let cpu = usage("cpu_milliseconds")?;
    let memory = "peak memory of preparing a photo of 50 megapixels";
    Ok(vec![
        Line::alone(NAME, memory, "MB", megabytes).bound(MOST_MEMORY),
        Line::alone(NAME, "CPU of preparing it", "ms", cpu),
    ])
}
