//! The budgets of the functions, measured beside the least that could be and beside the same flow
//! in Python and in Node.js.
//!
//! Guarantees: the functions are the programs of `sam build`, started and asked as Lambda does. All
//! programs work by turns against the same emulator and sandbox, in one run. The bucket and the
//! provider show that each one does its job. Nothing outlives the run.

mod bench;
mod callbacks;
mod chart;
mod document;
mod endpoint;
mod file_server;
mod forward;
mod measurements;
mod peers;
mod pictures;
mod processor_time;
mod program;
mod provider;
mod report;
mod runtime_api;
mod statistics;
mod tls;
mod world;

pub use bench::{Bench, Programs};
pub use document::Setting;
pub use measurements::Measurement;
pub use report::{Budget, Line, Report};
