//! Prepares one document in its own process.
//! Tests start it in place of the function that does the same.

use std::io::Write;
use std::process::ExitCode;

const HELP: &str = "\
Usage: prepare-document prepare-document:FORMAT:BYTES <ORIGINAL 1<>RESULT

FORMAT is jpeg, png, webp, heic or pdf, BYTES the most that the JPEG may have.
RESULT must be new or empty. It becomes the JPEG, if there is one, and a line of 512 bytes:

  tail -c 512 RESULT          shows what was done
  head -c -512 RESULT >JPEG   takes the picture out
";

fn main() -> ExitCode {
    document_preparation::run_if_asked().unwrap_or_else(|| {
        std::io::stderr().write_all(HELP.as_bytes()).ok();
        ExitCode::from(64)
    })
}
