//! The whole system in virtual time, with random faults.
//! Every run follows from its seed.
//!
//! Callbacks are repeated, reordered and lost.
//! Messages arrive twice.
//! Processes end at any point.
//! Answers are lost before and after the provider acted.
//! Statuses and indexes lag.
//! Links die.
//! Customers change their minds.
//! After every step the design's promises are checked ([`invariants`]).
//! At the end every pairing must have come to an end.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a test may fail loudly, print what it found and be asked by environment variable for one seed"
)]

mod broken;
mod cases;
mod coverage;
mod customer;
mod delivery;
mod evidence;
mod interceptor;
mod invariants;
mod invocation;
mod provider;
mod queue;
mod random_faults;
mod run;
mod stores;
mod timeline;
mod trouble;
mod uploads;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use coverage::{Coverage, known_changes, known_states};
use invariants::Invariant;
use run::run;

/// How many seeds the short form runs.
const SEEDS: u64 = 10_000;

/// Changes that no run reaches, and why.
const UNREACHED: [&str; 0] = [];

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
    )
}

/// What many runs came to.
#[derive(Default)]
struct Summary {
    coverage: Coverage,
    steps: u64,
    /// The number of violations of each invariant, and the lowest seed with one.
    violations: BTreeMap<Invariant, (u64, u64)>,
}

impl Summary {
    fn violated(&mut self, invariant: Invariant, times: u64, seed: u64) {
        let (count, lowest) = self.violations.entry(invariant).or_insert((0, seed));
        *count += times;
        *lowest = seed.min(*lowest);
    }
}

/// Runs the seeds on all processors.
fn run_all(seeds: u64) -> Summary {
    let next = AtomicU64::new(0);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let work = || {
        let mut summary = Summary::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return summary;
            }
            let report = run(seed, None, false);
            summary.coverage.add(report.coverage);
            summary.steps += report.steps;
            if let Some(violation) = report.violation {
                summary.violated(violation.invariant, 1, seed);
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut all = Summary::default();
        for worker in workers {
            let summary = worker.join().expect("a run does not panic");
            all.coverage.add(summary.coverage);
            all.steps += summary.steps;
            for (invariant, (times, seed)) in summary.violations {
                all.violated(invariant, times, seed);
            }
        }
        all
    })
}

/// One violation of each kind, with its steps and the command that shows them all.
fn explain(violations: &BTreeMap<Invariant, (u64, u64)>) -> String {
    let one = |(invariant, (times, seed)): (&Invariant, &(u64, u64))| {
        let report = run(*seed, None, true);
        let detail = report
            .violation
            .map(|violation| violation.detail)
            .unwrap_or_default();
        let steps = report.trace[report.trace.len().saturating_sub(60)..].join("\n");
        format!(
            "{steps}\n\n{invariant:?} is violated {times} times, here so: {detail}\n{}{seed}{}\n",
            REPRODUCE.0, REPRODUCE.1
        )
    };
    violations.iter().map(one).collect()
}

const REPRODUCE: (&str, &str) = (
    "SIMULATION_SEED=",
    " cargo nextest run --cargo-profile local -p verification --test simulation --no-capture no_run_breaks_a_promise",
);

/// `SIMULATION_SEED=n` runs one seed and prints its steps. `SIMULATION_SEEDS=n` runs `n` seeds.
#[test]
fn no_run_breaks_a_promise_and_together_they_reach_every_state() {
    if let Some(seed) = number("SIMULATION_SEED") {
        let report = run(seed, None, true);
        println!("{}", report.trace.join("\n"));
        if let Some(violation) = report.violation {
            panic!(
                "seed {seed}: {:?}: {}",
                violation.invariant, violation.detail
            );
        }
        return;
    }
    let seeds = number("SIMULATION_SEEDS").unwrap_or(SEEDS);
    let started = Instant::now();
    let Summary {
        coverage,
        steps,
        violations,
    } = run_all(seeds);
    let took = started.elapsed().as_secs_f64();
    let rate = seeds as f64 / took;
    println!(
        "{seeds} seeds, {steps} steps in {took:.1} s: {rate:.0} seeds/s\n{}",
        coverage.report()
    );
    assert!(violations.is_empty(), "{}", explain(&violations));
    let unseen: Vec<String> = known_states()
        .into_iter()
        .filter(|state| !coverage.states.contains_key(state.as_str()))
        .chain(
            known_changes()
                .into_iter()
                .filter(|change| !coverage.changes.contains_key(change)),
        )
        .filter(|name| !UNREACHED.contains(&name.as_str()))
        .collect();
    assert!(
        unseen.is_empty() || seeds < SEEDS,
        "never reached: {unseen:?}"
    );
}

#[test]
fn a_seed_always_leads_to_the_same_run() {
    for seed in 0..20 {
        assert_eq!(
            run(seed, None, true).trace,
            run(seed, None, true).trace,
            "seed {seed}"
        );
    }
}
