//! From the start of the process to its first poll of the runtime API, against an AWS that answers
//! at once. All programs start by turns, so other load on the machine hits all alike. Load only
//! ever adds to a start, so the least of each is what is judged.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use crate::bench::Bench;
use crate::endpoint::Endpoint;
use crate::peers::Role;
use crate::program::{Program, Start};
use crate::report::{Figures, Line, Who};
use crate::statistics::Sample;
use crate::world::LOGICAL_IDS;

pub const NAME: &str = "start";

const ROUNDS: usize = 20;

/// Peers start in each fifth round only.
const EVERY: usize = 5;

const FLOOR: &str = "floor";
const PEERS: [(Who, &str); 2] = [(Who::Python, "Python"), (Who::Node, "Node")];

/// The bound, as a multiple of the program that does nothing.
const TIMES_FLOOR: f64 = 2.0;

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let endpoint = Endpoint::start(serde_json::to_string(&bench.world.secret)?).await?;
    let here = |program: Program| program.with([("AWS_ENDPOINT_URL", endpoint.url.clone())]);
    let mut programs = vec![(FLOOR.to_owned(), does_nothing(bench))];
    for id in LOGICAL_IDS {
        programs.push((
            id.to_owned(),
            here(bench.function(id, "none", "http://127.0.0.1")?),
        ));
    }
    for (who, program) in bench.contestants(Role::Webhook, "none", "http://127.0.0.1")? {
        if who != Who::Ours {
            programs.push((format!("{who:?}"), here(program)));
        }
    }
    let mut starts: BTreeMap<&str, Vec<Start>> = BTreeMap::new();
    for round in 0..=ROUNDS {
        for (name, program) in &programs {
            // A peer takes as long to start as all others together.
            if PEERS.iter().any(|(_, peer)| peer == name) && round % EVERY > 0 {
                continue;
            }
            let running = program.start().await?;
            // The first round brings the files into the page cache.
            if round > 0 {
                starts.entry(name).or_default().push(running.start());
            }
            running.stop().await?;
        }
    }
    let sample = |name: &str, of: fn(&Start) -> Duration| {
        Sample::of_durations(starts.get(name).into_iter().flatten().map(of))
    };
    let figures = |name: &str, of: fn(&Start) -> Duration, percent| -> Figures {
        let everybody = PEERS
            .into_iter()
            .chain([(Who::Floor, FLOOR), (Who::Ours, name)]);
        let everybody = everybody.map(|(who, name)| (who, sample(name, of).percentile(percent)));
        everybody.filter(|(_, figure)| !figure.is_nan()).collect()
    };
    let mut lines = Vec::new();
    for id in LOGICAL_IDS {
        let least = figures(id, |start| start.took, 0);
        let line = Line::new(NAME, format!("start of {id}, least"), "ms", &least);
        lines.push(line.times_floor(TIMES_FLOOR));
        let median = figures(id, |start| start.took, 50);
        lines.push(Line::new(
            NAME,
            format!("start of {id}, median"),
            "ms",
            &median,
        ));
        let cpu = figures(id, |start| start.cpu, 50);
        lines.push(Line::new(NAME, format!("CPU to start {id}"), "ms", &cpu));
    }
    Ok(lines)
}

fn does_nothing(bench: &Bench) -> Program {
    let executable = bench.programs.does_nothing.clone();
    Program {
        name: "the program that does nothing".to_owned(),
        directory: executable
            .parent()
            .map(ToOwned::to_owned)
            .unwrap_or_default(),
        executable,
        arguments: Vec::new(),
        variables: BTreeMap::new(),
    }
}
