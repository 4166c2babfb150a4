//! A state machine that is wrong on purpose, so that a test can show that its checks would notice.
//!
//! What ships calls [`transition::apply`] directly. With the feature `testing`, changes go through
//! [`apply`] here, which is the same function unless the thread has put another one in its place.

use std::cell::Cell;

use crate::pairing::Pairing;
use crate::time::Timestamp;
use crate::transition::{self, Event, Transition};

/// The type of [`transition::apply`].
pub type Apply = fn(&Pairing, Event, Timestamp) -> Transition;

thread_local! {
    static APPLY: Cell<Apply> = const { Cell::new(transition::apply) };
}

pub(crate) fn apply(pairing: &Pairing, event: Event, now: Timestamp) -> Transition {
    APPLY.get()(pairing, event, now)
}

/// Puts `apply` in the place of the state machine for as long as `run` takes, on this thread.
pub fn with_state_machine<T>(apply: Apply, run: impl FnOnce() -> T) -> T {
    struct Restore(Apply);
    impl Drop for Restore {
        fn drop(&mut self) {
            APPLY.set(self.0);
        }
    }
    let _restore = Restore(APPLY.replace(apply));
    run()
}
