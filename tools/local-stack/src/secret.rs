//! The provider's secret: read from a file, or made up for development. Checked before anything is
//! started, and never printed by `Debug`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// What the functions read from Secrets Manager: `{"apiKey", "apiSecret", "signingKeys":
/// ["current", "previous"]}`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProviderSecret {
    /// User name of the provider's API.
    pub api_key: String,
    /// Password of the provider's API.
    pub api_secret: String,
    /// Keys that callbacks are signed with, the current one first; never empty.
    pub signing_keys: Vec<String>,
}

impl std::fmt::Debug for ProviderSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ProviderSecret")
            .field("signing_keys", &self.signing_keys.len())
            .finish_non_exhaustive()
    }
}

impl ProviderSecret {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// When it cannot be read, is not JSON of the shape above, or has an empty member. No message
    /// quotes the file.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = std::fs::read(path).with_context(|| format!("cannot read the secret {name}"))?;
        let secret: Self = serde_json::from_slice(&text).map_err(|error| {
            // The parser's own message may quote a value.
            anyhow::anyhow!(
                "the secret {name} must be {{\"apiKey\": \"…\", \"apiSecret\": \"…\", \
                    \"signingKeys\": [\"…\"]}} and nothing \
                 else; it differs in line {}, column {}",
                error.line(),
                error.column()
            )
        })?;
        let members = [&secret.api_key, &secret.api_secret];
        ensure!(
            !secret.signing_keys.is_empty(),
            "the secret {name} has no signing key"
        );
        ensure!(
            members
                .into_iter()
                .chain(&secret.signing_keys)
                .all(|member| !member.trim().is_empty()),
            "the secret {name} has an empty member"
        );
        Ok(secret)
    }

    /// A new one from 122 random bits per member. It opens nothing but this run's sandbox.
    pub fn generate() -> Self {
        let random = || Uuid::new_v4().simple().to_string();
        Self {
            api_key: format!("local-{}", random()),
            api_secret: random(),
            signing_keys: vec![random()],
        }
    }
}

/// A secret to sign outcomes with, of 32 random bytes, as `OutcomePushSecretArn` expects it.
pub(crate) fn push_secret() -> String {
    let random = [Uuid::new_v4(), Uuid::new_v4()]
        .map(Uuid::into_bytes)
        .concat();
    let secret = format!("whsec_{}", STANDARD.encode(random));
    json!({"signingSecrets": [secret]}).to_string()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(text: &str) -> Result<ProviderSecret> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        ProviderSecret::read(file.path())
    }

    #[test]
    fn a_secret_of_the_documented_shape_is_read() {
        let secret =
            read(r#"{"apiKey": "k", "apiSecret": "s", "signingKeys": ["one", "two"]}"#).unwrap();
        assert_eq!(secret.signing_keys, ["one", "two"]);
    }

    #[test]
    fn a_refused_secret_is_never_quoted() {
        for text in [
            r#"{"apiKey": "hunter2", "apiSecret": "hunter2"}"#,
            r#"{"apiKey": "hunter2", "apiSecret": "hunter2", "signingKeys": "hunter2"}"#,
            r#"{"apiKey": "hunter2", "apiSecret": "hunter2", "signingKeys": []}"#,
            r#"{"apiKey": "hunter2", "apiSecret": "hunter2", "signingKeys": [""]}"#,
            r#"{"apiKey": "hunter2", "apiSecret": "hunter2", "signingKeys": ["a"], "hunter2": 1}"#,
            "hunter2",
            "",
        ] {
            let message = format!("{:?}", read(text).unwrap_err());
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = ProviderSecret::generate();
        let printed = format!("{secret:?}");
        assert!(!printed.contains(&secret.api_key));
        assert!(!printed.contains(&secret.api_secret));
        assert!(!printed.contains(&secret.signing_keys[0]));
    }
}
