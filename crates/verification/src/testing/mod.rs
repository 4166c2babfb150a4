//! In-memory ports, the suite that holds them to the real ones, and what simulations need to come
//! between a use case and its ports.
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
