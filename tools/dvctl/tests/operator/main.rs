//! The built program, started with arguments against the deployed template.
//!
//! Tests share the stack (`harness::Stack::shared`), unless they would disturb others.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: a panic is how a failure is told"
)]

mod diagnosing;
mod exporting;
mod looking;
mod probing;
mod program;
mod redriving;
mod repairing;
mod replaying;
mod secrecy;
mod sessions;
mod spending;
mod usage;
