//! One run: customers, callbacks, messages and functions, until nothing happens any more.
//!
//! Each invocation is a future that this single thread polls when the agenda says so.
//! All waiting is virtual, so the order of everything follows from the seed.
//! A process that ends is a future that is dropped.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use verification::identifiers::{CountryCode, ScanRef};
use verification::pairing::ExpectedDocument;
use verification::policy::{ComparisonPolicy, StepVerdictPolicy};
use verification::ports::{Clock, StoreUnavailable};
use verification::testing::memory::World;
use verification::testing::ports::Ports;
use verification::{Advanced, Policy, State};

use super::broken::Broken;
use super::coverage::Coverage;
use super::customer::{Emission, script};
use super::delivery::{Delivery, send_again};
use super::interceptor::Turbulence;
use super::invariants::{Checks, Invariant, Violation, describe};
use super::invocation::{
    ANSWER_TIMEOUT, API_TIMEOUT, CAPTURE_BUDGET, EARLY_CAPTURE_BUDGET, Left, PROCESSOR_RESERVE,
    PROCESSOR_TIMEOUT, RECONCILER_RESERVE, RECONCILER_TIMEOUT, Returned, Task, Work,
    session_request,
};
use super::provider::SimulatedProvider;
use super::queue::{Received, SimulatedQueue};
use super::random_faults::RandomFaults;
use super::stores::{NothingRemoved, WatchedDocuments, WatchedPairings, WatchedPreparation};
use super::timeline::{
    CLOCK_SKEW, DAY, HOUR, Happening, MINUTE, SECOND, SkewedClock, TaskId, Timeline,
};
use super::trouble::{BOUND, Trouble};

/// The template's schedule.
const RECONCILER_PERIOD: i64 = 5 * MINUTE;

/// More than any run needs.
/// Reaching it means that the world does not come to rest.
const MAXIMUM_STEPS: u64 = 100_000;

/// What came of a run.
pub struct Report {
    pub coverage: Coverage,
    pub violation: Option<Violation>,
    pub trace: Vec<String>,
    pub steps: u64,
}

pub fn run(seed: u64, broken: Option<Broken>, is_traced: bool) -> Report {
    let timeline = Arc::new(Timeline::new(seed, is_traced));
    let mut random_faults = RandomFaults::of(&timeline);
    if let Some(broken) = broken {
        broken.worsen(&mut random_faults);
    }
    Simulation::new(timeline, random_faults, broken).run()
}

/// Most teams have what results say confirmed, and compared.
fn drawn_policy(timeline: &Timeline) -> Policy {
    Policy {
        confirm_results: timeline.chance(0.85),
        comparison: timeline.weighted(&[
            (6, ComparisonPolicy::Report),
            (2, ComparisonPolicy::Off),
            (2, ComparisonPolicy::Require),
        ]),
        ..Policy::default()
    }
}

/// One run with a permanent fault. Returns each pairing's final state.
pub fn run_in_trouble(seed: u64, trouble: Trouble, is_traced: bool) -> (Report, Vec<String>) {
    let timeline = Arc::new(Timeline::new(seed, is_traced));
    let random_faults = RandomFaults::in_trouble(&timeline, trouble);
    let simulation = Simulation::new(timeline, random_faults, None);
    let world = simulation.world.clone();
    let report = simulation.run();
    let mut ends = Vec::new();
    world.for_each_pairing(|pairing| ends.push(describe(pairing)));
    (report, ends)
}

struct Simulation {
    timeline: Arc<Timeline>,
    random_faults: RandomFaults,
    world: Arc<World>,
    checks: Arc<Checks>,
    provider: Arc<SimulatedProvider>,
    queue: Arc<SimulatedQueue>,
    ports: Ports,
    policy: Policy,
    broken: Option<Broken>,
    tasks: BTreeMap<TaskId, Task>,
    last_task: TaskId,
    /// The tick that counts, and when it is due.
    tick: Option<(u64, i64)>,
    ticks: u64,
    is_ticking: bool,
}

