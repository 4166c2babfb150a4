//! `docs/SCALING.md` counts what one verification costs. This counts it anew.
//!
//! The path is the plain one: a session of `POST /sessions`, two pictures, both results approved.
//! How many requests the adapters make of one call is tested there.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use verification::Timestamp;
use verification::document::StoredDocument;
use verification::ports::{DocumentPreparation, PreparationError};
use verification::prepared::Preparation;
use verification::testing::interception::{CallOutcome, Interceptor, Operation};

use super::applications::request;
use super::*;

/// Files of the second document.
const FILES: u64 = 2;

/// Requests of one invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Requests {
    table_reads: u64,
    transactions: u64,
    bucket_writes: u64,
    bucket_reads: u64,
    messages: u64,
    provider: u64,
}

impl Requests {
    fn add(&mut self, operation: Operation) {
        let (count, each) = match operation {
            // As a first `scanRef` and as a second one, at once.
            Operation::Find => (&mut self.table_reads, 2),
            Operation::IsForgotten => (&mut self.table_reads, 1),
            Operation::Save => (&mut self.transactions, 1),
            Operation::KeepCallback | Operation::Capture => (&mut self.bucket_writes, 1),
            Operation::ReadSubject | Operation::ReadCallback => (&mut self.bucket_reads, 1),
            Operation::Enqueue | Operation::EnqueueLater => (&mut self.messages, 1),
            // It streams each file from the bucket.
            Operation::Submit => {
                self.bucket_reads += FILES;
                (&mut self.provider, 1)
            }
            operation if operation.calls_provider() => (&mut self.provider, 1),
            operation => panic!("{operation:?} is not on the plain path"),
        };
        *count += each;
    }

    fn row(&self, name: &str) -> String {
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} |",
            self.table_reads,
            self.transactions,
            self.bucket_writes,
            self.bucket_reads,
            self.messages,
            self.provider
        )
    }
}

/// Counts the calls, and looks at the pairing after each write.
struct Counter {
    world: Arc<World>,
    requests: Mutex<Requests>,
    written: Mutex<Vec<Written>>,
}

/// A stored version of the pairing.
#[derive(Clone, Copy, Debug)]
struct Written {
    bytes: usize,
    attention_at: Option<Timestamp>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Interceptor for Counter {
    async fn before(&self, operation: Operation) -> CallOutcome {
        lock(&self.requests).add(operation);
        CallOutcome::Proceeds
    }

    async fn after(&self, operation: Operation) -> CallOutcome {
        if operation == Operation::Save {
            self.world.for_each_pairing(|pairing| {
                lock(&self.written).push(Written {
                    bytes: serde_json::to_string(pairing).unwrap().len(),
                    attention_at: pairing.attention_at(),
                });
            });
        }
        CallOutcome::Proceeds
    }
}

/// Each inspected document is one read of the bucket.
struct CountedInspection(Arc<Counter>);

#[async_trait]
impl DocumentPreparation for CountedInspection {
    async fn inspect(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        until: Timestamp,
    ) -> Result<Vec<bool>, PreparationError> {
        lock(&self.0.requests).bucket_reads += u64::try_from(documents.len()).unwrap();
        self.0.world.inspect(first, documents, until).await
    }

    async fn prepare(
        &self,
        _: &ScanRef,
        _: &[StoredDocument],
        _: &[bool],
        _: Timestamp,
    ) -> Result<Vec<Preparation>, PreparationError> {
        panic!("the pictures need no preparation")
    }
}

impl Counter {
    /// The requests since the last call.
    fn take(&self) -> Requests {
        std::mem::take(&mut lock(&self.requests))
    }

