//! `cargo xtask`: the one entry point for everything that is done with the project besides
//! compiling it.
//!
//! It only dispatches. Each command belongs to a program that Cargo builds when it is first asked
//! for: `cargo xtask demo` compiles what the demo needs and nothing else. Every program is built
//! with the features of the whole workspace, so no dependency is compiled twice.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program: results go to standard output, errors to standard error"
)]

use std::env;
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// A command, the program that it belongs to, and one line of help.
const COMMANDS: [(&str, &str, &str); 9] = [
    (
        "demo",
        "demo",
        "Set everything up, play the whole flow with real files, and show what happened",
    ),
    (
        "up",
        "demo",
        "Start everything on this machine and stay until interrupted",
    ),
    ("test", "checks", "Check and test everything"),
    (
        "bench",
        "checks",
        "Measure the functions against their budgets",
    ),
    ("events", "rehearsal", "Make the sample events anew"),
    (
        "invoke",
        "rehearsal",
        "Invoke the functions with the sample events",
    ),
    (
        "soak",
        "rehearsal",
        "Let everything go wrong now and then, and count what became of it",
    ),
    (
        "drill",
        "rehearsal",
        "Bring about every failure that an alarm exists for, and repair it by the runbook",
    ),
    (
        "release",
        "rehearsal",
        "Build what goes to AWS with the SAM CLI, check it, and make the archive of a release",
    ),
];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let name = arguments.first().and_then(|name| name.to_str());
    let known = COMMANDS.iter().find(|(command, ..)| Some(*command) == name);
    let Some((_, program, _)) = known else {
        let asked = matches!(name, Some("help" | "--help" | "-h"));
        return help(name.filter(|_| !asked), asked);
    };
    let error = dispatch(program, &arguments);
    eprintln!("error: cannot run cargo: {error}");
    ExitCode::FAILURE
}

/// Becomes Cargo, which builds the program and becomes it: signals reach the program directly.
fn dispatch(program: &str, arguments: &[OsString]) -> std::io::Error {
    let mut cargo = Command::new("cargo");
    // By the workspace's manifest, and without a package: features are those of all members.
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    cargo.args(["run", "--manifest-path", manifest]);
    cargo.args(["--profile", "local", "--bin", program, "--"]);
    cargo.args(arguments);
    for (name, _) in env::vars_os() {
        if is_about_package(&name) {
            cargo.env_remove(name);
        }
    }
    cargo.exec()
}

/// What `cargo run` has told this program about its package. Build scripts may run again when these
/// variables change, and would then compile their crates anew at every call. (Source: The Cargo
/// Book, "Environment variables Cargo sets for crates".)
fn is_about_package(name: &OsString) -> bool {
    let prefixes = [
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
    ];
    name.to_str()
        .is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
}

/// Lists the commands: on standard output if that was asked for, else as an error.
fn help(unknown: Option<&str>, asked: bool) -> ExitCode {
    let mut text = "Everything that is done with this project besides compiling it.\n\n\
                    Usage: cargo xtask <COMMAND> [OPTIONS]; cargo xtask <COMMAND> --help\n\n"
        .to_owned();
    for (command, _, what) in COMMANDS {
        text.push_str(&format!("  {command:<8} {what}\n"));
    }
    if asked {
        print!("{text}");
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = unknown {
        eprintln!("error: there is no command {unknown}\n");
    }
    eprint!("{text}");
    // As clap does for wrong usage.
    ExitCode::from(2)
}
