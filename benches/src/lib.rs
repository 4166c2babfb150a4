//! The budgets of the functions, measured beside the least that could be and beside the same flow
//! in Python and in Node.js.
//!
//! What is guaranteed: the functions are the programs that `sam build` makes, started and asked as
//! Lambda starts and asks them; everybody works against the same emulator and the same sandbox in
//! the same run, and by turns; whoever is measured is shown to do the job, by what the bucket and
//! the provider have afterwards. Nothing outlives the run.

mod bench;
mod callbacks;
mod endpoint;
mod file_server;
mod measurements;
mod peers;
mod pictures;
mod processor_time;
mod program;
mod provider;
mod report;
mod runtime_api;
mod statistics;
mod world;

pub use bench::{Bench, Programs};
pub use measurements::Measurement;
pub use report::{Budget, Line, Report};
