//! The circuit, event by event and in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod processes;

use std::time::Duration;

use verification::Timestamp;
use verification::circuit::{
    BACKOFF_RESET, Cause, Circuit, CircuitChange, FAILURE_LIMIT, FAILURE_WINDOW, Gate, Health,
    LONG_RETRY_AFTER, LONGEST_RETRY_AFTER, MINIMUM_FAILURE_SPAN, PROBE_LEASE, PROBE_POLL, Proposal,
    SHORTEST_PAUSE, SLOW_FAILURE_LIMIT,
};

const START: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000);
const TOKEN: &str = "CreateToken";
const PROCESS: &str = "Process";

const fn failing(cause: Cause) -> Health {
    Health::Failing {
        cause,
        retry_after: None,
    }
}

const DOWN: Health = failing(Cause::Unreachable);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// One circuit, everything stored at once, and a clock.
struct Story {
    circuit: Circuit,
    now: Timestamp,
}

impl Story {
    fn new() -> Self {
        Self {
            circuit: Circuit::default(),
            now: START,
        }
    }

    fn store(&mut self, proposal: Option<Proposal>) -> Option<CircuitChange> {
        let Proposal { next, change } = proposal?;
        assert_eq!(
            next.version,
            self.circuit.version + 1,
            "each change is one version"
        );
        self.circuit = next;
        change
    }

    fn wait(&mut self, duration: Duration) {
        self.now = self.now.plus(duration);
    }

    fn call(&mut self, operation: &str, health: Health) -> Option<CircuitChange> {
        let proposal = self.circuit.after_call(operation, health, self.now);
        self.store(proposal)
    }

    fn take(&mut self) -> u64 {
        self.circuit = self
            .circuit
            .with_probe_taken(self.now)
            .expect("there is a try to take");
        self.circuit.version
    }

    fn attempt(&mut self, operation: &str, health: Health) -> Option<CircuitChange> {
        let probe = self.take();
        let proposal = self.circuit.after_probe(probe, operation, health, self.now);
        self.store(proposal)
    }

    fn gate(&self) -> Gate {
        self.circuit.gate(self.now)
    }

    /// Opens it the quick way, and returns the pause.
    fn open(&mut self, cause: Cause) -> Duration {
        for _ in 1..FAILURE_LIMIT {
            assert_eq!(self.call(TOKEN, failing(cause)), None);
        }
        match self.call(TOKEN, failing(cause)) {
            Some(CircuitChange::Opened {
                pause,
                cause: opened,
            }) if opened == cause => pause,
            other => panic!("should open, but {other:?}"),
        }
    }
}

#[test]
fn a_circuit_that_was_never_needed_is_closed_and_costs_nothing() {
    let mut story = Story::new();
    assert_eq!(story.gate(), Gate::Closed);
    for _ in 0..100 {
        assert_eq!(story.call(TOKEN, Health::Answering), None);
        assert_eq!(story.call(PROCESS, Health::Unknown), None);
    }
    assert_eq!(story.circuit, Circuit::default(), "nothing is written");
    assert_eq!(
        story.circuit.with_probe_taken(story.now),
        None,
        "and there is no try to take"
    );
}

#[test]
fn many_failures_at_once_open_it_and_one_less_does_not() {
    let mut story = Story::new();
    for _ in 1..FAILURE_LIMIT {
        assert_eq!(story.call(TOKEN, DOWN), None);
        assert_eq!(story.gate(), Gate::Closed);
    }
    assert!(matches!(
        story.call(TOKEN, DOWN),
        Some(CircuitChange::Opened { .. })
    ));
    assert_eq!(
        story.gate(),
        Gate::Open {
            until: story.now.plus(SHORTEST_PAUSE)
        }
    );
}

#[test]
fn few_failures_open_it_once_they_are_spread_over_time() {
    let mut story = Story::new();
    for _ in 0..SLOW_FAILURE_LIMIT {
        assert_eq!(
            story.call(TOKEN, DOWN),
            None,
            "at the same moment it may be a blip"
        );
    }
    story.wait(MINIMUM_FAILURE_SPAN - Duration::from_millis(1));
    assert_eq!(story.call(TOKEN, DOWN), None);
    story.wait(Duration::from_millis(1));
    assert!(matches!(
        story.call(TOKEN, DOWN),
        Some(CircuitChange::Opened { .. })
    ));
}

#[test]
fn a_success_in_between_starts_the_count_anew() {
    let mut story = Story::new();
    for _ in 0..50 {
        assert_eq!(story.call(TOKEN, DOWN), None);
        story.wait(seconds(20));
        assert_eq!(story.call(TOKEN, Health::Answering), None);
        story.wait(seconds(20));
    }
    assert_eq!(story.gate(), Gate::Closed);
}

#[test]
fn what_says_nothing_about_the_provider_counts_neither_way() {
    let mut story = Story::new();
    story.call(TOKEN, DOWN);
    let before = story.circuit.clone();
    story.wait(MINIMUM_FAILURE_SPAN);
    assert_eq!(story.call(TOKEN, Health::Unknown), None);
    assert_eq!(story.circuit, before);
    assert!(
        matches!(story.call(TOKEN, DOWN), Some(CircuitChange::Opened { .. })),
        "it was no success either"
    );
}

