//! `dvctl pause` and `dvctl resume`: turn the processor's source off and on.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::Context;
use crate::aws::event_sources::EventSource;
use crate::exit::Exit;
use crate::failure::Failure;

/// Stop submitting: the processor takes nothing from the queue any more
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl pause
    dvctl pause && dvctl watch

For times when iDenfy must not be called: no credits, a broken contract, a wrong parameter.
Callbacks are still accepted and files still captured. Submissions wait in SubmissionQueue for at
most four days; the reconciler finds them after that, too. Work in progress is finished. The command
ends once the pause has taken effect. A deployment that changes the event source ends the pause.")]
pub struct PauseArguments {}

/// Start submitting again after a pause
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
    dvctl resume")]
pub struct ResumeArguments {}

#[derive(Serialize)]
struct Switched {
    /// `Enabled` or `Disabled`.
    state: String,
    changed: bool,
}

/// Lambda takes up to tens of seconds.
const DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_secs(1);

pub async fn pause(context: &mut Context<'_>, _: PauseArguments) -> Result<Exit, Failure> {
    switch(context, false).await
}

pub async fn resume(context: &mut Context<'_>, _: ResumeArguments) -> Result<Exit, Failure> {
    switch(context, true).await
}

async fn switch(context: &mut Context<'_>, enabled: bool) -> Result<Exit, Failure> {
    let wanted = if enabled { "Enabled" } else { "Disabled" };
    let function = context
        .stack
        .physical_id(&context.aws, "ProcessorFunction")
        .await?;
    let mut source = submissions(context, &function).await?;
    let changed = source.state != wanted;
    let began = context.now();
    let mut asked = false;
    while source.state != wanted {
        // A source in transition takes no other order.
        if !asked && matches!(source.state.as_str(), "Enabled" | "Disabled") {
            context.aws.enable_event_source(&source.id, enabled).await?;
            asked = true;
        }
        context
            .output
            .progress(format_args!("{}, waiting for {wanted}", source.state));
        if context.interruption().came() {
            context.output.note(
                "interrupted; the change goes on, and the same command tells when it is done",
            );
            return Ok(Exit::Interrupted);
        }
        if context.now().since(began) > DEADLINE {
            return Err(Failure::new(format!(
                "the event source is still {} after {} s",
                source.state,
                DEADLINE.as_secs()
            ))
            .advise("repeat the command; it waits on"));
        }
        context.interruption().pause(POLL).await;
        source = submissions(context, &function).await?;
    }
    context.output.answer(&Switched {
        state: source.state,
        changed,
    })?;
    Ok(Exit::Done)
}

/// The processor's only source.
pub async fn submissions(context: &Context<'_>, function: &str) -> Result<EventSource, Failure> {
    let queue = context
        .stack
        .output("SubmissionQueueUrl")?
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let sources = context.aws.event_sources(function).await?;
    let found = sources
        .into_iter()
        .find(|source| source.event_source_arn.rsplit(':').next() == Some(queue));
    found.ok_or_else(|| {
        Failure::new("the processor has no event source for SubmissionQueue")
            .advise("deploy the template again; somebody has removed the event source")
    })
}

impl fmt::Display for Switched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let already = if self.changed { "" } else { " already" };
        match self.state.as_str() {
            "Enabled" => writeln!(f, "the processor takes submissions{already}"),
            _ => writeln!(
                f,
                "paused{already}; submissions wait in the queue until `dvctl resume`"
            ),
        }
    }
}
