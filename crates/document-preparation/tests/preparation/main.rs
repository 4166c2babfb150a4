//! Real pictures, made here, through the whole preparation and compared pixel by pixel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

mod any_input;
mod cases;
mod children;
mod confinement;
mod hostile;
mod kinds;
mod large;
mod photos;
mod samples;
mod support;
