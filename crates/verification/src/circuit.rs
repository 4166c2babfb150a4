//! The circuit breaker's state, shared by all processes of all functions.
//!
//! Pure: the outcome of a call goes in, the circuit to store comes out.
//! Time is an argument and storage is a port ([`Circuits`](crate::ports::Circuits)).
//! [`Breaker`](crate::Breaker) joins them.
//!
//! The circuit opens when an operation keeps failing, for whichever pairing it is called.
//! While it is open, the provider is not called.
//! After the pause one probe at a time is let through.
//! Its outcome closes the circuit, or opens it for twice as long.
//! Failures are counted for each operation.
//! So a provider that creates tokens but takes no documents is noticed, although half of the calls
//! succeed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::pairing::Pairing;
use crate::time::Timestamp;
use crate::transition::MAXIMUM_ATTEMPTS;

/// This many failures of an operation in a row open the circuit, however fast they come.
/// So at most this many pairings lose an attempt, besides those whose calls are already under way.
pub const FAILURE_LIMIT: u32 = 10;

/// This many failures are enough if they span [`MINIMUM_FAILURE_SPAN`].
/// A pairing may begin a Token 2 three times ([`MAXIMUM_ATTEMPTS`]).
/// With two, a lone customer's pairing still has an attempt left when the provider is back.
pub const SLOW_FAILURE_LIMIT: u32 = 2;
const _: () = assert!(
    SLOW_FAILURE_LIMIT < MAXIMUM_ATTEMPTS,
    "one customer alone must notice with an attempt to spare"
);

/// The shortest time between the first and the last of [`SLOW_FAILURE_LIMIT`] failures.
/// Longer than a blip, shorter than the pause after a lost answer.
pub const MINIMUM_FAILURE_SPAN: Duration = Duration::from_secs(8);

/// Failures further apart than this are counted separately.
pub const FAILURE_WINDOW: Duration = Duration::from_secs(5 * 60);

/// The first pause.
/// Each further one is twice as long, up to [`Cause::longest_pause`].
pub const SHORTEST_PAUSE: Duration = Duration::from_secs(15);

/// A `Retry-After` of at least this long opens the circuit at once.
/// The limit behind it is the account's (10,000 requests per hour), so every other call would get
/// the same answer.
/// For a shorter one only this message waits.
/// Its pairing is not looked at earlier in any case
/// ([`Pairing::MESSAGE_PATIENCE`](crate::Pairing::MESSAGE_PATIENCE)).
pub const LONG_RETRY_AFTER: Duration = Duration::from_secs(60);
const _: () = assert!(
    LONG_RETRY_AFTER.as_secs() < Pairing::MESSAGE_PATIENCE.as_secs(),
    "the reconciler must not call sooner than the provider asked for"
);

/// The longest `Retry-After` that is followed.
/// The provider's documented limit is counted by the hour.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60 * 60);

/// How long a probe may take before another one may begin.
/// Covers the longest call (45 s) and the writes around it.
pub const PROBE_LEASE: Duration = Duration::from_secs(60);

/// When to look again while another process probes.
/// Most probes take less than 1 s.
pub const PROBE_POLL: Duration = Duration::from_secs(5);

/// A circuit that was closed for this long starts with the shortest pause again.
pub const BACKOFF_RESET: Duration = Duration::from_secs(10 * 60);

/// The kind of trouble, a stable word for metrics and logs.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[strum(const_into_str)]
pub enum Cause {
    /// No connection, no answer in time, a failure, or an answer that is not the provider's own.
    Unreachable,
    /// It has told us to call less often.
    RateLimited,
    /// The account is out of funds, or its key is refused.
    /// A person must act.
    Account,
}

impl Cause {
    pub const ALL: &[Self] = Self::VARIANTS;

    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// The longest pause, unless the provider asks for more.
    /// Longer for `Account`, where each probe parks a pairing and a person must act anyway.
    /// Never longer than a message can be delayed (15 min).
    pub const fn longest_pause(self) -> Duration {
        match self {
            Self::Unreachable | Self::RateLimited => Duration::from_secs(5 * 60),
            Self::Account => Duration::from_secs(15 * 60),
        }
    }
}

/// What a call says about the provider in general.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answered in its own words.
    /// The refusal of one customer's request is such an answer.
    Answering,
    /// It was not asked: something of ours was in the way.
    Unknown,
    /// Any other call would have failed in the same way.
    Failing {
        cause: Cause,
        retry_after: Option<Duration>,
    },
}

/// Whether the provider may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Closed,
    /// No calls before then.
    Open {
        until: Timestamp,
    },
    /// The pause is over; one caller at a time may try.
    HalfOpen {
        /// A probe of another operation was answered.
        /// What opened the circuit has not worked yet.
        has_answered: bool,
    },
}

/// Failures of one operation without a success between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Failures {
    count: u32,
    first: Timestamp,
    last: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    since: Timestamp,
    until: Timestamp,
    cause: Cause,
    /// The operation that failed.
    /// Another operation's success does not show that this one works.
    operation: String,
    #[serde(rename = "is_heard")]
    has_answered: bool,
    /// The end of the current probe's lease.
    #[serde(rename = "trying_until")]
    probing_until: Option<Timestamp>,
}

/// The circuit as it is stored. The default was never opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// Counts the writes. 0: not stored yet.
    pub version: u64,
    failures: BTreeMap<String, Failures>,
    open: Option<Open>,
    /// How often it opened without [`BACKOFF_RESET`] in between. Sets the next pause.
    openings: u32,
    closed_at: Option<Timestamp>,
}

