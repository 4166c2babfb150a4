//! A stack whose functions reach the AWS services and the provider through a checkpoint each.

use std::net::TcpListener;

use local_stack::Options;

use crate::checkpoint::{Call, Checkpoint};
use crate::stack::{DedicatedStack, Stack};
use crate::wait::eventually;

/// A stack of the test's own, every call of whose functions can be held.
#[derive(Debug)]
pub struct WatchedStack {
    dedicated: DedicatedStack,
    /// Between the functions and table, bucket and queue.
    pub services: Checkpoint,
    /// Between the functions and the provider.
    pub provider: Checkpoint,
}

impl WatchedStack {
    /// Starts one. Of the options, the port, the functions' endpoint and the provider's address are
    /// replaced.
    pub async fn start(mut options: Options) -> Self {
        let (services, provider) = (Checkpoint::open().await, Checkpoint::open().await);
        // Chosen here, because functions call the services while the stack is still starting.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("a free port").port();
        services.lead_to(&format!("http://127.0.0.1:{port}"));
        options.port = Some(port);
        options.functions_endpoint = Some(services.origin().parse().expect("an address"));
        options
            .parameters
            .insert("IdenfyBaseUrl".to_owned(), provider.origin().to_owned());
        let dedicated = DedicatedStack::start(options).await;
        provider.lead_to(dedicated.stack.sandbox.url());
        Self {
            dedicated,
            services,
            provider,
        }
    }

    /// The stack itself.
    pub fn stack(&self) -> &Stack {
        &self.dedicated.stack
    }

    /// Ends it and waits until it has ended.
    pub async fn stop(self) {
        self.dedicated.stop().await;
    }

    /// Waits until every message has been worked off, and shows that none was given up.
    pub async fn assert_queues_empty(&self) {
        assert_queues_empty(self.stack()).await;
    }

    /// Shows that every callback that was answered 200 is in the bucket.
    pub async fn assert_answers_are_durable(&self, client_id: &str) {
        assert_answers_are_durable(self.stack(), client_id).await;
    }
}

/// Waits until every message has been worked off, and shows that none was given up.
pub async fn assert_queues_empty(stack: &Stack) {
    eventually("the queue is empty", || async {
        match stack
            .messages_on(&stack.description.submission_queue_url)
            .await
        {
            0 => Ok(()),
            left => Err(format!("{left} messages")),
        }
    })
    .await;
    assert_eq!(
        stack
            .messages_on(&stack.description.dead_letter_queue_url)
            .await,
        0
    );
}

/// Shows that every callback that was answered 200 is in the bucket.
pub async fn assert_answers_are_durable(stack: &Stack, client_id: &str) {
    for delivery in stack.sandbox.deliveries_to(client_id).await {
        if delivery["status"] == 200 {
            let text = |name: &str| delivery[name].as_str().expect("text").to_owned();
            // Half a body says not whom it is about.
            let is_readable = delivery["fault"] != "cutBody";
            let folder = if is_readable {
                text("scanRef")
            } else {
                "unreadable".to_owned()
            };
            let key = format!("callbacks/{folder}/{}.json", text("bodySha256"));
            assert!(!stack.object(&key).await.is_empty(), "{delivery}");
        }
    }
}

/// Recognises the write that takes a pairing to a state.
pub fn writes(first: &str, state: &str) -> impl Fn(&Call) -> bool + Send + use<> {
    let key = format!("PAIRING#{first}");
    let state = format!(r#""state":{{"S":"{state}"}}"#);
    move |call| {
        call.operation == "TransactWriteItems"
            && call.body.contains(&key)
            && call.body.contains(&state)
    }
}
