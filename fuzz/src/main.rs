//! Fuzzes one target, or, without libFuzzer, runs single inputs. It is also the child that prepares
//! one document.

#![cfg_attr(feature = "coverage", no_main)]

#[cfg(not(feature = "coverage"))]
#[path = "single.rs"]
mod mode;

#[cfg(feature = "coverage")]
#[path = "coverage.rs"]
mod mode;

#[cfg(not(feature = "coverage"))]
fn main() -> std::process::ExitCode {
    mode::main()
}
