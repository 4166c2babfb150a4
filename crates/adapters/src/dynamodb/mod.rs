//! The one table: pairings, idempotency keys and the circuit.

mod circuit;
mod condition;
mod export;
mod inspection;
mod items;
mod pairings;
mod session_key_item;
mod session_keys;

pub use self::circuit::DynamoCircuits;
pub use self::inspection::{Inspected, Inspection, InspectionPlace, InspectionStart};
pub use self::pairings::DynamoPairings;