impl Simulation {
    fn new(timeline: Arc<Timeline>, random_faults: RandomFaults, broken: Option<Broken>) -> Self {
        timeline.trace(|| format!("{random_faults:#?}"));
        let mut policy = if random_faults.trouble.is_some() {
            Policy::default()
        } else {
            drawn_policy(&timeline)
        };
        if broken.is_some_and(Broken::believes_what_is_signed) {
            policy.confirm_results = false;
        }
        timeline.trace(|| format!("{policy:#?}"));
        let world = Arc::new(World::new());
        let checks = Arc::new(Checks::new(
            timeline.clone(),
            world.clone(),
            policy.confirm_results,
        ));
        let provider = Arc::new(SimulatedProvider::new(
            timeline.clone(),
            random_faults.clone(),
            world.clone(),
            checks.clone(),
            broken,
        ));
        let queue = Arc::new(SimulatedQueue::new(timeline.clone(), random_faults.clone()));
        let pairings = WatchedPairings {
            timeline: timeline.clone(),
            random_faults: random_faults.clone(),
            world: world.clone(),
            checks: checks.clone(),
            broken,
        };
        let documents = WatchedDocuments {
            provider: provider.clone(),
            broken,
            earlier: Mutex::default(),
        };
        let turbulence = Turbulence {
            timeline: timeline.clone(),
            random_faults: random_faults.clone(),
        };
        let mut ports = Ports {
            pairings: Arc::new(pairings),
            documents: Arc::new(documents),
            preparation: Arc::new(WatchedPreparation {
                timeline: timeline.clone(),
                world: world.clone(),
                are_all_lying: random_faults.trouble.is_some(),
            }),
            queue: queue.clone(),
            provider: provider.clone(),
            sessions: provider.clone(),
            clock: timeline.clone(),
            ..Ports::in_memory(&world)
        };
        if broken == Some(Broken::NothingRemoved) {
            ports.files = Arc::new(NothingRemoved);
        }
        if let Some(wrong) = broken.and_then(Broken::state_machine) {
            ports.apply = wrong;
        }
        Self {
            timeline,
            random_faults,
            world,
            checks,
            provider,
            queue,
            ports: ports.intercepted(Arc::new(turbulence)),
            policy,
            broken,
            tasks: BTreeMap::new(),
            last_task: 0,
            tick: None,
            ticks: 0,
            is_ticking: false,
        }
    }

    fn run(mut self) -> Report {
        let most = if self.random_faults.trouble.is_some() {
            1
        } else {
            4
        };
        for customer in 0..usize::try_from(self.timeline.between(1, most)).unwrap() {
            let at = self.timeline.between(0, HOUR);
            self.timeline
                .schedule(at, Happening::Open { customer, tries: 0 });
        }
        while let Some(happening) = self.timeline.next() {
            self.happen(happening);
            self.timeline.set_running(0);
            self.schedule_tick();
            let is_over = self.random_faults.trouble.is_some() && self.timeline.elapsed() > BOUND;
            if self.timeline.is_violated() || is_over {
                break;
            }
            let most = if self.random_faults.trouble.is_some() {
                20 * MAXIMUM_STEPS
            } else {
                MAXIMUM_STEPS
            };
            if self.timeline.steps() > most {
                self.timeline.violate(
                    Invariant::EverythingEnds,
                    "the world does not come to rest".to_owned(),
                );
            }
        }
        if !self.timeline.is_violated() {
            self.checks.at_the_end();
        }
        let steps = self.timeline.steps();
        let (coverage, violation, trace) = self.timeline.finish();
        Report {
            coverage,
            violation,
            trace,
            steps,
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(task) => self.wake(task),
            Happening::TimeIsUp(task) => {
                if let Some(task) = self.tasks.remove(&task) {
                    self.timeline.count("a function ran out of time");
                    self.timeline.trace(|| "time is up".to_owned());
                    self.ended(task.work, task.since);
                }
            }
            Happening::Open { customer, tries } => self.open(customer, tries),
            Happening::Emit(emission) => self.provider.emit(&emission),
            Happening::SessionEnds(scan_ref) => self.provider.session_ends(&scan_ref),
            Happening::SecondTokenExpires(scan_ref) => {
                self.provider.second_token_expires(&scan_ref)
            }
            Happening::Forge(scan_ref) => self.provider.forge(&scan_ref),
            Happening::Deliver(delivery) => self.deliver(delivery),
            Happening::Receive { message, receipt } => {
                if let Some(received) = self.queue.receive(message, receipt) {
                    if !self.provider.is_calm()
                        && self.timeline.chance(self.random_faults.message_repeated)
                    {
                        self.timeline.count("message delivered twice");
                        self.process(received.clone());
                    }
                    self.process(received);
                }
            }
            Happening::Tick { number } => {
                if self.tick.is_some_and(|(current, _)| current == number) {
                    self.tick = None;
                    self.reconcile();
                }
            }
            Happening::Retry(first) => self.retry(first),
            Happening::Erase { first, tries } => self.erase(first, tries),
        }
    }

