//! Files that are written to disk first.
//!
//! S3 wants to know a length before the first byte, and child processes read files. Nameless, so
//! nothing stays when the process ends.
//!
//! Together they take at most [`SPOOL_BYTES`]. Others wait for room.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::measured_body::{BoxError, ByteChunks};

/// Bytes read from disk at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Limit for all files of this process. Lambda's `/tmp` has 512 MB.
const SPOOL_BYTES: u64 = 256 * 1_024 * 1_024;

/// In units of [`CHUNK_BYTES`].
static ROOM: Semaphore = Semaphore::const_new((SPOOL_BYTES / CHUNK_BYTES as u64) as usize);

/// Room on the disk, while it is kept.
#[derive(Debug)]
pub(crate) struct Room(SemaphorePermit<'static>);

impl Room {
    /// Waits for room for so many bytes, at most [`SPOOL_BYTES`].
    pub async fn of(bytes: u64) -> Option<Self> {
        let permits = bytes.div_ceil(CHUNK_BYTES as u64);
        Some(Self(
            ROOM.acquire_many(u32::try_from(permits).ok()?).await.ok()?,
        ))
    }

    /// Gives back what exceeds `bytes`.
    fn shrink(&mut self, bytes: u64) {
        let needed = usize::try_from(bytes.div_ceil(CHUNK_BYTES as u64)).unwrap_or(usize::MAX);
        drop(self.0.split(self.0.num_permits().saturating_sub(needed)));
    }
}

/// A file on disk, positioned at its start.
#[derive(Debug)]
pub(crate) struct Spooled {
    pub file: File,
    pub length: u64,
    pub room: Room,
}

/// Why a file could not be spooled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// The sender broke off.
    #[error("the file ended with an error")]
    Broken(#[source] BoxError),
    #[error("the file is larger than the limit")]
    TooLarge,
    #[error("the disk cannot take the file")]
    Disk(#[source] std::io::Error),
}

/// Writes the file to disk, up to `limit` bytes.
///
/// Disk access blocks for microseconds: `/tmp` is local, and a process serves one invocation.
pub(crate) async fn spool(mut chunks: ByteChunks, limit: u64) -> Result<Spooled, SpoolError> {
    let mut room = Room::of(limit).await.ok_or(SpoolError::TooLarge)?;
    let mut file = tempfile::tempfile().map_err(SpoolError::Disk)?;
    let mut length = 0_u64;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(SpoolError::Broken)?;
        length = length.saturating_add(chunk.len() as u64);
        if length > limit {
            return Err(SpoolError::TooLarge);
        }
        file.write_all(&chunk).map_err(SpoolError::Disk)?;
    }
    file.seek(SeekFrom::Start(0)).map_err(SpoolError::Disk)?;
    room.shrink(length);
    Ok(Spooled { file, length, room })
}

/// The rest of the file. Keeps its room until the last chunk is read.
pub(crate) fn chunks_of(file: File, room: Room) -> ByteChunks {
    futures_util::stream::unfold((file, room), read_chunk).boxed()
}

async fn read_chunk(
    (mut file, room): (File, Room),
) -> Option<(Result<Bytes, BoxError>, (File, Room))> {
    let mut buffer = vec![0; CHUNK_BYTES];
    match file.read(&mut buffer) {
        Ok(0) => None,
        Ok(read) => {
            buffer.truncate(read);
            Some((Ok(Bytes::from(buffer)), (file, room)))
        }
        Err(error) => Some((Err(error.into()), (file, room))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(parts: &[&'static [u8]], breaks: bool) -> ByteChunks {
        let mut parts: Vec<Result<Bytes, BoxError>> = parts
            .iter()
            .map(|part| Ok(Bytes::from_static(part)))
            .collect();
        if breaks {
            parts.push(Err("broken off".into()));
        }
        futures_util::stream::iter(parts).boxed()
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_with_its_length() {
        let large: &'static [u8] = vec![7; 200_000].leak();
        let Spooled { file, length, room } = spool(chunks(&[b"ab", large], false), 1_000_000)
            .await
            .unwrap();
        let mut back = chunks_of(file, room);
        let mut seen = Vec::new();
        while let Some(chunk) = back.next().await {
            seen.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!(
            (length, seen.len(), &seen[..3]),
            (200_002, 200_002, &b"ab\x07"[..])
        );
    }

    #[tokio::test]
    async fn what_is_too_large_or_broken_off_does_not_come_out() {
        assert!(matches!(
            spool(chunks(&[b"abc"], false), 2).await,
            Err(SpoolError::TooLarge)
        ));
        assert!(matches!(
            spool(chunks(&[b"abc"], true), 10).await,
            Err(SpoolError::Broken(_))
        ));
    }

    /// A hundred files whose senders promise nothing, at once.
    #[tokio::test]
    async fn files_wait_for_room_and_never_take_more() {
        let spooled = (0..100).map(|_| async {
            let spooled = spool(chunks(&[b"a small file"], false), 30_000_000)
                .await
                .unwrap();
            tokio::task::yield_now().await;
            spooled.length
        });
        let lengths = futures_util::future::join_all(spooled).await;
        assert_eq!(lengths, vec![12; 100]);
        let whole = u32::try_from(SPOOL_BYTES / CHUNK_BYTES as u64).unwrap();
        let large = Room::of(SPOOL_BYTES).await.unwrap();
        assert_eq!(
            large.0.num_permits(),
            whole as usize,
            "everything was given back"
        );
    }
}
