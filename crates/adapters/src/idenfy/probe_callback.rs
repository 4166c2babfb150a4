//! A harmless callback that shows whether the webhook works.
//!
//! `dvctl doctor` sends it to a deployment, the pre-traffic function to a new version.

/// Its verification does not exist.
pub const PROBE_SCAN_REF: &str = "dvctl-self-test";

/// Not a verification's result: the webhook acknowledges, archives and ignores it.
///
/// Always the same bytes, so it is archived once. Sign it with the current key.
pub const PROBE_BODY: &str = concat!(
    r#"{"scanRef":"dvctl-self-test","clientId":"dvctl-self-test","#,
    r#""expirationThreshold":"DOCUMENT_EXPIRED"}"#,
);

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
