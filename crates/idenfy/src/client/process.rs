//! Submitting documents: `POST /api/v2/process`.

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Method};

use super::Client;
use crate::error::answer::Answer;
use crate::submission::body::{Record, SubmissionBody};
use crate::{Error, MAXIMUM_REQUEST_BYTES, Submission};

impl Client {
    /// Submits documents for direct processing; the result comes by callback.
    ///
    /// Not repeatable: the token is used up, perhaps even by a call that fails. Accepted means a
    /// 2xx with nothing in the body; a 200 with an error in it is documented and reads as that
    /// error.
    ///
    /// # Errors
    /// [`Error::RequestTooLarge`] before anything is sent; [`Error::Source`] when an image fails on
    /// the way, in which case the provider has not got a whole request; [`Error::NotSent`] when the
    /// connection broke or time ran out before all of it was sent; otherwise any other [`Error`].
    /// Where [`Error::may_have_been_carried_out`] is true, wait for the callback or ask
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
        // Whatever came back after an image failed is about a request that was never whole.
        if let Some(reason) = record.take_failure() {
            return Err(Error::Source(reason));
        }
        match answer {
            Ok(answer) => answer.expect_empty(),
            // The length was announced, so a request that was not sent to its end cannot have been
            // taken for one.
            Err(Error::TimedOut(cause) | Error::ConnectionLost(cause)) if !record.is_whole() => {
                Err(Error::NotSent(cause))
            }
            Err(error) => Err(error),
        }
    }
}
