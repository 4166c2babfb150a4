//! What the first callback costs more than a later one: clients, connections and caches that are
//! made when they are needed first.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::bench::{Bench, deliver, new_scan_ref};
use crate::peers::Role;
use crate::program::Running;
use crate::report::{Figures, Line, Who};
use crate::statistics::{Sample, milliseconds};
use crate::tls::{Authority, Connections, TlsFront};

pub const NAME: &str = "first";

const ROUNDS: usize = 7;

/// Later callbacks that the first is compared with.
const WARM: usize = 15;

/// In milliseconds, from start to the first callback answered, with TLS to every store.
const BUDGET: f64 = 25.0;

type Samples = BTreeMap<Who, Vec<f64>>;

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let table = bench.world.table(NAME).await?;
    let contestants = bench.contestants(Role::Webhook, &table, "http://127.0.0.1")?;
    let authority = Authority::create()?;
    let front = TlsFront::start(
        bench.world.http.clone(),
        bench.world.endpoint_url(),
        &authority,
        Connections::OneForEachRequest,
    )
    .await?;
    let (mut extra, mut plain) = (Samples::new(), Samples::new());
    let (mut with_tls, mut handshakes) = (Samples::new(), Samples::new());
    for _ in 0..ROUNDS {
        for (who, program) in &contestants {
            let mut running = program.start().await?;
            let first = milliseconds(deliver_one(bench, &mut running).await?);
            let mut warm = Vec::new();
            for _ in 0..WARM {
                warm.push(deliver_one(bench, &mut running).await?);
            }
            let warm = Sample::of_durations(warm).median();
            extra.entry(*who).or_default().push(first - warm);
            let start = milliseconds(running.start().cpu);
            plain.entry(*who).or_default().push(start + first);
            running.stop().await?;

            let endpoint = [("AWS_ENDPOINT_URL", front.url.clone())];
            let program = program.clone().with(endpoint).with(authority.variables()?);
            front.take_handshakes();
            let mut running = program.start().await?;
            let first = milliseconds(deliver_one(bench, &mut running).await?);
            let start = milliseconds(running.start().cpu);
            with_tls.entry(*who).or_default().push(start + first);
            let count = front.take_handshakes();
            ensure!(count > 0, "{who:?} has not used TLS");
            handshakes.entry(*who).or_default().push(count as f64);
            running.stop().await?;
        }
    }
    let line = |what: &str, unit, samples: Samples| {
        let medians = samples.into_iter();
        let medians = medians.map(|(who, sample)| (who, Sample::of(sample).median()));
        Line::new(NAME, what, unit, &medians.collect::<Figures>())
    };
    Ok(vec![
        line(
            "CPU from start to the first callback answered and done, with TLS",
            "ms",
            with_tls,
        )
        .bound(BUDGET),
        line("TLS handshakes until then", "", handshakes),
        line(
            "CPU from start to the first callback answered and done, without TLS",
            "ms",
            plain,
        ),
        line(
            "CPU of a first callback beyond a warm one, without TLS",
            "ms",
            extra,
        ),
    ])
}

async fn deliver_one(bench: &Bench, running: &mut Running) -> Result<Duration> {
    let event = bench.world.callbacks.denied(&new_scan_ref())?;
    Ok(deliver(running, &event).await?.cpu)
}
