//! In-memory ports, their conformance suite, and the interception of calls for simulations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "never part of what ships"
)]

pub mod conformance;
pub mod fixtures;
pub mod interception;
pub mod memory;
pub mod ports;
