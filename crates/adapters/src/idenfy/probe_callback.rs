//! A callback that shows whether the webhook works and of which nothing follows: `dvctl doctor`
//! sends it to a deployment, and the function that tests a new version sends it to that.

/// Whom it is about: nobody.
pub const PROBE_SCAN_REF: &str = "dvctl-self-test";

/// A notice of a kind that is not a verification's result, so that the webhook acknowledges,
/// archives and ignores it. Always the same bytes, so that it is archived once. To be signed with
/// the current key.
pub const PROBE_BODY: &str = r#"{"scanRef":"dvctl-self-test","clientId":"dvctl-self-test","expirationThreshold":"DOCUMENT_EXPIRED"}"#;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use idenfy::{SigningKey, SigningKeys};

    use super::*;
    use crate::read_callback;

    #[test]
    fn it_is_readable_about_nobody_and_the_result_of_nothing() {
        let key = SigningKey::new("key").unwrap();
        let signature = key.sign(PROBE_BODY.as_bytes());
        let keys = SigningKeys::new(vec![key]).unwrap();
        let body = keys
            .verify(
                Bytes::from_static(PROBE_BODY.as_bytes()),
                Some(signature.as_bytes()),
            )
            .unwrap();
        let content = read_callback(&body).unwrap();
        assert_eq!(content.scan_ref.to_string(), PROBE_SCAN_REF);
        assert_eq!((content.overall, content.is_final), (None, None));
        assert!(content.steps.is_empty() && content.links.is_empty());
    }
}
