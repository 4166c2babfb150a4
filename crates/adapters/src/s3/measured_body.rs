//! A body of exactly the promised length, counted and hashed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream};
use http_body::{Body, Frame, SizeHint};
use sha2::{Digest, Sha256};
use sync_wrapper::SyncWrapper;
use verification::identifiers::Digest256;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type ByteChunks = BoxStream<'static, Result<Bytes, BoxError>>;

/// Why a body is not what was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAsPromised {
    #[error("fewer bytes than promised")]
    Short,
    #[error("more bytes than promised")]
    Long,
    #[error("other bytes than promised")]
    Different,
}

/// Streams `chunks` with an exact length.
///
/// The last chunk is held back until length and digest are right. A receiver of all bytes has the
/// right ones; any other sees a broken transfer.
pub(crate) struct MeasuredBody {
    chunks: SyncWrapper<ByteChunks>,
    promised: u64,
    received: u64,
    hasher: Option<Sha256>,
    expected: Option<Digest256>,
    outcome: Outcome,
}

/// The outcome of a body, for its sender.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome(Arc<Mutex<Option<Result<Digest256, NotAsPromised>>>>);

impl Outcome {
    /// The body's digest, or its fault. `None`: not read to its end.
    pub fn get(&self) -> Option<Result<Digest256, NotAsPromised>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, outcome: Result<Digest256, NotAsPromised>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }
}

impl MeasuredBody {
    pub fn new(chunks: ByteChunks, promised: u64, expected: Option<Digest256>) -> (Self, Outcome) {
        let outcome = Outcome::default();
        let body = Self {
            chunks: SyncWrapper::new(chunks),
            promised,
            received: 0,
            hasher: Some(Sha256::new()),
            expected,
            outcome: outcome.clone(),
        };
        (body, outcome)
    }

    fn fail(&mut self, why: NotAsPromised) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.hasher = None;
        self.outcome.set(Err(why));
        Poll::Ready(Some(Err(why.into())))
    }

    /// Judges the body after its last byte.
    fn finish(&mut self) -> Result<(), NotAsPromised> {
        let Some(hasher) = self.hasher.take() else {
            return Ok(());
        };
        let digest = Digest256::from_bytes(hasher.finalize().into());
        let outcome = match &self.expected {
            Some(expected) if *expected != digest => Err(NotAsPromised::Different),
            _ => Ok(digest),
        };
        self.outcome.set(outcome.clone());
        outcome.map(|_| ())
    }
}

impl Body for MeasuredBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        if this.outcome.get().is_some() {
            return Poll::Ready(None);
        }
        match ready!(this.chunks.get_mut().as_mut().poll_next(context)) {
            Some(Ok(chunk)) => {
                this.received = this.received.saturating_add(chunk.len() as u64);
                if this.received > this.promised {
                    return this.fail(NotAsPromised::Long);
                }
                if let Some(hasher) = &mut this.hasher {
                    hasher.update(&chunk);
                }
                if this.received == this.promised
                    && let Err(why) = this.finish()
                {
                    return this.fail(why);
                }
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            // A broken connection delivers less than promised.
            Some(Err(_)) | None => this.fail(NotAsPromised::Short),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.promised == 0 || self.outcome.get().is_some()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised.saturating_sub(self.received))
    }
}

impl Stream for MeasuredBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let frame = ready!(self.poll_frame(context));
        Poll::Ready(frame.map(|frame| frame.map(|frame| frame.into_data().unwrap_or_default())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;

    async fn drain(
        chunks: &[&'static str],
        promised: u64,
        expected: Option<Digest256>,
    ) -> (String, Option<Result<Digest256, NotAsPromised>>) {
        let chunks: Vec<Result<Bytes, BoxError>> = chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))
            .collect();
        let (mut body, outcome) = MeasuredBody::new(
            futures_util::stream::iter(chunks).boxed(),
            promised,
            expected,
        );
        let mut seen = String::new();
        while let Some(Ok(chunk)) = body.next().await {
            seen.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        (seen, outcome.get())
    }

    #[tokio::test]
    async fn a_whole_body_comes_with_its_digest() {
        assert_eq!(
            drain(&["ab", "c"], 3, None).await,
            ("abc".to_owned(), Some(Ok(Digest256::of(b"abc"))))
        );
    }

    #[tokio::test]
    async fn a_short_body_is_an_error_at_its_end() {
        assert_eq!(
            drain(&["ab"], 3, None).await,
            ("ab".to_owned(), Some(Err(NotAsPromised::Short)))
        );
    }

    #[tokio::test]
    async fn a_long_body_never_shows_its_last_chunk() {
        assert_eq!(
            drain(&["ab", "cd"], 3, None).await,
            ("ab".to_owned(), Some(Err(NotAsPromised::Long)))
        );
    }

    #[tokio::test]
    async fn another_body_of_the_right_length_never_shows_its_last_chunk() {
        let expected = Some(Digest256::of(b"abd"));
        assert_eq!(
            drain(&["ab", "c"], 3, expected).await,
            ("ab".to_owned(), Some(Err(NotAsPromised::Different)))
        );
    }
}
