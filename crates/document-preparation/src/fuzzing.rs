//! The child's work in this process, so that a fuzzer sees which code it reaches.

use std::fs::File;
use std::io::Result;

use crate::output::Output;
use crate::preparation::{Failure, Format, Refusal, prepare};

/// A JPEG that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    pub bytes: u64,
    pub width: u16,
    pub height: u16,
}

/// What the child would answer. A panic is not caught.
pub fn prepare_here(
    format: Format,
    input: &File,
    limit: u64,
    output: File,
) -> Result<std::result::Result<Option<Written>, Refusal>> {
    match prepare(format, input, limit, &mut Output::new(output, limit)) {
        Ok(facts) => Ok(Ok(facts.map(|facts| Written {
            bytes: facts.bytes,
            width: facts.width,
            height: facts.height,
        }))),
        Err(Failure::Refused(refusal)) => Ok(Err(refusal)),
        Err(Failure::Io(error)) => Err(error),
    }
}
