//! Every port call takes time, and may fail before or after it took effect.

use std::sync::Arc;

use async_trait::async_trait;
use verification::testing::interception::{Fate, Interceptor, Operation};

use super::timeline::{SECOND, Sleep, Timeline};
use super::trouble::Trouble;
use super::weather::Weather;

pub struct Turbulence {
    pub timeline: Arc<Timeline>,
    pub weather: Weather,
}

impl Turbulence {
    fn is_calm(&self) -> bool {
        self.timeline.elapsed() >= self.weather.calm_after
    }

    fn delay(&self) -> i64 {
        if self.is_calm() {
            return self.timeline.between(1, 30);
        }
        if self.timeline.chance(self.weather.stall) {
            self.timeline.count("a call that outlives its lease");
            return self.timeline.between(5 * SECOND, 150 * SECOND);
        }
        if self.timeline.chance(self.weather.slow) {
            return self.timeline.between(30, 4 * SECOND);
        }
        self.timeline.between(1, 30)
    }
}

#[async_trait]
impl Interceptor for Turbulence {
    async fn before(&self, operation: Operation) -> Fate {
        Sleep::new(&self.timeline, self.delay()).await;
        let fate = match self.weather.trouble {
            Some(Trouble::Ends { at, every })
                if at == operation && self.timeline.running().is_multiple_of(every) =>
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
            Fate::Proceeds
        } else if self.timeline.chance(self.weather.fails) {
            self.timeline.count(if operation.is_providers() {
                "provider unavailable"
            } else {
                "store unavailable before the effect"
            });
            Fate::Fails
        } else if operation.is_providers() && self.timeline.chance(self.weather.answer_lost / 2.0) {
            self.timeline
                .count("provider's answer lost before the effect");
            Fate::AnswerLost
        } else {
            Fate::Proceeds
        };
        self.timeline.trace(|| match fate {
            Fate::Proceeds => format!("{operation:?}"),
            fate => format!("{operation:?} {fate:?} before its effect"),
        });
        fate
    }

    async fn after(&self, operation: Operation) -> Fate {
        Sleep::new(&self.timeline, self.delay()).await;
        if self.weather.trouble == Some(Trouble::AnswerLost(operation)) {
            return Fate::AnswerLost;
        }
        if self.is_calm() || !self.timeline.chance(self.weather.answer_lost) {
            return Fate::Proceeds;
        }
        self.timeline.count(if operation.is_providers() {
            "provider's answer lost after the effect"
        } else {
            "store unavailable after the effect"
        });
        self.timeline
            .trace(|| format!("{operation:?} AnswerLost after its effect"));
        Fate::AnswerLost
    }
}
