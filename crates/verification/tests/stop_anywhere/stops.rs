//! Ends the program at a port call: before its effect, or after it and before the answer.
//!
//! The calls are numbered as they are made, so their list is found by running, not written down.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use verification::testing::interception::{CallOutcome, Interceptor, Operation};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Before,
    /// The effect took place.
    After,
}

/// Where the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Counted from 0, over the whole run.
    pub call: usize,
    pub side: Side,
}

#[derive(Default)]
pub struct Stops(Mutex<State>);

#[derive(Default)]
struct State {
    calls: Vec<Operation>,
    /// Those to come, the last one first.
    to_come: Vec<Stop>,
    has_stopped: bool,
}

impl Stops {
    pub fn at(stops: &[Stop]) -> Arc<Self> {
        let to_come = stops.iter().rev().copied().collect();
        Arc::new(Self(Mutex::new(State {
            to_come,
            ..State::default()
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every call that was made, in order.
    pub fn calls(&self) -> Vec<Operation> {
        self.lock().calls.clone()
    }

    /// Whether every stop was come to.
    pub fn are_over(&self) -> bool {
        self.lock().to_come.is_empty()
    }

    /// Runs a use case to its end or to the next stop.
    /// A stopped one is dropped, and the answer is `None`.
    pub fn run<T>(&self, use_case: impl Future<Output = T>) -> Option<T> {
        let mut use_case = pin!(use_case);
        match use_case
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(returned) => Some(returned),
            Poll::Pending => {
                let has_stopped = std::mem::take(&mut self.lock().has_stopped);
                assert!(has_stopped, "ports in memory keep nobody waiting");
                None
            }
        }
    }

    async fn reach(&self, side: Side) -> CallOutcome {
        let is_the_end = {
            let mut state = self.lock();
            let here = Stop {
                call: state.calls.len() - 1,
                side,
            };
            if state.to_come.last() == Some(&here) {
                state.to_come.pop();
                state.has_stopped = true;
            }
            state.has_stopped
        };
        if is_the_end {
            std::future::pending::<()>().await;
        }
        CallOutcome::Proceeds
    }
}

#[async_trait]
impl Interceptor for Stops {
    async fn before(&self, operation: Operation) -> CallOutcome {
        // Files are copied concurrently. When one copy has stopped, so has the program.
        let is_over = self.lock().has_stopped;
        if is_over {
            std::future::pending::<()>().await;
        }
        self.lock().calls.push(operation);
        self.reach(Side::Before).await
    }

    async fn after(&self, _operation: Operation) -> CallOutcome {
        self.reach(Side::After).await
    }
}
