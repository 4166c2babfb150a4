//! How large each program is: what is small starts fast, because Lambda loads it before it runs.

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::report::Line;
use crate::world::LOGICAL_IDS;

pub const NAME: &str = "size";

/// In megabytes of a million bytes.
const LARGEST: f64 = 6.5;
const LARGEST_WEBHOOK: f64 = 6.0;

pub fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for id in LOGICAL_IDS {
        let program = bench
            .programs
            .functions
            .get(id)
            .context("there is no such program")?;
        let megabytes = std::fs::metadata(program)?.len() as f64 / 1e6;
        let line = Line::alone(NAME, format!("size of {id}"), "MB", megabytes);
        lines.push(line.bound(if id == "WebhookFunction" {
            LARGEST_WEBHOOK
        } else {
            LARGEST
        }));
    }
    Ok(lines)
}
