//! The use cases: each reads a pairing, applies an event, and carries out the effects.
//!
//! Only they call the [`ports`](crate::ports). Nothing else in this crate uses them.

pub(crate) mod accept_callback;
pub(crate) mod advance;
mod capture;
pub(crate) mod change;
pub(crate) mod erase;
pub(crate) mod open_session;
pub(crate) mod park;
pub(crate) mod reconcile;
pub(crate) mod retry;
