//! The system on this machine: `cargo xtask demo` shows it, `cargo xtask up` leaves it running.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: results go to standard output, progress and errors to \
        standard error"
)]

mod application;
mod demo;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The whole system on this machine.
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
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Up(arguments) => up::run(arguments).await,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
