//! `cargo xtask test` and `cargo xtask bench`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: results go to standard output, progress and errors to \
        standard error"
)]

mod arrows;
mod bench;
mod bundle;
mod contract;
mod documents;
mod parameters;
mod permissions;
mod second_opinion;
mod supply_chain;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What must hold before a change goes in.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(test::Arguments),
    Bench(bench::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Test(arguments) => test::run(arguments).await,
        Command::Bench(arguments) => bench::run(arguments).await,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
