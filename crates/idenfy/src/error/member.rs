//! Which member of the request a provider's error text is about.
//!
//! The text itself may quote what was sent, so nothing of it is kept but a name from a fixed list.

/// The members that this library sends and the steps that the provider defines. Order matters:
/// names that are also everyday words of error texts stand last.
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

/// The first of the known names that stands in the text as a word of its own, in exactly this
/// spelling.
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
