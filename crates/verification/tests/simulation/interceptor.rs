//! Every port call takes time, and may fail before or after its effect.

use std::sync::Arc;

use async_trait::async_trait;
use verification::testing::interception::{CallOutcome, Interceptor, Operation};

use super::random_faults::RandomFaults;
use super::timeline::{SECOND, Sleep, Timeline};
use super::trouble::Trouble;

pub struct Turbulence {
    pub timeline: Arc<Timeline>,
    pub random_faults: RandomFaults,
}

impl Turbulence {
    fn is_calm(&self) -> bool {
        self.timeline.elapsed() >= self.random_faults.calm_after
    }

    fn delay(&self) -> i64 {
        if self.is_calm() {
            return self.timeline.between(1, 30);
        }
        if self.timeline.chance(self.random_faults.stall) {
            self.timeline.count("a call that outlives its lease");
            return self.timeline.between(5 * SECOND, 150 * SECOND);
        }
        if self.timeline.chance(self.random_faults.slow) {
            return self.timeline.between(30, 4 * SECOND);
        }
        self.timeline.between(1, 30)
    }
}

#[async_trait]
impl Interceptor for Turbulence {
    async fn before(&self, operation: Operation) -> CallOutcome {
        Sleep::new(&self.timeline, self.delay()).await;
        let fate = match self.random_faults.trouble {
            Some(Trouble::Ends { at, every })
                if at == operation && self.timeline.weighted(&[(1, true), (every - 1, false)]) =>
            {
                self.timeline
                    .trace(|| format!("{operation:?} ends the process"));
                std::future::pending().await
            }
            Some(Trouble::Fails(never, fate)) if never == operation => Some(fate),
            _ => None,
        };
        let fate = if let Some(fate) = fate {
            fate
        } else if self.is_calm() {
            CallOutcome::Proceeds
        } else if self.timeline.chance(self.random_faults.fails) {
            self.timeline.count(if operation.calls_provider() {
                "provider unavailable"
            } else {
                "store unavailable before the effect"
            });
            CallOutcome::Fails
        } else if operation.calls_provider()
            && self.timeline.chance(self.random_faults.answer_lost / 2.0)
        {
            self.timeline
                .count("provider's answer lost before the effect");
            CallOutcome::AnswerLost
        } else {
            CallOutcome::Proceeds
        };
        self.timeline.trace(|| match fate {
            CallOutcome::Proceeds => format!("{operation:?}"),
            fate => format!("{operation:?} {fate:?} before its effect"),
        });
        fate
    }

    async fn after(&self, operation: Operation) -> CallOutcome {
        Sleep::new(&self.timeline, self.delay()).await;
        if self.random_faults.trouble == Some(Trouble::AnswerLost(operation)) {
            return CallOutcome::AnswerLost;
        }
        if self.is_calm() || !self.timeline.chance(self.random_faults.answer_lost) {
            return CallOutcome::Proceeds;
        }
        self.timeline.count(if operation.calls_provider() {
            "provider's answer lost after the effect"
        } else {
            "store unavailable after the effect"
        });
        self.timeline
            .trace(|| format!("{operation:?} AnswerLost after its effect"));
        CallOutcome::AnswerLost
    }
}
