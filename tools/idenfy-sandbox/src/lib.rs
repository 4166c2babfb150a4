#![doc = include_str!("../README.md")]

mod admin;
mod pages;
mod provider;
mod sandbox;
mod server;
mod world;

pub use sandbox::Sandbox;
pub use world::settings::{EventNames, FilesPaths, FilesShape, PdfLinks, ProcessTokenField};
pub use world::settings::{ReviewMode, Secret, Settings, StatusFinal, StepVerdictSpelling};
