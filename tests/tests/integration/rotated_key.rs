//! A key of iDenfy's API that was rotated while a function was running.

use std::sync::Arc;

use adapters::{Credentials, DynamoCircuits, IdenfyCaller, Secrets};
use harness::Stack;
use serde_json::{Value, json};
use uuid::Uuid;
use verification::Breaker;
use verification::observation::Observation;
use verification::ports::{ProviderError, StatusSource};

use crate::adapters::pairings::private_table;
use crate::adapters::{Notes, SettableClock};

struct Caller {
    secret: String,
    clock: Arc<SettableClock>,
    notes: Arc<Notes>,
    idenfy: IdenfyCaller,
}

async fn secrets(stack: &Stack, operation: &str, mut request: Value) -> Value {
    request["ClientRequestToken"] = json!(Uuid::new_v4().to_string());
    let target = format!("secretsmanager.{operation}");
    let answer = stack
        .emulator
        .call("secretsmanager", &target, "1.1", &request);
    answer.await.unwrap()
}

impl Caller {
    /// With a circuit and a secret of its own.
    async fn start(stack: &Stack, secret: &Value) -> Self {
        let name = format!("private-{}", Uuid::new_v4().simple());
        let request = json!({"Name": name, "SecretString": secret.to_string()});
        secrets(stack, "CreateSecret", request).await;
        let (clock, notes) = (Arc::new(SettableClock::new()), Arc::new(Notes::default()));
        let known =
            Secrets::<Credentials>::new(stack.http.clone(), &stack.sdk, &name, clock.clone());
        known.current().await.unwrap();
        let circuits = DynamoCircuits::new(&stack.sdk, private_table(stack).await, clock.clone());
        let breaker = Breaker::new(Arc::new(circuits), clock.clone(), notes.clone());
        let idenfy = IdenfyCaller::new(
            stack.http.clone(),
            stack.description.sandbox_url.parse().unwrap(),
            Arc::new(known),
            clock.clone(),
            notes.clone(),
            Arc::new(breaker),
        );
        Self {
            secret: name,
            clock,
            notes,
            idenfy,
        }
    }

    async fn put(&self, stack: &Stack, secret: &Value) {
        let request = json!({"SecretId": self.secret, "SecretString": secret.to_string()});
        secrets(stack, "PutSecretValue", request).await;
    }

    /// The errors of the calls that were counted.
    fn counted(&self) -> Vec<Option<&'static str>> {
        let notes = self.notes.0.lock().unwrap();
        let errors = notes.iter().filter_map(|note| match note {
            Observation::ProviderCall { error, .. } => Some(*error),
            _ => None,
        });
        errors.collect()
    }
}

#[tokio::test]
async fn a_key_that_was_replaced_is_no_refusal() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let scan_ref = session.scan_ref.parse().unwrap();
    let right = stack.secret().await.unwrap();
    let wrong = json!({"apiKey": "revoked", "apiSecret": "revoked"});
    let caller = Caller::start(&stack, &wrong).await;
    caller.put(&stack, &right).await;
    caller.clock.advance(60_000);
    caller.idenfy.status(&scan_ref).await.unwrap();
    assert_eq!(caller.counted(), [None], "the account is in order");

    // Revoked, and nothing newer in the secret: this is for somebody to mend.
    caller.put(&stack, &wrong).await;
    caller.clock.advance(5 * 60_000);
    let refused = caller.idenfy.status(&scan_ref).await.unwrap_err();
    assert!(
        matches!(refused, ProviderError::Refused { .. }),
        "{refused:?}"
    );
    assert_eq!(caller.counted().len(), 2);
    assert!(caller.counted()[1].is_some());
}
