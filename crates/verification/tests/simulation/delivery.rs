//! Delivery of the provider's callbacks: up to four attempts of 10 s each, then never again.

use std::sync::Arc;

use verification::result::CallbackContent;

use super::random_faults::RandomFaults;
use super::timeline::{DAY, HOUR, Happening, MINUTE, SECOND, Timeline};
use super::trouble::Trouble;

#[derive(Clone)]
pub struct Delivery {
    pub content: Arc<CallbackContent>,
    /// How often it may still be tried after this time.
    pub tries_left: u32,
}

/// Puts a callback on its way, and sometimes copies of it.
pub fn send(timeline: &Timeline, random_faults: &RandomFaults, content: Arc<CallbackContent>) {
    match random_faults.trouble {
        Some(Trouble::CallbacksLost { of_first }) if of_first || content.external_ref.is_some() => {
            return;
        }
        _ => {}
    }
    let is_calm = timeline.elapsed() >= random_faults.calm_after;
    let tries_left = if !is_calm && timeline.chance(random_faults.callback_given_up) {
        0
    } else {
        3
    };
    let first = if !is_calm && timeline.chance(random_faults.news_late) {
        timeline.count("callback late");
        timeline.weighted(&[(3, 5 * MINUTE), (2, HOUR), (1, 2 * DAY)])
    } else {
        timeline.weighted(&[(3, 20), (3, 500), (1, 30 * SECOND)])
    };
    let delivery = Delivery {
        content,
        tries_left,
    };
    timeline.schedule(
        timeline.between(1, first),
        Happening::Deliver(delivery.clone()),
    );
    while !is_calm && timeline.chance(random_faults.callback_repeated * 0.6) {
        timeline.count("callback repeated");
        let later = timeline.weighted(&[(3, 50), (3, 10 * SECOND), (1, 7_200 * SECOND)]);
        timeline.schedule(
            timeline.between(1, later),
            Happening::Deliver(delivery.clone()),
        );
    }
    while !is_calm && timeline.chance(random_faults.news_again * 0.6) {
        timeline.count("old callback sent again");
        let later = timeline.weighted(&[(2, 5 * MINUTE), (2, HOUR), (2, DAY), (1, 9 * DAY)]);
        timeline.schedule(
            timeline.between(SECOND, later),
            Happening::Deliver(delivery.clone()),
        );
    }
}

/// It was not answered 200 in time.
pub fn send_again(timeline: &Timeline, delivery: Delivery) {
    if delivery.tries_left == 0 {
        timeline.count("callback lost for good");
        return;
    }
    timeline.count("callback sent again");
    let again = Delivery {
        tries_left: delivery.tries_left - 1,
        ..delivery
    };
    timeline.schedule(
        timeline.between(500, 10 * SECOND),
        Happening::Deliver(again),
    );
}
