//! The provider's enumerations as words that are safe to print.
//!
//! iDenfy's sets are open: new statuses and tags appear without notice.
//! Any word is kept.
//! Anything else (a sentence, a name, a misplaced link) is replaced.
//! So no `Other(..)` can carry personal data.

/// What stands for a value that is not a word.
pub(crate) const UNRECOGNISED: &str = "UNRECOGNISED";

/// The longest word known has 36 characters; twice that is generous.
const LONGEST: usize = 72;

/// Upper case, surrounding white space removed, and the separators `-` and space turned into `_`.
pub(crate) fn normalised(text: &str) -> String {
    text.trim()
        .chars()
        .map(|character| match character {
            '-' | ' ' => '_',
            other => other.to_ascii_uppercase(),
        })
        .collect()
}

/// The normalised word, or [`UNRECOGNISED`] when the text is not one.
pub(crate) fn word(text: &str) -> String {
    let candidate = normalised(text);
    if is_word(&candidate) && !text.trim().contains(' ') {
        candidate
    } else {
        UNRECOGNISED.to_owned()
    }
}

/// Whether the text is made of upper-case letters, digits and `_` only, starts with a letter, and
/// is neither empty nor very long.
fn is_word(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_whatever_their_case() {
        assert_eq!(word(" doc_validated "), "DOC_VALIDATED");
        assert_eq!(word("EXPIRED-DELETED"), "EXPIRED_DELETED");
    }

    #[test]
    fn what_is_not_a_word_is_replaced() {
        for text in [
            "",
            "  ",
            "Ona Petraitė",
            "Ona Petraite",
            "https://files.example/a",
            "37001011234",
            "ona@example.lt",
            &"A".repeat(73),
        ] {
            assert_eq!(word(text), UNRECOGNISED, "{text}");
        }
    }
}
