//! `cargo xtask soak`: many customers at once, with random faults in the provider's answers, links,
//! callbacks and results, and with killed processes. At the end every customer is accounted for
//! from the provider's journal, the bucket, the table and the queues.

mod customer;
mod evidence;
mod figures;
mod plan;
mod report;
mod watcher;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use harness::{Description, Interruption, ProcessorTuning, Stack};
use local_stack::{Functions, LocalStack, Options};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use customer::{Customer, CustomerResult};
use evidence::Evidence;
use plan::Plan;
use report::Report;
use watcher::Watcher;

/// Let everything go wrong now and then, and count what became of it
///
/// Plays many customers on a deployed stack. Each single thing (an answer of the provider, a link,
/// a callback, a result, a process) goes wrong with the same chance, chosen by the seed. Ends as
/// soon as every pairing has come to its end, or at the deadline with a list of those that have
/// not. The exit status is 0 only if nothing was lost, doubled or forgotten.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many customers
    #[arg(long, default_value_t = 1_000, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pairings: u32,

    /// How many customers are busy at the same time
    #[arg(long, default_value_t = 20, value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=200))]
    concurrency: u32,

    /// The chance, in percent, with which each single thing goes wrong
    #[arg(long, default_value_t = 5, value_name = "PERCENT",
        value_parser = clap::value_parser!(u32).range(0..=100))]
    trouble: u32,

    /// What is thrown; printed in the report. Without it, the time
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// When to give up
    #[arg(long, default_value_t = 600, value_name = "SECONDS",
        value_parser = clap::value_parser!(u32).range(10..))]
    deadline: u32,

    /// A running stack, as `cargo xtask up --json` prints it; without it, one is started. Its
    /// processes are killed, too
    #[arg(long, value_name = "FILE")]
    stack: Option<PathBuf>,

    /// Print one line of JSON instead of a report
    #[arg(long)]
    json: bool,
}

/// Leases of killed processors end after 15 s instead of 85, and their messages come back after 25
/// s instead of 540. That saves minutes of waiting. Nothing else is changed.
const TUNING: ProcessorTuning = ProcessorTuning {
    timeout_seconds: 20,
    visibility_seconds: 25,
    ..ProcessorTuning::DEPLOYED
};

/// In place of the schedule's five minutes.
const RECONCILED_EVERY: Duration = Duration::from_secs(3);

const PROGRESS_EVERY: Duration = Duration::from_secs(5);

/// A pairing that takes longer waits for a lease or a pause. It is no load and gives its place to
/// the next customer.
const PLACE_IS_HELD_FOR: Duration = Duration::from_secs(10);

/// Size and troubles of a soak.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub pairings: u32,
    pub concurrency: u32,
    pub trouble: u32,
    pub seed: u64,
    pub deadline: Duration,
}

