//! The file with which the child returns the JPEG, and a report behind it.

use std::fs::File;
use std::io::{Error, Result, Seek, SeekFrom, Write};

/// An attempt of this many times the room is aborted.
const ENOUGH: u64 = 4;

/// Room for a JPEG. Surplus bytes are counted and not written.
pub(crate) struct Output {
    file: File,
    limit: u64,
    counted: u64,
    error: Option<Error>,
}

impl Output {
    pub(crate) const fn new(file: File, limit: u64) -> Self {
        Self {
            file,
            limit,
            counted: 0,
            error: None,
        }
    }

    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// Forgets the JPEG that was written.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.counted = 0;
        self.error = None;
        self.file.set_len(0)?;
        self.file.rewind()
    }

    /// The JPEG's bytes.
    /// If too many: the share that fits.
    /// Or why it could not be written.
    pub(crate) fn outcome(&mut self) -> Result<std::result::Result<u64, f64>> {
        match self.error.take() {
            Some(error) => Err(error),
            None if self.counted > self.limit => Ok(Err(self.limit as f64 / self.counted as f64)),
            None => Ok(Ok(self.counted)),
        }
    }

    /// Puts the report behind the JPEG, if there is one.
    pub(crate) fn write_report(&mut self, line: &[u8]) -> Result<()> {
        self.file.seek(SeekFrom::End(0))?;
        self.file.write_all(line)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.counted = self.counted.saturating_add(bytes.len() as u64);
        if self.counted > self.limit.saturating_mul(ENOUGH) {
            return Err(Error::other("far larger than allowed"));
        }
        if self.counted <= self.limit
            && let Err(error) = self.file.write_all(bytes)
        {
            self.error = Some(error);
            return Err(Error::other("not written"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
