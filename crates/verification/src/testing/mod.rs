//! In-memory ports, and the suite that holds them to the real ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "never part of what ships"
)]

pub mod conformance;
pub mod fixtures;
pub mod memory;
