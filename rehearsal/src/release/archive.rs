//! Archives that depend on their content alone: sorted entries, one time, two modes.

use std::io::{Cursor, Write};

use anyhow::Result;
use zip::write::{SimpleFileOptions, ZipWriter};
use zip::{CompressionMethod, DateTime};

/// One file of an archive.
pub(super) struct Entry {
    pub name: String,
    pub content: Vec<u8>,
    pub is_program: bool,
}

impl Entry {
    pub fn file(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            content: content.into(),
            is_program: false,
        }
    }

    pub fn program(name: impl Into<String>, content: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            content,
            is_program: true,
        }
    }
}

/// A zip file with these entries, in the order of their names.
///
/// # Errors
/// Two entries have one name.
pub(super) fn zip(mut entries: Vec<Entry>, modified: DateTime) -> Result<Vec<u8>> {
    entries.sort_by(|left, right| left.name.cmp(&right.name));
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::DEFAULT
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(modified)
            .unix_permissions(if entry.is_program { 0o755 } else { 0o644 });
        writer.start_file(entry.name, options)?;
        writer.write_all(&entry.content)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::{Entry, zip};
    use zip::{DateTime, ZipArchive};

    fn entries() -> Vec<Entry> {
        vec![
            Entry::file("docs/b.md", "text"),
            Entry::program("a", vec![7; 10_000]),
            Entry::file("c", "other"),
        ]
    }

    #[test]
    fn the_order_of_entries_does_not_matter() {
        let forwards = zip(entries(), DateTime::DEFAULT).unwrap();
        let backwards = zip(entries().into_iter().rev().collect(), DateTime::DEFAULT).unwrap();
        assert_eq!(forwards, backwards);
    }

    #[test]
    fn programs_alone_can_be_executed() {
        let bytes = zip(entries(), DateTime::DEFAULT).unwrap();
        let mut archive = ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let modes: Vec<_> = (0..archive.len())
            .map(|number| archive.by_index(number).unwrap().unix_mode().unwrap() & 0o777)
            .collect();
        assert_eq!(modes, [0o755, 0o644, 0o644]);
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let twice = vec![Entry::file("a", "1"), Entry::file("a", "2")];
        assert!(zip(twice, DateTime::DEFAULT).is_err());
    }
}
