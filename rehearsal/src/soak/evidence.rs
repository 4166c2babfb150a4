//! The end of every customer, counted from the provider's journal, the bucket, the table and the
//! queues. No function is asked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use harness::{Stack, StoredObject, StoredPairing};
use serde::Serialize;
use serde_json::Value;

use super::customer::{BACK_BYTES, CustomerResult, FRONT_BYTES};
use super::figures::Percentiles;
use super::watcher::TERMINAL;

/// States with work to do: a message must be on the queue.
const WORKING: [&str; 5] = [
    "Capturing",
    "Captured",
    "Authorizing",
    "Authorized",
    "Submitting",
];

/// Broken promises. Each is a number of pairings, submissions, callbacks or files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Broken {
    /// Not in the table, or not at an end.
    pub pairings_lost: usize,
    /// Accepted by the provider beyond the first of a customer.
    pub double_submissions: usize,
    /// Callbacks that were answered 200 and are not in the bucket.
    pub callbacks_not_durable: usize,
    /// Pairings with work to do that no message is on the queue for.
    pub messages_unfinished: usize,
    /// Pairings not at an end, without a time for the reconciler.
    pub pairings_forgotten: usize,
    /// Submissions of documents of which the first verification was not approved.
    pub unapproved_submitted: usize,
    /// Settled pairings without an accepted submission of exactly the files that the customer
    /// uploaded.
    pub settled_without_submission: usize,
    /// Files stored more than once, not whole, or missing though their pairing settled.
    pub files_wrong: usize,
    /// Denials after settlement that the pairing does not show.
    pub denials_forgotten: usize,
}

/// Everything that was counted.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    pub broken: Broken,
    /// How many pairings ended in which way.
    pub ends: BTreeMap<String, usize>,
    pub submissions_accepted: usize,
    pub files_stored: usize,
    /// Attempts at delivering a callback, by their outcome.
    pub deliveries: BTreeMap<String, usize>,
    /// Callbacks answered 200 although their bytes had been answered 200 before.
    pub duplicates_absorbed: usize,
    /// Token 2s whose answer was lost, so that another one was made.
    pub tokens_given_up: usize,
    /// Faults that requests and callbacks have met, by route and kind.
    pub faults_met: BTreeMap<String, usize>,
    pub dead_letters: u64,
    pub messages_left: u64,
    /// How long the webhook took to answer 200.
    pub callback_answered: Percentiles,
    /// Unfinished pairings and their history.
    pub stuck: Vec<String>,
}

/// Everything that was read.
struct Found {
    pairings: BTreeMap<String, StoredPairing>,
    documents: BTreeMap<String, Vec<StoredObject>>,
    callbacks: BTreeSet<String>,
    deliveries: Vec<Value>,
    requests: Vec<Value>,
    /// Accepted Token 2 sessions by customer.
    accepted: BTreeMap<String, Vec<String>>,
    tokens: BTreeMap<String, usize>,
}

impl Evidence {
    /// Reads everything and counts what concerns these customers.
    ///
    /// # Errors
    /// A part of the stack does not answer.
    pub async fn collect(stack: &Stack, everybody: &[CustomerResult]) -> Result<Self> {
        let ours: BTreeSet<&str> = everybody
            .iter()
            .map(|played| played.client_id.as_str())
            .collect();
        let found = Found::read(stack, &ours).await?;
        let mut evidence = Self {
            dead_letters: stack
                .messages_on(&stack.description.dead_letter_queue_url)
                .await?,
            messages_left: stack
                .messages_on(&stack.description.submission_queue_url)
                .await?,
            ..Self::default()
        };
        evidence.count_deliveries(&found);
        evidence.count_faults(&found);
        let mut working = 0;
        for played in everybody {
            evidence.judge(played, &found);
            let pairing = found.pairings.get(&played.scan_ref);
            if !pairing.is_some_and(|pairing| TERMINAL.contains(&pairing.state.as_str())) {
                working += usize::from(
                    pairing.is_some_and(|pairing| WORKING.contains(&pairing.state.as_str())),
                );
                let history = stack.history(&played.scan_ref).await?.join(", ");
                let troubles = played.plan.troubles.join(", ");
                evidence.stuck.push(format!(
                    "{}: {pairing:?}; troubles: {troubles}; {history}",
                    played.scan_ref
                ));
            }
        }
        let messages = usize::try_from(evidence.messages_left).unwrap_or(usize::MAX);
        evidence.broken.messages_unfinished = working.saturating_sub(messages);
        Ok(evidence)
    }

    fn judge(&mut self, played: &CustomerResult, found: &Found) {
        let pairing = found.pairings.get(&played.scan_ref);
        let state = pairing.map_or("none", |pairing| pairing.state.as_str());
        let is_at_end = TERMINAL.contains(&state);
        self.broken.pairings_lost += usize::from(!is_at_end);
        self.broken.pairings_forgotten += usize::from(
            pairing.is_some_and(|pairing| !is_at_end && pairing.attention_at.is_none()),
        );
        let end = match pairing.and_then(|pairing| pairing.reason.as_deref()) {
            Some(reason) => format!("{state} {reason}"),
            None => state.to_owned(),
        };
        *self.ends.entry(end).or_default() += 1;

        let accepted = found
            .accepted
            .get(&played.client_id)
            .map(Vec::as_slice)
            .unwrap_or_default();
        self.submissions_accepted += accepted.len();
        self.broken.double_submissions += accepted.len().saturating_sub(1);
        self.tokens_given_up += found
            .tokens
            .get(&played.client_id)
            .copied()
            .unwrap_or_default()
            .saturating_sub(1);
        if played.plan.finish.get("overall").is_some() {
            self.broken.unapproved_submitted += accepted.len();
        }
        if state == "Settled" {
            let is_submitted = accepted
                .iter()
                .any(|second| found.was_submitted(second, &played.uploaded));
            self.broken.settled_without_submission += usize::from(!is_submitted);
            let is_denied = played.plan.denied_later.is_some() && played.took.is_some();
            let is_known = pairing.is_some_and(|pairing| pairing.revoked.is_some());
            self.broken.denials_forgotten += usize::from(is_denied && !is_known);
        }
        self.judge_files(
            state,
            found
                .documents
                .get(&played.scan_ref)
                .map(Vec::as_slice)
                .unwrap_or_default(),
        );
    }

