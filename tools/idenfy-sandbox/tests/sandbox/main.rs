//! The sandbox as its callers see it: over HTTP, with a receiver for its callbacks.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod admin;
mod callbacks;
mod customer_pages;
mod faults;
mod files;
mod fixture;
mod people;
mod processing;
mod receiver;
mod retrieval;
mod reviewer_pages;
mod status;
mod tags;
mod tokens;
mod uploads;
