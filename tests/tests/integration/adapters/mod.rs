//! The adapters alone, against the emulator's services: the ports' conformance suites and further
//! cases.

mod archive;
mod circuits;
mod documents;
pub(crate) mod pairings;
mod queue;
mod secrets;

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use uuid::Uuid;
use verification::Timestamp;
use verification::identifiers::ScanRef;
use verification::observation::Observation;
use verification::ports::{Clock, Observer};

/// A clock that a test moves.
pub(crate) struct SettableClock(AtomicI64);

impl SettableClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(1_795_422_063_000))
    }

    pub(crate) fn advance(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::SeqCst))
    }
}

/// Keeps what is observed.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) Mutex<Vec<Observation>>);

impl Observer for Notes {
    fn observe(&self, observation: Observation) {
        self.0.lock().unwrap().push(observation);
    }
}

fn new_scan_ref() -> ScanRef {
    Uuid::new_v4().to_string().parse().unwrap()
}
