//! Parts of a file, with own bytes between them, read as one stream.
//!
//! Decoders see what they need of a file and nothing else.

use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};

use crate::preparation::Refusal;

/// An ordinary photo needs a dozen parts.
const MAXIMUM_PIECES: usize = 4_096;

/// One part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    Range { start: u64, length: u64 },
}

/// Which parts.
#[derive(Debug, Default)]
pub(crate) struct Pieces(Vec<Piece>);

impl Pieces {
    pub(crate) fn prepend(&mut self, bytes: Vec<u8>) {
        self.0.insert(0, Piece::Bytes(bytes));
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.0.push(Piece::Bytes(bytes.to_vec()));
    }

    /// Adds the file's bytes from `start` to `end`. Adjacent parts become one.
    pub(crate) fn append_range(&mut self, start: u64, end: u64) -> Result<(), Refusal> {
        let added = end.saturating_sub(start);
        if let Some(Piece::Range {
            start: before,
            length,
        }) = self.0.last_mut()
            && before.saturating_add(*length) == start
        {
            *length = length.saturating_add(added);
            return Ok(());
        }
        if self.0.len() >= MAXIMUM_PIECES {
            return Err(Refusal::Unreadable);
        }
        self.0.push(Piece::Range {
            start,
            length: added,
        });
        Ok(())
    }
}

/// Reads the parts of `source` one after the other.
pub(crate) struct Excerpt<'a, R> {
    source: R,
    pieces: std::slice::Iter<'a, Piece>,
    bytes: &'a [u8],
    left: u64,
}

impl<'a, R> Excerpt<'a, R> {
    pub(crate) fn new(source: R, pieces: &'a Pieces) -> Self {
        Self {
            source,
            pieces: pieces.0.iter(),
            bytes: &[],
            left: 0,
        }
    }
}

impl<R: Read + Seek> Read for Excerpt<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let read = if self.left > 0 {
                let read = self.source.by_ref().take(self.left).read(buffer)?;
                // The file is shorter than it was.
                self.left = if read == 0 {
                    0
                } else {
                    self.left.saturating_sub(read as u64)
                };
                read
            } else {
                self.bytes.read(buffer)?
            };
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.pieces.next() {
                None => return Ok(0),
                Some(Piece::Bytes(bytes)) => self.bytes = bytes,
                Some(&Piece::Range { start, length }) => {
                    self.source.seek(SeekFrom::Start(start))?;
                    self.left = length;
                }
            }
        }
    }
}

/// The PNG decoder asks for it and does not use it.
impl<R> Seek for Excerpt<'_, R> {
    fn seek(&mut self, _: SeekFrom) -> std::io::Result<u64> {
        Err(Error::from(ErrorKind::Unsupported))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn parts_and_own_bytes_are_one_stream() {
        let mut pieces = Pieces::default();
        pieces.append_range(2, 4).unwrap();
        pieces.append_range(4, 5).unwrap();
        assert_eq!(pieces.0.len(), 1);
        pieces.append(b"-");
        pieces.append_range(7, 99).unwrap();
        pieces.append(b"!");
        pieces.prepend(b">".to_vec());
        let mut read = String::new();
        Excerpt::new(Cursor::new(b"0123456789"), &pieces)
            .read_to_string(&mut read)
            .unwrap();
        assert_eq!(read, ">234-789!");
    }
}
