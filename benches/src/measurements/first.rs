//! What the first callback costs more than a later one: clients, connections and caches that are
//! made when they are needed first.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::bench::{Bench, deliver, new_scan_ref};
use crate::peers::Role;
use crate::report::{Figures, Line, Who};
use crate::statistics::{Sample, milliseconds};

pub const NAME: &str = "first";

const ROUNDS: usize = 7;

/// Later callbacks that the first is compared with.
const WARM: usize = 15;

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let table = bench.world.table(NAME).await?;
    let contestants = bench.contestants(Role::Webhook, &table, "http://127.0.0.1")?;
    let mut extra: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
    let mut whole: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (who, program) in &contestants {
            let mut running = program.start().await?;
            let first = deliver(
                &mut running,
                &bench.world.callbacks.denied(&new_scan_ref())?,
            )
            .await?;
            let mut warm = Vec::new();
            for _ in 0..WARM {
                warm.push(
                    deliver(
                        &mut running,
                        &bench.world.callbacks.denied(&new_scan_ref())?,
                    )
                    .await?
                    .cpu,
                );
            }
            let warm = Sample::of_durations(warm).median();
            let first = milliseconds(first.cpu);
            extra.entry(*who).or_default().push(first - warm);
            let start = milliseconds(running.start().cpu);
            whole.entry(*who).or_default().push(start + first);
            running.stop().await?;
        }
    }
    let medians = |samples: BTreeMap<Who, Vec<f64>>| -> Figures {
        let medians = samples
            .into_iter()
            .map(|(who, sample)| (who, Sample::of(sample).median()));
        medians.collect()
    };
    Ok(vec![
        Line::new(
            NAME,
            "CPU from start to the first callback answered and done, without TLS",
            "ms",
            &medians(whole),
        ),
        Line::new(
            NAME,
            "CPU of a first callback beyond a warm one, without TLS",
            "ms",
            &medians(extra),
        ),
    ])
}
