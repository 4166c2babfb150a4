//! A verification's history, as several commands show it.

use std::fmt;

use serde::Serialize;
use verification::Timestamp;
use verification::ports::HistoryEntry;

/// Most pairings have a dozen lines. More must not flood a terminal.
pub const LIMIT: u16 = 200;

#[derive(Clone, Debug, Serialize)]
pub struct Line {
    at: Timestamp,
    what: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// SHA-256 of the callback that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
}

impl From<HistoryEntry> for Line {
    fn from(entry: HistoryEntry) -> Self {
        Self {
            at: entry.at,
            what: entry.what,
            state: entry.state,
            reason: entry.reason,
            callback: entry.callback.map(|digest| digest.to_string()),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {:<24} → {}", self.at, self.what, self.state)?;
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        if let Some(callback) = &self.callback {
            let short: String = callback.chars().take(12).collect();
            write!(f, "  (callback {short}…)")?;
        }
        Ok(())
    }
}
