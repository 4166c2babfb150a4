//! The pages in a real browser, see `tools/test-browser` for what it needs.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod customer;
mod documents;
#[allow(
    dead_code,
    reason = "shared with the tests over HTTP, which use more of it"
)]
#[path = "../sandbox/fixture.rs"]
mod fixture;
mod narrow;
#[allow(
    dead_code,
    reason = "shared with the tests over HTTP, which use more of it"
)]
#[path = "../sandbox/receiver.rs"]
mod receiver;
mod reviewer;
mod shop;
