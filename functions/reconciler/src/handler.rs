//! A tick in, one log line out.

use std::sync::Arc;
use std::time::Duration;

use adapters::SystemClock;
use lambda_runtime::{Context, Error};
use lambda_support::{deadline_less, milliseconds, peak_memory_kilobytes};
use serde_json::{Value, json};
use verification::ports::Clock;
use verification::{Reconcile, Reconciled};

/// Time for the current pairing and the answer.
const RESERVE: Duration = Duration::from_secs(15);

pub struct Reconciler {
    pub reconcile: Reconcile,
    pub clock: Arc<SystemClock>,
}

impl Reconciler {
    /// Ignores the event: the index tells what to do.
    ///
    /// The answer is for manual invocations.
    pub async fn handle(&self, context: &Context) -> Result<Value, Error> {
        let started = self.clock.now();
        let until = deadline_less(context.deadline, RESERVE);
        let run = self.reconcile.run(until).await?;
        let Reconciled {
            overdue,
            oldest,
            enqueued,
            moved,
            postponed,
            waiting,
            erased,
            failed,
        } = run;
        tracing::info!(
            event = "reconciled",
            overdue,
            oldest_s = oldest.as_secs(),
            enqueued,
            moved,
            postponed,
            waiting,
            erased,
            failed,
            duration_ms = milliseconds(self.clock.now().since(started)),
            peak_memory_kb = peak_memory_kilobytes(),
            "reconciled"
        );
        Ok(json!({
            "overdue": overdue,
            "enqueued": enqueued,
            "moved": moved,
            "postponed": postponed,
            "waiting": waiting,
            "erased": erased,
            "failed": failed,
        }))
    }
}
