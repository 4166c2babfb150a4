//! What the integration tests are written in: a deployed stack, customers who play their sessions
//! at the sandbox, and what table, bucket, queues, logs and journal say afterwards.
//!
//! The stack is the real one: `template.yaml`, deployed by the SAM CLI into the emulator, with the
//! sandbox in iDenfy's place. It is shared by all tests of a run (see [`Stack::shared`]), so each
//! test plays customers of its own and changes nothing that another could notice.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "used by tests only, where a panic is how a failure is told"
)]

mod aging;
mod api;
mod checkpoint;
mod circuit;
mod cloudformation;
mod cloudwatch;
mod contract;
mod description;
mod emulator;
mod events;
mod file_server;
mod lambda;
mod logs;
mod objects;
pub mod operations;
mod pairing;
pub mod pictures;
mod processes;
mod queues;
mod sandbox;
mod session;
mod signing;
mod stack;
mod tuning;
mod wait;
mod watched;

pub use api::ApiAnswer;
pub use checkpoint::{Call, Checkpoint, Exchange, Held, InTheWay, Played, Side, Watching};
pub use description::{Description, STACK_VARIABLE};
pub use events::Listener;
pub use file_server::{Answer, FileServer};
pub use objects::StoredObject;
pub use pairing::{PairingRecord, StoredPairing};
pub use processes::FunctionProcess;
pub use session::{BACK, FRONT, Session};
pub use signing::sign;
pub use stack::{DedicatedStack, Stack};
pub use tuning::ProcessorTuning;
pub use wait::{DEADLINE, eventually, eventually_within};
pub use watched::{WatchedStack, assert_answers_are_durable, assert_queues_empty, writes};
