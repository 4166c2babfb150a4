//! Everything is printed here.
//!
//! Standard output carries only the answer: text, or with `--json` one line of JSON. Progress,
//! questions and complaints go to standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

pub struct Output {
    answers: Box<dyn Write + Send>,
    notes: Box<dyn Write + Send>,
    json: bool,
    /// Standard error is a terminal, so progress may overwrite itself.
    notes_are_watched: bool,
    /// Standard output is a terminal.
    pub is_terminal: bool,
    has_progress: bool,
}

impl Output {
    /// The process's own.
    pub fn standard() -> Self {
        Self {
            answers: Box::new(io::stdout()),
            notes: Box::new(io::stderr()),
            json: false,
            notes_are_watched: io::stderr().is_terminal(),
            is_terminal: io::stdout().is_terminal(),
            has_progress: false,
        }
    }

    /// For programs that capture the output.
    pub fn new(answers: impl Write + Send + 'static, notes: impl Write + Send + 'static) -> Self {
        Self {
            answers: Box::new(answers),
            notes: Box::new(notes),
            json: false,
            notes_are_watched: false,
            is_terminal: false,
            has_progress: false,
        }
    }

    pub fn set_json(&mut self, json: bool) {
        self.json = json;
    }

    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the answer in the requested form.
    ///
    /// # Errors
    /// The reader is gone.
    pub fn answer(&mut self, answer: &(impl Serialize + Display)) -> io::Result<()> {
        self.clear_progress()?;
        if self.json {
            let json = serde_json::to_string(answer)?;
            writeln!(self.answers, "{json}")?;
        } else {
            write!(self.answers, "{answer}")?;
        }
        self.answers.flush()
    }

    /// Prints text in any form.
    ///
    /// # Errors
    /// The reader is gone.
    pub fn raw(&mut self, text: impl Display) -> io::Result<()> {
        write!(self.answers, "{text}")?;
        self.answers.flush()
    }

    /// Prints a note.
    pub fn note(&mut self, line: impl Display) {
        // The answer can still be written.
        drop(
            self.clear_progress()
                .and_then(|()| writeln!(self.notes, "{line}")),
        );
    }

    /// Prints a line that the next one replaces. Only on a terminal.
    pub fn progress(&mut self, line: impl Display) {
        if self.notes_are_watched {
            self.has_progress = true;
            drop(write!(self.notes, "\r\x1b[2K{line}").and_then(|()| self.notes.flush()));
        }
    }

    /// Asks. The answer is typed behind it.
    pub fn question(&mut self, text: impl Display) {
        drop(
            self.clear_progress()
                .and_then(|()| write!(self.notes, "{text} "))
                .and_then(|()| self.notes.flush()),
        );
    }

    pub fn failure(&mut self, failure: &Failure) {
        self.note(format_args!("dvctl: {}", failure.message()));
        if let Some(advice) = failure.advice() {
            self.note(format_args!("  do: {advice}"));
        }
    }

    fn clear_progress(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.has_progress) {
            write!(self.notes, "\r\x1b[2K")?;
            self.notes.flush()?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}
