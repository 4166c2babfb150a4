//! When nobody calls the provider: a circuit that all copies of all functions share.
//!
//! Pure: what a call came to goes in, the circuit as it shall be stored comes out. Time is an
//! argument, storage is a port ([`Circuits`](crate::ports::Circuits)), and
//! [`Breaker`](crate::Breaker) joins them.
//!
//! The circuit opens when an operation keeps failing, whoever it is for. While it is open nobody
//! calls; when its pause is over, one caller at a time may try, and what that one meets closes the
//! circuit or opens it for twice as long. Failures are counted for each operation, so that a
//! provider that creates tokens but takes no documents is noticed although half of the calls
//! succeed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::pairing::Pairing;
use crate::time::Timestamp;
use crate::transition::MAXIMUM_ATTEMPTS;

/// So many failures of an operation in a row open the circuit, however fast they come: at most so
/// many pairings pay for the discovery, and those whose calls are already on their way.
pub const MANY_FAILURES: u32 = 10;

/// So few are enough if they are this far apart. Two, because a pairing may begin a Token 2 three
/// times ([`MAXIMUM_ATTEMPTS`]) and must have one attempt left for when the provider is back, also
/// where there is only one customer to notice the trouble.
pub const FEW_FAILURES: u32 = 2;
const _: () = assert!(
    FEW_FAILURES < MAXIMUM_ATTEMPTS,
    "one customer alone must notice with an attempt to spare"
);

/// How far apart the first and the last of [`FEW_FAILURES`] must be: longer than a blip, shorter
/// than the pause after a lost answer.
pub const SUSTAINED: Duration = Duration::from_secs(8);

/// Failures further apart than this have nothing to do with each other.
pub const MEMORY: Duration = Duration::from_secs(5 * 60);

/// The first pause; each further one is twice as long, up to [`Cause::longest_pause`].
pub const SHORTEST_PAUSE: Duration = Duration::from_secs(15);

/// Told to wait for so long, by a single answer, everybody waits. The limit behind it is the
/// account's (10,000 requests per hour), so every other call would be told the same. Less long, the
/// one message waits; its pairing is left alone for that long in any case
/// ([`Pairing::MESSAGE_PATIENCE`](crate::Pairing::MESSAGE_PATIENCE)).
pub const LONG_TOLD_PAUSE: Duration = Duration::from_secs(60);
const _: () = assert!(
    LONG_TOLD_PAUSE.as_secs() < Pairing::MESSAGE_PATIENCE.as_secs(),
    "the reconciler must not call sooner than the provider asked for"
);

/// The longest pause that the provider can ask for (`Retry-After`). Its documented limit is counted
/// by the hour.
pub const LONGEST_TOLD_PAUSE: Duration = Duration::from_secs(60 * 60);

/// How long a try may take before another one may begin: the longest call (45 s) and the writes
/// around it.
pub const TRY_LEASE: Duration = Duration::from_secs(60);

/// When to look again while somebody else tries: most tries take less than a second.
pub const GLANCE: Duration = Duration::from_secs(5);

/// A circuit that was closed for so long has forgotten how often it had to open before.
pub const FORGIVEN_AFTER: Duration = Duration::from_secs(10 * 60);

/// What kind of trouble it is, a stable word for metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// It cannot be reached, does not answer in time, fails, or answers with something that is not
    /// its own.
    Unreachable,
    /// It has told us to call less often.
    RateLimited,
    /// The account is out of funds, or its key is refused. A person must act.
    Account,
}

impl Cause {
    pub const ALL: [Self; 3] = [Self::Unreachable, Self::RateLimited, Self::Account];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "Unreachable",
            Self::RateLimited => "RateLimited",
            Self::Account => "Account",
        }
    }

    /// How long the provider is left alone at most, unless it asks for more. Longer where each try
    /// parks a pairing and a person must act anyway; never longer than a message can be delayed (15
    /// min).
    pub const fn longest_pause(self) -> Duration {
        match self {
            Self::Unreachable | Self::RateLimited => Duration::from_secs(5 * 60),
            Self::Account => Duration::from_secs(15 * 60),
        }
    }
}

/// What a call says about the provider, whoever it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answered in its own words. A refusal of what was asked for one customer is such an
    /// answer.
    Answering,
    /// It was not asked: something of ours was in the way.
    Unknown,
    /// It would have gone like this for everybody.
    Failing {
        cause: Cause,
        retry_after: Option<Duration>,
    },
}

/// Whether the provider may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Closed,
    /// Nobody calls before then.
    Open {
        until: Timestamp,
    },
    /// The pause is over; one caller at a time may try.
    HalfOpen {
        /// Something has been answered since, though not yet what opened the circuit.
        is_heard: bool,
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
    /// What failed. Another operation's success says that the provider is there, not that this one
    /// works.
    operation: String,
    is_heard: bool,
    /// Somebody is trying, until then at most.
    trying_until: Option<Timestamp>,
}

/// The circuit as it is stored. The default is one that was never needed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// Counts the writes. 0: not stored yet.
    pub version: u64,
    failures: BTreeMap<String, Failures>,
    open: Option<Open>,
    /// How often it has opened without having been closed for long in between.
    openings: u32,
    closed_at: Option<Timestamp>,
}

