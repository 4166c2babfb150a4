//! `cargo xtask up`: the deployed system on this machine, until interrupted.
//!
//! Standard output has the result and nothing else, for programs to read. Text for people goes to
//! standard error.

use std::convert::Infallible;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Description, Interruption, Listener, Stack, describe};
use local_stack::{Functions, LocalStack, Options, Parameters, REGION, parameters};
use url::Url;

use crate::application::{Event, PATTERN};

/// Start everything on this machine and stay until interrupted
///
/// Starts the AWS emulator, deploys template.yaml into it, starts the iDenfy sandbox unless another
/// provider is named, prints where everything is, and stays until it gets SIGINT (Ctrl-C) or
/// SIGTERM. Then it ends everything that it started.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Origin of the provider, such as http://127.0.0.1:9000; without it, the sandbox is started
    #[arg(long, value_name = "URL")]
    provider: Option<Url>,

    /// JSON file {"apiKey", "apiSecret", "signingKeys": […]}; without it, a secret is made up
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,

    /// Port of the emulator on 127.0.0.1; without it, a free one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// A parameter of template.yaml; may be repeated
    #[arg(long = "param", value_name = "Name=Value", value_parser = parse_parameter)]
    parameters: Vec<(String, String)>,

    /// Print one line of JSON instead of a list
    #[arg(long)]
    json: bool,

    /// Listen on the bus, and print every event to standard error as it comes
    #[arg(long)]
    events: bool,

    /// Take the functions' programs from this directory instead of building them
    #[arg(long, value_name = "DIRECTORY", env = "LOCAL_STACK_PREBUILT")]
    prebuilt: Option<PathBuf>,

    /// Deploy the unpacked archive of `cargo xtask release --bundle` in this directory: its
    /// template, settings and programs
    #[arg(long, value_name = "DIRECTORY")]
    bundle: Option<PathBuf>,
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    parameters::parse(text).map_err(|error| error.to_string())
}

/// Runs the command to its end.
///
/// # Errors
/// When the stack cannot be started or fails later.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    let (json, events) = (arguments.json, arguments.events);
    let began = Instant::now();

    let mut stack = tokio::select! {
        started = LocalStack::start(arguments.into_options()?) => started?,
        code = interruption.wait() => {
            // The future is dropped by now, and with it what had been started.
            tokio::time::sleep(DROPPED_PROCESSES_GRACE).await;
            return Ok(code);
        }
    };
    let code = if events {
        let client = Stack::connect(Description::of(&stack)?)?;
        let listener = client.listen_to(PATTERN).await?;
        report(&stack, json, began.elapsed())?;
        tokio::select! {
            failed = stack.failed() => failed.map(|never| match never {}),
            failed = print_events(&listener) => failed.map(|never| match never {}),
            code = interruption.wait() => Ok(code),
        }
    } else {
        report(&stack, json, began.elapsed())?;
        tokio::select! {
            failed = stack.failed() => failed.map(|never| match never {}),
            code = interruption.wait() => Ok(code),
        }
    };
    progress("stopping");
    stack.stop().await;
    code
}

/// Pause between two looks for events.
const EVENT_PAUSE: Duration = Duration::from_millis(500);

async fn print_events(listener: &Listener<'_>) -> Result<Infallible> {
    loop {
        for event in listener.receive().await? {
            let event = Event::read(event)?;
            progress(&format!("event: {}", serde_json::to_string(&event)?));
        }
        tokio::time::sleep(EVENT_PAUSE).await;
    }
}

/// Time for the guards of a start that was given up. They need milliseconds, and do not depend on
/// this program.
const DROPPED_PROCESSES_GRACE: Duration = Duration::from_millis(500);

impl Arguments {
    fn into_options(self) -> Result<Options> {
        let mut parameters = Parameters::new();
        for (name, value) in self.parameters {
            let previous = parameters.insert(name.clone(), value);
            anyhow::ensure!(previous.is_none(), "--param {name} is given twice");
        }
        let functions = match (self.bundle, self.prebuilt) {
            (Some(directory), _) => Functions::Bundle(directory),
            (None, Some(directory)) => Functions::Prebuilt(directory),
            (None, None) => Functions::Build,
        };
        Ok(Options {
            provider_url: self.provider,
            secret: self.secret,
            port: self.port,
            parameters,
            functions,
            progress,
            ..Options::default()
        })
    }
}

fn progress(line: &str) {
    eprintln!("[up] {line}");
}

fn report(stack: &LocalStack, json: bool, took: Duration) -> Result<()> {
    if let Some(secret) = stack.generated_secret() {
        progress(&format!(
            "made up for this run: {}",
            serde_json::to_string(secret)?
        ));
    }
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", describe(stack))
    } else {
        describe(stack)
            .as_object()
            .into_iter()
            .flatten()
            .try_for_each(|(name, value)| {
                writeln!(out, "{name:<30}{}", value.as_str().unwrap_or("none"))
            })
    }
    .and_then(|()| out.flush())
    .context("cannot write to standard output")?;
    if !json {
        explain(stack)?;
    }
    progress(&format!(
        "ready after {:.1} s; Ctrl-C ends it",
        took.as_secs_f64()
    ));
    Ok(())
}

/// The next steps for a person. The signature's key is the emulator's; it takes any.
fn explain(stack: &LocalStack) -> Result<()> {
    progress("create a session, and open its redirectUrl in a browser:");
    eprintln!(
        "curl --aws-sigv4 aws:amz:{REGION}:lambda --user test:test --json '{{\"clientId\": \
            \"customer-1\"}}' {}sessions",
        stack.output("ApiUrl")?
    );
    if let Some(sandbox) = stack.sandbox_url() {
        progress(&format!(
            "see what the sandbox knows, and judge: {}/reviewer",
            sandbox.trim_end_matches('/')
        ));
    }
    Ok(())
}
