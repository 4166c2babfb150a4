//! The secret and its rotation, with a clock that is moved.

use std::sync::Arc;

use adapters::{Credentials, SecretError, Secrets, SigningKeys};
use bytes::Bytes;
use harness::{Stack, sign};
use serde_json::json;
use uuid::Uuid;

use super::SettableClock;

const BODY: &[u8] = br#"{"scanRef": "first"}"#;

struct Rotation {
    stack: Stack,
    arn: String,
    clock: Arc<SettableClock>,
    secrets: Secrets<SigningKeys>,
}

impl Rotation {
    async fn start(keys: &[&str]) -> Self {
        let stack = Stack::shared().await.unwrap();
        let request = json!({
            "Name": format!("private-{}", Uuid::new_v4().simple()),
            "SecretString": secret(keys),
            "ClientRequestToken": Uuid::new_v4().to_string(),
        });
        let target = "secretsmanager.CreateSecret";
        let created = stack
            .emulator
            .call("secretsmanager", target, "1.1", &request)
            .await
            .unwrap();
        let arn = created["ARN"].as_str().unwrap().to_owned();
        let clock = Arc::new(SettableClock::new());
        let secrets = Secrets::new(stack.http.clone(), &stack.sdk, &arn, clock.clone());
        Self {
            stack,
            arn,
            clock,
            secrets,
        }
    }

    async fn put(&self, text: String) {
        let request = json!({
            "SecretId": self.arn,
            "SecretString": text,
            "ClientRequestToken": Uuid::new_v4().to_string(),
        });
        let target = "secretsmanager.PutSecretValue";
        let emulator = &self.stack.emulator;
        emulator
            .call("secretsmanager", target, "1.1", &request)
            .await
            .unwrap();
    }

    async fn accepts(&self, key: &str) -> bool {
        let signature = sign(key, BODY);
        let verified = self
            .secrets
            .verify(Bytes::from_static(BODY), Some(signature.as_bytes()))
            .await;
        verified.expect("there is a secret").is_ok()
    }
}

fn secret(keys: &[&str]) -> String {
    json!({"apiKey": "user", "apiSecret": "password", "signingKeys": keys}).to_string()
}

#[tokio::test]
async fn a_new_key_is_accepted_once_the_last_reading_is_a_minute_old() {
    let rotation = Rotation::start(&["one", "before"]).await;
    assert!(rotation.accepts("one").await && rotation.accepts("before").await);
    rotation.put(secret(&["two", "one"])).await;

    rotation.clock.advance(59_999);
    assert!(!rotation.accepts("two").await, "not read again yet");
    assert!(rotation.accepts("one").await);
    rotation.clock.advance(1);
    assert!(rotation.accepts("two").await);
    assert!(rotation.accepts("one").await);
    assert!(!rotation.accepts("before").await, "it was taken out");
}

#[tokio::test]
async fn a_secret_that_is_spoilt_later_leaves_the_known_keys_in_force() {
    let rotation = Rotation::start(&["one"]).await;
    assert!(rotation.accepts("one").await);
    rotation.put("not JSON".to_owned()).await;
    rotation.clock.advance(60_000);
    assert!(!rotation.accepts("two").await);
    assert!(rotation.accepts("one").await);

    rotation.put(secret(&["two"])).await;
    assert!(
        rotation.accepts("two").await,
        "a failed reading does not count as one"
    );
}

#[tokio::test]
async fn a_key_that_was_taken_out_dies_within_five_minutes() {
    let rotation = Rotation::start(&["one", "leaked"]).await;
    assert!(rotation.accepts("leaked").await);
    rotation.put(secret(&["one"])).await;
    rotation.clock.advance(5 * 60_000 - 1);
    assert!(rotation.accepts("leaked").await, "nothing is read");
    rotation.clock.advance(1);
    assert!(!rotation.accepts("leaked").await);
    assert!(rotation.accepts("one").await);

    // An unreadable secret changes nothing, and is read again after a minute.
    rotation.put("not JSON".to_owned()).await;
    rotation.clock.advance(5 * 60_000);
    assert!(rotation.accepts("one").await);
    rotation.put(secret(&["two"])).await;
    rotation.clock.advance(59_999);
    assert!(rotation.accepts("one").await);
    rotation.clock.advance(1);
    assert!(!rotation.accepts("one").await);
}

#[tokio::test]
async fn refused_credentials_lead_to_newer_ones_at_most_once_a_minute() {
    let rotation = Rotation::start(&["one"]).await;
    let stale = rotation.secrets.current().await.unwrap();
    assert!(rotation.secrets.newer_than(&stale).await.unwrap().is_none());
    rotation.clock.advance(60_000);
    let newer = rotation
        .secrets
        .newer_than(&stale)
        .await
        .unwrap()
        .expect("a minute has passed");
    assert!(
        Arc::ptr_eq(
            &newer,
            &rotation.secrets.newer_than(&stale).await.unwrap().unwrap()
        ),
        "known already"
    );
    assert!(rotation.secrets.newer_than(&newer).await.unwrap().is_none());
}

#[tokio::test]
async fn a_missing_or_malformed_secret_shows_nothing() {
    let stack = Stack::shared().await.unwrap();
    let missing = Secrets::<Credentials>::new(
        stack.http.clone(),
        &stack.sdk,
        "no-such-secret",
        Arc::new(SettableClock::new()),
    );
    assert!(matches!(
        missing.current().await,
        Err(SecretError::Unavailable(_))
    ));

    let rotation = Rotation::start(&["one"]).await;
    rotation
        .put(json!({"apiKey": "hidden", "apiSecret": "hidden"}).to_string())
        .await;
    let error = rotation.secrets.current().await.unwrap_err();
    assert!(matches!(error, SecretError::Malformed { .. }));
    assert!(!format!("{error} {error:?}").contains("hidden"));
}
