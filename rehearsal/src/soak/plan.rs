//! One customer's troubles. The seed and the customer's number alone decide them. So a soak can be
//! repeated: the same numbers meet the same troubles, though not at the same instants.

use std::time::Duration;

use fastrand::Rng;
use harness::faults::{ANSWERS, CALLBACKS, LINKS, takes_time};
use serde_json::{Map, Value, json};

/// The functions that are killed.
pub const KILLED: [&str; 4] = [
    "WebhookFunction",
    "ProcessorFunction",
    "ReconcilerFunction",
    "PublisherFunction",
];

/// Processes are killed within this time after the customer has finished: then they work for her.
const KILLED_WITHIN_MILLISECONDS: u64 = 800;

/// Results of a first verification that does not qualify.
const REFUSALS: [&str; 3] = ["DENIED", "SUSPECTED", "EXPIRED"];

/// Members of what is sent to the provider's admin API.
pub type Members = Map<String, Value>;

fn set(members: &mut Members, name: &str, value: Value) {
    members.insert(name.to_owned(), value);
}

/// One customer's troubles. By default there are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Faults to script at the provider; the customer is added later.
    pub faults: Vec<Members>,
    /// How the provider announces the first result.
    pub finish: Members,
    /// What direct processing comes to.
    pub outcome: Members,
    /// The first callback does not arrive until it is sent again.
    pub first_is_lost: bool,
    /// The second callback does not arrive by itself.
    pub second_is_lost: Option<SecondLost>,
    /// Repeats of the first callback at the end, all at once.
    pub repeats: u32,
    /// The first verification is denied after all: while the flow goes on, or at its end.
    pub denied_later: Option<DeniedLater>,
    /// Processes that are killed.
    pub kill: Option<Kill>,
    /// The names of all that, for the report.
    pub troubles: Vec<String>,
}

/// Processes of one function that are killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    pub function: &'static str,
    /// So long after the customer has finished.
    pub after: Duration,
    /// All of them, as if their machine had failed; else one.
    pub all: bool,
}

/// How a second callback that was lost is made up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondLost {
    /// The provider is asked to send it again.
    SentAgain,
    /// Never, so the reconciler has to ask for the status.
    ForGood,
}

/// When a result is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeniedLater {
    /// So long after the first callback.
    Meanwhile(Duration),
    /// When the pairing has come to its end.
    Afterwards,
}

/// Throws the dice for one customer.
struct Dice {
    rng: Rng,
    trouble: u32,
    plan: Plan,
}

impl Dice {
    /// Throws for one thing.
    fn goes_wrong(&mut self) -> bool {
        self.rng.u32(0..100) < self.trouble
    }