    fn written(&self) -> Vec<Written> {
        lock(&self.written).clone()
    }
}

/// Plays the path. Returns the requests of each invocation, and every stored version.
async fn play() -> (Vec<(&'static str, Requests)>, Vec<Written>) {
    let world = Arc::new(World::new());
    let counter = Arc::new(Counter {
        world: world.clone(),
        requests: Mutex::default(),
        written: Mutex::default(),
    });
    let mut ports = Ports::in_memory(&world).intercepted(counter.clone());
    ports.preparation = Arc::new(CountedInspection(counter.clone()));
    let accept = ports.accept_callback(Policy::default());
    let advance = ports.advance(Policy::default());
    let until = || world.now().plus(Duration::from_secs(60));
    let mut invocations = Vec::new();

    let opened = ports.open_session();
    let opened = opened.open(&request(), ExpectedDocument::default()).await;
    let first = opened.unwrap().session.scan_ref;
    invocations.push(("`ApiFunction`: `POST /sessions`", counter.take()));

    world.end_session(&first);
    let content = approved(first.as_str(), "client");
    world.serve(&content);
    let (_, task) = accept.accept(content, b"{}", until()).await.unwrap();
    accept.capture(task.unwrap()).await.unwrap();
    invocations.push(("`WebhookFunction`: first callback", counter.take()));

    assert_eq!(world.take_messages().len(), 1);
    let submitted = advance.advance(&first, until()).await.unwrap();
    assert_eq!(submitted, Advanced::Resting("Submitted"));
    assert_eq!(world.submissions()[0].1.len(), 2);
    invocations.push(("`ProcessorFunction`: documents", counter.take()));

    world.wait(Duration::from_secs(66));
    assert_eq!(world.take_messages().len(), 1, "the spare message");
    advance.advance(&first, until()).await.unwrap();
    invocations.push(("`ProcessorFunction`: spare message", counter.take()));

    let content = second("second-1", first.as_str(), Overall::Approved);
    world.serve(&content);
    let (_, task) = accept.accept(content, b"{}", until()).await.unwrap();
    assert!(task.is_none());
    let mut requests = counter.take();
    // The alias leads to the pairing, which is another read.
    requests.table_reads += 1;
    invocations.push(("`WebhookFunction`: second callback", requests));

    assert_eq!(world.take_messages().len(), 1);
    let settled = advance.advance(&first, until()).await.unwrap();
    assert_eq!(settled, Advanced::Resting("Settled"));
    invocations.push(("`ProcessorFunction`: second result", counter.take()));

    world.wait(Duration::from_secs(15 * 60));
    assert!(world.take_messages().is_empty(), "no message is left");
    assert_eq!(world.announcements().len(), 1);
    (invocations, counter.written())
}

/// Bytes of a pairing's item beside its JSON, and of real names, which are longer than these.
const BESIDE: usize = 550;

/// Write units of the transactions: two for each KiB of an item.
fn table_units(written: &[Written]) -> usize {
    // A line of the history is below 1 KiB, and so is the one alias.
    let small = 2 * (written.len() + 1);
    let pairings = written
        .iter()
        .map(|version| (version.bytes + BESIDE).div_ceil(1_024));
    small + 2 * pairings.sum::<usize>()
}

/// Write units of the sparse index by attention: an entry that moves is deleted and put.
fn attention_units(written: &[Written]) -> u64 {
    let mut writes = 0;
    let mut before = None;
    for version in written {
        if version.attention_at != before {
            writes += u64::from(before.is_some()) + u64::from(version.attention_at.is_some());
        }
        before = version.attention_at;
    }
    writes
}

#[tokio::test]
async fn the_scaling_document_counts_what_a_verification_costs() {
    let (invocations, written) = play().await;
    let mut together = Requests::default();
    let mut table = String::new();
    for (name, requests) in &invocations {
        writeln!(table, "{}", requests.row(name)).unwrap();
        together.table_reads += requests.table_reads;
        together.transactions += requests.transactions;
        together.bucket_writes += requests.bucket_writes;
        together.bucket_reads += requests.bucket_reads;
        together.messages += requests.messages;
        together.provider += requests.provider;
    }
    writeln!(table, "{}", together.row("together")).unwrap();
    let units = format!(
        "{} write units of the table, {} of the index by client and {} of the index by attention",
        table_units(&written),
        written.len(),
        attention_units(&written)
    );
    println!("{table}{units}\n{written:?}");

    let document = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/SCALING.md"
    ))
    .unwrap();
    assert!(document.contains(&table), "docs/SCALING.md lacks:\n{table}");
    let prose = document.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(prose.contains(&units), "docs/SCALING.md lacks: {units}");
}
