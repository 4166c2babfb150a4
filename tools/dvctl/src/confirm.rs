//! Asks before something irreversible.

use std::io;

use crate::failure::Failure;
use crate::output::Output;

/// Asks the operator to type a word.
///
/// # Errors
/// Something else was typed, or no terminal is there. Do nothing then.
pub async fn confirm(output: &mut Output, question: &str, word: &str) -> Result<(), Failure> {
    output.question(format_args!("{question} Type {word} to go on:"));
    // Blocks on its own thread, so that Ctrl-C still ends the program.
    let typed = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let typed = typed
        .await
        .map_err(|error| Failure::new("the answer cannot be read").because(error))??;
    if typed.trim() == word {
        Ok(())
    } else {
        if !typed.ends_with('\n') {
            output.note("");
        }
        Err(Failure::new("not confirmed; nothing was done")
            .advise("type the word exactly, or give --yes where nobody can be asked"))
    }
}
