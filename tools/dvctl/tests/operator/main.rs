//! The operator's command, played as a person plays it: the built program is started with
//! arguments, against the deployed template.
//!
//! The stack is shared with other tests (see `harness::Stack::shared`), but for what
//! would disturb them, which has one of its own.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: a panic is how a failure is told"
)]

mod diagnosing;
mod looking;
mod program;
mod redriving;
mod repairing;
mod replaying;
mod secrecy;
mod sessions;
mod usage;
