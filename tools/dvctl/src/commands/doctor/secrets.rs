//! Checks what the secrets hold, and who reads it.

use adapters::{Credentials, Secret, SigningKeys};

use super::Check;
use crate::commands::Context;
use crate::failure::Failure;
use crate::stack::SecretParameter;

/// The checks, and what other checks need.
pub struct Secrets {
    pub checks: Vec<Check>,
    pub credentials: Option<Credentials>,
    pub signing_keys: Option<SigningKeys>,
}

pub async fn check(context: &Context<'_>) -> Secrets {
    let idenfy = read(context, SecretParameter::Idenfy).await;
    match context.stack.signing_secret() {
        SecretParameter::Idenfy => one(idenfy),
        SecretParameter::Signing => two(idenfy, read(context, SecretParameter::Signing).await),
    }
}

async fn read(context: &Context<'_>, parameter: SecretParameter) -> Result<Secret, Failure> {
    let secret = context.secret::<Secret>(parameter).await?;
    Ok(Secret::clone(&secret))
}

const SECRET: &str = "secret";
const SIGNING_SECRET: &str = "signing secret";

/// One secret for everything.
fn one(secret: Result<Secret, Failure>) -> Secrets {
    let secret = match secret {
        Ok(secret) => secret,
        Err(failure) => return unusable(vec![Check::of(SECRET, &failure)]),
    };
    let check = match (&secret.credentials, &secret.signing_keys) {
        (Some(_), Some(keys)) => judge_keys(SECRET, keys).unwrap_or_else(|| {
            Check::ok(
                SECRET,
                "readable and complete; who reads it has API credentials and signing keys \
                 (SigningSecretArn parts them)",
            )
        }),
        (None, _) => lacks(SECRET, SecretParameter::Idenfy, "apiKey and apiSecret"),
        (_, None) => lacks(SECRET, SecretParameter::Idenfy, "signingKeys"),
    };
    Secrets {
        checks: vec![check],
        credentials: secret.credentials,
        signing_keys: secret.signing_keys,
    }
}

/// Each half by itself.
fn two(idenfy: Result<Secret, Failure>, signing: Result<Secret, Failure>) -> Secrets {
    let (first, credentials) = match idenfy {
        Err(failure) => (Check::of(SECRET, &failure), None),
        Ok(secret) => {
            let check = match (&secret.credentials, &secret.signing_keys) {
                (None, _) => lacks(SECRET, SecretParameter::Idenfy, "apiKey and apiSecret"),
                (Some(_), Some(_)) => Check::warning(
                    SECRET,
                    "it still has signing keys, for which nothing reads it",
                    "once SigningSecretArn is deployed, take signingKeys out of the secret that \
                     IdenfySecretArn names",
                ),
                (Some(_), None) => Check::ok(SECRET, "readable; API credentials alone"),
            };
            (check, secret.credentials)
        }
    };
    let (second, signing_keys) = match signing {
        Err(failure) => (Check::of(SIGNING_SECRET, &failure), None),
        Ok(secret) => {
            let check = match (&secret.signing_keys, &secret.credentials) {
                (None, _) => lacks(SIGNING_SECRET, SecretParameter::Signing, "signingKeys"),
                (Some(_), Some(_)) => Check::warning(
                    SIGNING_SECRET,
                    "it has API credentials too, which the webhook must not read",
                    "take apiKey and apiSecret out of the secret that SigningSecretArn names",
                ),
                (Some(keys), None) => judge_keys(SIGNING_SECRET, keys)
                    .unwrap_or_else(|| Check::ok(SIGNING_SECRET, "readable; signing keys alone")),
            };
            (check, secret.signing_keys)
        }
    };
    Secrets {
        checks: vec![first, second],
        credentials,
        signing_keys,
    }
}

const fn unusable(checks: Vec<Check>) -> Secrets {
    Secrets {
        checks,
        credentials: None,
        signing_keys: None,
    }
}

fn lacks(name: &'static str, parameter: SecretParameter, members: &str) -> Check {
    Check::failed(
        name,
        format!("it lacks {members}"),
        format!(
            "put {members} into the secret that {} names",
            parameter.name()
        ),
    )
}

/// Bytes of a signing key that nobody can guess: those of the HMAC's digest (RFC 2104, section 3).
const SAFE_KEY: usize = 32;

/// What is wrong with the keys.
fn judge_keys(name: &'static str, keys: &SigningKeys) -> Option<Check> {
    let short = keys.shortest();
    (short < SAFE_KEY).then(|| {
        Check::warning(
            name,
            format!("a signing key has {short} bytes: one signed callback lets it be guessed"),
            "make a longer one (`openssl rand -hex 32`) and rotate to it, see docs/DEPLOYING.md",
        )
    })
}

#[cfg(test)]
mod tests {
    use adapters::SecretContent;

    use super::super::Health::{self, Failed, Ok as Fine, Warning};
    use super::*;

    const BOTH: &str = r#"{"apiKey": "k", "apiSecret": "s",
        "signingKeys": ["0123456789abcdef0123456789abcdef"]}"#;
    const API: &str = r#"{"apiKey": "k", "apiSecret": "s"}"#;
    const KEYS: &str = r#"{"signingKeys": ["0123456789abcdef0123456789abcdef"]}"#;
    const SHORT_KEYS: &str = r#"{"signingKeys": ["0123456789abcdef0123456789abcdef", "short"]}"#;

    fn secret(text: &str) -> Result<Secret, Failure> {
        Secret::parse(text).map_err(|error| Failure::new("malformed").because(error))
    }

    fn results(secrets: &Secrets) -> Vec<Health> {
        secrets.checks.iter().map(|check| check.result).collect()
    }

    #[test]
    fn one_secret_must_hold_both_halves() {
        for (text, result) in [(BOTH, Fine), (API, Failed), (KEYS, Failed), ("", Failed)] {
            assert_eq!(results(&one(secret(text))), [result], "{text}");
        }
        let whole = one(secret(BOTH));
        assert!(whole.credentials.is_some() && whole.signing_keys.is_some());
    }

    #[test]
    fn two_secrets_must_not_hold_what_the_other_is_for() {
        for (idenfy, signing, expected) in [
            (API, KEYS, [Fine, Fine]),
            (BOTH, KEYS, [Warning, Fine]),
            (API, BOTH, [Fine, Warning]),
            (API, SHORT_KEYS, [Fine, Warning]),
            (KEYS, API, [Failed, Failed]),
            ("", KEYS, [Failed, Fine]),
        ] {
            let found = two(secret(idenfy), secret(signing));
            assert_eq!(results(&found), expected, "{idenfy} {signing}");
        }
        let parted = two(secret(API), secret(KEYS));
        assert!(parted.credentials.is_some() && parted.signing_keys.is_some());
    }
}
