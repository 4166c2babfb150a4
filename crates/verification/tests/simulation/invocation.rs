//! Invocations of the functions: their purpose, time limit and result.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use verification::identifiers::{ClientId, ScanRef};
use verification::ports::{SessionRequest, StoreUnavailable};
use verification::{Accepted, Advanced, Erased, Opened};

use super::delivery::Delivery;
use super::queue::Received;
use super::timeline::SECOND;

/// The template's timeouts, and the handlers' reserves.
pub const ANSWER_TIMEOUT: i64 = 9 * SECOND;
/// After the answer.
pub const CAPTURE_BUDGET: i64 = 60 * SECOND;
/// Before the answer, where no extension can be registered.
pub const EARLY_CAPTURE_BUDGET: i64 = 6_500;
pub const PROCESSOR_TIMEOUT: i64 = 90 * SECOND;
pub const PROCESSOR_RESERVE: i64 = 5 * SECOND;
pub const RECONCILER_TIMEOUT: i64 = 120 * SECOND;
pub const RECONCILER_RESERVE: i64 = 15 * SECOND;
pub const API_TIMEOUT: i64 = 30 * SECOND;

/// What an invocation is there for.
pub enum Work {
    Callback(Delivery),
    /// What is done after a callback's answer.
    Capture,
    Message(Received),
    Tick,
    Open {
        customer: usize,
        tries: u32,
    },
    Erase {
        first: ScanRef,
        tries: u32,
    },
    Retry,
}

/// What it returned.
pub enum Returned {
    Callback(Result<(Accepted, Option<Left>), StoreUnavailable>),
    Message(Result<Advanced, StoreUnavailable>),
    Open(Option<Box<Opened>>),
    Erase(Result<Erased, StoreUnavailable>),
    Nothing,
}

/// What a callback leaves for after its answer.
pub type Left = Pin<Box<dyn Future<Output = ()>>>;

/// An invocation of a function.
pub struct Task {
    pub work: Work,
    /// The step in which it began.
    pub since: u64,
    pub future: Pin<Box<dyn Future<Output = Returned>>>,
}

/// What the application asks for.
pub fn session_request(client_id: ClientId) -> SessionRequest {
    SessionRequest {
        client_id,
        country: None,
        locale: None,
        documents: Vec::new(),
        success_url: None,
        error_url: None,
        unverified_url: None,
        external_ref: None,
        expiry: Duration::from_secs(3_600),
        session_length: None,
        additional_steps: None,
    }
}
