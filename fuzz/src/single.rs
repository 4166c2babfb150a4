//! Runs inputs one by one.

use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
Usage: fuzz TARGET FILE...

Runs each file through a target. A line for each that held; a panic for the first that did not.
";

/// The program without libFuzzer.
pub(crate) fn main() -> ExitCode {
    document_preparation::run_if_asked().unwrap_or_else(|| {
        if run(std::env::args().skip(1)).is_some() {
            return ExitCode::SUCCESS;
        }
        std::io::stderr().write_all(HELP.as_bytes()).ok();
        ExitCode::from(64)
    })
}

fn run(mut arguments: impl Iterator<Item = String>) -> Option<()> {
    let target = fuzz::find(&arguments.next()?)?;
    for path in arguments {
        let input = std::fs::read(&path).ok()?;
        (target.run)(&input);
        writeln!(std::io::stdout(), "{path} holds").ok()?;
    }
    Some(())
}
