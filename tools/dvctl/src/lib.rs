#![doc = include_str!("../README.md")]

mod api;
mod arguments;
mod aws;
mod commands;
mod confirm;
mod environment;
mod exit;
mod failure;
mod global;
mod history;
mod next_step;
mod output;
mod pace;
mod run;
mod stack;
mod when;

pub use environment::Environment;
pub use exit::{Exit, cannot_start};
pub use output::Output;
pub use run::run;
