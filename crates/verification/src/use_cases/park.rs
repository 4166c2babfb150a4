//! Use case: a person sets a pairing aside.
//! No work is done on it until it is taken up again.

use std::str::FromStr;

use crate::identifiers::ScanRef;
use crate::ports::StoreUnavailable;
use crate::time::Timestamp;
use crate::transition::Event;
use crate::use_cases::change::{ChangeOutcome, PairingChanger};

pub struct ParkVerification {
    pub changer: PairingChanger,
}

/// The person's reason: 1 to 200 printable ASCII characters.
/// Kept with the pairing and shown to operators, so it must not name a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkNote(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reason has 1 to 200 printable ASCII characters")]
pub struct InvalidParkNote;

impl FromStr for ParkNote {
    type Err = InvalidParkNote;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let is_printable = text
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic());
        match text.len() {
            1..=200 if is_printable => Ok(Self(text.to_owned())),
            _ => Err(InvalidParkNote),
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    SetAside,
    /// It is at rest already. The state's name.
    AtRest(&'static str),
    /// A worker holds the lease until then. Ask again.
    HeldUntil(Timestamp),
    Unknown,
}

impl ParkVerification {
    /// # Errors
    /// Our own stores are unavailable, and nothing has changed.
    pub async fn park(
        &self,
        scan_ref: &ScanRef,
        note: ParkNote,
    ) -> Result<Parked, StoreUnavailable> {
        let Some(pairing) = self.changer.pairings.find(scan_ref).await? else {
            return Ok(Parked::Unknown);
        };
        let changed = self.changer.change(pairing, |_| Event::SetAside {
            note: note.0.clone(),
        });
        Ok(match changed.await? {
            ChangeOutcome::Changed { .. } => Parked::SetAside,
            ChangeOutcome::Nothing { pairing, .. } => Parked::AtRest(pairing.state.name()),
            ChangeOutcome::HeldUntil { until, .. } => Parked::HeldUntil(until),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_short_and_printable() {
        assert!("picture stops the processor".parse::<ParkNote>().is_ok());
        for text in ["", "  ", "two\nlines", "naïve", &"x".repeat(201)] {
            assert_eq!(text.parse::<ParkNote>(), Err(InvalidParkNote), "{text:?}");
        }
    }
}