/// Runs the command to its end.
///
/// # Errors
/// The stack does not start or stops answering. Broken promises are in the report and the exit
/// status.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    let settings = Settings {
        pairings: arguments.pairings,
        concurrency: arguments.concurrency,
        trouble: arguments.trouble,
        seed: arguments.seed.unwrap_or_else(fresh_seed),
        deadline: Duration::from_secs(arguments.deadline.into()),
    };
    let work = async {
        let (description, own) = match &arguments.stack {
            Some(path) => (Description::read(path)?, None),
            None => {
                let own = start().await?;
                (Description::of(&own)?, Some(own))
            }
        };
        let report = soak(description, settings).await;
        if let Some(own) = own {
            own.stop().await;
        }
        report
    };
    let report = tokio::select! {
        report = work => report?,
        code = interruption.wait() => return Ok(code),
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn start() -> Result<LocalStack> {
    LocalStack::start(Options {
        functions: Functions::Build,
        progress,
        ..Options::default()
    })
    .await
}

/// Plays all customers on this stack and counts. The stack's processor is tuned meanwhile, and put
/// back afterwards.
///
/// # Errors
/// A part of the stack does not answer.
pub async fn soak(description: Description, settings: Settings) -> Result<Report> {
    let stack = Stack::connect(description)?;
    stack.tune_processor(TUNING).await?;
    let run = Run::new(&stack, settings);
    let took = run.play().await?;
    let evidence = Evidence::collect(&stack, &run.played()).await?;
    let report = Report::new(settings, took, &run.played(), evidence);
    stack.tune_processor(ProcessorTuning::DEPLOYED).await?;
    Ok(report)
}

/// The soak of `cargo xtask test`: a minute on a stack that nothing else uses any more.
///
/// # Errors
/// Something was lost, doubled or forgotten; the report is printed before.
pub async fn short(description: Description) -> Result<()> {
    let settings = Settings {
        pairings: 60,
        concurrency: 20,
        trouble: 5,
        // Always the same: a failure repeats.
        seed: 1,
        deadline: Duration::from_secs(120),
    };
    let report = soak(description, settings).await?;
    eprint!("{report}");
    ensure!(
        report.is_clean(),
        "the soak with seed {} lost, doubled or forgot something",
        settings.seed
    );
    Ok(())
}

/// One soak under way.
struct Run<'stack> {
    stack: &'stack Stack,
    settings: Settings,
    watcher: Watcher,
    places: Semaphore,
    /// The customers who have arrived, as far as is known.
    played: Mutex<Vec<CustomerResult>>,
}

impl<'stack> Run<'stack> {
    fn new(stack: &'stack Stack, settings: Settings) -> Self {
        Self {
            stack,
            settings,
            watcher: Watcher::default(),
            places: Semaphore::new(usize::try_from(settings.concurrency).unwrap_or(1)),
            played: Mutex::default(),
        }
    }

    fn played(&self) -> Vec<CustomerResult> {
        self.played
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, played: CustomerResult) {
        let mut all = self.played.lock().unwrap_or_else(PoisonError::into_inner);
        match all.iter_mut().find(|known| known.number == played.number) {
            Some(known) => *known = played,
            None => all.push(played),
        }
    }

    /// Plays all customers. Returns how long it took, at most the deadline.
    async fn play(&self) -> Result<Duration> {
        let began = Instant::now();
        let everybody =
            try_join_all((0..self.settings.pairings).map(|number| self.customer(number)));
        tokio::select! {
            played = everybody => { played?; }
            failed = self.watcher.watch(self.stack) => match failed? {},
            () = self.stack.keep_reconciling(RECONCILED_EVERY) => {}
            () = self.tell(began) => {}
            () = sleep(self.settings.deadline) => progress("the deadline has come"),
        }
        Ok(began.elapsed())
    }

    async fn customer(&self, number: u32) -> Result<()> {
        let place = self.places.acquire().await?;
        let plan = Plan::of(self.settings.seed, number, self.settings.trouble);
        let mut customer = Customer::arrive(self.stack, number, plan).await?;
        self.note(customer.so_far());
        customer.finish().await?;
        let follow = customer.follow(&self.watcher);
        tokio::pin!(follow);
        let played = tokio::select! {
            played = &mut follow => played?,
            () = sleep(PLACE_IS_HELD_FOR) => {
                drop(place);
                follow.await?
            }
        };
        self.note(played);
        Ok(())
    }

    async fn tell(&self, began: Instant) {
        loop {
            sleep(PROGRESS_EVERY).await;
            let (ended, waiting) = self.watcher.count();
            let arrived = self.played().len();
            progress(&format!(
                "{:>4.0} s: {arrived} of {} customers, {ended} at their end, {} waited for",
                began.elapsed().as_secs_f64(),
                self.settings.pairings,
                waiting.len()
            ));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "any number will do, and the report says which it was"
)]
fn fresh_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_secs())
}

fn progress(line: &str) {
    eprintln!("[soak] {line}");
}
