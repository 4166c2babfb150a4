#![doc = include_str!("../README.md")]

mod admin;
mod admin_sessions;
mod callback;
mod delivery;
mod errors;
mod fault_answers;
mod faults;
mod files;
mod gate;
mod images;
mod journal;
mod links;
mod merge_patch;
mod outcome;
mod pages;
mod person;
mod picture;
mod process;
mod retrieval;
mod route;
mod sandbox;
mod server;
mod session;
mod settings;
mod signature;
mod state;
mod token;
mod token_rules;
mod visit;

pub use sandbox::Sandbox;
pub use settings::{EventNames, FilesPaths, FilesShape, PdfLinks, ProcessTokenField, ReviewMode};
pub use settings::{Secret, Settings, StatusFinal, StepVerdictSpelling};
