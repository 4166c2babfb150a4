//! Making a pairing overdue, for tests of what happens then: half an hour is longer than anybody
//! waits for a test.

use std::time::Duration;

use adapters::DynamoPairings;
use verification::ports::{HistoryEntry, PairingWrite, Pairings, Saved};
use verification::{Pairing, State, Timestamp};

use crate::session::Session;

const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
const LONG_AGO: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);

impl Session<'_> {
    /// Makes the pairing overdue, as if it had been left alone since. Whether that was possible:
    /// somebody else may change it at the same moment, and then it has not been left alone.
    pub async fn age(&self) -> bool {
        let (sdk, table) = (
            &self.stack.sdk,
            self.stack.description.pairing_table.clone(),
        );
        let store = DynamoPairings::new(sdk, table, RETENTION);
        let first = self.scan_ref.parse().expect("a scanRef");
        let pairing = store
            .find(&first)
            .await
            .expect("the table answers")
            .expect("a pairing");
        let mut aged = Pairing {
            version: pairing.version + 1,
            updated_at: LONG_AGO,
            ..pairing
        };
        match &mut aged.state {
            State::Submitted { check_at, .. } => *check_at = LONG_AGO,
            State::Submitting { lease_until, .. } => *lease_until = LONG_AGO,
            _ => {}
        }
        let history = HistoryEntry::of("Aged", &aged, LONG_AGO, None);
        let write = PairingWrite {
            pairing: aged,
            history,
            announcement: None,
            answered: None,
        };
        store.save(&write).await.expect("the table answers") == Saved::Won
    }
}
