//! Virtual time: the agenda and the random numbers.
//! Everything in a run follows from its seed.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use fastrand::Rng;
use verification::Timestamp;
use verification::identifiers::ScanRef;
use verification::ports::Clock;

use crate::coverage::Coverage;
use crate::customer::Emission;
use crate::delivery::Delivery;
use crate::invariants::{Invariant, Violation};

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// When every run begins: 2026-11-23T08:00:00Z.
const START: i64 = 1_795_420_800_000;

pub type TaskId = u64;

/// Something that happens at its time.
pub enum Happening {
    /// A use case can go on.
    Wake(TaskId),
    /// A function's time is over. Its work is dropped.
    TimeIsUp(TaskId),
    /// The application requests a session for the customer of this number.
    Open {
        customer: usize,
        tries: u32,
    },
    /// The provider has a result.
    Emit(Emission),
    /// A result of this verification, or of its second one, is forged with a stolen key.
    Forge(ScanRef),
    /// The provider sends a callback.
    Deliver(Delivery),
    /// A message is visible, if it has not been received since.
    Receive {
        message: u64,
        receipt: u32,
    },
    /// The reconciler's schedule.
    Tick {
        number: u64,
    },
    /// The session ends unfinished.
    SessionEnds(ScanRef),
    SecondTokenExpires(ScanRef),
    /// An operator takes a parked pairing up again.
    Retry(ScanRef),
    /// The customer asks to be forgotten.
    Erase {
        first: ScanRef,
        tries: u32,
    },
}

pub struct Timeline {
    now: AtomicI64,
    state: Mutex<TimelineState>,
}

struct TimelineState {
    agenda: BTreeMap<(i64, u64), Happening>,
    sequence: u64,
    random: Rng,
    running: TaskId,
    steps: u64,
    trace: Option<Vec<String>>,
    coverage: Coverage,
    violation: Option<Violation>,
}

impl Timeline {
    pub fn new(seed: u64, is_traced: bool) -> Self {
        Self {
            now: AtomicI64::new(START),
            state: Mutex::new(TimelineState {
                agenda: BTreeMap::new(),
                sequence: 0,
                random: Rng::with_seed(seed),
                running: 0,
                steps: 0,
                trace: is_traced.then(Vec::new),
                coverage: Coverage::default(),
                violation: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, TimelineState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds, as timestamps count them.
    pub fn milliseconds(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Milliseconds since the run began.
    pub fn elapsed(&self) -> i64 {
        self.milliseconds() - START
    }

    pub fn schedule(&self, after: i64, happening: Happening) {
        let at = self.milliseconds() + after;
        let mut state = self.lock();
        state.sequence += 1;
        let key = (at, state.sequence);
        state.agenda.insert(key, happening);
    }

    /// Moves the clock to what comes next.
    pub fn next(&self) -> Option<Happening> {
        let mut state = self.lock();
        let ((at, _), happening) = state.agenda.pop_first()?;
        state.steps += 1;
        self.now.store(at, Ordering::Relaxed);
        Some(happening)
    }

    /// How many things have happened.
    pub fn steps(&self) -> u64 {
        self.lock().steps
    }

    pub fn set_running(&self, task: TaskId) {
        self.lock().running = task;
    }

    /// `true` once in `1 / probability` times.
    pub fn chance(&self, probability: f64) -> bool {
        probability > 0.0 && self.lock().random.f64() < probability
    }

    pub fn between(&self, low: i64, high: i64) -> i64 {
        self.lock().random.i64(low..=high)
    }

    /// One of the choices, each as likely as its weight says.
    pub fn weighted<T: Clone>(&self, choices: &[(u32, T)]) -> T {
        let total: u32 = choices.iter().map(|(weight, _)| weight).sum();
        let mut dice = self.lock().random.u32(0..total);
        for (weight, choice) in choices {
            if dice < *weight {
                return choice.clone();
            }
            dice -= weight;
        }
        choices[0].1.clone()
    }

    pub fn count(&self, what: &'static str) {
        self.lock().coverage.count(what);
    }

    pub fn with_coverage(&self, change: impl FnOnce(&mut Coverage)) {
        change(&mut self.lock().coverage);
    }

    /// Notes a line, if the run is traced.
    pub fn trace(&self, line: impl FnOnce() -> String) {
        let elapsed = self.elapsed();
        let mut state = self.lock();
        let running = state.running;
        if let Some(trace) = &mut state.trace {
            let (hours, minutes, seconds) =
                (elapsed / HOUR, elapsed / MINUTE % 60, elapsed % MINUTE);
            let time = format!(
                "{hours:>3}:{minutes:02}:{:02}.{:03}",
                seconds / SECOND,
                seconds % SECOND
            );
            let task = if running == 0 {
                String::new()
            } else {
                format!("#{running}")
            };
            trace.push(format!("{time} {task:>5} {}", line()));
        }
    }

    /// Only the first violation counts. Later ones may follow from it.
    pub fn violate(&self, invariant: Invariant, detail: String) {
        self.trace(|| format!("VIOLATED {invariant:?}: {detail}"));
        self.lock()
            .violation
            .get_or_insert(Violation { invariant, detail });
    }

    pub fn is_violated(&self) -> bool {
        self.lock().violation.is_some()
    }

    /// What remains of a run.
    pub fn finish(&self) -> (Coverage, Option<Violation>, Vec<String>) {
        let mut state = self.lock();
        (
            std::mem::take(&mut state.coverage),
            state.violation.take(),
            state.trace.take().unwrap_or_default(),
        )
    }

    fn wake_running_after(&self, milliseconds: i64) {
        let running = self.lock().running;
        self.schedule(milliseconds, Happening::Wake(running));
    }
}

impl Clock for Timeline {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.milliseconds())
    }
}

/// How far a clock may be wrong, in milliseconds.
/// (Lambda's clocks are said to be right to the millisecond. A lease must survive more.)
pub const CLOCK_SKEW: i64 = 1_500;

/// The clock of one process.
pub struct SkewedClock {
    pub timeline: Arc<Timeline>,
    pub ahead_by: i64,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.timeline.milliseconds() + self.ahead_by)
    }
}

/// Ends when so much virtual time has gone by.
pub struct Sleep {
    timeline: Arc<Timeline>,
    milliseconds: i64,
    until: Option<i64>,
}

impl Sleep {
    pub fn new(timeline: &Arc<Timeline>, milliseconds: i64) -> Self {
        Self {
            timeline: timeline.clone(),
            milliseconds,
            until: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        match self.until {
            None => {
                self.until = Some(self.timeline.milliseconds() + self.milliseconds);
                self.timeline.wake_running_after(self.milliseconds);
                Poll::Pending
            }
            Some(until) if until > self.timeline.milliseconds() => Poll::Pending,
            Some(_) => Poll::Ready(()),
        }
    }
}
