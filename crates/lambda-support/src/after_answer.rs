//! Work that a handler leaves for after its answer.
//!
//! Lambda passes an answer on as soon as the runtime gives it. It freezes the environment only when
//! the runtime and every registered extension have asked for their next event. So this process
//! registers itself as an *internal extension*, and asks when the work is done.
//!
//! Source: Lambda developer guide, "Using the Lambda Extensions API to create extensions".
//! Extensions register during Init, and a phase ends with the last `Next`.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http_body_util::BodyExt;
use lambda_runtime::tower::Layer;
use lambda_runtime::{Error, LambdaInvocation, Runtime, Service};
use lambda_runtime_api_client::{Client, body::Body};
use serde::Deserialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, error::SendError, unbounded_channel};
use tracing::Instrument;

const EXTENSION_NAME: &str = "after-answer";
const NAME_HEADER: &str = "Lambda-Extension-Name";
const IDENTIFIER_HEADER: &str = "Lambda-Extension-Identifier";

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a handler leaves work: at most one piece for each invocation.
#[derive(Clone)]
pub struct AfterAnswer {
    left: Arc<Mutex<Option<Work>>>,
    is_possible: bool,
}

impl AfterAnswer {
    /// Whether work follows the answer. If not, it delays the answer.
    pub fn is_possible(&self) -> bool {
        self.is_possible
    }

    /// Does `work` after the answer, or at once where that is not possible.
    ///
    /// At the invocation's deadline Lambda ends the process, so `work` must end before.
    pub async fn leave(&self, work: impl Future<Output = ()> + Send + 'static) {
        let work = work.in_current_span();
        if self.is_possible {
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::pin(work));
        } else {
            work.await;
        }
    }

    fn take(&self) -> Option<Work> {
        self.left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// A function's invocations, and what is done after their answers.
pub struct Invocations {
    after_answer: AfterAnswer,
    extension: Option<Extension>,
}

impl Invocations {
    /// Registers the internal extension, before the runtime asks for its first event.
    ///
    /// Where that fails, it is logged, and work is done before the answer.
    pub async fn prepare() -> Self {
        let extension = match Extension::register().await {
            Ok(extension) => Some(extension),
            Err(error) => {
                tracing::warn!(
                    event = "extension_not_registered",
                    error = %error,
                    "work is done before the answer, not after it"
                );
                None
            }
        };
        let after_answer = AfterAnswer {
            left: Arc::default(),
            is_possible: extension.is_some(),
        };
        Self {
            after_answer,
            extension,
        }
    }

    pub fn after_answer(&self) -> AfterAnswer {
        self.after_answer.clone()
    }

    /// Serves invocations until the process is ended.
    ///
    /// # Errors
    /// Lambda's APIs do not answer as documented. The process must end; Lambda starts another.
    pub async fn run<S>(self, runtime: Runtime<S>) -> Result<(), Error>
    where
        S: Service<LambdaInvocation, Response = (), Error = Error>,
        S::Future: 'static,
    {
        let Some(extension) = self.extension else {
            return runtime.run().await;
        };
        let (sender, receiver) = unbounded_channel();
        let runtime = runtime.layer(AnsweredLayer {
            after_answer: self.after_answer,
            answered: sender,
        });
        futures_util::future::try_join(runtime.run(), extension.run(receiver)).await?;
        Ok(())
    }
}

/// An invocation whose answer has been given to Lambda.
struct Answered {
    request_id: String,
    work: Option<Work>,
}

struct AnsweredLayer {
    after_answer: AfterAnswer,
    answered: UnboundedSender<Answered>,
}

impl<S> Layer<S> for AnsweredLayer {
    type Service = AnsweredService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AnsweredService {
            inner,
            after_answer: self.after_answer.clone(),
            answered: self.answered.clone(),
        }
    }
}

/// Tells the extension when an answer has been given.
///
/// It sees every invocation, even if the event cannot be read or the handler panics.
struct AnsweredService<S> {
    inner: S,
    after_answer: AfterAnswer,
    answered: UnboundedSender<Answered>,
}

impl<S> Service<LambdaInvocation> for AnsweredService<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: 'static,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let request_id = invocation.context.request_id.clone();
        let answer = self.inner.call(invocation);
        let after_answer = self.after_answer.clone();
        let answered = self.answered.clone();
        Box::pin(async move {
            answer.await?;
            let work = after_answer.take();
            answered
                .send(Answered { request_id, work })
                .map_err(|SendError(_)| "the extension has ended".into())
        })
    }
}

/// This process as an internal extension.
struct Extension {
    client: Client,
    identifier: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InvokeEvent {
    request_id: String,
}

impl Extension {
    async fn register() -> Result<Self, Error> {
        // No timeout: the process is frozen while it waits for an event.
        let client = Client::builder().build()?;
        let request = lambda_runtime_api_client::build_request()
            .method("POST")
            .uri("/2020-01-01/extension/register")
            .header(NAME_HEADER, EXTENSION_NAME)
            .body(Body::from(r#"{"events":["INVOKE"]}"#))?;
        let response = client.call(request).await?;
        let status = response.status();
        let identifier = response.headers().get(IDENTIFIER_HEADER).cloned();
        // Read to its end, so that the connection can be used again.
        response.into_body().collect().await?;
        match identifier {
            Some(identifier) if status.is_success() => Ok(Self {
                client,
                identifier: identifier.to_str()?.to_owned(),
            }),
            _ => Err(format!("the registration was answered {status}").into()),
        }
    }

    /// Does the work of each invocation before it asks for the next one.
    async fn run(self, mut answered: UnboundedReceiver<Answered>) -> Result<(), Error> {
        loop {
            let invoked = self.next().await?;
            // The answers come in the order of the invocations. One that belongs to an invocation
            // that was not heard of is finished all the same.
            loop {
                let Some(Answered { request_id, work }) = answered.recv().await else {
                    return Ok(());
                };
                // A panic ends the process. What follows is as after any death here.
                if let Some(work) = work {
                    work.await;
                }
                if request_id == invoked {
                    break;
                }
            }
        }
    }

    /// The request id of the next invocation.
    async fn next(&self) -> Result<String, Error> {
        let request = lambda_runtime_api_client::build_request()
            .method("GET")
            .uri("/2020-01-01/extension/event/next")
            .header(IDENTIFIER_HEADER, &self.identifier)
            .body(Body::empty())?;
        let response = self.client.call(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("the next event was answered {status}").into());
        }
        let event: InvokeEvent = serde_json::from_slice(&body)?;
        Ok(event.request_id)
    }
}
