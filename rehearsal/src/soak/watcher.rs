//! Which pairings have come to an end. One look at the table serves all customers: watching must
//! not become the load.
//!
//! The sparse index by attention holds exactly the pairings that are under way. A pairing that has
//! left it is looked up.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use harness::Stack;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

/// States that only new events lead out of.
pub const TERMINAL: [&str; 4] = ["Settled", "Declined", "Expired", "Parked"];

/// Interval of the looks, and so the resolution of measured latencies.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Watches all pairings that a customer waits for.
#[derive(Debug, Default)]
pub struct Watcher {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    waiting: BTreeMap<String, oneshot::Sender<Instant>>,
    ended: BTreeSet<String>,
}

impl Watcher {
    /// Waits for the end of a pairing, and returns how long after `began` it was.
    pub async fn ended(&self, scan_ref: &str, began: Instant) -> Duration {
        let (sender, receiver) = oneshot::channel();
        self.seen().waiting.insert(scan_ref.to_owned(), sender);
        match receiver.await {
            Ok(at) => at.duration_since(began),
            // The watcher lives as long as its waiters.
            Err(_) => std::future::pending().await,
        }
    }

    /// Whether this pairing has been seen to have ended.
    pub fn is_ended(&self, scan_ref: &str) -> bool {
        self.seen().ended.contains(scan_ref)
    }

    /// How many have ended, and the `scanRef`s of those that have not.
    pub fn count(&self) -> (usize, Vec<String>) {
        let seen = self.seen();
        (seen.ended.len(), seen.waiting.keys().cloned().collect())
    }

    /// Looks until it is dropped.
    ///
    /// # Errors
    /// The table does not answer.
    pub async fn watch(&self, stack: &Stack) -> Result<Infallible> {
        loop {
            let waiting = self.count().1;
            if !waiting.is_empty() {
                let under_way = stack.under_way().await?;
                for scan_ref in &waiting {
                    let state = stack.state(scan_ref).await?.unwrap_or_default();
                    // iDenfy is asked about a denial once more, after ten minutes.
                    let is_at_rest = state == "Declined" || !under_way.contains(scan_ref);
                    if is_at_rest && TERMINAL.contains(&state.as_str()) {
                        self.end(scan_ref);
                    }
                }
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn end(&self, scan_ref: &str) {
        let mut seen = self.seen();
        let sender = seen.waiting.remove(scan_ref);
        if sender.is_some_and(|sender| sender.send(Instant::now()).is_ok()) {
            seen.ended.insert(scan_ref.to_owned());
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
