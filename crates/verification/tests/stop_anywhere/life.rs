//! Everything around the program that continues after its end.
//! The provider sends unanswered callbacks again, and the queue delivers undeleted messages again.
//! People ask again, and the reconciler runs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use verification::identifiers::ScanRef;
use verification::pairing::ExpectedDocument;
use verification::ports::{Clock, Pairings, SessionRequest};
use verification::result::{CallbackContent, Overall};
use verification::session_key::IdempotentRequest;
use verification::testing::fixtures::{approved, second};
use verification::testing::interception::Operation;
use verification::testing::memory::{Fault, World};
use verification::testing::ports::Ports;
use verification::{Advanced, Apply, Erased, OpenedOnce, Policy, Timestamp};

use super::scenario::Scenario;
use super::stops::{Stop, Stops};

/// Longer than any way to the end.
/// Reaching it means that there is none.
const MAXIMUM_ROUNDS: u32 = 200;

pub struct Life {
    pub world: Arc<World>,
    pub first: ScanRef,
    scenario: Scenario,
    ports: Ports,
    stops: Arc<Stops>,
    unanswered: Vec<CallbackContent>,
    messages: Vec<ScanRef>,
    /// The number of rounds until the provider's result about each accepted Token 2.
    decided_in: BTreeMap<ScanRef, u32>,
    /// Token 2s whose result was sent.
    sent: BTreeSet<ScanRef>,
    wants_session: bool,
    wants_erasure: bool,
    is_erased: bool,
    rounds: u32,
}

impl Life {
    pub fn new(scenario: Scenario, stops: &[Stop], apply: Apply) -> Self {
        let world = Arc::new(World::new());
        let stops = Stops::at(stops);
        let ports = Ports {
            apply,
            ..Ports::in_memory(&world)
        }
        .intercepted(stops.clone());
        let mut life = Self {
            first: "first".parse().unwrap(),
            wants_session: scenario.opens_session,
            wants_erasure: false,
            is_erased: false,
            scenario,
            ports,
            stops,
            unanswered: Vec::new(),
            messages: Vec::new(),
            decided_in: BTreeMap::new(),
            sent: BTreeSet::new(),
            rounds: 0,
            world,
        };
        if !life.wants_session {
            life.customer_finishes();
        }
        if scenario.has_key {
            life.world.fault("session", Fault::Unavailable);
        }
        life
    }

    fn customer_finishes(&mut self) {
        let content = (self.scenario.callback)(approved(self.first.as_str(), "client"));
        self.world.serve(&content);
        // An earlier session of this name, whose creation was stopped, may have expired.
        self.world.status_of(self.first.as_str(), Overall::Approved);
        (self.scenario.prepare)(&self.world, &content);
        self.unanswered.push(content);
    }

    /// Continues until nothing is left to do.
    /// Returns the calls that were made.
    ///
    /// # Errors
    /// It never comes to rest, or a stop was not reached.
    pub fn run(&mut self) -> Result<Vec<Operation>, String> {
        while !self.is_at_rest() {
            self.rounds += 1;
            if self.rounds > MAXIMUM_ROUNDS {
                return Err(format!("it never comes to rest: {:?}", self.state()));
            }
            self.round();
        }
        if self.stops.are_over() {
            Ok(self.stops.calls())
        } else {
            Err("a stop was never come to".to_owned())
        }
    }

    fn is_at_rest(&self) -> bool {
        let mut are_terminal = true;
        self.world
            .for_each_pairing(|pairing| are_terminal &= pairing.state.is_terminal());
        let is_idle = self.sent.len() == self.world.accepted_tokens().len()
            && self.unanswered.is_empty()
            && self.messages.is_empty()
            && !self.wants_session
            && !self.wants_erasure;
        let is_done = self.is_erased == self.scenario.erases_in.is_some();
        self.rounds > 0
            && are_terminal
            && is_idle
            && is_done
            && !(self.scenario.retries && self.state() == Some("Parked"))
    }

