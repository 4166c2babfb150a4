//! Programs that play customers against a stack, and check what happens.
//!
//! [`soak`] plays many customers while processes are killed. [`drill`] breaks something for each
//! alarm and follows the runbook. [`invoke`] hands the sample [`events`] to the programs of the
//! [`release`] build. `cargo xtask` starts them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "command-line programs: results go to standard output, progress to standard error"
)]

pub mod drill;
pub mod events;
pub mod invoke;
pub mod process;
pub mod release;
pub mod soak;
