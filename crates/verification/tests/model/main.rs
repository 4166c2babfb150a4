//! The state machine in every order of events.
//! There are a webhook that may copy files, and two workers that may end at any point.
//! The provider decides several times about two uploads, and its status may lag.
//! Bodies arrive in any order, and again at any time.
//!
//! What is checked is the real [`verification::transition::apply`].
//! A worker reads, calls and writes in separate steps, so others come in between.
//! Time is reduced to "now" and "long enough ago" ([`clock`]).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_possible_wrap,
    reason = "a test may fail loudly and say what it has covered"
)]

mod clock;
mod explore;
mod flow;
mod world;

use explore::explore;
use flow::Flow;
use verification::result::Overall::{Approved, Denied};
use world::{Decision, decision};

fn explore_all(script: &[Decision], processors: usize, attempts: u32) {
    let name = format!("{script:?}, {processors} processors, {attempts} attempts");
    match explore(&Flow::of(script, processors, attempts)) {
        Ok(explored) => println!(
            "{name}: {} states, {} steps, {} ends",
            explored.states, explored.steps, explored.ends
        ),
        Err(way) => panic!("{name}:\n{way}"),
    }
}

#[test]
fn one_result_keeps_every_promise() {
    explore_all(&[decision(Approved, 1)], 2, 2);
}

#[test]
fn second_thoughts_keep_every_promise() {
    explore_all(&[decision(Approved, 1), decision(Denied, 1)], 2, 1);
}

#[test]
fn a_decline_that_is_withdrawn_keeps_every_promise() {
    explore_all(&[decision(Denied, 1), decision(Approved, 1)], 2, 1);
}

#[test]
fn two_uploads_keep_every_promise() {
    explore_all(&[decision(Approved, 1), decision(Approved, 2)], 1, 2);
}

/// Minutes: for a change of the state machine.
#[test]
#[ignore = "takes minutes"]
fn more_of_everything_keeps_every_promise() {
    explore_all(&[decision(Approved, 1)], 2, 3);
    explore_all(&[decision(Approved, 1), decision(Denied, 1)], 2, 2);
    explore_all(&[decision(Approved, 1), decision(Approved, 2)], 2, 2);
    explore_all(
        &[
            decision(Approved, 1),
            decision(Denied, 1),
            decision(Approved, 2),
        ],
        1,
        1,
    );
    explore_all(
        &[
            decision(Approved, 1),
            decision(Denied, 1),
            decision(Approved, 1),
        ],
        1,
        1,
    );
    explore_all(
        &[
            decision(Denied, 1),
            decision(Approved, 1),
            decision(Denied, 1),
        ],
        1,
        1,
    );
}
