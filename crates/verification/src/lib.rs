//! What the dual verification decides.
//!
//! A [`Pairing`] joins the two verifications of one customer. [`transition::apply`] is the only way
//! its state changes; [`Policy`] says which first results qualify; the use cases [`AcceptCallback`]
//! and [`Advance`] carry the decisions out through the [`ports`]. There is no AWS, no HTTP, no
//! clock and no environment in this crate.

mod accept_callback;
mod advance;
pub mod announcement;
mod breaker;
mod capture;
mod change;
pub mod circuit;
pub mod comparison;
pub mod document;
mod erase;
pub mod file_number;
pub mod identifiers;
pub mod observation;
mod open_session;
pub mod pairing;
mod park;
pub mod policy;
pub mod ports;
pub mod prepared;
pub mod question;
pub mod reason;
mod reconcile;
pub mod result;
mod retry;
pub mod secret;
pub mod session_key;
pub mod session_step;
pub mod time;
pub mod transition;
pub mod upload;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use accept_callback::{AcceptCallback, Accepted};
pub use advance::{Advance, Advanced};
pub use announcement::{Announcement, Outcome};
pub use breaker::{Admission, Breaker, Permit};
pub use erase::{EraseVerification, Erased, Receipt, Remaining, RemainingKind};
pub use observation::Observation;
pub use open_session::{NotOpened, OpenSession, Opened, OpenedOnce};
pub use pairing::{Pairing, State, Verdict};
pub use park::{InvalidParkNote, ParkNote, ParkVerification, Parked};
pub use policy::Policy;
pub use reconcile::{Reconcile, Reconciled};
pub use retry::{Retried, RetryVerification};
pub use time::Timestamp;
