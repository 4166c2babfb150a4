//! `cargo xtask invoke`: every sample event through `sam local invoke`, against the local stack.
//! Each answer is compared with the one beside the event.
//!
//! Each event is about a customer of its own, for whom the events before it have been handled. So
//! no event depends on another. Nothing that was started is left running, however this ends.

mod answer;
mod customer;
mod docker;
mod relay;
mod sam;

use std::pin::pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, stream};
use harness::{DEADLINE, DeployedFunction, Emulator, Interruption, Look, wait_for};
use local_stack::{
    Functions, LocalStack, Options, Parameters, REGION, Toolchain, workspace::RunDirectory,
};
use serde_json::{Value, json};

use crate::events::{self, Function, Sample};
use crate::release;
use customer::{Customer, Customers};
use docker::Docker;
use sam::Sam;

/// Invoke the functions with the sample events
///
/// Starts the local stack (emulator and sandbox), runs each event of events/ through the real `sam
/// local invoke` in Docker, and compares the answer with the one beside it
/// (events/FUNCTION/EVENT.answer.json), in which times, identifiers and secrets are masked. Where
/// Docker cannot run it says so, and invokes the functions in the local stack instead. Exits with 1
/// if an answer differs.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only this function's events
    function: Option<Function>,

    /// Only this event, such as first-approved
    event: Option<String>,

    /// Invoke the functions in the local stack, in the profile `local`; builds no release and needs
    /// no Docker
    #[arg(long)]
    without_docker: bool,

    /// Take the programs that `sam build --build-dir target/sam-build` has made, instead of running
    /// it
    #[arg(long, conflicts_with = "without_docker")]
    built: bool,

    /// Write the answers down as the expected ones
    #[arg(long)]
    update: bool,

    /// Print every answer
    #[arg(long)]
    show: bool,

    /// The Docker daemon to use, unix://PATH; without it, the one at /var/run/docker.sock, else one
    /// that is started for this run
    #[arg(long, value_name = "URL", env = "DOCKER_HOST")]
    docker_host: Option<String>,
}

/// Runs the command to its end.
///
/// # Errors
/// The stack or the tools cannot be started; an invocation fails.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    let samples = chosen(&arguments)?;
    let work = async {
        let toolchain = Toolchain::prepare(progress).await?;
        if !arguments.without_docker && !arguments.built {
            progress("sam build");
            release::build(&toolchain).await?;
        }
        let runtime = if arguments.without_docker {
            Runtime::Emulator
        } else {
            Runtime::Docker
        };
        let outcome = all(&toolchain, &samples, runtime, &arguments).await?;
        if let Some(why) = &outcome.without_docker {
            progress(&format!(
                "LEFT OUT: sam local invoke, as containers cannot run: {why}"
            ));
        }
        Ok(if outcome.different == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    };
    tokio::select! {
        outcome = work => outcome,
        code = interruption.wait() => {
            // The work is dropped by now; the guards of what it had started need a moment.
            tokio::time::sleep(Duration::from_secs(3)).await;
            Ok(code)
        }
    }
}

/// As a step of the tests: all events, in Docker if containers can run. The release build must have
/// been made. Returns why they cannot.
///
/// # Errors
/// An answer differs, or the above.
pub async fn check(toolchain: &Toolchain) -> Result<Option<String>> {
    let arguments = Arguments {
        function: None,
        event: None,
        without_docker: false,
        built: true,
        update: false,
        show: false,
        docker_host: None,
    };
    let outcome = all(toolchain, &events::samples()?, Runtime::Docker, &arguments).await?;
    ensure!(
        outcome.different == 0,
        "{} answers differ from the expected ones",
        outcome.different
    );
    Ok(outcome.without_docker)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Runtime {
    Docker,
    Emulator,
}

#[derive(Default)]
struct Outcome {
    different: usize,
    /// Why containers could not run, if they were wanted.
    without_docker: Option<String>,
}

fn chosen(arguments: &Arguments) -> Result<Vec<Sample>> {
    let mut samples = events::samples()?;
    samples.retain(|sample| {
        arguments
            .function
            .is_none_or(|function| function == sample.function)
    });
    if let Some(event) = &arguments.event {
        let names: Vec<String> = samples.iter().map(|sample| sample.name.clone()).collect();
        samples.retain(|sample| sample.name == *event);
        ensure!(
            !samples.is_empty(),
            "there is no such event; there are {}",
            names.join(", ")
        );
    }
    Ok(samples)
}

/// An application that does not listen.
const NOBODY: &str = "http://127.0.0.1:1/";

async fn all(
    toolchain: &Toolchain,
    samples: &[Sample],
    runtime: Runtime,
    arguments: &Arguments,
) -> Result<Outcome> {
    let directory = RunDirectory::create()?;
    let mut outcome = Outcome::default();
    let docker = if runtime == Runtime::Docker {
        progress("looking for Docker");
        match Docker::find(
            toolchain,
            arguments.docker_host.as_deref(),
            directory.path(),
        )
        .await
        {
            Ok(docker) => Some(docker),
            Err(error) => {
                let why = format!("{error:#}");
                progress(&format!("containers cannot run here: {why}"));
                progress("the functions are invoked in the local stack instead");
                outcome.without_docker = Some(why);
                None
            }
        }
    } else {
        None
    };
    let stack = LocalStack::start(Options {
        secret: Some(events::secret()),
        functions: Functions::Build,
        parameters: Parameters::from([("OutcomePushUrl".to_owned(), NOBODY.to_owned())]),
        progress,
        ..Options::default()
    })
    .await?;
    let runner = Runner::new(toolchain, &stack, docker, directory.path()).await?;
    let result = runner.each(samples, arguments).await;
    runner.stop().await;
    stack.stop().await;
    outcome.different = result?;
    Ok(outcome)
}

/// An invocation is mostly waiting, for a container to start and to end.
const AT_ONCE: usize = 3;

/// The answer to an event.
struct Seen<'sample> {
    sample: &'sample Sample,
    answer: Value,
    took: Duration,
}

