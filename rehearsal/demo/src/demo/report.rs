//! The demo's output, all on standard output: headings, steps with the time since the start, and
//! details in columns. Bold and dim text only at a terminal, and not with `NO_COLOR` set
//! (<https://no-color.org>).

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Where details begin: below the text of a step.
const INDENTATION: &str = "            ";

/// How wide the names of details are.
const NAME_WIDTH: usize = 13;

/// The report, from its beginning.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    began: Instant,
    is_styled: bool,
}

impl Report {
    /// Begins now.
    pub fn begin(no_color: Option<&str>) -> Self {
        Self {
            began: Instant::now(),
            is_styled: std::io::stdout().is_terminal() && no_color.is_none_or(str::is_empty),
        }
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The beginning of a part.
    pub fn heading(&self, text: impl Display) {
        self.line("");
        self.line(self.styled("1", text));
    }

    /// Something that has happened just now.
    pub fn step(&self, text: impl Display) {
        let stamp = format!("{:>8.2} s", self.elapsed().as_secs_f64());
        self.line(format!("{}  {text}", self.styled("2", stamp)));
    }

    /// What was found, with a name.
    pub fn detail(&self, name: &str, value: impl Display) {
        self.line(format!("{INDENTATION}{name:<NAME_WIDTH$} {value}"));
    }

    /// What was found, without one.
    pub fn note(&self, text: impl Display) {
        self.line(format!("{INDENTATION}{text}"));
    }

    /// A line as it is.
    pub fn line(&self, text: impl Display) {
        // The reader may be gone, as with `| head`; the exit status still tells how it went.
        drop(writeln!(std::io::stdout().lock(), "{text}"));
    }

    fn styled(&self, style: &str, text: impl Display) -> String {
        if self.is_styled {
            format!("\u{1b}[{style}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }
}

/// `7012345` as `7,012,345 bytes`.
pub fn bytes(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + " bytes"
}

/// In millions of bytes, cut off after one digit.
pub fn megabytes(count: u64) -> String {
    format!("{}.{} MB", count / 1_000_000, count / 100_000 % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_bytes_are_grouped() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(7_012_345), "7,012,345 bytes");
        assert_eq!(bytes(100_000), "100,000 bytes");
    }

    #[test]
    fn megabytes_have_one_digit_after_the_point() {
        assert_eq!(megabytes(15_679_488), "15.6 MB");
    }
}
