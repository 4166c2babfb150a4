//! Makes a pairing overdue: half an hour is longer than a test waits.

use std::time::Duration;

use adapters::DynamoPairings;
use anyhow::{Context, Result};
use verification::ports::{HistoryEntry, PairingWrite, Pairings, Saved};
use verification::{Pairing, State, Timestamp};

use crate::session::Session;
use crate::stack::Stack;

const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
const LONG_AGO: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);

impl Stack {
    /// The pairings, through the adapter that the functions use.
    pub fn pairings(&self) -> DynamoPairings {
        let table = self.description.pairing_table.clone();
        DynamoPairings::new(&self.sdk, table, RETENTION)
    }
}

impl Session<'_> {
    /// Makes the pairing overdue. `false` if something else changed the pairing at the same moment:
    /// then it is not overdue.
    ///
    /// # Errors
    /// There is no pairing, or the table does not answer.
    pub async fn age(&self) -> Result<bool> {
        let store = self.stack.pairings();
        let pairing = store.find(&self.scan_ref.parse()?).await?;
        let pairing = pairing.with_context(|| format!("no pairing of {}", self.scan_ref))?;
        let mut aged = Pairing {
            version: pairing.version + 1,
            updated_at: LONG_AGO,
            ..pairing
        };
        match &mut aged.state {
            State::Submitted { check_at, .. } => *check_at = LONG_AGO,
            State::Capturing { lease_until, .. } | State::Submitting { lease_until, .. } => {
                *lease_until = LONG_AGO;
            }
            State::Erasing { again_at, .. } => *again_at = LONG_AGO,
            _ => {}
        }
        let history = HistoryEntry::of("Aged", &aged, LONG_AGO, None);
        let write = PairingWrite {
            pairing: aged,
            history,
            announcement: None,
            answered: None,
        };
        Ok(store.save(&write).await? == Saved::Won)
    }
}
