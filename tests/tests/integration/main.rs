//! The flows, against the deployed template on the emulator with the sandbox in iDenfy's place, and
//! the adapters' conformance on the same emulator.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests: a panic is how a failure is told"
)]

mod adapters;
mod admission;
mod answer_first;
mod api;
mod aws_answers;
mod by_hand;
mod choices;
mod events;
mod every_document;
mod every_fault;
mod examples;
mod infrastructure;
mod killed;
mod links;
mod memory;
mod messages;
mod not_qualifying;
mod operations;
mod outage;
mod outcome_push;
mod overdue;
mod overtaken;
mod parameters;
mod permissions;
mod pre_traffic;
mod preparation;
mod privacy;
mod provider_faults;
mod reordered;
mod restarted;
mod rotated_key;
mod settling;
mod slow_links;
