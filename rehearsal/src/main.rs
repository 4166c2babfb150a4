//! `cargo xtask drill`, `events`, `invoke`, `release` and `soak`.
#![allow(
    clippy::print_stderr,
    reason = "a command-line program: errors go to standard error"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rehearsal::{drill, events, invoke, release, soak};

/// Programs that play customers against a stack, and the release build that they run on.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Events(events::Arguments),
    Invoke(invoke::Arguments),
    Soak(soak::Arguments),
    Drill(drill::Arguments),
    Release(release::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Events(arguments) => events::run(&arguments),
        Command::Invoke(arguments) => invoke::run(arguments).await,
        Command::Soak(arguments) => soak::run(arguments).await,
        Command::Drill(arguments) => drill::run(arguments).await,
        Command::Release(arguments) => release::run(arguments).await,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
