//! In-memory ports, and the suite that holds them to the real ones.
#![expect(
    clippy::allow_attributes,
    reason = "which of the lints below applies differs between builds with and without cfg(test)"
)]
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
