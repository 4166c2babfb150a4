//! A stack whose functions reach the AWS services and the provider through a fault proxy each.

use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use local_stack::Options;

use crate::fault_proxy::{Call, FaultProxy};
use crate::json::text;
use crate::stack::{DedicatedStack, Stack};
use crate::wait::{DEADLINE, Look, wait_for};

/// A stack of the test's own. Every call of its functions can be held.
#[derive(Debug)]
pub struct WatchedStack {
    dedicated: DedicatedStack,
    /// Between the functions and table, bucket and queue.
    pub services: FaultProxy,
    /// Between the functions and the provider.
    pub provider: FaultProxy,
}

impl WatchedStack {
    /// Starts one. Of the options, the port, the functions' endpoint and the provider's address are
    /// replaced.
    ///
    /// # Errors
    /// The stack does not start.
    pub async fn start(mut options: Options) -> Result<Self> {
        let (services, provider) = (FaultProxy::open().await?, FaultProxy::open().await?);
        // Chosen here: functions call the services while the stack is still starting.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.context("no port is free")?.port();
        services.lead_to(&format!("http://127.0.0.1:{port}"))?;
        options.port = Some(port);
        options.functions_endpoint = Some(services.origin().parse()?);
        options
            .parameters
            .insert("IdenfyBaseUrl".to_owned(), provider.origin().to_owned());
        let dedicated = DedicatedStack::start(options).await?;
        provider.lead_to(dedicated.stack.sandbox.url())?;
        Ok(Self {
            dedicated,
            services,
            provider,
        })
    }

    /// The stack itself.
    pub fn stack(&self) -> &Stack {
        &self.dedicated.stack
    }

    /// Ends it and waits until it has ended.
    pub async fn stop(self) {
        self.dedicated.stop().await;
    }

    /// As [`assert_queues_empty`].
    ///
    /// # Errors
    /// As there.
    pub async fn assert_queues_empty(&self) -> Result<()> {
        assert_queues_empty(self.stack()).await
    }

    /// As [`assert_answers_are_durable`].
    ///
    /// # Errors
    /// As there.
    pub async fn assert_answers_are_durable(&self, client_id: &str) -> Result<()> {
        assert_answers_are_durable(self.stack(), client_id).await
    }
}

/// Waits until the submission queue is empty.
///
/// # Errors
/// It is not by the deadline, or there is a dead letter.
pub async fn assert_queues_empty(stack: &Stack) -> Result<()> {
    let description = &stack.description;
    wait_for(DEADLINE, "the queue is empty", async || {
        let left = stack.messages_on(&description.submission_queue_url).await?;
        Ok(match left {
            0 => Look::Found(()),
            left => Look::NotYet(format!("{left} messages")),
        })
    })
    .await?;
    let dead = stack
        .messages_on(&description.dead_letter_queue_url)
        .await?;
    ensure!(dead == 0, "{dead} dead letters");
    Ok(())
}

/// # Errors
/// A callback that was answered 200 is not in the bucket.
pub async fn assert_answers_are_durable(stack: &Stack, client_id: &str) -> Result<()> {
    for delivery in stack.sandbox.deliveries_to(client_id).await? {
        if delivery["status"] != 200 {
            continue;
        }
        // Half a body does not name its scanRef.
        let folder = match delivery["fault"].as_str() {
            Some("cutBody") => "unreadable",
            _ => text(&delivery, "scanRef")?,
        };
        let key = format!("callbacks/{folder}/{}.json", text(&delivery, "bodySha256")?);
        let body = stack.object(&key).await?;
        ensure!(!body.is_empty(), "an empty callback: {delivery}");
    }
    Ok(())
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
