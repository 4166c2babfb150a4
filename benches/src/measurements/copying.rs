//! The webhook copying two files of 10 MB: how much memory it needs, and how fast it is beside a
//! plain copy of the same bytes.
//!
//! How fast the copying alone is follows from callbacks that differ in nothing but the size of
//! their files: what is beyond the time of two small files is the time of 20 MB. The same is done
//! with the plain copy.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::bench::{Bench, deliver, new_scan_ref};
use crate::file_server::FileServer;
use crate::peers::Role;
use crate::pictures::jpeg;
use crate::program::Program;
use crate::report::{Figures, Line, Who};
use crate::statistics::Sample;

pub const NAME: &str = "copying";

const ROUNDS: usize = 5;

const FILE_BYTES: usize = 10_000_000;

/// In megabytes of a million bytes.
const COPIED: f64 = 2.0 * FILE_BYTES as f64 / 1e6;
const MOST_MEMORY: f64 = 14.0;

/// Of the plain copy's throughput.
const LEAST_SHARE: f64 = 0.95;

const STEPS: [&str; 2] = ["SECOND_DOC_FRONT", "SECOND_DOC_BACK"];

/// One callback with files, in a process of its own.
struct Copied {
    took: Duration,
    cpu: Duration,
    peak_memory: u64,
}

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let table = bench.world.table(NAME).await?;
    let large = jpeg(2400, 1800, FILE_BYTES)?;
    let small = jpeg(64, 48, 20_000)?;
    let files = FileServer::start(
        [
            ("large.jpg".to_owned(), large.clone()),
            ("small.jpg".to_owned(), small.clone()),
        ]
        .into(),
    )
    .await?;
    let contestants = bench.contestants(Role::Webhook, &table, &files.origin)?;
    let mut memory: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
    let mut seconds: BTreeMap<Who, [Vec<f64>; 2]> = BTreeMap::new();
    let mut cpu: BTreeMap<Who, [Vec<f64>; 2]> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (size, (name, file)) in [("small.jpg", &small), ("large.jpg", &large)]
            .into_iter()
            .enumerate()
        {
            let link = files.link(name);
            let took = plain_copy(bench, &link).await?;
            push(&mut seconds, Who::Floor, size, took.as_secs_f64());
            for (who, program) in &contestants {
                let copied = copy(bench, program, &link, file).await?;
                push(&mut seconds, *who, size, copied.took.as_secs_f64());
                push(&mut cpu, *who, size, copied.cpu.as_secs_f64());
                if name == "large.jpg" {
                    memory
                        .entry(*who)
                        .or_default()
                        .push(copied.peak_memory as f64 / 1e6);
                }
            }
        }
    }
    let memory: Figures = memory
        .into_iter()
        .map(|(who, peaks)| (who, Sample::of(peaks).percentile(100)))
        .collect();
    let throughput: Figures = beyond(&seconds)
        .into_iter()
        .map(|(who, seconds)| (who, COPIED / seconds))
        .collect();
    let cpu: Figures = beyond(&cpu)
        .into_iter()
        .map(|(who, seconds)| (who, seconds * 1e3 / COPIED))
        .collect();
    Ok(vec![
        Line::new(
            NAME,
            "peak memory, webhook copying 2 × 10 MB",
            "MB",
            &memory,
        )
        .bound(MOST_MEMORY),
        Line::new(NAME, "throughput of copying 2 × 10 MB", "MB/s", &throughput)
            .more_is_better()
            .times_floor(LEAST_SHARE),
        Line::new(NAME, "CPU of copying 1 MB", "ms", &cpu),
    ])
}

fn push(samples: &mut BTreeMap<Who, [Vec<f64>; 2]>, who: Who, size: usize, value: f64) {
    samples
        .entry(who)
        .or_default()
        .iter_mut()
        .skip(size)
        .take(1)
        .for_each(|sample| sample.push(value));
}

/// What the large files took beyond the small ones, by the medians.
fn beyond(samples: &BTreeMap<Who, [Vec<f64>; 2]>) -> Figures {
    let median = |sample: &[f64]| Sample::of(sample.iter().copied()).median();
    let beyond =
        |(who, [small, large]): (&Who, &[Vec<f64>; 2])| (*who, median(large) - median(small));
    samples.iter().map(beyond).collect()
}

async fn copy(bench: &Bench, program: &Program, link: &str, file: &Bytes) -> Result<Copied> {
    let mut running = program.start().await?;
    // Connections and caches are there; what they cost is measured elsewhere.
    deliver(
        &mut running,
        &bench.world.callbacks.denied(&new_scan_ref())?,
    )
    .await?;
    let scan_ref = new_scan_ref();
    let links = STEPS.map(|step| (step, link.to_owned()));
    let invocation = deliver(
        &mut running,
        &bench.world.callbacks.approved(&scan_ref, &links)?,
    )
    .await?;
    let peak_memory = running.peak_memory()?;
    running.stop().await?;
    let stored = bench
        .world
        .take_digests(&format!("documents/{scan_ref}/"))
        .await?;
    let digest = hex::encode(Sha256::digest(file));
    ensure!(
        stored == [digest.clone(), digest],
        "{} has not copied the files",
        program.name
    );
    Ok(Copied {
        took: invocation.took,
        cpu: invocation.cpu,
        peak_memory,
    })
}

async fn plain_copy(bench: &Bench, link: &str) -> Result<Duration> {
    let program: &Path = &bench.programs.plain_copy;
    let prefix = format!("documents/{}/", new_scan_ref());
    let mut command = Command::new(program);
    for step in STEPS {
        command
            .arg(link)
            .arg(bench.world.object_url(&format!("{prefix}{step}.jpg")));
    }
    let began = Instant::now();
    let status = command
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await;
    let took = began.elapsed();
    ensure!(
        status.context("the plain copy does not start")?.success(),
        "the plain copy failed"
    );
    let stored = bench.world.take_digests(&prefix).await?;
    ensure!(
        stored.len() == STEPS.len(),
        "the plain copy has not copied the files"
    );
    Ok(took)
}
