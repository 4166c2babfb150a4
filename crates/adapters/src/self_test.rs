//! A callback that shows whether the webhook works and of which nothing follows: `dvctl doctor`
//! sends it to a deployment, and the function that tests a new version sends it to that.

/// Whom it is about: nobody.
pub const SELF_TEST_SCAN_REF: &str = "dvctl-self-test";

/// A notice of a kind that is not a verification's result, so that the webhook acknowledges,
/// archives and ignores it. Always the same bytes, so that it is archived once. To be signed with
/// the current key.
pub const SELF_TEST_BODY: &str = r#"{"scanRef":"dvctl-self-test","clientId":"dvctl-self-test","expirationThreshold":"DOCUMENT_EXPIRED"}"#;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use idenfy::{SigningKey, SigningKeys};

    use super::*;
    use crate::facts;

    #[test]
    fn it_is_readable_about_nobody_and_the_result_of_nothing() {
        let key = SigningKey::new("key").unwrap();
        let signature = key.sign(SELF_TEST_BODY.as_bytes());
        let keys = SigningKeys::new(vec![key]).unwrap();
        let body = keys
            .verify(
                Bytes::from_static(SELF_TEST_BODY.as_bytes()),
                Some(signature.as_bytes()),
            )
            .unwrap();
        let facts = facts(&body).unwrap();
        assert_eq!(facts.scan_ref.to_string(), SELF_TEST_SCAN_REF);
        assert_eq!((facts.overall, facts.is_final), (None, None));
        assert!(facts.steps.is_empty() && facts.links.is_empty());
    }
}