/// What a stored change means to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
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
    pub turn: Option<Turn>,
}

impl Circuit {
    pub fn gate(&self, now: Timestamp) -> Gate {
        let Some(open) = &self.open else {
            return Gate::Closed;
        };
        if open.until > now {
            return Gate::Open { until: open.until };
        }
        match open.trying_until {
            Some(trying_until) if trying_until > now => Gate::Open {
                until: trying_until.min(now.plus(GLANCE)),
            },
            _ => Gate::HalfOpen {
                is_heard: open.is_heard,
            },
        }
    }

    /// The circuit with the one try taken; `None` where there is none to take.
    pub fn taken(&self, now: Timestamp) -> Option<Self> {
        let Gate::HalfOpen { .. } = self.gate(now) else {
            return None;
        };
        let open = self.open.as_ref()?;
        Some(self.with(|next| {
            next.open = Some(Open {
                trying_until: Some(now.plus(TRY_LEASE)),
                ..open.clone()
            });
        }))
    }

    /// Whether a success of `operation` would change anything: most do not, and cost no write.
    pub fn cares_about_success(&self, operation: &str) -> bool {
        self.failures.contains_key(operation)
    }

    /// What the outcome of a call that was made under a closed circuit changes; `None`: nothing.
    /// Calls that began before the circuit opened are late news, and say nothing that opening has
    /// not said.
    pub fn after_call(&self, operation: &str, health: Health, now: Timestamp) -> Option<Proposal> {
        if self.open.is_some() {
            return None;
        }
        match health {
            Health::Unknown => None,
            Health::Answering => self.cares_about_success(operation).then(|| Proposal {
                next: self.with(|next| {
                    next.failures.remove(operation);
                }),
                turn: None,
            }),
            Health::Failing { cause, retry_after } => {
                let failures = self.one_more(operation, now);
                let is_sustained =
                    failures.count >= FEW_FAILURES && now.since(failures.first) >= SUSTAINED;
                let is_told = retry_after.is_some_and(|told| told >= LONG_TOLD_PAUSE);
                if is_told || is_sustained || failures.count >= MANY_FAILURES {
                    return Some(self.opened(operation, cause, retry_after, now));
                }
                Some(Proposal {
                    next: self.with(|next| {
                        next.failures.insert(operation.to_owned(), failures);
                    }),
                    turn: None,
                })
            }
        }
    }

    /// What the outcome of the one try changes. `taken` is the version that [`taken`](Self::taken)
    /// was stored as; if the circuit has changed since, the try took too long and another one
    /// counts.
    pub fn after_try(
        &self,
        taken: u64,
        operation: &str,
        health: Health,
        now: Timestamp,
    ) -> Option<Proposal> {
        if self.version != taken {
            return None;
        }
        let open = self.open.as_ref()?;
        Some(match health {
            Health::Failing { cause, retry_after } => {
                self.opened(operation, cause, retry_after, now)
            }
            // What opened the circuit works again; or a second answer in a row came from elsewhere,
            // and what opened it is not asked for often enough to wait for. Should it still fail,
            // the circuit opens again for longer.
            Health::Answering if open.operation == operation || open.is_heard => Proposal {
                turn: Some(Turn::Closed {
                    was_open: now.since(open.since),
                }),
                next: self.with(|next| {
                    next.open = None;
                    next.failures.clear();
                    next.closed_at = Some(now);
                }),
            },
            health => Proposal {
                turn: None,
                next: self.with(|next| {
                    next.open = Some(Open {
                        trying_until: None,
                        is_heard: health == Health::Answering || open.is_heard,
                        ..open.clone()
                    });
                }),
            },
        })
    }

    fn one_more(&self, operation: &str, now: Timestamp) -> Failures {
        match self.failures.get(operation) {
            Some(known) if now.since(known.last) <= MEMORY => Failures {
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
        let is_forgiven = self.open.is_none()
            && self
                .closed_at
                .is_none_or(|closed_at| now.since(closed_at) >= FORGIVEN_AFTER);
        let before = if is_forgiven { 0 } else { self.openings };
        let grown = SHORTEST_PAUSE.saturating_mul(2_u32.saturating_pow(before.min(16)));
        let told = retry_after.unwrap_or_default().min(LONGEST_TOLD_PAUSE);
        let pause = grown.min(cause.longest_pause()).max(told);
        // A try of something else than what opened the circuit may fail as well; the circuit stays
        // open for what opened it.
        let (since, operation) = match &self.open {
            Some(open) => (open.since, open.operation.clone()),
            None => (now, operation.to_owned()),
        };
        Proposal {
            turn: Some(Turn::Opened { cause, pause }),
            next: self.with(|next| {
                next.openings = before.saturating_add(1);
                next.failures.clear();
                next.open = Some(Open {
                    since,
                    until: now.plus(pause),
                    cause,
                    operation,
                    is_heard: false,
                    trying_until: None,
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
        for cause in Cause::ALL {
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
    }
}