    fn one_of(&mut self, kinds: &[&'static str]) -> &'static str {
        self.rng.choice(kinds).copied().unwrap_or("status")
    }

    fn note(&mut self, trouble: impl Into<String>) {
        self.plan.troubles.push(trouble.into());
    }

    fn fault(&mut self, route: &str, kind: &str, milliseconds: u64) -> Members {
        self.note(format!("{route} {kind}"));
        let mut fault = Members::new();
        set(&mut fault, "route", json!(route));
        set(&mut fault, "kind", json!(kind));
        if takes_time(kind) {
            set(&mut fault, "milliseconds", json!(milliseconds));
        }
        if kind == "status" {
            let is_busy = self.rng.bool();
            set(&mut fault, "status", json!(if is_busy { 429 } else { 503 }));
            if is_busy {
                set(&mut fault, "retryAfterSeconds", json!(self.rng.u32(1..5)));
            }
        }
        fault
    }

    fn provider(&mut self) {
        for route in ["token", "process", "status", "files"] {
            if self.goes_wrong() {
                let kind = self.one_of(&ANSWERS);
                let milliseconds = self.rng.u64(1_000..4_000);
                let fault = self.fault(route, kind, milliseconds);
                self.plan.faults.push(fault);
            }
        }
    }

    fn links(&mut self) {
        for skip in [0, 1] {
            if self.goes_wrong() {
                let kind = self.one_of(&LINKS);
                // Some of them outlast the webhook's time for copying.
                let milliseconds = self.rng.u64(1_000..10_000);
                let mut fault = self.fault("file", kind, milliseconds);
                set(&mut fault, "skip", json!(skip));
                self.plan.faults.push(fault);
            }
        }
        if self.goes_wrong() {
            self.note("links dead");
            set(&mut self.plan.finish, "expiredLinks", json!(true));
        }
    }

    fn callbacks(&mut self) {
        for token_type in ["IDENTIFICATION", "DOCUMENT"] {
            if !self.goes_wrong() {
                continue;
            }
            let (kind, arrives) = self.rng.choice(CALLBACKS).unwrap_or(("drop", false));
            let milliseconds = self.rng.u64(500..6_000);
            let mut fault = self.fault("callback", kind, milliseconds);
            set(&mut fault, "match", json!({"tokenType": token_type}));
            self.plan.faults.push(fault);
            let is_lost = !arrives;
            if token_type == "IDENTIFICATION" {
                self.plan.first_is_lost = is_lost;
            } else if is_lost {
                let lost = if self.rng.bool() {
                    SecondLost::SentAgain
                } else {
                    SecondLost::ForGood
                };
                self.plan.second_is_lost = Some(lost);
            }
        }
        if self.goes_wrong() {
            self.note("callback repeated at the end");
            self.plan.repeats = self.rng.u32(2..6);
        }
    }

    fn results(&mut self) {
        if self.goes_wrong() {
            let overall = self.one_of(&REFUSALS);
            self.note(format!("first {overall}"));
            set(&mut self.plan.finish, "overall", json!(overall));
        }
        if self.goes_wrong() {
            self.note("first not final at first");
            set(&mut self.plan.finish, "nonFinalFirst", json!(true));
        }
        if self.goes_wrong() {
            let overall = self.one_of(&["DENIED", "SUSPECTED"]);
            self.note(format!("second {overall}"));
            set(&mut self.plan.outcome, "overall", json!(overall));
        }
        if self.goes_wrong() {
            self.note("second not final at first");
            set(&mut self.plan.outcome, "nonFinalFirst", json!(true));
        }
        if self.goes_wrong() {
            self.note("second late");
            set(
                &mut self.plan.outcome,
                "delayMilliseconds",
                json!(self.rng.u64(2_000..10_000)),
            );
        } else if self.goes_wrong() {
            self.note("second at once");
            // Reordered: it can overtake the answer to the submission.
            set(&mut self.plan.outcome, "delayMilliseconds", json!(0));
        }
        if self.goes_wrong() {
            self.note("denied later");
            self.plan.denied_later = Some(if self.rng.bool() {
                DeniedLater::Meanwhile(Duration::from_millis(self.rng.u64(0..3_000)))
            } else {
                DeniedLater::Afterwards
            });
        }
    }

    fn processes(&mut self) {
        if self.goes_wrong() {
            let function = self.one_of(&KILLED);
            self.note(format!("{function} killed"));
            let after = Duration::from_millis(self.rng.u64(0..KILLED_WITHIN_MILLISECONDS));
            let all = self.rng.bool();
            self.plan.kill = Some(Kill {
                function,
                after,
                all,
            });
        }
    }
}

impl Plan {
    /// The plan for customer `number` of a soak. Each single thing goes wrong with a chance of
    /// `trouble` percent.
    pub fn of(seed: u64, number: u32, trouble: u32) -> Self {
        // Neighbouring numbers must not throw alike.
        let rng = Rng::with_seed(
            seed ^ u64::from(number)
                .wrapping_add(1)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15),
        );
        let mut dice = Dice {
            rng,
            trouble,
            plan: Self::default(),
        };
        dice.provider();
        dice.links();
        dice.callbacks();
        dice.results();
        dice.processes();
        dice.plan
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_plans_and_another_makes_others() {
        let plans = |seed| {
            (0..200)
                .map(|number| Plan::of(seed, number, 20))
                .collect::<Vec<_>>()
        };
        assert_eq!(plans(7), plans(7));
        assert_ne!(plans(7), plans(8));
    }

    #[test]
    fn without_trouble_nothing_goes_wrong() {
        assert!((0..1_000).all(|number| Plan::of(1, number, 0).troubles.is_empty()));
    }

    #[test]
    fn each_single_thing_goes_wrong_as_often_as_wanted() {
        let plans: Vec<Plan> = (0..4_000).map(|number| Plan::of(1, number, 5)).collect();
        let share = |is_it: &dyn Fn(&Plan) -> bool| plans.iter().filter(|plan| is_it(plan)).count();
        for count in [
            share(&|plan| plan.kill.is_some()),
            share(&|plan| plan.denied_later.is_some()),
            share(&|plan| {
                plan.troubles
                    .iter()
                    .any(|trouble| trouble.starts_with("token "))
            }),
        ] {
            assert!(
                (150..250).contains(&count),
                "5 % of 4,000 are 200, not {count}"
            );
        }
    }

    #[test]
    fn everything_that_can_go_wrong_does_in_a_long_soak() {
        let troubles: BTreeSet<String> = (0..20_000)
            .flat_map(|number| Plan::of(1, number, 5).troubles)
            .collect();
        let routes = ["token", "process", "status", "files"].iter();
        let answers =
            routes.flat_map(|route| ANSWERS.iter().map(move |kind| format!("{route} {kind}")));
        let links = LINKS.iter().map(|kind| format!("file {kind}"));
        let callbacks = CALLBACKS.iter().map(|(kind, _)| format!("callback {kind}"));
        let killed = KILLED.iter().map(|function| format!("{function} killed"));
        for wanted in answers.chain(links).chain(callbacks).chain(killed) {
            assert!(troubles.contains(&wanted), "{wanted}");
        }
    }
}
