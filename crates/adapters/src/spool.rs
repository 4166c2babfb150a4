//! A file whose length nobody promised is written to disk first, because S3 wants to know the length before the first byte.
//!
//! The file has no name, so nothing of it stays when the process ends, and it is never larger than what may be submitted.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use bytes::Bytes;
use futures_util::StreamExt;

use crate::measured_body::{BoxError, ByteChunks};

/// How much is read from disk at once.
const CHUNK_BYTES: usize = 64 * 1024;

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

/// Takes the whole file in, up to `limit` bytes, and gives it back with its length.
///
/// Disk access blocks for microseconds at a time: Lambda's `/tmp` is local, and one process serves one invocation.
pub(crate) async fn spool(mut chunks: ByteChunks, limit: u64) -> Result<(u64, ByteChunks), SpoolError> {
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
    Ok((length, futures_util::stream::unfold(file, read_chunk).boxed()))
}

async fn read_chunk(mut file: File) -> Option<(Result<Bytes, BoxError>, File)> {
    let mut buffer = vec![0; CHUNK_BYTES];
    match file.read(&mut buffer) {
        Ok(0) => None,
        Ok(read) => {
            buffer.truncate(read);
            Some((Ok(Bytes::from(buffer)), file))
        }
        Err(error) => Some((Err(error.into()), file)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(parts: &[&'static [u8]], breaks: bool) -> ByteChunks {
        let mut parts: Vec<Result<Bytes, BoxError>> = parts.iter().map(|part| Ok(Bytes::from_static(part))).collect();
        if breaks {
            parts.push(Err("broken off".into()));
        }
        futures_util::stream::iter(parts).boxed()
    }

    #[tokio::test]
    async fn what_goes_in_comes_out_with_its_length() {
        let large: &'static [u8] = vec![7; 200_000].leak();
        let (length, mut back) = spool(chunks(&[b"ab", large], false), 1_000_000).await.unwrap();
        let mut seen = Vec::new();
        while let Some(chunk) = back.next().await {
            seen.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!((length, seen.len(), &seen[..3]), (200_002, 200_002, &b"ab\x07"[..]));
    }

    #[tokio::test]
    async fn what_is_too_large_or_broken_off_does_not_come_out() {
        assert!(matches!(spool(chunks(&[b"abc"], false), 2).await, Err(SpoolError::TooLarge)));
        assert!(matches!(spool(chunks(&[b"abc"], true), 10).await, Err(SpoolError::Broken(_))));
    }
}
