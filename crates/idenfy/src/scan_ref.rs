//! What can serve as the provider's reference of a verification.

use crate::lenient_json::UNREADABLE;

/// The provider's schema allows 36 characters in a callback and 40 in a token's answer.
/// Left larger.
const LONGEST: usize = 255;

/// Whether the text can be a key: not empty, at most [`LONGEST`], readable, and without white space
/// or control characters.
pub(crate) fn is_usable(text: &str) -> bool {
    let is_gap = |character: char| character.is_whitespace() || character.is_control();
    !text.is_empty()
        && text.len() <= LONGEST
        && !text.contains(UNREADABLE)
        && !text.chars().any(is_gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_usable_and_anything_with_gaps_is_not() {
        assert!(is_usable("6b0f3c1e-52a7-4d0e-9a57-0a6c7f1f2d11"));
        assert!(is_usable(&"a".repeat(255)));
        for text in ["", "a b", "a\nb", "a\0", "a\u{FFFD}", &"a".repeat(256)] {
            assert!(!is_usable(text), "{text:?}");
        }
    }
}
