//! `cargo xtask cost`: what verifications cost at AWS's list prices. Requests are counted where they pass between the functions and the
//! services of a local run, durations are those that the emulator bills, and prices stand in `xtask/prices.yaml`.
#![allow(clippy::indexing_slicing, reason = "only JSON is indexed, where what is not there reads as null")]

mod bill;
mod dynamodb;
mod meter;
mod prices;

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use futures_util::FutureExt;
use integration_tests::operations::{FUNCTIONS, Template};
use integration_tests::{BACK, Checkpoint, Description, FRONT, Stack, pictures};
use local_stack::{Functions, LocalStack, Options, Parameters, workspace};
use serde_json::json;

use meter::{Meter, Usage, as_f64};
use prices::{Assumptions, Item, Prices};

use crate::up::Interruption;

/// Count what verifications ask of AWS, and multiply by list prices
///
/// Plays customers on a stack of its own, each from the application's session to the event about the settled pairing, and counts every call
/// between the functions and the services. Prints what 1,000 verifications cost, and a month in which nothing happens, as Markdown.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many customers, one after the other
    #[arg(long, default_value_t = 40, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    customers: u32,

    /// Size of each of a customer's two pictures, in thousands of bytes
    #[arg(long, default_value_t = 2_000, value_name = "N", value_parser = clap::value_parser!(u32).range(10..=7_000))]
    kilobytes: u32,

    /// Prices; xtask/prices.yaml of the workspace without it
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

/// How often the reconciler looks and finds nothing.
const IDLE_RUNS: u32 = 5;

/// Runs the command to its end.
///
/// # Errors
/// When the stack does not start or stops answering, or the prices cannot be read.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    let path = arguments.prices.clone();
    let prices = Prices::read(&path.unwrap_or_else(|| workspace::root().join("xtask").join("prices.yaml")))?;
    let measured = tokio::select! {
        measured = measure(&arguments, prices.assumptions) => measured?,
        code = interruption.wait() => return Ok(code),
    };
    let title = format!("1,000 verifications, two pictures of {} kB each, US dollars", arguments.kilobytes);
    let played = measured.played.times(1_000.0 / f64::from(arguments.customers));
    println!("{}", bill::table(&title, &played, &prices)?);
    println!(
        "{}",
        bill::table(
            "A month without any, US dollars",
            &measured.month(&Template::read(), &prices),
            &prices
        )?
    );
    Ok(ExitCode::SUCCESS)
}

/// What was counted.
#[derive(Debug)]
struct Measured {
    /// All customers.
    played: Usage,
    /// All runs of the reconciler.
    idle: Usage,
    /// Series of metrics that were written.
    series: usize,
}

impl Measured {
    /// What is there all the time.
    fn month(&self, template: &Template, prices: &Prices) -> Usage {
        let runs = prices.assumptions.reconciler_runs_per_month / f64::from(IDLE_RUNS);
        let mut month = self.idle.times(runs);
        month.add(Item::SqsRequests, prices.assumptions.idle_receives_per_month);
        month.add(Item::Secrets, 1.0);
        month.add(Item::Metrics, as_f64(self.series as u64));
        month.add(Item::Alarms, as_f64(template.watched().len() as u64));
        let of_type = |name| as_f64(template.resources_of_type(name).count() as u64);
        month.add(Item::CompositeAlarms, of_type("AWS::CloudWatch::CompositeAlarm"));
        month.add(Item::Dashboards, of_type("AWS::CloudWatch::Dashboard"));
        month
    }
}

async fn measure(arguments: &Arguments, assumptions: Assumptions) -> Result<Measured> {
    let (customers, bytes) = (arguments.customers, usize::try_from(arguments.kilobytes)? * 1_000);
    let retention_days = Template::read().parameter("RetentionDays")["Default"]
        .as_f64()
        .context("a number of days")?;
    let meter = Arc::new(Mutex::new(Meter::new(retention_days)));
    let (services, provider) = (Checkpoint::open().await, Checkpoint::open().await);
    for checkpoint in [&services, &provider] {
        let meter = Arc::clone(&meter);
        checkpoint.observe(move |exchange| meter.lock().unwrap_or_else(PoisonError::into_inner).count(exchange));
    }
    // Chosen here, because functions call the services while the stack is still starting.
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    services.lead_to(&format!("http://127.0.0.1:{port}"));
    let own = LocalStack::start(Options {
        functions: Functions::Build,
        progress,
        port: Some(port),
        functions_endpoint: Some(services.origin().parse()?),
        parameters: Parameters::from([("IdenfyBaseUrl".to_owned(), provider.origin().to_owned())]),
        ..Options::default()
    })
    .await?;
    provider.lead_to(own.sandbox_url().context("there is no sandbox")?.trim_end_matches('/'));
    let description = Description::of(&own);
    // The harness tells by a panic that the stack does not answer, and has printed it then.
    let played = async {
        let stack = Stack::connect(description);
        let before = usage(&stack, &meter, &assumptions).await;
        progress(&format!("{customers} customers"));
        for _ in 0..customers {
            customer(&stack, bytes).await;
        }
        let after = usage(&stack, &meter, &assumptions).await;
        progress(&format!("{IDLE_RUNS} runs of the reconciler that find nothing"));
        for _ in 0..IDLE_RUNS {
            stack.invoke("ReconcilerFunction", &json!({})).await;
        }
        let idle = usage(&stack, &meter, &assumptions).await;
        let points = stack.points().await;
        let series: BTreeSet<_> = points.iter().map(|point| (&point.metric, &point.dimensions)).collect();
        Measured {
            series: series.len(),
            idle: idle.since(&after),
            played: after.since(&before),
        }
    };
    let measured = AssertUnwindSafe(played).catch_unwind().await;
    own.stop().await;
    measured.map_err(|_| anyhow!("the customers could not be played"))
}

/// Everything so far.
async fn usage(stack: &Stack, meter: &Mutex<Meter>, assumptions: &Assumptions) -> Usage {
    let mut usage = meter.lock().unwrap_or_else(PoisonError::into_inner).usage();
    for function in FUNCTIONS {
        let lines = stack.log_lines(function, "").await;
        usage = usage.plus(&meter::of_log(function, &lines, assumptions));
    }
    usage
}

/// From the application's session to the event about the outcome.
async fn customer(stack: &Stack, bytes: usize) {
    let (session, _) = stack.api_session(json!({})).await;
    session.upload(FRONT, "image/jpeg", pictures::jpeg(bytes)).await;
    session.upload(BACK, "image/jpeg", pictures::jpeg(bytes)).await;
    let listener = stack.listen(&[&session.client_id]).await;
    session.finish_and_be_believed(json!({})).await;
    session.until_settled().await;
    listener.until("DualVerificationSettled", &session.client_id).await;
}

fn progress(line: &str) {
    eprintln!("[cost] {line}");
}
