//! The body of a submission, for the HTTP client: an exact length, and frames that are made when
//! they are asked for.
//!
//! When an image fails, the body fails: the connection is closed before the request is whole, so
//! the provider cannot take it for complete.
//! The body leaves a [`Record`] of that behind, because the HTTP client only knows that a
//! connection broke.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::StreamExt;
use http_body::{Body, Frame, SizeHint};

use super::base64_stream::Base64Stream;
use super::{CLOSING, SUFFIX, Submission, opening};
use crate::SourceError;

/// What became of the body.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Outcome>>);

#[derive(Default)]
struct Outcome {
    /// Why the body was broken off.
    failure: Option<SourceError>,
    /// Whether the HTTP client took all of it; not whether all of it arrived.
    is_whole: bool,
}

impl Record {
    fn change(&self) -> MutexGuard<'_, Outcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take_failure(&self) -> Option<SourceError> {
        self.change().failure.take()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.change().is_whole
    }
}

/// What the HTTP client sees when an image fails; the reason is in the record.
#[derive(Debug, thiserror::Error)]
#[error("the request was broken off")]
pub(crate) struct BrokenOff;

enum Part {
    Text(Bytes),
    Image(Base64Stream),
}

pub(crate) struct SubmissionBody {
    /// Never locked: the HTTP client requires shareable bodies, and the images' streams are not.
    parts: Mutex<VecDeque<Part>>,
    remaining: u64,
    record: Record,
}

impl SubmissionBody {
    pub(crate) fn new(submission: Submission, record: Record) -> Self {
        let remaining = submission.content_length();
        let mut parts = VecDeque::from([Part::Text(submission.prefix().into())]);
        for (position, image) in submission.images.into_iter().enumerate() {
            parts.push_back(Part::Text(opening(position, &image.step).into()));
            parts.push_back(Part::Image(Base64Stream::new(image.content, image.length)));
            parts.push_back(Part::Text(Bytes::from_static(CLOSING.as_bytes())));
        }
        parts.push_back(Part::Text(Bytes::from_static(SUFFIX.as_bytes())));
        Self {
            parts: Mutex::new(parts),
            remaining,
            record,
        }
    }

    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, SourceError>>> {
        let parts = self.parts.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(part) = parts.front_mut() {
            let next = match part {
                Part::Text(text) => Some(Ok(std::mem::take(text)))
                    .filter(|next| next.as_ref().is_ok_and(|text| !text.is_empty())),
                Part::Image(image) => ready!(image.poll_next_unpin(context)),
            };
            match next {
                Some(Ok(bytes)) => return Poll::Ready(Some(Ok(bytes))),
                Some(Err(error)) => {
                    parts.clear();
                    return Poll::Ready(Some(Err(error)));
                }
                None => drop(parts.pop_front()),
            }
        }
        Poll::Ready(None)
    }
}

impl Body for SubmissionBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        Poll::Ready(match ready!(self.poll_part(context)) {
            Some(Ok(bytes)) => {
                self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
                if self.remaining == 0 {
                    self.record.change().is_whole = true;
                }
                Some(Ok(Frame::data(bytes)))
            }
            Some(Err(error)) => {
                self.record.change().failure = Some(error);
                Some(Err(BrokenOff))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.remaining == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AuthToken, Image, TokenField};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use futures_util::task::noop_waker_ref;
    use futures_util::{FutureExt, stream};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn submission(images: Vec<(&str, Vec<Vec<u8>>)>) -> Submission {
        let image = |(step, chunks): (&str, Vec<Vec<u8>>)| Image {
            step: step.to_owned(),
            length: chunks.iter().map(Vec::len).sum::<usize>() as u64,
            content: stream::iter(chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk)))).boxed(),
        };
        Submission {
            token: AuthToken::new("a \"quoted\" token"),
            token_field: TokenField::Token,
            country: "lt".to_owned(),
            document_type: None,
            images: images.into_iter().map(image).collect(),
        }
    }

    fn sent(submission: Submission) -> Vec<u8> {
        let mut body = Box::pin(SubmissionBody::new(submission, Record::default()));
        let mut sent = Vec::new();
        while !body.is_end_stream() {
            let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context))
                .now_or_never()
                .unwrap();
            sent.extend_from_slice(&frame.unwrap().unwrap().into_data().unwrap());
        }
        assert!(matches!(
            body.as_mut()
                .poll_frame(&mut Context::from_waker(noop_waker_ref())),
            Poll::Ready(None)
        ));
        sent
    }

    proptest! {
        #[test]
        fn the_body_is_the_json_of_the_whole_and_as_long_as_announced(
            front in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8),
            back in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8),
        ) {
            let expected = json!({
                "token": "a \"quoted\" token", "country": "LT",
                "images": {"FRONT": STANDARD.encode(front.concat()), "BACK \"2\"": STANDARD.encode(back.concat())},
            });
            let submission = submission(vec![("FRONT", front), ("BACK \"2\"", back)]);
            let length = submission.content_length();
            let sent = sent(submission);
            prop_assert_eq!(sent.len() as u64, length);
            prop_assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap(), expected);
        }
    }

    #[test]
    fn the_token_goes_under_the_chosen_name() {
        let mut submission = submission(vec![]);
        submission.token_field = TokenField::AuthToken;
        submission.document_type = Some("PASSPORT".to_owned());
        let expected = json!({"authToken": "a \"quoted\" token", "country": "LT", "documentType": "PASSPORT", "images": {}});
        assert_eq!(
            serde_json::from_slice::<Value>(&sent(submission)).unwrap(),
            expected
        );
    }

    #[test]
    fn a_failing_image_ends_the_body_and_leaves_its_reason() {
        let mut submission = submission(vec![
            ("FRONT", vec![vec![1; 10]]),
            ("BACK", vec![vec![1; 10]]),
        ]);
        for image in &mut submission.images {
            image.length = 11;
        }
        let record = Record::default();
        let mut body = Box::pin(SubmissionBody::new(submission, record.clone()));
        let mut context = Context::from_waker(noop_waker_ref());
        loop {
            match body.as_mut().poll_frame(&mut context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(BrokenOff))) => break,
                other => panic!("neither a frame nor a failure: {other:?}"),
            }
        }
        assert!(!body.is_end_stream());
        assert!(!record.is_whole());
        assert!(matches!(
            record.take_failure(),
            Some(SourceError::EndedEarly {
                declared: 11,
                received: 10
            })
        ));
    }
}
