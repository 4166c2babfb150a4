//! Which member of the request a provider's error text is about.
//!
//! The text may quote what was sent, so only a name from a fixed list is kept.

/// The members that this library sends, and the provider's own steps.
/// Order matters: names that are also everyday words come last.
const NAMES: &[&str] = &[
    "authToken",
    "clientId",
    "externalRef",
    "tokenType",
    "expiryTime",
    "sessionLength",
    "additionalSteps",
    "questionnaire",
    "callbackUrl",
    "successUrl",
    "errorUrl",
    "unverifiedUrl",
    "documentType",
    "scanRef",
    "FRONT",
    "BACK",
    "FACE",
    "UTILITY_BILL",
    "locale",
    "images",
    "documents",
    "country",
    "token",
];

/// The first known name that is a word of the text, in exactly this spelling.
pub(crate) fn named_in(text: &str) -> Option<String> {
    let mut words =
        text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let words: Vec<&str> = words.by_ref().collect();
    NAMES
        .iter()
        .find(|name| words.contains(*name))
        .map(|name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_member_or_step_is_found() {
        assert_eq!(
            named_in("Missing required value: 'authToken'."),
            Some("authToken".to_owned())
        );
        assert_eq!(
            named_in("No image provided for step BACK"),
            Some("BACK".to_owned())
        );
        assert_eq!(named_in("\"token\" is required"), Some("token".to_owned()));
    }

    #[test]
    fn nothing_else_of_the_text_gets_out() {
        assert_eq!(named_in("Value Ona Petraite is wrong"), None);
        assert_eq!(named_in("tokenized backwards"), None);
    }
}