    fn state(&self) -> Option<&'static str> {
        self.world
            .stored(&self.first)
            .map(|pairing| pairing.state.name())
    }

    fn round(&mut self) {
        self.ask_for_session();
        self.deliver_callbacks();
        self.process_messages();
        self.decide();
        self.retry();
        self.erase();
        if self.rounds == 1 {
            (self.scenario.later)(&self.world);
        }
        if self.rounds.is_multiple_of(4) || self.unanswered.is_empty() && self.messages.is_empty() {
            self.world.wait(Duration::from_secs(6 * 60));
            self.stops.run(self.ports.reconcile().run(self.until(60)));
        }
        self.world.wait(Duration::from_secs(16));
        self.messages.extend(self.world.take_messages());
    }

    fn until(&self, seconds: u64) -> Timestamp {
        self.world.now().plus(Duration::from_secs(seconds))
    }

    fn ask_for_session(&mut self) {
        if !self.wants_session {
            return;
        }
        let request = SessionRequest {
            client_id: "client".parse().unwrap(),
            country: None,
            locale: None,
            documents: Vec::new(),
            success_url: None,
            error_url: None,
            unverified_url: None,
            external_ref: None,
            expiry: Duration::from_secs(3_600),
            session_length: None,
            additional_steps: None,
        };
        let open = self.ports.open_session();
        let opened = if self.scenario.has_key {
            let id = IdempotentRequest::new("application", "key", b"{}");
            let opened = self
                .stops
                .run(open.open_once(&id, &request, ExpectedDocument::default()));
            opened.map(|opened| match opened {
                Ok(OpenedOnce::Created(opened) | OpenedOnce::Replayed(opened)) => Ok(opened),
                Err(error) => Err(error),
            })
        } else {
            self.stops
                .run(open.open(&request, ExpectedDocument::default()))
        };
        match opened {
            Some(Ok(opened)) => {
                self.wants_session = false;
                self.first = opened.session.scan_ref;
                self.world.end_session(&self.first);
                self.customer_finishes();
            }
            // The application repeats the request, and still gets the link.
            _ if self.scenario.has_key => {}
            // The session was never shown, so it expires. The application asks for another.
            _ => self.world.status_of("session-1", Overall::Expired),
        }
    }

    fn deliver_callbacks(&mut self) {
        for content in std::mem::take(&mut self.unanswered) {
            let accept = self.ports.accept_callback(Policy::default());
            let answered = self
                .stops
                .run(accept.accept(content.clone(), b"{}", self.until(60)));
            match answered {
                // Not answered again, however the copying ends.
                Some(Ok((_, Some(task)))) => drop(self.stops.run(accept.capture(task))),
                Some(Ok((_, None))) => {}
                _ => self.unanswered.push(content),
            }
        }
        self.messages.extend(self.world.take_messages());
    }

    fn process_messages(&mut self) {
        for first in std::mem::take(&mut self.messages) {
            let advanced = self.stops.run(
                self.ports
                    .advance(Policy::default())
                    .advance(&first, self.until(60)),
            );
            if !matches!(advanced, Some(Ok(Advanced::Resting(_) | Advanced::Unknown))) {
                self.messages.push(first);
            }
        }
    }

    /// The provider comes to its result about what it has accepted.
    fn decide(&mut self) {
        for token in self.world.accepted_tokens() {
            let rounds_left = self
                .decided_in
                .entry(token.clone())
                .or_insert(self.scenario.result_after);
            if let Some(fewer) = rounds_left.checked_sub(1) {
                *rounds_left = fewer;
            }
            if *rounds_left == 0 && self.sent.insert(token.clone()) {
                let content = second(token.as_str(), self.first.as_str(), Overall::Approved);
                self.world.serve(&content);
                self.unanswered.push(content);
            }
        }
    }

    fn retry(&mut self) {
        if self.scenario.retries && self.state() == Some("Parked") {
            let retry = self.ports.retry(Policy::default());
            drop(self.stops.run(retry.retry(&self.first)));
        }
    }

    fn erase(&mut self) {
        self.wants_erasure |= !self.is_erased
            && self.scenario.erases_in.is_some()
            && (self.state() == self.scenario.erases_in || self.state() == Some("Settled"));
        if !self.wants_erasure {
            return;
        }
        let erased = self.stops.run(self.ports.erase().erase(&self.first));
        let is_over = match erased {
            Some(Ok(Erased::Before)) => true,
            Some(Ok(Erased::Now(receipt))) => receipt.remaining.is_empty(),
            _ => false,
        };
        self.wants_erasure = !is_over;
        self.is_erased = is_over;
    }

    /// The words of the pairing's history.
    pub fn history(&self) -> Vec<String> {
        let history = Stops::default().run(self.world.history(&self.first, 1_000));
        let entries = history
            .expect("memory does not wait")
            .expect("memory does not fail");
        entries.into_iter().map(|entry| entry.what).collect()
    }
}
