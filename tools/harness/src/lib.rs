//! A customer, the table, the bucket, the queues and the logs of a running stack.
//!
//! Tests, demo, soak, drills and benches are written in it. The stack is the real one:
//! `template.yaml`, deployed by the SAM CLI into the emulator, with the sandbox in iDenfy's place.
//! All tests of a run share one stack (see [`Stack::shared`]). Each test plays customers of its own
//! and changes nothing that another test could notice.
//!
//! Every function that can fail returns a [`Result`]. A test unwraps it, a program passes it on.
//! Nothing here panics because of what the stack does.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a JSON value answers null where there is no such member"
)]

mod aging;
mod api;
mod circuit;
mod description;
pub mod documents;
mod emulator;
mod events;
mod fault_proxy;
pub mod faults;
mod file_server;
mod interruption;
mod json;
mod lambda;
mod logs;
mod objects;
mod pairing;
pub mod pictures;
mod processes;
mod push_receiver;
mod queues;
mod sandbox;
mod session;
mod signing;
mod stack;
mod tuning;
mod wait;
mod watched;

pub use anyhow::Result;
pub use api::ApiAnswer;
pub use description::{Description, STACK_VARIABLE, describe};
pub use emulator::Emulator;
pub use events::Listener;
pub use fault_proxy::{
    ActiveFault, Call, FaultProxy, HeldCall, PendingHold, RecordedCall, Refusal, ScriptedService,
    Side,
};
pub use file_server::{Answer, FileServer};
pub use interruption::Interruption;
pub use json::{list, text};
pub use lambda::DeployedFunction;
pub use objects::{StoredContent, StoredObject};
pub use pairing::{PairingRecord, StoredPairing};
pub use processes::FunctionProcess;
pub use push_receiver::{PushReceiver, PushedRequest, Reply};
pub use sandbox::SandboxClient;
pub use session::{BACK, FRONT, Session};
pub use signing::sign;
pub use stack::{DedicatedStack, Stack};
pub use tuning::ProcessorTuning;
pub use wait::{DEADLINE, Look, eventually, eventually_within, wait_for};
pub use watched::{WatchedStack, assert_answers_are_durable, assert_queues_empty, writes};