    fn judge_files(&mut self, state: &str, files: &[StoredObject]) {
        let keys: BTreeSet<&str> = files.iter().map(|file| file.key.as_str()).collect();
        let size = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        let whole = [size(FRONT_BYTES), size(BACK_BYTES)];
        let broken = files
            .iter()
            .filter(|file| !whole.contains(&file.bytes))
            .count();
        let missing = if state == "Settled" {
            2_usize.saturating_sub(keys.len())
        } else {
            0
        };
        self.files_stored += keys.len();
        self.broken.files_wrong += files.len().saturating_sub(keys.len()) + broken + missing;
    }

    fn count_deliveries(&mut self, found: &Found) {
        let mut answered = BTreeSet::new();
        let mut milliseconds = Vec::new();
        for delivery in &found.deliveries {
            let text = |name: &str| {
                delivery
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let status = delivery.get("status").and_then(Value::as_u64);
            let outcome = status.map_or_else(|| text("error"), |status| status.to_string());
            *self.deliveries.entry(outcome).or_default() += 1;
            if status != Some(200) {
                continue;
            }
            milliseconds.extend(delivery.get("milliseconds").and_then(Value::as_u64));
            let body = format!("{}/{}.json", text("scanRef"), text("bodySha256"));
            // An unreadable body does not name its scanRef.
            let unreadable = format!("unreadable/{}.json", text("bodySha256"));
            let is_kept = found.callbacks.contains(&body) || found.callbacks.contains(&unreadable);
            self.broken.callbacks_not_durable += usize::from(!is_kept);
            self.duplicates_absorbed += usize::from(!answered.insert(body));
        }
        self.callback_answered = Percentiles::of(milliseconds);
    }

    fn count_faults(&mut self, found: &Found) {
        let on_requests = found
            .requests
            .iter()
            .map(|request| (request, request.get("route")));
        let on_callbacks = found.deliveries.iter().map(|delivery| (delivery, None));
        for (record, route) in on_requests.chain(on_callbacks) {
            if let Some(kind) = record.get("fault").and_then(Value::as_str) {
                let route = route.and_then(Value::as_str).unwrap_or("callback");
                *self
                    .faults_met
                    .entry(format!("{route} {kind}"))
                    .or_default() += 1;
            }
        }
    }
}

impl Found {
    async fn read(stack: &Stack, ours: &BTreeSet<&str>) -> Result<Self> {
        let client_of = |record: &Value| {
            record
                .get("clientId")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let is_ours = |record: &Value| ours.contains(client_of(record).as_str());
        let mut deliveries = stack.sandbox.all("deliveries").await?;
        let mut requests = stack.sandbox.all("requests").await?;
        deliveries.retain(is_ours);
        requests.retain(is_ours);
        let (mut accepted, mut tokens) = (
            BTreeMap::<String, Vec<String>>::new(),
            BTreeMap::<String, usize>::new(),
        );
        for session in stack
            .sandbox
            .all("sessions")
            .await?
            .iter()
            .filter(|session| is_ours(session))
        {
            if session.get("tokenType").and_then(Value::as_str) != Some("DOCUMENT") {
                continue;
            }
            *tokens.entry(client_of(session)).or_default() += 1;
            if session.get("processedAt").is_some_and(|at| !at.is_null()) {
                let second = session
                    .get("scanRef")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                accepted
                    .entry(client_of(session))
                    .or_default()
                    .push(second.to_owned());
            }
        }
        let mut documents = BTreeMap::<String, Vec<StoredObject>>::new();
        for object in stack.object_versions("documents/").await? {
            let first = object.key.split('/').nth(1).unwrap_or_default().to_owned();
            documents.entry(first).or_default().push(object);
        }
        let callbacks = stack.object_versions("callbacks/").await?.into_iter();
        let callbacks =
            callbacks.filter_map(|object| object.key.strip_prefix("callbacks/").map(str::to_owned));
        Ok(Self {
            pairings: stack.all_pairings().await?,
            documents,
            callbacks: callbacks.collect(),
            deliveries,
            requests,
            accepted,
            tokens,
        })
    }

    /// Whether a submission with this token consisted of exactly these files.
    fn was_submitted(&self, second: &str, uploaded: &[String; 2]) -> bool {
        let of_token = |request: &&Value| {
            request.get("route").and_then(Value::as_str) == Some("process")
                && request.get("scanRef").and_then(Value::as_str) == Some(second)
        };
        let wanted: BTreeSet<&str> = uploaded.iter().map(String::as_str).collect();
        self.requests.iter().filter(of_token).any(|request| {
            let images = request
                .get("images")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let sent: BTreeSet<&str> = images
                .filter_map(|image| image.get("sha256").and_then(Value::as_str))
                .collect();
            sent == wanted
        })
    }
}