/// Runs events, in containers or in the local stack.
struct Runner {
    emulator: Emulator,
    functions: Vec<DeployedFunction>,
    sam: Option<Sam>,
    customers: Customers,
    known: Vec<Sample>,
}

impl Runner {
    async fn new(
        toolchain: &Toolchain,
        stack: &LocalStack,
        docker: Option<Docker>,
        directory: &std::path::Path,
    ) -> Result<Self> {
        let http = adapters::http_client()?;
        let emulator = Emulator::at(http.clone(), stack.endpoint_url(), REGION);
        emulator.disconnect_event_sources().await?;
        let functions = emulator.functions().await?;
        let sandbox = stack
            .sandbox_url()
            .context("the stack has no sandbox")?
            .to_owned();
        // Callbacks come from the samples alone.
        let settings = http
            .patch(format!("{sandbox}/admin/settings"))
            .json(&json!({"callbackUrl": null}));
        settings.send().await?.error_for_status()?;
        let mut file_origin = sandbox.clone();
        let sam = match docker {
            Some(docker) => {
                let whose = if docker.is_own() {
                    "one of our own"
                } else {
                    "the one that runs"
                };
                progress(&format!(
                    "Docker: {whose}; the base image: {}",
                    docker.image_source
                ));
                file_origin = Sam::seen_from_containers(&sandbox);
                Some(Sam::new(toolchain.clone(), docker, stack, &functions, directory).await?)
            }
            None => None,
        };
        let key = events::development_key()?;
        Ok(Self {
            emulator,
            functions,
            sam,
            customers: Customers {
                http,
                sandbox,
                key,
                file_origin,
            },
            known: events::samples()?,
        })
    }

    /// Returns how many answers differ.
    async fn each(&self, samples: &[Sample], arguments: &Arguments) -> Result<usize> {
        let (mut different, began) = (0, Instant::now());
        println!(
            "{:<12} {:<24} {:<8} {:>7}  answer",
            "function", "event", "result", "time"
        );
        // The first one alone: with it, the SAM CLI builds the image for all.
        let (first, others) = samples.split_at(samples.len().min(1));
        let in_order = stream::iter(first.iter().enumerate())
            .then(|(number, sample)| self.one(number, sample));
        let numbered = (first.len()..).zip(others);
        let others = stream::iter(numbered.map(|(number, sample)| self.one(number, sample)))
            .buffered(AT_ONCE);
        let mut seen = pin!(in_order.chain(others));
        while let Some(seen) = seen.next().await {
            let Seen {
                sample,
                answer,
                took,
            } = seen?;
            let difference = compare(sample, &answer, arguments.update)?;
            let result = match (&difference, arguments.update) {
                (None, false) => "ok",
                (None, true) => "written",
                (Some(_), _) => "DIFFERS",
            };
            let (function, event, seconds) =
                (sample.function.name(), &sample.name, took.as_secs_f64());
            println!(
                "{function:<12} {event:<24} {result:<8} {seconds:>5.2} s  {}",
                summary(&answer)
            );
            if arguments.show {
                print!("{}", answer::write(&answer)?);
            }
            if let Some(difference) = difference {
                println!("  {difference}");
                different += 1;
            }
        }
        let runtime = if self.sam.is_some() {
            "sam local invoke"
        } else {
            "the local stack"
        };
        let (count, seconds) = (samples.len(), began.elapsed().as_secs_f64());
        println!(
            "{count} events through {runtime} in {seconds:.0} s, {different} with another answer \
                than expected"
        );
        Ok(different)
    }