/// What a stored change means to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircuitChange {
    /// Newly opened, or opened again after a try.
    Opened {
        cause: Cause,
        pause: Duration,
    },
    Closed {
        was_open: Duration,
    },
}

/// A change to be stored under the condition of its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub next: Circuit,
    pub change: Option<CircuitChange>,
}

impl Circuit {
    pub fn gate(&self, now: Timestamp) -> Gate {
        let Some(open) = &self.open else {
            return Gate::Closed;
        };
        if open.until > now {
            return Gate::Open { until: open.until };
        }
        match open.probing_until {
            Some(probing_until) if probing_until > now => Gate::Open {
                until: probing_until.min(now.plus(PROBE_POLL)),
            },
            _ => Gate::HalfOpen {
                has_answered: open.has_answered,
            },
        }
    }

    /// The circuit with its probe taken.
    /// `None`: there is no probe to take.
    pub fn with_probe_taken(&self, now: Timestamp) -> Option<Self> {
        let Gate::HalfOpen { .. } = self.gate(now) else {
            return None;
        };
        let open = self.open.as_ref()?;
        Some(self.with(|next| {
            next.open = Some(Open {
                probing_until: Some(now.plus(PROBE_LEASE)),
                ..open.clone()
            });
        }))
    }

    /// Whether a success of `operation` changes anything.
    /// Most do not, and cost no write.
    pub fn is_changed_by_success(&self, operation: &str) -> bool {
        self.failures.contains_key(operation)
    }

    /// What the outcome of an ordinary call changes.
    /// `None`: nothing.
    /// Calls that began before the circuit opened add nothing to what opened it.
    pub fn after_call(&self, operation: &str, health: Health, now: Timestamp) -> Option<Proposal> {
        if self.open.is_some() {
            return None;
        }
        match health {
            Health::Unknown => None,
            Health::Answering => self.is_changed_by_success(operation).then(|| Proposal {
                next: self.with(|next| {
                    next.failures.remove(operation);
                }),
                change: None,
            }),
            Health::Failing { cause, retry_after } => {
                let failures = self.count_failure(operation, now);
                let is_sustained = failures.count >= SLOW_FAILURE_LIMIT
                    && now.since(failures.first) >= MINIMUM_FAILURE_SPAN;
                let is_told = retry_after.is_some_and(|told| told >= LONG_RETRY_AFTER);
                if is_told || is_sustained || failures.count >= FAILURE_LIMIT {
                    return Some(self.opened(operation, cause, retry_after, now));
                }
                Some(Proposal {
                    next: self.with(|next| {
                        next.failures.insert(operation.to_owned(), failures);
                    }),
                    change: None,
                })
            }
        }
    }

    /// What the outcome of the probe changes.
    /// `probe` is the version that [`with_probe_taken`](Self::with_probe_taken) was stored as.
    /// If the circuit has changed since, the probe took too long and another one counts.
    pub fn after_probe(
        &self,
        probe: u64,
        operation: &str,
        health: Health,
        now: Timestamp,
    ) -> Option<Proposal> {
        if self.version != probe {
            return None;
        }
        let open = self.open.as_ref()?;
        Some(match health {
            Health::Failing { cause, retry_after } => {
                self.opened(operation, cause, retry_after, now)
            }
            // Either the failed operation works again, or a second probe of others was answered.
            // In the second case the failed one is called too rarely to wait for.
            // If it still fails, the circuit opens again for longer.
            Health::Answering if open.operation == operation || open.has_answered => Proposal {
                change: Some(CircuitChange::Closed {
                    was_open: now.since(open.since),
                }),
                next: self.with(|next| {
                    next.open = None;
                    next.failures.clear();
                    next.closed_at = Some(now);
                }),
            },
            health => Proposal {
                change: None,
                next: self.with(|next| {
                    next.open = Some(Open {
                        probing_until: None,
                        has_answered: health == Health::Answering || open.has_answered,
                        ..open.clone()
                    });
                }),
            },
        })
    }

    fn count_failure(&self, operation: &str, now: Timestamp) -> Failures {
        match self.failures.get(operation) {
            Some(known) if now.since(known.last) <= FAILURE_WINDOW => Failures {
                count: known.count.saturating_add(1),
                first: known.first,
                last: now,
            },
            _ => Failures {
                count: 1,
                first: now,
                last: now,
            },
        }
    }

    fn opened(
        &self,
        operation: &str,
        cause: Cause,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> Proposal {
        let is_reset = self.open.is_none()
            && self
                .closed_at
                .is_none_or(|closed_at| now.since(closed_at) >= BACKOFF_RESET);
        let before = if is_reset { 0 } else { self.openings };
        let grown = SHORTEST_PAUSE.saturating_mul(2_u32.saturating_pow(before.min(16)));
        let told = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
        let pause = grown.min(cause.longest_pause()).max(told);
        // A probe of another operation may fail too. The circuit stays open for what opened it.
        let (since, operation) = match &self.open {
            Some(open) => (open.since, open.operation.clone()),
            None => (now, operation.to_owned()),
        };
        Proposal {
            change: Some(CircuitChange::Opened { cause, pause }),
            next: self.with(|next| {
                next.openings = before.saturating_add(1);
                next.failures.clear();
                next.open = Some(Open {
                    since,
                    until: now.plus(pause),
                    cause,
                    operation,
                    has_answered: false,
                    probing_until: None,
                });
            }),
        }
    }

    fn with(&self, alter: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        alter(&mut next);
        next.version = self.version.saturating_add(1);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_the_same_word_in_the_record_and_in_metrics() {
        for cause in Cause::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }
}