#[test]
fn failures_far_apart_have_nothing_to_do_with_each_other() {
    let mut story = Story::new();
    for _ in 0..50 {
        assert_eq!(story.call(TOKEN, DOWN), None);
        story.wait(FAILURE_WINDOW + Duration::from_millis(1));
    }
    assert_eq!(story.call(TOKEN, DOWN), None);
    story.wait(FAILURE_WINDOW);
    assert!(
        matches!(story.call(TOKEN, DOWN), Some(CircuitChange::Opened { .. })),
        "just within memory"
    );
}

#[test]
fn an_operation_that_fails_is_noticed_among_others_that_work() {
    let mut story = Story::new();
    assert_eq!(story.call(PROCESS, DOWN), None);
    for _ in 0..20 {
        story.wait(Duration::from_millis(500));
        assert_eq!(story.call(TOKEN, Health::Answering), None);
    }
    assert!(matches!(
        story.call(PROCESS, DOWN),
        Some(CircuitChange::Opened { .. })
    ));
}

#[test]
fn while_it_is_open_no_late_news_moves_it() {
    let mut story = Story::new();
    story.open(Cause::Unreachable);
    let before = story.circuit.clone();
    for health in [DOWN, Health::Answering, Health::Unknown] {
        assert_eq!(
            story.circuit.after_call(TOKEN, health, story.now),
            None,
            "{health:?}"
        );
    }
    assert_eq!(story.circuit, before);
    assert_eq!(
        story.circuit.with_probe_taken(story.now),
        None,
        "nobody may try yet"
    );
}

#[test]
fn once_the_pause_is_over_one_may_try() {
    let mut story = Story::new();
    let pause = story.open(Cause::Unreachable);
    story.wait(pause - Duration::from_millis(1));
    assert!(matches!(story.gate(), Gate::Open { .. }));
    story.wait(Duration::from_millis(1));
    assert_eq!(
        story.gate(),
        Gate::HalfOpen {
            has_answered: false
        }
    );
    story.take();
    assert_eq!(
        story.gate(),
        Gate::Open {
            until: story.now.plus(PROBE_POLL)
        }
    );
    assert_eq!(
        story.circuit.with_probe_taken(story.now),
        None,
        "one at a time"
    );
    story.wait(PROBE_LEASE - seconds(1));
    assert_eq!(
        story.gate(),
        Gate::Open {
            until: story.now.plus(seconds(1))
        },
        "never longer than the try may take"
    );
}

#[test]
fn a_try_that_never_ends_makes_room_for_another() {
    let mut story = Story::new();
    let pause = story.open(Cause::Unreachable);
    story.wait(pause);
    let lost = story.take();
    story.wait(PROBE_LEASE);
    assert_eq!(
        story.gate(),
        Gate::HalfOpen {
            has_answered: false
        }
    );
    story.take();
    let before = story.circuit.clone();
    for health in [DOWN, Health::Answering, Health::Unknown] {
        assert_eq!(before.after_probe(lost, TOKEN, health, story.now), None);
    }
}

#[test]
fn a_try_that_works_closes_it() {
    let mut story = Story::new();
    let pause = story.open(Cause::Unreachable);
    story.wait(pause);
    assert_eq!(
        story.attempt(TOKEN, Health::Answering),
        Some(CircuitChange::Closed { was_open: pause })
    );
    assert_eq!(story.gate(), Gate::Closed);
    assert_eq!(
        story.call(TOKEN, DOWN),
        None,
        "and the old failures are forgotten"
    );
}

#[test]
fn each_try_that_fails_doubles_the_pause_up_to_a_limit_by_cause() {
    let pauses = |cause: Cause| {
        let mut story = Story::new();
        let mut pauses = vec![story.open(cause).as_secs()];
        for _ in 0..8 {
            story.wait(seconds(*pauses.last().unwrap()));
            match story.attempt(TOKEN, failing(cause)) {
                Some(CircuitChange::Opened { pause, .. }) => pauses.push(pause.as_secs()),
                other => panic!("{other:?}"),
            }
        }
        pauses
    };
    assert_eq!(
        pauses(Cause::Unreachable),
        [15, 30, 60, 120, 240, 300, 300, 300, 300]
    );
    assert_eq!(
        pauses(Cause::RateLimited),
        [15, 30, 60, 120, 240, 300, 300, 300, 300]
    );
    assert_eq!(
        pauses(Cause::Account),
        [15, 30, 60, 120, 240, 480, 900, 900, 900]
    );
}

#[test]
fn no_pause_of_its_own_is_longer_than_a_message_can_be_delayed() {
    for cause in Cause::ALL.iter().copied() {
        assert!(cause.longest_pause() <= seconds(15 * 60), "{cause:?}");
    }
}

