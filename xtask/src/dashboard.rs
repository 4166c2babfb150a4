//! `cargo xtask dashboard`: the dashboard of `template.yaml`, drawn from a local run. The widgets and their statistics are read from the
//! template, the values from the log lines of the deployed functions, as CloudWatch would read both.

mod drawing;
mod figures;
mod page;
mod panel;
mod play;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use integration_tests::operations::Template;
use integration_tests::{Description, Stack};
use local_stack::{Functions, LocalStack, Options, workspace};

use crate::up::Interruption;

/// Draw the dashboard from a short local run
///
/// Starts a stack, plays customers of whom some are turned away and some meet trouble, and draws what CloudWatch's dashboard would show.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many customers
    #[arg(long, default_value_t = 120, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    customers: u32,

    /// A running stack, as `cargo xtask up --json` prints it; without it, one is started
    #[arg(long, value_name = "FILE")]
    stack: Option<PathBuf>,

    /// Where the picture goes; docs/dashboard.svg of the workspace without it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command to its end.
///
/// # Errors
/// When the stack does not start, stops answering, or the picture cannot be written.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    let output = arguments
        .output
        .clone()
        .unwrap_or_else(|| workspace::root().join("docs").join("dashboard.svg"));
    let work = async {
        let (description, own) = match &arguments.stack {
            Some(path) => (Description::read(path), None),
            None => {
                let own = start().await?;
                (Description::of(&own), Some(own))
            }
        };
        let drawn = draw(description, arguments.customers).await;
        if let Some(own) = own {
            own.stop().await;
        }
        drawn
    };
    let picture = tokio::select! {
        picture = work => picture?,
        code = interruption.wait() => return Ok(code),
    };
    std::fs::write(&output, picture).with_context(|| format!("cannot write {}", output.display()))?;
    println!("{}", output.display());
    Ok(ExitCode::SUCCESS)
}

async fn start() -> Result<LocalStack> {
    LocalStack::start(Options {
        functions: Functions::Build,
        progress,
        ..Options::default()
    })
    .await
}

async fn draw(description: Description, customers: u32) -> Result<String> {
    // The harness tells by a panic that the stack does not answer; in a task of its own that is an error like others.
    let task = tokio::spawn(async move {
        let stack = Stack::connect(description);
        play::play(&stack, customers).await;
        page::page(&Template::read(), &stack.points().await)
    });
    task.await.context("the dashboard could not be drawn")
}

fn progress(line: &str) {
    eprintln!("[dashboard] {line}");
}
