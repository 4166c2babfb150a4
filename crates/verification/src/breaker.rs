//! The shared circuit at work: asked before each call to the provider, told after it.
//!
//! Best effort by intent: if the circuit cannot be read or written, calls go through.
//! The pairing itself guarantees single submission.
//! The breaker only reduces load and saves attempts.
//! Reading costs one small read per process and second.
//! Only failures, probes and the first success after failures are written.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::circuit::{Circuit, CircuitChange, Gate, Health, PROBE_POLL, Proposal};
use crate::observation::Observation;
use crate::ports::{Circuits, Clock, Observer, Saved};
use crate::time::Timestamp;

/// Maximum age of the cached circuit state.
/// A process may go on calling for this long after another one has opened the circuit.
const CACHE_AGE: Duration = Duration::from_secs(1);

/// How often a lost write is tried again.
/// After that one count of many is lost.
const MAXIMUM_RACES: u32 = 4;

/// Whether a call may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Make it, and give the permit to [`Breaker::report`].
    Go(Permit),
    /// Not before then.
    Wait { until: Timestamp },
}

/// The right to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The version stored when the probe was taken.
    /// `None`: this call is no probe.
    probe: Option<u64>,
}

impl Permit {
    /// For an ordinary call, and for one that bypasses the circuit.
    /// Its outcome counts all the same.
    pub const WITHOUT_PROBE: Self = Self { probe: None };
}

pub struct Breaker {
    store: Arc<dyn Circuits>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    known: Mutex<Option<(Timestamp, Circuit)>>,
}

impl Breaker {
    pub fn new(
        store: Arc<dyn Circuits>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            store,
            clock,
            observer,
            known: Mutex::new(None),
        }
    }

    /// How the circuit stands, as far as this process knows.
    pub async fn gate(&self) -> Gate {
        self.recent()
            .await
            .map_or(Gate::Closed, |circuit| circuit.gate(self.clock.now()))
    }

    /// Asks for one call.
    /// While the circuit is half-open, exactly one caller gets the probe.
    pub async fn admit(&self) -> Admission {
        let Some(circuit) = self.recent().await else {
            return Admission::Go(Permit::WITHOUT_PROBE);
        };
        let now = self.clock.now();
        match circuit.gate(now) {
            Gate::Closed => return Admission::Go(Permit::WITHOUT_PROBE),
            Gate::Open { until } => return Admission::Wait { until },
            Gate::HalfOpen { .. } => {}
        }
        let Some(probe) = circuit.with_probe_taken(now) else {
            return Admission::Go(Permit::WITHOUT_PROBE);
        };
        match self.store.replace_circuit(&probe).await {
            Ok(Saved::Won) => {
                let version = probe.version;
                self.learn(probe);
                Admission::Go(Permit {
                    probe: Some(version),
                })
            }
            // Another process has the probe.
            Ok(Saved::Lost) => {
                self.forget();
                Admission::Wait {
                    until: now.plus(PROBE_POLL),
                }
            }
            Err(_) => Admission::Go(Permit::WITHOUT_PROBE),
        }
    }

    /// Tells what a call came to.
    pub async fn report(&self, permit: Permit, operation: &str, health: Health) {
        if permit.probe.is_none() {
            match health {
                Health::Unknown => return,
                Health::Answering => match self.recent().await {
                    Some(circuit) if circuit.is_changed_by_success(operation) => {}
                    _ => return,
                },
                Health::Failing { .. } => {}
            }
        }
        for _ in 0..MAXIMUM_RACES {
            let Ok(circuit) = self.store.circuit().await else {
                return;
            };
            let now = self.clock.now();
            let proposal = match permit.probe {
                Some(probe) => circuit.after_probe(probe, operation, health, now),
                None => circuit.after_call(operation, health, now),
            };
            let Some(Proposal { next, change }) = proposal else {
                self.learn(circuit);
                return;
            };
            match self.store.replace_circuit(&next).await {
                Ok(Saved::Won) => {
                    self.learn(next);
                    match change {
                        Some(CircuitChange::Opened { cause, pause }) => self
                            .observer
                            .observe(Observation::CircuitOpened { cause, pause }),
                        Some(CircuitChange::Closed { was_open }) => self
                            .observer
                            .observe(Observation::CircuitClosed { was_open }),
                        None => {}
                    }
                    return;
                }
                Ok(Saved::Lost) => {}
                Err(_) => return,
            }
        }
    }

    async fn recent(&self) -> Option<Circuit> {
        let now = self.clock.now();
        if let Some((read_at, circuit)) =
            &*self.known.lock().unwrap_or_else(PoisonError::into_inner)
            && now.since(*read_at) < CACHE_AGE
        {
            return Some(circuit.clone());
        }
        let circuit = self.store.circuit().await.ok()?;
        self.learn(circuit.clone());
        Some(circuit)
    }

    fn learn(&self, circuit: Circuit) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((self.clock.now(), circuit));
    }

    fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
