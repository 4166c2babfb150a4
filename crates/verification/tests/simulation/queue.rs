//! The queue with SQS's guarantees: at least once, in any order, invisible while received, and a
//! dead letter after ten receives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use verification::identifiers::ScanRef;
use verification::ports::{StoreUnavailable, SubmissionQueue};

use super::random_faults::RandomFaults;
use super::timeline::{HOUR, Happening, SECOND, Timeline};

/// The template's `VisibilityTimeout`.
const VISIBILITY_TIMEOUT: i64 = 540 * SECOND;

/// The template's `maxReceiveCount`.
const MAXIMUM_RECEIVES: u32 = 10;

pub struct SimulatedQueue {
    pub timeline: Arc<Timeline>,
    pub random_faults: RandomFaults,
    state: Mutex<QueueState>,
}

#[derive(Default)]
struct QueueState {
    serial: u64,
    messages: BTreeMap<u64, Message>,
}

struct Message {
    first: ScanRef,
    receives: u32,
    receipt: u32,
}

/// A received message.
#[derive(Clone)]
pub struct Received {
    pub message: u64,
    pub first: ScanRef,
    pub receives: u32,
}

impl SimulatedQueue {
    pub fn new(timeline: Arc<Timeline>, random_faults: RandomFaults) -> Self {
        Self {
            timeline,
            random_faults,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, first: &ScanRef, after: i64) {
        let mut state = self.lock();
        state.serial += 1;
        let message = state.serial;
        state.messages.insert(
            message,
            Message {
                first: first.clone(),
                receives: 0,
                receipt: 0,
            },
        );
        self.timeline.schedule(
            after,
            Happening::Receive {
                message,
                receipt: 0,
            },
        );
    }

    /// `None`: it was deleted, received again since, or is a dead letter now.
    pub fn receive(&self, message: u64, receipt: u32) -> Option<Received> {
        let mut state = self.lock();
        let known = state
            .messages
            .get_mut(&message)
            .filter(|known| known.receipt == receipt)?;
        known.receipt += 1;
        if known.receives >= MAXIMUM_RECEIVES {
            self.timeline.count("dead letter");
            let first = known.first.clone();
            state.messages.remove(&message);
            drop(state);
            if self.timeline.chance(0.3) {
                self.timeline.count("dead letter sent again by an operator");
                self.send(&first, self.timeline.between(HOUR, 5 * HOUR));
            }
            return None;
        }
        known.receives += 1;
        let received = Received {
            message,
            first: known.first.clone(),
            receives: known.receives,
        };
        let receipt = known.receipt;
        self.timeline
            .schedule(VISIBILITY_TIMEOUT, Happening::Receive { message, receipt });
        Some(received)
    }

    /// Whether it was there.
    pub fn delete(&self, message: u64) -> bool {
        self.lock().messages.remove(&message).is_some()
    }

    pub fn postpone(&self, message: u64, pause: i64) {
        if let Some(known) = self.lock().messages.get_mut(&message) {
            known.receipt += 1;
            let receipt = known.receipt;
            self.timeline
                .schedule(pause, Happening::Receive { message, receipt });
        }
    }
}

#[async_trait]
impl SubmissionQueue for SimulatedQueue {
    async fn enqueue(&self, first: &ScanRef) -> Result<(), StoreUnavailable> {
        if self.timeline.elapsed() < self.random_faults.calm_after
            && self.timeline.chance(self.random_faults.message_lost)
        {
            self.timeline.count("message lost");
            return Ok(());
        }
        self.send(first, self.timeline.between(1, 200));
        Ok(())
    }

    async fn enqueue_later(
        &self,
        first: &ScanRef,
        delay: Duration,
    ) -> Result<(), StoreUnavailable> {
        if self.timeline.elapsed() < self.random_faults.calm_after
            && self.timeline.chance(self.random_faults.message_lost)
        {
            self.timeline.count("message lost");
            return Ok(());
        }
        let delay = i64::try_from(delay.as_millis()).unwrap();
        self.send(first, delay + self.timeline.between(1, 200));
        Ok(())
    }
}
