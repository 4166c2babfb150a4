//! `cargo xtask`: the one entry point for everything that is done with the project besides
//! compiling it. One module per subcommand.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: results go to standard output, progress and errors to standard error"
)]

mod arrows;
mod bench;
mod contract;
mod test;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rehearsal::{demo, drill, events, invoke, release, soak};

/// Everything that is done with this project besides compiling it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Up(up::Arguments),
    Test(test::Arguments),
    Events(events::Arguments),
    Invoke(invoke::Arguments),
    Soak(soak::Arguments),
    Drill(drill::Arguments),
    Bench(bench::Arguments),
    Release(release::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Up(arguments) => up::run(arguments).await,
        Command::Test(arguments) => test::run(arguments).await,
        Command::Events(arguments) => events::run(&arguments),
        Command::Invoke(arguments) => invoke::run(arguments).await,
        Command::Soak(arguments) => soak::run(arguments).await,
        Command::Drill(arguments) => drill::run(arguments).await,
        Command::Bench(arguments) => bench::run(arguments).await,
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
