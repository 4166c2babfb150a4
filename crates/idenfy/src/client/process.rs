//! Submitting documents: `POST /api/v2/process`.

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Method};

use super::Client;
use crate::error::answer::Answer;
use crate::submission::body::{Record, SubmissionBody};
use crate::{Error, MAXIMUM_REQUEST_BYTES, Submission};

impl Client {
    /// Submits documents for direct processing. The result comes by callback.
    ///
    /// Not repeatable: the token is used up, perhaps even by a failed call.
    /// Success is a 2xx with an empty body.
    /// A documented 200 with an error in it reads as that error.
    ///
    /// # Errors
    /// [`Error::RequestTooLarge`] before anything is sent.
    /// [`Error::Source`] if an image fails on the way.
    /// The provider then has no whole request.
    /// [`Error::NotSent`] if the connection broke or time ran out before all was sent.
    /// Otherwise any other [`Error`].
    /// If [`Error::may_have_been_carried_out`] is true, wait for the callback or ask
    /// [`Client::status`] before another token is made.
    pub async fn process(&self, submission: Submission) -> Result<(), Error> {
        let bytes = submission.content_length();
        if bytes > MAXIMUM_REQUEST_BYTES {
            return Err(Error::RequestTooLarge {
                bytes,
                maximum: MAXIMUM_REQUEST_BYTES,
            });
        }
        let record = Record::default();
        let body = Body::wrap(SubmissionBody::new(submission, record.clone()));
        let request = self
            .request(Method::POST, "api/v2/process", self.timeouts.process)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(body);

        let answer = async { Answer::read(request.send().await?).await }.await;
        // After an image has failed, any answer is about an incomplete request.
        if let Some(reason) = record.take_failure() {
            return Err(Error::Source(reason));
        }
        match answer {
            Ok(answer) => answer.expect_empty(),
            // The length was announced, so an incomplete request cannot have been accepted.
            Err(Error::TimedOut(cause) | Error::ConnectionLost(cause)) if !record.is_whole() => {
                Err(Error::NotSent(cause))
            }
            Err(error) => Err(error),
        }
    }
}
