//! Decides what the dual verification does, without AWS, HTTP, clock or environment.
//!
//! A [`Pairing`] joins the two verifications of one customer.
//! [`transition::apply`] is the only way its state changes.
//! [`Policy`] says which first results qualify.
//! The use cases, such as [`AcceptCallback`] and [`Advance`], carry decisions out through
//! [`ports`].

pub mod announcement;
mod breaker;
pub mod circuit;
pub mod comparison;
pub mod identifiers;
pub mod observation;
pub mod pairing;
pub mod policy;
pub mod ports;
pub mod result;
pub mod secret;
pub mod session;
pub mod session_key;
pub mod time;
pub mod transition;
pub mod upload;
mod use_cases;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use announcement::{Announcement, Outcome};
pub use breaker::{Admission, Breaker, Permit};
pub use observation::Observation;
pub use pairing::{Pairing, State, Verdict, document, file_number, prepared, question, reason};
pub use policy::Policy;
pub use session::Opened;
pub use time::Timestamp;
pub use use_cases::accept_callback::{AcceptCallback, Accepted, CaptureTask};
pub use use_cases::advance::{Advance, Advanced};
pub use use_cases::change::{Apply, PairingChanger};
pub use use_cases::erase::{EraseVerification, Erased, Receipt, Remaining, RemainingKind};
pub use use_cases::open_session::{NotOpened, OpenSession, OpenedOnce};
pub use use_cases::park::{InvalidParkNote, ParkNote, ParkVerification, Parked};
pub use use_cases::reconcile::{Reconcile, Reconciled};
pub use use_cases::retry::{Retried, RetryVerification};
