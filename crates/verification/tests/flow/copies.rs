//! Files that do not come whole.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use verification::testing::interception::{CallOutcome, Interceptor, Operation};
use verification::testing::ports::Ports;

use super::*;

/// How often a file that comes too short is asked for.
const TRIES: usize = 3;

/// A link that breaks off until it was followed this often.
struct Link {
    world: Arc<World>,
    whole_at: usize,
    copies: AtomicUsize,
}

#[async_trait]
impl Interceptor for Link {
    async fn before(&self, operation: Operation) -> CallOutcome {
        if operation == Operation::Capture
            && self.copies.fetch_add(1, Ordering::Relaxed) + 1 == self.whole_at
        {
            self.world.file(FRONT_LINK, FileBehaviour::Serves(1_000));
        }
        CallOutcome::Proceeds
    }

    async fn after(&self, _operation: Operation) -> CallOutcome {
        CallOutcome::Proceeds
    }
}

/// The outcome if the front was too short for the webhook, and how often the processor fetched it.
async fn processed(whole_at: usize) -> (Advanced, usize) {
    let flow = Flow::new();
    flow.world.file(FRONT_LINK, FileBehaviour::Truncated);
    flow.callback(&approved("first", "client")).await;
    let link = Arc::new(Link {
        world: flow.world.clone(),
        whole_at,
        copies: AtomicUsize::new(0),
    });
    let advance = Ports::in_memory(&flow.world)
        .intercepted(link.clone())
        .advance(Policy::default());
    let advanced = advance
        .advance(&"first".parse().unwrap(), flow.until())
        .await
        .unwrap();
    (advanced, link.copies.load(Ordering::Relaxed))
}

#[tokio::test]
async fn a_file_that_is_whole_at_the_last_try_is_submitted() {
    assert_eq!(
        processed(TRIES).await,
        (Advanced::Resting("Submitted"), TRIES)
    );
}

#[tokio::test]
async fn a_file_that_is_still_too_short_then_is_not_asked_for_again() {
    assert_eq!(
        processed(TRIES + 1).await,
        (Advanced::Resting("Parked"), TRIES)
    );
}
