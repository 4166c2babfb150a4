//! The library from outside: callbacks from files, and the client against a server of raw bytes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of tests fail tests"
)]

mod answers;
mod callbacks;
mod connections;
mod nothing_personal;
mod operations;
mod process;
mod server;
