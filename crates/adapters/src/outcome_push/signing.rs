//! The signing secrets, and a message's signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::idenfy::{SecretContent, SecretError};

/// Secrets of this standard begin so, followed by base64.
const PREFIX: &str = "whsec_";

/// Bytes of a secret. (Source: "Signature scheme", Standard Webhooks.)
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;

/// As many as a rotation needs, and more.
const MOST: usize = 5;

/// The secrets that are in force at once: one, or several during a rotation. Never printed.
///
/// A message is signed with each. The receiver accepts it if one signature fits.
#[derive(Clone)]
pub struct SigningSecrets(Vec<Hmac<Sha256>>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretJson {
    signing_secrets: Option<Vec<String>>,
}

/// It must be `{"signingSecrets": ["whsec_…"]}`, with one to five secrets of 24 to 64 bytes.
impl SecretContent for SigningSecrets {
    fn parse(text: &str) -> Result<Self, SecretError> {
        let malformed = SecretError::MalformedPush;
        let json: SecretJson =
            serde_json::from_str(text).map_err(|_| malformed("it is not such a JSON object"))?;
        let secrets = json
            .signing_secrets
            .ok_or(malformed("signingSecrets is missing"))?;
        if secrets.is_empty() || secrets.len() > MOST {
            return Err(malformed("signingSecrets has not one to five entries"));
        }
        let prepare = |secret: String| {
            let encoded = secret
                .strip_prefix(PREFIX)
                .ok_or(malformed("a signing secret does not begin with whsec_"))?;
            let key = STANDARD
                .decode(encoded)
                .map_err(|_| malformed("a signing secret is not base64 behind whsec_"))?;
            if !LENGTH.contains(&key.len()) {
                return Err(malformed("a signing secret has not 24 to 64 bytes"));
            }
            Hmac::new_from_slice(&key).map_err(|_| malformed("a signing secret is empty"))
        };
        secrets
            .into_iter()
            .map(prepare)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl SigningSecrets {
    /// The header `webhook-signature`: one signature for each secret, separated by spaces.
    ///
    /// `id` must have no full stop, or one message could be taken for another.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let head = format!("{id}.{timestamp}.");
        let signature = |prepared: &Hmac<Sha256>| {
            let mac = prepared.clone().chain_update(&head).chain_update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        self.0.iter().map(signature).collect::<Vec<_>>().join(" ")
    }
}

impl std::fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningSecrets")
            .field("count", &self.0.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the reference libraries' tests, `test_sign_function`.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn sign(secrets: &str) -> String {
        let secrets = SigningSecrets::parse(secrets).unwrap();
        secrets.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        )
    }

    #[test]
    fn the_reference_vector_is_signed() {
        let secret = format!(r#"{{"signingSecrets": ["{SECRET}"]}}"#);
        assert_eq!(sign(&secret), SIGNATURE);
    }

    #[test]
    fn each_secret_signs_during_a_rotation() {
        let new = format!("whsec_{}", STANDARD.encode([7; 32]));
        let both = format!(r#"{{"signingSecrets": ["{new}", "{SECRET}"]}}"#);
        let signatures = sign(&both);
        let (first, second) = signatures.split_once(' ').unwrap();
        assert!(first.starts_with("v1,") && first != SIGNATURE);
        assert_eq!(second, SIGNATURE);
    }

    #[test]
    fn a_malformed_secret_says_why_and_is_not_printed() {
        let of = |length: usize| format!("whsec_{}", STANDARD.encode(vec![7; length]));
        let list = |secrets: &[String]| serde_json::json!({"signingSecrets": secrets}).to_string();
        for (text, why) in [
            ("hidden".to_owned(), "not such a JSON object"),
            (format!(r#"["{SECRET}"]"#), "not such a JSON object"),
            (r#"{"hidden": 1}"#.to_owned(), "is missing"),
            (list(&[]), "one to five"),
            (list(&[const { String::new() }; 6]), "one to five"),
            (list(&["hidden".to_owned()]), "whsec_"),
            (list(&["whsec_hidden!".to_owned()]), "not base64"),
            (list(&[of(23)]), "24 to 64 bytes"),
            (list(&[of(24), of(65)]), "24 to 64 bytes"),
        ] {
            let message = SigningSecrets::parse(&text).unwrap_err().to_string();
            assert!(message.contains(why), "{message}");
            assert!(!message.contains("hidden"), "{message}");
        }
        let secrets = SigningSecrets::parse(&list(&[of(24), of(64)])).unwrap();
        assert_eq!(format!("{secrets:?}"), "SigningSecrets { count: 2, .. }");
    }
}