#[test]
fn the_provider_s_own_word_on_the_pause_is_kept_within_reason() {
    let pause_for = |told: u64| {
        let mut story = Story::new();
        story.call(TOKEN, DOWN);
        story.wait(MINIMUM_FAILURE_SPAN);
        let told = Health::Failing {
            cause: Cause::RateLimited,
            retry_after: Some(seconds(told)),
        };
        match story.call(TOKEN, told) {
            Some(CircuitChange::Opened { pause, .. }) => pause,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(pause_for(1), SHORTEST_PAUSE, "never shorter than ours");
    assert_eq!(pause_for(90), seconds(90));
    assert_eq!(pause_for(1_800), seconds(1_800), "longer than our longest");
    assert_eq!(
        pause_for(24 * 60 * 60),
        LONGEST_RETRY_AFTER,
        "but not for a day"
    );
}

#[test]
fn one_answer_that_asks_for_a_long_pause_opens_it() {
    let told = |told: Duration| Health::Failing {
        cause: Cause::RateLimited,
        retry_after: Some(told),
    };
    let mut story = Story::new();
    assert_eq!(
        story.call(TOKEN, told(LONG_RETRY_AFTER - Duration::from_millis(1))),
        None
    );
    let opened = story.call(TOKEN, told(LONG_RETRY_AFTER));
    let pause = LONG_RETRY_AFTER;
    let cause = Cause::RateLimited;
    assert_eq!(opened, Some(CircuitChange::Opened { cause, pause }));
}

#[test]
fn a_second_answer_closes_the_circuit() {
    let mut story = Story::new();
    let pause = story.open(Cause::Unreachable);
    story.wait(pause);
    assert_eq!(story.attempt("Status", Health::Answering), None);
    assert_eq!(
        story.gate(),
        Gate::HalfOpen { has_answered: true },
        "what opened it is still to be tried"
    );
    assert!(matches!(
        story.attempt(PROCESS, Health::Answering),
        Some(CircuitChange::Closed { .. })
    ));
}

#[test]
fn what_is_heard_is_forgotten_when_the_next_try_fails() {
    let mut story = Story::new();
    let pause = story.open(Cause::Unreachable);
    story.wait(pause);
    story.attempt("Status", Health::Answering);
    let Some(CircuitChange::Opened { pause, .. }) = story.attempt(TOKEN, DOWN) else {
        panic!("should open again")
    };
    assert_eq!(pause, SHORTEST_PAUSE * 2);
    story.wait(pause);
    assert_eq!(
        story.gate(),
        Gate::HalfOpen {
            has_answered: false
        }
    );
}

#[test]
fn a_try_that_was_not_made_gives_the_try_back() {
    let mut story = Story::new();
    let pause = story.open(Cause::Unreachable);
    story.wait(pause);
    assert_eq!(story.attempt(TOKEN, Health::Unknown), None);
    assert_eq!(
        story.gate(),
        Gate::HalfOpen {
            has_answered: false
        },
        "at once, for the next"
    );
}

#[test]
fn failing_again_after_closing_is_left_alone_for_longer() {
    let reopened_after = |closed_for: Duration| {
        let mut story = Story::new();
        let pause = story.open(Cause::Unreachable);
        story.wait(pause);
        story.attempt(TOKEN, Health::Answering);
        story.wait(closed_for);
        story.open(Cause::Unreachable)
    };
    assert_eq!(reopened_after(seconds(1)), SHORTEST_PAUSE * 2);
    assert_eq!(
        reopened_after(BACKOFF_RESET - seconds(1)),
        SHORTEST_PAUSE * 2
    );
    assert_eq!(reopened_after(BACKOFF_RESET), SHORTEST_PAUSE);
}

/// Every sequence of three calls.
/// The circuit never stays open too long, and an answering provider always closes it.
#[test]
fn whatever_happens_a_provider_that_answers_is_called_again() {
    let healths = [
        DOWN,
        failing(Cause::Account),
        Health::Answering,
        Health::Unknown,
    ];
    let mut stories = vec![vec![]];
    for _ in 0..5 {
        stories = stories
            .into_iter()
            .flat_map(|story: Vec<usize>| {
                (0..healths.len()).map(move |next| [story.clone(), vec![next]].concat())
            })
            .collect();
    }
    assert_eq!(stories.len(), 4_usize.pow(5));
    for choices in stories {
        let mut story = Story::new();
        story.open(Cause::Unreachable);
        for choice in choices {
            if let Gate::Open { until } = story.gate() {
                assert!(until.since(story.now) <= seconds(15 * 60));
                story.now = until;
            }
            match story.gate() {
                Gate::HalfOpen { .. } => drop(story.attempt(TOKEN, healths[choice])),
                Gate::Closed => drop(story.call(TOKEN, healths[choice])),
                Gate::Open { .. } => panic!("its pause is over"),
            }
        }
        if let Gate::Open { until } = story.gate() {
            story.now = until;
        }
        if story.gate() != Gate::Closed {
            assert!(matches!(
                story.attempt(TOKEN, Health::Answering),
                Some(CircuitChange::Closed { .. })
            ));
        }
        assert_eq!(story.gate(), Gate::Closed);
    }
}