    async fn one<'sample>(&self, number: usize, sample: &'sample Sample) -> Result<Seen<'sample>> {
        let customer = self
            .prepare(number, sample)
            .await
            .with_context(|| format!("preparing {}", sample.path()))?;
        let event = self.customers.event(&sample.event, &customer, true)?;
        let began = Instant::now();
        let answer = match &self.sam {
            Some(sam) => sam.invoke(number, sample.function, &event).await,
            None => self.in_the_stack(sample.function, &event).await,
        };
        let took = began.elapsed();
        let answer = customer.translate_back(&answer.with_context(|| sample.path())?);
        let mut seen = answer::settle(&json!({"answer": answer}), &sample.event.to_string());
        if let (Some(members), Some(afterwards)) =
            (seen.as_object_mut(), self.afterwards(&customer).await?)
        {
            members.insert("afterwards".to_owned(), afterwards);
        }
        Ok(Seen {
            sample,
            answer: seen,
            took,
        })
    }

    /// A customer about whom the events before this one have been handled, by the functions in the
    /// local stack.
    async fn prepare(&self, number: usize, sample: &Sample) -> Result<Customer> {
        let mut customer = self.customers.next(number).await?;
        for path in sample.after {
            let before = self.known(path)?;
            let event = self.customers.event(&before.event, &customer, false)?;
            let answer = self.in_the_stack(before.function, &event).await?;
            ensure!(answer.get("errorType").is_none(), "{path} failed: {answer}");
            self.afterwards(&customer).await?;
        }
        if sample.name.starts_with("second-") {
            let show = self.known("api/show-submitted")?;
            let event = self.customers.event(&show.event, &customer, false)?;
            customer.learn_second(&self.in_the_stack(Function::Api, &event).await?);
        }
        Ok(customer)
    }

    /// What the API says about the customer once the event has been handled, without what differs
    /// from run to run; nothing for a customer whom it does not know. Waits for what the webhook
    /// does after its answer.
    async fn afterwards(&self, customer: &Customer) -> Result<Option<Value>> {
        wait_for(DEADLINE, "the files are copied", async || {
            let said = self.said_of(customer).await?;
            let is_copying = |said: &Value| said["state"] == "Capturing";
            Ok(if said.as_ref().is_some_and(is_copying) {
                Look::NotYet("the pairing is Capturing".to_owned())
            } else {
                Look::Found(said)
            })
        })
        .await
    }

    async fn said_of(&self, customer: &Customer) -> Result<Option<Value>> {
        let show = self.known("api/show-submitted")?;
        let event = self.customers.event(&show.event, customer, false)?;
        let answer = answer::settle(&self.in_the_stack(Function::Api, &event).await?, "");
        let Some(verification) = answer
            .get("body")
            .filter(|body| body.get("history").is_some())
        else {
            return Ok(None);
        };
        let history = verification.get("history").and_then(Value::as_array);
        let history: Vec<Value> = history
            .into_iter()
            .flatten()
            .filter_map(|line| line.get("what").cloned())
            .collect();
        let (state, reason) = (verification.get("state"), verification.get("reason"));
        Ok(Some(
            json!({"state": state, "reason": reason, "history": history}),
        ))
    }

    /// Invokes a function in the local stack. The answer may be an error of the function.
    async fn in_the_stack(&self, function: Function, event: &Value) -> Result<Value> {
        let name = &deployed(&self.functions, function)?.name;
        let answer = self.emulator.invoke_named(name, event).await?;
        Ok(answer.unwrap_or_else(|error| error))
    }

    fn known(&self, path: &str) -> Result<&Sample> {
        let found = self.known.iter().find(|sample| sample.path() == path);
        found.with_context(|| format!("there is no event {path}"))
    }

    async fn stop(self) {
        if let Some(sam) = self.sam {
            sam.stop().await;
        }
    }
}

/// The function as it is deployed in the local stack.
fn deployed(functions: &[DeployedFunction], function: Function) -> Result<&DeployedFunction> {
    let part = format!("-{}-", function.logical_id());
    let found = functions.iter().find(|known| known.name.contains(&part));
    found.with_context(|| format!("the stack has no {}", function.logical_id()))
}

/// How an answer differs from the expected one; with `update`, it becomes the expected one.
fn compare(sample: &Sample, seen: &Value, update: bool) -> Result<Option<String>> {
    let path = answer::expected_path(&events::root(), &sample.path());
    let text = answer::write(seen)?;
    if update {
        std::fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        return Ok(None);
    }
    Ok(match answer::expected(&path)? {
        Some(expected) => answer::difference(&expected, &text),
        None => Some(
            "no answer is written down yet: see it with --show, keep it with --update".to_owned(),
        ),
    })
}

/// What was seen, in a few words.
fn summary(seen: &Value) -> String {
    let answer = seen.get("answer").unwrap_or(seen);
    let state = seen.pointer("/afterwards/state").and_then(Value::as_str);
    let state = state.map_or_else(String::new, |state| format!(", {state}"));
    format!("{}{state}", outcome(answer))
}

fn outcome(answer: &Value) -> String {
    if let Some(error) = answer.get("errorMessage").and_then(Value::as_str) {
        return format!("error: {error}");
    }
    let status = answer.get("statusCode").map(ToString::to_string);
    let word = ["code", "state"]
        .into_iter()
        .find_map(|name| answer.pointer(&format!("/body/{name}")));
    match (status, word.and_then(Value::as_str)) {
        (Some(status), Some(word)) => format!("{status} {word}"),
        (Some(status), None) => status,
        (None, _) => answer.to_string(),
    }
}

fn progress(line: &str) {
    eprintln!("[invoke] {line}");
}