    fn spawn(
        &mut self,
        work: Work,
        timeout: i64,
        future: impl Future<Output = Returned> + 'static,
    ) {
        self.last_task += 1;
        let task = self.last_task;
        self.timeline.schedule(timeout, Happening::TimeIsUp(task));
        let since = self.timeline.steps();
        let future = Box::pin(future);
        self.tasks.insert(
            task,
            Task {
                work,
                since,
                future,
            },
        );
        self.wake(task);
    }

    fn wake(&mut self, id: TaskId) {
        let Some(mut task) = self.tasks.remove(&id) else {
            return;
        };
        self.timeline.set_running(id);
        if !self.provider.is_calm() && self.timeline.chance(self.random_faults.crash) {
            self.timeline.count("a process ended in the middle");
            self.timeline.trace(|| "the process ends".to_owned());
            return self.ended(task.work, task.since);
        }
        match task
            .future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Pending => drop(self.tasks.insert(id, task)),
            Poll::Ready(returned) => self.returned(task.work, task.since, returned),
        }
    }

    fn returned(&mut self, work: Work, since: u64, returned: Returned) {
        match (work, returned) {
            (Work::Callback(delivery), Returned::Callback(result)) => match result {
                Ok((accepted, left)) => {
                    self.checks.callback_ended(&delivery.content, since);
                    self.timeline
                        .trace(|| format!("answered 200: {accepted:?}"));
                    self.checks.answered(&delivery.content, &accepted, since);
                    if let Some(left) = left {
                        self.spawn(Work::Capture, CAPTURE_BUDGET, async move {
                            left.await;
                            Returned::Nothing
                        });
                    }
                }
                Err(_) => {
                    self.timeline.trace(|| "answered 503".to_owned());
                    self.ended(Work::Callback(delivery), since);
                }
            },
            (Work::Message(received), Returned::Message(result)) => {
                self.processed(&received, since, &result)
            }
            (Work::Tick, _) => self.is_ticking = false,
            (Work::Open { .. }, Returned::Open(Some(opened))) => {
                self.customer_begins(&opened.session.scan_ref)
            }
            (Work::Erase { first, tries }, Returned::Erase(Err(_))) => {
                self.ended(Work::Erase { first, tries }, since)
            }
            (Work::Erase { .. }, Returned::Erase(Ok(erased))) => {
                self.timeline.trace(|| format!("erased: {erased:?}"))
            }
            (work @ Work::Open { .. }, _) => self.ended(work, since),
            _ => {}
        }
    }

    /// An invocation ended without an answer.
    fn ended(&mut self, work: Work, since: u64) {
        match work {
            Work::Callback(delivery) => {
                self.checks.callback_ended(&delivery.content, since);
                send_again(&self.timeline, delivery);
            }
            // The message becomes visible again by itself.
            // So does the one that waits for the lease to end.
            Work::Message(_) | Work::Capture | Work::Retry => {}
            Work::Tick => self.is_ticking = false,
            Work::Open { customer, tries } if tries < 3 => {
                let tries = tries + 1;
                self.timeline.schedule(
                    self.timeline.between(1, MINUTE),
                    Happening::Open { customer, tries },
                );
            }
            Work::Erase { first, tries } if tries < 3 => {
                let tries = tries + 1;
                self.timeline.schedule(
                    self.timeline.between(1, HOUR),
                    Happening::Erase { first, tries },
                );
            }
            Work::Open { .. } | Work::Erase { .. } => {}
        }
    }

    fn open(&mut self, customer: usize, tries: u32) {
        let client = format!("client-{customer}").parse().unwrap();
        if tries == 0 && self.random_faults.trouble.is_none() && self.timeline.chance(0.4) {
            self.timeline
                .count("session that the application did not open here");
            let scan_ref = self.provider.begin_session(&client);
            return self.customer_begins(&scan_ref);
        }
        let use_case = self.process_ports().open_session();
        let request = session_request(client);
        let expected = ExpectedDocument {
            country: self.timeline.chance(0.2).then(|| "LV".parse().unwrap()),
            document_type: None,
        };
        self.spawn(Work::Open { customer, tries }, API_TIMEOUT, async move {
            Returned::Open(use_case.open(&request, expected).await.ok().map(Box::new))
        });
    }

    /// The customer follows the link, and the rest takes its course.
    fn customer_begins(&mut self, scan_ref: &ScanRef) {
        let mut pause = 0;
        for (after, result) in script(&self.timeline, &self.random_faults) {
            pause += after;
            let scan_ref = scan_ref.clone();
            self.timeline
                .schedule(pause, Happening::Emit(Emission { scan_ref, result }));
        }
        // Without confirmation, what is signed is believed.
        while self.policy.confirm_results && self.timeline.chance(self.random_faults.forgery) {
            let latest = self
                .timeline
                .weighted(&[(2, 20 * MINUTE), (1, 3 * HOUR), (1, 3 * DAY)]);
            self.timeline.schedule(
                self.timeline.between(1, latest),
                Happening::Forge(scan_ref.clone()),
            );
        }
        for latest in [HOUR, DAY, 12 * DAY] {
            if self.random_faults.trouble.is_none() && self.timeline.chance(0.3) {
                self.timeline.schedule(
                    self.timeline.between(MINUTE, latest),
                    Happening::Retry(scan_ref.clone()),
                );
            }
        }
        if self.timeline.chance(self.random_faults.erasure) {
            let latest = self
                .timeline
                .weighted(&[(2, 10 * MINUTE), (1, HOUR), (1, 3 * DAY)]);
            let first = scan_ref.clone();
            self.timeline.schedule(
                self.timeline.between(1, latest),
                Happening::Erase { first, tries: 0 },
            );
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        self.timeline.count("callback delivered");
        let use_case = self.process_ports().accept_callback(self.policy.clone());
        let content = delivery.content.as_ref().clone();
        let is_extension = self.timeline.chance(0.9);
        let until = self.after(if is_extension {
            CAPTURE_BUDGET
        } else {
            EARLY_CAPTURE_BUDGET
        });
        self.timeline.trace(|| {
            format!(
                "callback of {} {:?} arrives",
                content.scan_ref, content.overall
            )
        });
        self.spawn(Work::Callback(delivery), ANSWER_TIMEOUT, async move {
            let (accepted, task) = match use_case.accept(content, b"{}", until).await {
                Ok(accepted) => accepted,
                Err(error) => return Returned::Callback(Err(error)),
            };
            let Some(task) = task else {
                return Returned::Callback(Ok((accepted, None)));
            };
            let left: Left = Box::pin(async move { drop(use_case.capture(task).await) });
            if is_extension {
                return Returned::Callback(Ok((accepted, Some(left))));
            }
            left.await;
            Returned::Callback(Ok((accepted, None)))
        });
    }

    fn process(&mut self, received: Received) {
        self.timeline.count("message received");
        self.timeline
            .trace(|| format!("message for {} is received", received.first));
        if self.broken == Some(Broken::AcknowledgedFirst) {
            self.acknowledge(&received, self.timeline.steps());
        }
        let policy = Policy {
            confirm_results: self.policy.confirm_results
                && self.broken != Some(Broken::SpentUnconfirmed),
            ..self.policy.clone()
        };
        let use_case = self.process_ports().advance(policy);
        let first = received.first.clone();
        let until = self.after(PROCESSOR_TIMEOUT - PROCESSOR_RESERVE);
        self.spawn(Work::Message(received), PROCESSOR_TIMEOUT, async move {
            Returned::Message(use_case.advance(&first, until).await)
        });
    }

    /// What `functions/processor` makes of a run.
    fn processed(
        &mut self,
        received: &Received,
        since: u64,
        result: &Result<Advanced, StoreUnavailable>,
    ) {
        self.timeline.trace(|| format!("processed: {result:?}"));
        let doubled = 3 * SECOND * 2_i64.pow(received.receives.saturating_sub(1).min(16));
        let pause = doubled.min(15 * MINUTE);
        let again = match result {
            Ok(Advanced::Resting(_) | Advanced::Unknown) => {
                return self.acknowledge(received, since);
            }
            Ok(Advanced::HeldUntil(_)) if received.receives <= 1 => SECOND,
            // The simulated circuit never opens here. To the queue a delayed new message would be
            // the same.
            Ok(Advanced::HeldUntil(until) | Advanced::CircuitOpen { until }) => {
                (until.milliseconds() - self.timeline.milliseconds()).max(0) + SECOND
            }
            Ok(Advanced::TryAgain { after, .. }) => {
                pause.max(after.map_or(0, |after| i64::try_from(after.as_millis()).unwrap()))
            }
            Err(_) => pause,
        };
        self.queue.postpone(received.message, again);
    }

    fn acknowledge(&self, received: &Received, since: u64) {
        if self.queue.delete(received.message) {
            self.checks.acknowledged(&received.first, since);
        }
    }

    fn reconcile(&mut self) {
        self.timeline.count("reconciler ran");
        self.timeline.trace(|| "the reconciler runs".to_owned());
        self.is_ticking = true;
        let use_case = self.process_ports().reconcile();
        let until = self.after(RECONCILER_TIMEOUT - RECONCILER_RESERVE);
        self.spawn(Work::Tick, RECONCILER_TIMEOUT, async move {
            drop(use_case.run(until).await);
            Returned::Nothing
        });
    }

    /// The reconciler runs every five minutes.
    /// Only runs with something overdue are played, because the others change nothing.
    fn schedule_tick(&mut self) {
        if self.is_ticking || self.broken == Some(Broken::ReconcilerOff) {
            return;
        }
        let mut soonest: Option<i64> = None;
        self.world.for_each_pairing(|pairing| {
            if let Some(attention_at) = pairing.attention_at() {
                let at = attention_at.milliseconds();
                soonest = Some(soonest.map_or(at, |soonest| soonest.min(at)));
            }
        });
        let Some(soonest) = soonest else { return };
        let now = self.timeline.milliseconds();
        let at = (soonest.max(now) / RECONCILER_PERIOD + 1) * RECONCILER_PERIOD;
        if self.tick.is_none_or(|(_, due)| at < due) {
            self.ticks += 1;
            self.tick = Some((self.ticks, at));
            self.timeline
                .schedule(at - now, Happening::Tick { number: self.ticks });
        }
    }

    fn retry(&mut self, first: ScanRef) {
        let is_parked = self
            .world
            .stored(&first)
            .is_some_and(|pairing| matches!(pairing.state, State::Parked { .. }));
        if !is_parked {
            if self.timeline.chance(0.1) {
                self.set_aside(first);
            }
            return;
        }
        self.timeline.count("parked pairing taken up by a person");
        self.timeline
            .trace(|| format!("a person takes {first} up again"));
        self.checks.taken_up(&first);
        // The person changed the policy, so that what was unclear qualifies.
        let country: CountryCode = "EE".parse().unwrap();
        let use_case = self.process_ports().retry(Policy {
            step_verdict: StepVerdictPolicy::AcceptUnjudged,
            default_country: Some(country),
            ..self.policy.clone()
        });
        self.spawn(Work::Retry, API_TIMEOUT, async move {
            drop(use_case.retry(&first).await);
            Returned::Nothing
        });
    }

    /// And taken up again before long.
    fn set_aside(&mut self, first: ScanRef) {
        self.timeline.count("pairing set aside by a person");
        self.timeline
            .trace(|| format!("a person sets {first} aside"));
        self.timeline.schedule(
            self.timeline.between(MINUTE, HOUR),
            Happening::Retry(first.clone()),
        );
        let use_case = self.process_ports().park();
        self.spawn(Work::Retry, API_TIMEOUT, async move {
            drop(use_case.park(&first, "looks odd".parse().unwrap()).await);
            Returned::Nothing
        });
    }

    fn erase(&mut self, first: ScanRef, tries: u32) {
        self.timeline.count("erasure requested");
        self.timeline.trace(|| format!("{first} is to be erased"));
        let use_case = self.process_ports().erase();
        let work = Work::Erase {
            first: first.clone(),
            tries,
        };
        self.spawn(work, API_TIMEOUT, async move {
            Returned::Erase(use_case.erase(&first).await)
        });
    }

    /// The ports as one process has them: with its own clock.
    fn process_ports(&self) -> Ports {
        let mut ports = self.ports.clone();
        if !self.provider.is_calm() && self.timeline.chance(self.random_faults.clock_skew) {
            self.timeline.count("process with a wrong clock");
            ports.clock = Arc::new(SkewedClock {
                timeline: self.timeline.clone(),
                ahead_by: self.timeline.between(-CLOCK_SKEW, CLOCK_SKEW),
            });
        }
        ports
    }

    fn after(&self, milliseconds: i64) -> verification::Timestamp {
        let milliseconds = u64::try_from(milliseconds).unwrap();
        self.timeline
            .now()
            .plus(std::time::Duration::from_millis(milliseconds))
    }
}
