//! An erasure that is overtaken by a callback.

use std::sync::Mutex;

use async_trait::async_trait;
use verification::testing::interception::{CallOutcome, Interceptor, Operation};
use verification::testing::ports::Ports;

use super::applications::request;
use super::*;

/// Just before the erasure is written, a callback takes the pairing to `Capturing` and never
/// returns.
struct OvertakenOnce {
    accept: AcceptCallback,
    content: Mutex<Option<CallbackContent>>,
}

#[async_trait]
impl Interceptor for OvertakenOnce {
    async fn before(&self, operation: Operation) -> CallOutcome {
        let content = if operation == Operation::Save {
            self.content.lock().unwrap().take()
        } else {
            None
        };
        if let Some(content) = content {
            let until = self.accept.changer.clock.now().plus(Duration::from_secs(8));
            let (_, task) = self.accept.accept(content, b"{}", until).await.unwrap();
            assert!(
                task.is_some(),
                "files are to be copied when its process ends"
            );
        }
        CallOutcome::Proceeds
    }

    async fn after(&self, _operation: Operation) -> CallOutcome {
        CallOutcome::Proceeds
    }
}

#[tokio::test]
async fn an_erasure_waits_for_a_worker_that_came_in_between() {
    let flow = Flow::new();
    let opened = flow
        .sessions()
        .open(&request(), ExpectedDocument::default())
        .await
        .unwrap();
    let first = opened.session.scan_ref;
    flow.world.end_session(&first);
    let content = approved(first.as_str(), "client");
    flow.world.serve(&content);
    // The worker does not finish, so its lease stands.
    let accept = Ports::in_memory(&flow.world).accept_callback(flow.accept.policy.clone());
    let content = Mutex::new(Some(content));
    let ports =
        Ports::in_memory(&flow.world).intercepted(Arc::new(OvertakenOnce { accept, content }));
    let Erased::Now(receipt) = ports.erase().erase(&first).await.unwrap() else {
        panic!()
    };
    assert!(
        receipt
            .remaining
            .iter()
            .any(|remaining| matches!(remaining.kind, RemainingKind::WorkerBusy(_))),
        "{receipt:?}"
    );
}
