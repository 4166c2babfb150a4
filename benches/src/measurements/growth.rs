//! Whether anything grows with the number of pairings: one webhook process takes 10,000 first
//! callbacks, and whole pairings, with files and submission, are timed when the table is empty and
//! when it is full.

use anyhow::Result;

use crate::bench::{Bench, deliver, new_scan_ref, process};
use crate::callbacks::claim_check;
use crate::file_server::FileServer;
use crate::pictures::jpeg;
use crate::program::Running;
use crate::report::{Figures, Line, Who};
use crate::statistics::{Sample, milliseconds};

pub const NAME: &str = "growth";

const PAIRINGS: usize = 10_000;

/// Callbacks at the beginning and at the end that are compared; those before them warm the process
/// up.
const COMPARED: usize = 500;
const WARM_UP: usize = 100;

/// Whole pairings at either end.
const WHOLE: usize = 60;

/// How much more the end may cost than the beginning: what repeated measurements of the same differ
/// by, and an allocator settles to.
const FLAT: f64 = 1.15;

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let table = bench.world.table(NAME).await?;
    let files =
        FileServer::start([("document.jpg".to_owned(), jpeg(64, 48, 20_000)?)].into()).await?;
    let mut webhook = bench
        .function("WebhookFunction", &table, &files.origin)?
        .start()
        .await?;
    let mut processor = bench
        .function("ProcessorFunction", &table, &files.origin)?
        .start()
        .await?;

    callbacks(bench, &mut webhook, WARM_UP).await?;
    whole(bench, &mut webhook, &mut processor, &files, WHOLE).await?;
    let whole_before = whole(bench, &mut webhook, &mut processor, &files, WHOLE).await?;
    let before = callbacks(bench, &mut webhook, COMPARED).await?;
    let memory_before = megabytes(&webhook)? + megabytes(&processor)?;
    callbacks(
        bench,
        &mut webhook,
        PAIRINGS - WARM_UP - 2 * COMPARED - 3 * WHOLE,
    )
    .await?;
    let after = callbacks(bench, &mut webhook, COMPARED).await?;
    let whole_after = whole(bench, &mut webhook, &mut processor, &files, WHOLE).await?;
    let memory_after = megabytes(&webhook)? + megabytes(&processor)?;
    webhook.stop().await?;
    processor.stop().await?;

    let line = |what: &str, unit, first: f64, last: f64| {
        let figures: Figures = [(Who::Ours, last), (Who::Floor, first)].into();
        Line::new(NAME, what, unit, &figures).times_floor(FLAT)
    };
    Ok(vec![
        line(
            "CPU of a callback at 10,000 pairings (floor: at the first)",
            "ms",
            before,
            after,
        ),
        line(
            "CPU of a whole pairing at 10,000 (floor: at the first)",
            "ms",
            whole_before,
            whole_after,
        ),
        line(
            "memory of webhook and processor at 10,000 (floor: at the first)",
            "MB",
            memory_before,
            memory_after,
        ),
    ])
}

/// First callbacks without files; the median CPU of one, in milliseconds.
async fn callbacks(bench: &Bench, webhook: &mut Running, count: usize) -> Result<f64> {
    let mut cpu = Vec::new();
    for _ in 0..count {
        cpu.push(
            deliver(webhook, &bench.world.callbacks.denied(&new_scan_ref())?)
                .await?
                .cpu,
        );
    }
    Ok(Sample::of_durations(cpu).median())
}

/// Pairings from the first callback to the accepted submission; the median CPU of one, in
/// milliseconds.
async fn whole(
    bench: &Bench,
    webhook: &mut Running,
    processor: &mut Running,
    files: &FileServer,
    count: usize,
) -> Result<f64> {
    let mut cpu = Vec::new();
    for _ in 0..count {
        let scan_ref = bench.world.approved_scan_ref().await?;
        let links =
            ["SECOND_DOC_FRONT", "SECOND_DOC_BACK"].map(|step| (step, files.link("document.jpg")));
        let captured =
            deliver(webhook, &bench.world.callbacks.approved(&scan_ref, &links)?).await?;
        let submitted = process(processor, &claim_check(&scan_ref)?).await?;
        cpu.push(milliseconds(captured.cpu) + milliseconds(submitted.cpu));
    }
    Ok(Sample::of(cpu).median())
}

fn megabytes(program: &Running) -> Result<f64> {
    Ok(program.memory()? as f64 / 1e6)
}
