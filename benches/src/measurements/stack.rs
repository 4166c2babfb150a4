//! Through the deployed stack, as the provider and the customer see it: the time to answer a
//! callback, and the time from the last uploaded byte to the accepted submission.
//!
//! The emulator's own time is in all of it. So are its polls of queues and its start of processes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use harness::{BACK, FRONT, Session};
use serde_json::{Value, json};

use super::answer::high;
use crate::bench::Bench;
use crate::file_server::PAUSE;
use crate::pictures::jpeg;
use crate::report::Line;
use crate::statistics::{Sample, milliseconds};

pub const NAME: &str = "stack";

/// In milliseconds.
const MEDIAN: f64 = 60.0;
const P99: f64 = 150.0;

const WARM_UP: usize = 3;
const JOURNEYS: usize = 20;

/// Between two looks at a pairing.
const LOOK_EVERY: Duration = Duration::from_millis(10);

const PATIENCE: Duration = Duration::from_secs(180);

struct Case {
    what: &'static str,
    file: Option<Bytes>,
    hang: bool,
    callbacks: usize,
}

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    bench.world.connect_provider(true).await?;
    let lines = connected(bench).await;
    bench.world.connect_provider(false).await?;
    lines
}

async fn connected(bench: &Bench) -> Result<Vec<Line>> {
    let small = jpeg(400, 300, 1_000_000)?;
    let large = jpeg(2400, 1800, 10_000_000)?;
    let case = |what, file: Option<&Bytes>, hang, callbacks| Case {
        what,
        file: file.cloned(),
        hang,
        callbacks,
    };
    let mut lines = Vec::new();
    for case in [
        case("without files", None, false, 100),
        case("2 × 1 MB", Some(&small), false, 30),
        case("2 × 10 MB", Some(&large), false, 10),
        case("links that hang 14 s", Some(&small), true, 3),
    ] {
        let warm_up = if case.hang { 0 } else { WARM_UP };
        let mut answers = Vec::new();
        for _ in 0..warm_up + case.callbacks {
            answers.push(answer(bench, &case).await?);
        }
        let sample = Sample::of(answers.into_iter().skip(warm_up));
        let (what, callbacks) = (case.what, case.callbacks);
        for (percent, name, bound) in [(50, "median", MEDIAN), (99, high(callbacks), P99)] {
            let what = format!("answer through the stack, {what}: {name} of {callbacks}");
            lines.push(Line::alone(NAME, what, "ms", sample.percentile(percent)).bound(bound));
        }
    }
    let mut journeys = Vec::new();
    for _ in 0..WARM_UP + JOURNEYS {
        journeys.push(journey(bench, &small).await?);
    }
    let sample = Sample::of(journeys.into_iter().skip(WARM_UP));
    for (percent, name) in [(50, "median"), (99, high(JOURNEYS))] {
        let what = format!("last byte uploaded to Submitted, 2 × 1 MB: {name} of {JOURNEYS}");
        lines.push(Line::alone(NAME, what, "ms", sample.percentile(percent)));
    }
    Ok(lines)
}

/// One callback; the milliseconds that the provider waited for its answer. Returns when nothing is
/// left to do.
async fn answer(bench: &Bench, case: &Case) -> Result<f64> {
    let session = bench.world.system.session().await?;
    if let Some(file) = &case.file {
        upload(&session, file).await?;
    }
    if case.hang {
        let pause = u64::try_from(PAUSE.as_millis())?;
        let fault = json!({"route": "file", "kind": "hang", "milliseconds": pause, "times": 2});
        session.fault(fault).await?;
    }
    let overall = if case.file.is_some() {
        "APPROVED"
    } else {
        "DENIED"
    };
    let deliveries = session.finish(json!({"overall": overall})).await?;
    let first = deliveries.first().context("there was no callback")?;
    ensure!(
        first.get("status").and_then(Value::as_u64) == Some(200),
        "the callback was answered with {first}"
    );
    if case.file.is_some() {
        until(bench, &session, &["Submitted", "Settled"]).await?;
    }
    let took = first.get("milliseconds").and_then(Value::as_f64);
    took.context("a delivery without its time")
}

/// From the last uploaded byte until the pairing says that the provider has accepted the documents,
/// in milliseconds.
async fn journey(bench: &Bench, file: &Bytes) -> Result<f64> {
    let session = bench.world.system.session().await?;
    upload(&session, file).await?;
    let began = Instant::now();
    session.finish_expecting_200(json!({})).await?;
    until(bench, &session, &["Submitted", "Settled"]).await?;
    Ok(milliseconds(began.elapsed()))
}

async fn upload(session: &Session<'_>, file: &Bytes) -> Result<()> {
    for step in [FRONT, BACK] {
        session.upload(step, "image/jpeg", file.to_vec()).await?;
    }
    Ok(())
}

async fn until(bench: &Bench, session: &Session<'_>, states: &[&str]) -> Result<()> {
    let began = Instant::now();
    loop {
        let state = bench.world.system.state(&session.scan_ref).await?;
        if state
            .as_deref()
            .is_some_and(|state| states.contains(&state))
        {
            return Ok(());
        }
        ensure!(began.elapsed() < PATIENCE, "a pairing stays {state:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
