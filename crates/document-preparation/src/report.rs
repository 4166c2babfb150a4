//! The child's report to the parent: one line of JSON, padded with spaces.

use serde::{Deserialize, Serialize};

use crate::preparation::{Change, Refusal};

/// Length of the line with its end.
pub(crate) const REPORT_BYTES: u64 = 512;

const LENGTH: usize = REPORT_BYTES as usize;

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    pub outcome: Outcome,
    pub usage: Usage,
}

#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) enum Outcome {
    /// The file may go as it is.
    Nothing,
    Refused(Refusal),
    Derived(Facts),
}

/// What a JPEG is, that stands behind the report.
#[derive(Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Facts {
    pub bytes: u64,
    pub width: u16,
    pub height: u16,
    pub quality: u8,
    pub changes: Vec<Change>,
}

/// What a picture took, as the child tells it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Time of the processor, in milliseconds.
    pub cpu_milliseconds: u64,
    /// The largest amount of memory at once, in kB.
    pub peak_kilobytes: u64,
}

impl Report {
    /// The line, of [`REPORT_BYTES`].
    pub(crate) fn to_line(&self) -> std::io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        if line.len() >= LENGTH {
            return Err(std::io::Error::other("the report is too long"));
        }
        line.resize(LENGTH - 1, b' ');
        line.push(b'\n');
        Ok(line)
    }

    /// Reads an untrusted child's line. `None`: it is malformed.
    pub(crate) fn parse(line: &[u8; LENGTH], limit: u64) -> Option<Self> {
        let report: Self = serde_json::from_slice(line.strip_suffix(b"\n")?).ok()?;
        let is_possible = match &report.outcome {
            Outcome::Derived(facts) => {
                (4..=limit).contains(&facts.bytes)
                    && (1..=100).contains(&facts.quality)
                    && facts.width > 0
                    && facts.height > 0
                    && (1..=4).contains(&facts.changes.len())
            }
            Outcome::Nothing | Outcome::Refused(_) => true,
        };
        is_possible.then_some(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            outcome: Outcome::Derived(Facts {
                bytes: 15_000_000,
                width: u16::MAX,
                height: u16::MAX,
                quality: 90,
                changes: vec![
                    Change::Converted,
                    Change::Turned,
                    Change::Recompressed,
                    Change::ScaledDown,
                ],
            }),
            usage: Usage {
                cpu_milliseconds: u64::MAX,
                peak_kilobytes: u64::MAX,
            },
        }
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let line: [u8; LENGTH] = report().to_line().unwrap().try_into().unwrap();
        assert_eq!(Report::parse(&line, 15_000_000), Some(report()));
        assert_eq!(Report::parse(&line, 14_999_999), None);
    }

    #[test]
    fn impossible_reports_are_not_believed() {
        let text = String::from_utf8(report().to_line().unwrap()).unwrap();
        for (from, to) in [
            ("\"width\":65535", "\"width\":0"),
            ("\"width\":65535", "\"width\":65536"),
            ("\"quality\":90", "\"quality\":0"),
            ("\"quality\":90", "\"quality\":-1"),
            ("15000000", "3"),
            ("Turned", "Burned"),
            ("\"usage\"", "\"more\":1,\"usage\""),
            ("[\"Converted\"", "[\"Turned\",\"Converted\""),
        ] {
            let mut line = text.replacen(from, to, 1).into_bytes();
            line.resize(LENGTH - 1, b' ');
            line.truncate(LENGTH - 1);
            line.push(b'\n');
            assert_eq!(
                Report::parse(&line.try_into().unwrap(), u64::MAX),
                None,
                "{to}"
            );
        }
        assert_eq!(Report::parse(&[b' '; LENGTH], u64::MAX), None);
    }
}
