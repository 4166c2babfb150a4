//! Base64 of a stream of bytes, as a stream.
//!
//! Three bytes become four characters, so up to two bytes are carried from chunk to chunk.
//! The output equals that of encoding the whole at once.
//! The stream must have exactly its declared length.
//! One that ends early or continues fails.
//! The check comes *before* the last characters, so a wrong length never makes a complete request.
//! Memory: one chunk of the source plus `LARGEST_OUTPUT`.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;

use crate::{BoxError, SourceError};

/// How much of a chunk is encoded at once: a multiple of three.
const LARGEST_INPUT: usize = 24 * 1024;
/// What comes of it, with what was carried.
#[cfg(test)]
const LARGEST_OUTPUT: usize = LARGEST_INPUT / 3 * 4 + 4;

/// The length of the base64 of so many bytes, padding included.
pub(crate) fn encoded_length(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(4)
}

pub(crate) struct Base64Stream {
    source: BoxStream<'static, Result<Bytes, BoxError>>,
    declared: u64,
    received: u64,
    /// Received and not encoded yet.
    pending: Bytes,
    /// Fewer than three bytes that wait for the next ones.
    carry: Vec<u8>,
    is_finished: bool,
}

impl Base64Stream {
    pub(crate) fn new(source: BoxStream<'static, Result<Bytes, BoxError>>, declared: u64) -> Self {
        let carry = Vec::with_capacity(3);
        Self {
            source,
            declared,
            received: 0,
            pending: Bytes::new(),
            carry,
            is_finished: false,
        }
    }

    /// Encodes the next pending part.
    /// Empty: pending and carry have less than three bytes.
    fn encode_pending(&mut self) -> String {
        let mut output = String::new();
        if !self.carry.is_empty() {
            let missing = 3_usize
                .saturating_sub(self.carry.len())
                .min(self.pending.len());
            self.carry
                .extend_from_slice(&self.pending.split_to(missing));
            if self.carry.len() < 3 {
                return output;
            }
            STANDARD.encode_string(&self.carry, &mut output);
            self.carry.clear();
        }
        let length = self.pending.len().min(LARGEST_INPUT);
        let whole = self.pending.split_to(length - length % 3);
        STANDARD.encode_string(&whole, &mut output);
        // After a full portion, more may be pending than the carry is for.
        if whole.len() < LARGEST_INPUT {
            self.carry.extend_from_slice(&self.pending);
            self.pending.clear();
        }
        output
    }

    /// Takes the next chunk, or notices the end. `Ok(true)` at the end.
    fn accept(&mut self, next: Option<Result<Bytes, BoxError>>) -> Result<bool, SourceError> {
        let declared = self.declared;
        match next {
            Some(Ok(chunk)) => {
                self.received = self.received.saturating_add(chunk.len() as u64);
                self.pending = chunk;
                if self.received > declared {
                    Err(SourceError::TooLong { declared })
                } else {
                    Ok(false)
                }
            }
            Some(Err(error)) => Err(SourceError::Failed(error)),
            None if self.received < declared => Err(SourceError::EndedEarly {
                declared,
                received: self.received,
            }),
            None => Ok(true),
        }
    }
}

impl Stream for Base64Stream {
    type Item = Result<Bytes, SourceError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if this.is_finished {
                return Poll::Ready(None);
            }
            let output = this.encode_pending();
            if !output.is_empty() {
                return Poll::Ready(Some(Ok(output.into())));
            }
            let next = ready!(this.source.as_mut().poll_next(context));
            match this.accept(next) {
                Ok(false) => {}
                Ok(true) => {
                    this.is_finished = true;
                    if !this.carry.is_empty() {
                        return Poll::Ready(Some(Ok(STANDARD.encode(&this.carry).into())));
                    }
                }
                Err(error) => {
                    this.is_finished = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, StreamExt, stream};
    use proptest::prelude::*;

    fn encoded(chunks: Vec<Vec<u8>>, declared: u64) -> Result<Vec<Bytes>, SourceError> {
        let source = stream::iter(chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk)))).boxed();
        let outputs: Vec<_> = Base64Stream::new(source, declared)
            .collect()
            .now_or_never()
            .unwrap();
        outputs.into_iter().collect()
    }

    fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..12)
    }

    proptest! {
        #[test]
        fn the_output_is_that_of_the_whole_however_it_was_cut(chunks in chunks()) {
            let whole = chunks.concat();
            let outputs = encoded(chunks, whole.len() as u64).unwrap();
            prop_assert!(outputs.iter().all(|output| !output.is_empty()));
            let output = outputs.concat();
            prop_assert_eq!(output.len() as u64, encoded_length(whole.len() as u64));
            prop_assert_eq!(output, STANDARD.encode(whole).into_bytes());
        }

        #[test]
        fn a_wrong_length_always_fails(chunks in chunks(), declared in 0_u64..100) {
            let actual = chunks.concat().len() as u64;
            prop_assume!(actual != declared);
            let error = encoded(chunks, declared).unwrap_err();
            let is_told_apart = match error {
                SourceError::EndedEarly { received, .. } => received == actual && actual < declared,
                SourceError::TooLong { .. } => actual > declared,
                SourceError::Failed(_) => false,
            };
            prop_assert!(is_told_apart);
        }
    }

    #[test]
    fn a_large_chunk_comes_out_in_small_ones() {
        let whole = vec![7; 1_000_001];
        let outputs = encoded(vec![vec![1], whole.clone()], 1_000_002).unwrap();
        assert!(outputs.iter().all(|output| output.len() <= LARGEST_OUTPUT));
        assert_eq!(
            outputs.concat(),
            STANDARD.encode([vec![1], whole].concat()).into_bytes()
        );
    }

    #[test]
    fn a_failing_source_is_passed_on_and_ends_the_stream() {
        let source = stream::iter([Ok(Bytes::from_static(b"abcd")), Err("gone".into())]).boxed();
        let outputs: Vec<_> = Base64Stream::new(source, 10)
            .collect()
            .now_or_never()
            .unwrap();
        assert_eq!(outputs.len(), 2);
        assert!(matches!(outputs.last(), Some(Err(SourceError::Failed(_)))));
    }
}
