//! What must hold for every input, one function for each target.
//!
//! A target panics when something does not hold. libFuzzer calls it with inputs that it finds by
//! the code they reach (feature `coverage`), and the tests call it with the files of `corpus/` and
//! mutations of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a target fails loudly"
)]

mod callback;
mod child;
mod jpeg;
mod names;
mod origins;
mod pdf;
mod resources;
mod signature;

pub use child::{is_panic_expected, set_program};

/// One thing that is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// The folder below `corpus/`.
    pub corpus: &'static str,
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target {
        name,
        run,
        corpus: name,
    }
}

pub const TARGETS: [Target; 9] = [
    target("callback", callback::callback),
    target("signature", signature::signature),
    target("origins", origins::origins),
    target("pdf", pdf::pdf),
    target("jpeg_segments", jpeg::jpeg_segments),
    target("orientation", jpeg::orientation),
    target("names", names::names),
    target("child", child::child),
    Target {
        name: "child_in_process",
        run: child::child_in_process,
        corpus: "child",
    },
];

/// The target of that name.
pub fn find(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
