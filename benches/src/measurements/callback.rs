//! What a callback without files costs once the function is warm: verify, archive, claim, record.

use anyhow::Result;

use crate::bench::{Bench, deliver, new_scan_ref};
use crate::peers::Role;
use crate::report::{Figures, Line};
use crate::statistics::milliseconds;

pub const NAME: &str = "callback";

const CALLBACKS: u32 = 300;

/// Callbacks before, which are not counted.
const WARM_UP: u32 = 30;

/// In milliseconds.
const BUDGET: f64 = 0.9;

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let table = bench.world.table(NAME).await?;
    let mut figures = Figures::new();
    for (who, program) in bench.contestants(Role::Webhook, &table, "http://127.0.0.1")? {
        let mut running = program.start().await?;
        let mut cpu = 0.0;
        for index in 0..WARM_UP + CALLBACKS {
            let invocation = deliver(
                &mut running,
                &bench.world.callbacks.denied(&new_scan_ref())?,
            )
            .await?;
            if index >= WARM_UP {
                cpu += milliseconds(invocation.cpu);
            }
        }
        figures.insert(who, cpu / f64::from(CALLBACKS));
        running.stop().await?;
    }
    let line = Line::new(
        NAME,
        "CPU of a first callback without files",
        "ms",
        &figures,
    );
    Ok(vec![line.bound(BUDGET)])
}
