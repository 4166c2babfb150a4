//! One customer's session at the provider, from Token 1 on. Faults and journal are this customer's
//! own.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::objects::StoredObject;
use crate::pairing::PairingRecord;
use crate::pictures;
use crate::stack::Stack;
use crate::wait::{DEADLINE, eventually, eventually_within};

/// The additional step of the sandbox's account for the front of the second document.
pub const FRONT: &str = "SECOND_DOC_FRONT";
/// The one for its back.
pub const BACK: &str = "SECOND_DOC_BACK";

/// A session at the provider: opened there without this project knowing of it, or by way of the
/// API.
#[derive(Debug)]
pub struct Session<'stack> {
    pub(crate) stack: &'stack Stack,
    /// Unique to the test.
    pub client_id: String,
    /// Token 1's.
    pub scan_ref: String,
}

impl Stack {
    /// Opens a session for a new customer, who has uploaded nothing yet.
    pub async fn session(&self) -> Session<'_> {
        let client_id = format!("customer-{}", Uuid::new_v4().simple());
        let answer = self
            .sandbox
            .admin(Method::POST, "/sessions", json!({"clientId": client_id}))
            .await;
        Session {
            stack: self,
            client_id,
            scan_ref: answer["scanRef"].as_str().expect("a scanRef").to_owned(),
        }
    }

    /// Opens a session for a new customer, who has uploaded both sides: a JPEG of 30,000 bytes and
    /// a PNG of 20,000.
    pub async fn session_with_documents(&self) -> Session<'_> {
        let session = self.session().await;
        session
            .upload(FRONT, "image/jpeg", pictures::jpeg(30_000))
            .await;
        session
            .upload(BACK, "image/png", pictures::png(20_000))
            .await;
        session
    }
}

impl<'stack> Session<'stack> {
    /// One that was opened in another way.
    pub fn of(stack: &'stack Stack, client_id: String, scan_ref: String) -> Self {
        Self {
            stack,
            client_id,
            scan_ref,
        }
    }
}

impl Session<'_> {
    /// The customer uploads a file for a step.
    pub async fn upload(&self, step: &str, content_type: &str, bytes: Vec<u8>) {
        self.stack
            .sandbox
            .put_file(&self.scan_ref, step, content_type, bytes)
            .await;
    }

    /// The provider announces the first verification's result, APPROVED unless `result` says
    /// otherwise, and has our answer. Returns the deliveries.
    pub async fn finish(&self, result: Value) -> Vec<Value> {
        self.announce("finish", result).await
    }

    /// The provider sends its last callback again.
    pub async fn send_again(&self, how: Value) -> Vec<Value> {
        self.announce("callback", how).await
    }

    async fn announce(&self, what: &str, how: Value) -> Vec<Value> {
        let path = format!("/sessions/{}/{what}", self.scan_ref);
        let answer = self.stack.sandbox.admin(Method::POST, &path, how).await;
        answer["deliveries"].as_array().expect("a list").clone()
    }

    /// Finishes, and shows that the callback was taken at the first attempt.
    pub async fn finish_and_be_believed(&self, result: Value) {
        let deliveries = self.finish(result).await;
        let statuses: Vec<&Value> = deliveries
            .iter()
            .map(|delivery| &delivery["status"])
            .collect();
        assert_eq!(statuses, [200], "{deliveries:?}");
    }

    /// Scripts a fault that only this customer's requests meet, besides whatever else they have to
    /// match.
    pub async fn fault(&self, mut fault: Value) {
        fault["match"]["clientId"] = json!(self.client_id);
        self.stack
            .sandbox
            .admin(Method::POST, "/faults", fault)
            .await;
    }

    /// What direct processing comes to for this customer.
    pub async fn outcome(&self, outcome: Value) {
        let path = format!("/outcomes/{}", self.client_id);
        self.stack.sandbox.admin(Method::PUT, &path, outcome).await;
    }

    /// The pairing as the table has it.
    pub async fn pairing(&self) -> Option<PairingRecord> {
        self.stack.pairing(&self.scan_ref).await
    }

    /// Waits until the pairing is in `state`.
    pub async fn until(&self, state: &str) -> PairingRecord {
        self.until_within(DEADLINE, state).await
    }

    async fn until_within(&self, patience: Duration, state: &str) -> PairingRecord {
        eventually_within(
            patience,
            format_args!("{} is {state}", self.scan_ref),
            || async {
                match self.pairing().await {
                    Some(pairing) if pairing.state == state => Ok(pairing),
                    Some(pairing) => Err(pairing.to_string()),
                    None => Err("there is no pairing".to_owned()),
                }
            },
        )
        .await
    }

    /// Waits until a revocation is confirmed and recorded, or withdrawn (`None`).
    pub async fn until_revoked(&self, reason: Option<&str>) -> PairingRecord {
        eventually(
            format_args!("{} is revoked: {reason:?}", self.scan_ref),
            || async {
                match self.pairing().await {
                    Some(pairing) if pairing.pairing["revoked"].as_str() == reason => Ok(pairing),
                    Some(pairing) => Err(pairing.to_string()),
                    None => Err("there is no pairing".to_owned()),
                }
            },
        )
        .await
    }

    /// Where the bucket holds the files of the upload that the pairing works with, without the
    /// slash at the end.
    pub async fn folder(&self) -> String {
        let pairing = self.pairing().await.expect("there is a pairing");
        let documents = pairing.pairing["documents"].as_array().expect("documents");
        let newest = documents.last().expect("a document");
        format!(
            "documents/{}/{}",
            self.scan_ref,
            newest["upload"].as_str().expect("an upload")
        )
    }

    /// Waits until the pairing is in one of these states.
    pub async fn until_one_of(&self, states: &[&str]) -> PairingRecord {
        eventually(
            format_args!("{} is one of {states:?}", self.scan_ref),
            || async {
                match self.pairing().await {
                    Some(pairing) if states.contains(&pairing.state.as_str()) => Ok(pairing),
                    Some(pairing) => Err(format!("{pairing}, {:?}", self.history().await)),
                    None => Err("there is no pairing".to_owned()),
                }
            },
        )
        .await
    }

    /// Waits until the pairing is parked for `reason`.
    pub async fn until_parked(&self, reason: &str) -> PairingRecord {
        let pairing = self.until("Parked").await;
        assert_eq!(pairing.reason.as_deref(), Some(reason), "{pairing}");
        pairing
    }

    /// Waits until both results are in and the second is APPROVED.
    pub async fn until_settled(&self) -> PairingRecord {
        self.until_settled_within(DEADLINE).await
    }

    /// The same where the provider may have been left alone for a while.
    pub async fn until_settled_within(&self, patience: Duration) -> PairingRecord {
        let pairing = self.until_within(patience, "Settled").await;
        assert_eq!(pairing.verdict.as_deref(), Some("Approved"), "{pairing}");
        pairing
    }

    /// What was decided, oldest first.
    pub async fn history(&self) -> Vec<String> {
        self.stack.history(&self.scan_ref).await
    }

    /// The requests that the provider got about this customer on one route.
    pub async fn requests(&self, route: &str) -> Vec<Value> {
        let requests = self.stack.sandbox.requests_of(&self.client_id).await;
        requests
            .into_iter()
            .filter(|request| request["route"] == route)
            .collect()
    }

    /// The submissions that the provider accepted.
    pub async fn accepted_submissions(&self) -> Vec<Value> {
        let sessions = self.sessions("DOCUMENT").await;
        sessions
            .into_iter()
            .filter(|session| !session["processedAt"].is_null())
            .collect()
    }

    /// This customer's sessions of one token type at the provider.
    pub async fn sessions(&self, token_type: &str) -> Vec<Value> {
        let path = format!("/sessions?clientId={}", self.client_id);
        let answer = self
            .stack
            .sandbox
            .admin(Method::GET, &path, json!({}))
            .await;
        let sessions = answer["sessions"].as_array().expect("a list");
        sessions
            .iter()
            .filter(|session| session["tokenType"] == token_type)
            .cloned()
            .collect()
    }

    /// Shows that the provider was not asked for a Token 2 and got no documents.
    pub async fn assert_nothing_spent(&self) {
        for route in ["token", "process"] {
            let requests = self.requests(route).await;
            assert!(requests.is_empty(), "{requests:?}");
        }
    }

    /// The objects in the bucket about this session's documents.
    pub async fn documents(&self) -> Vec<StoredObject> {
        self.stack
            .objects(&format!("documents/{}/", self.scan_ref))
            .await
    }

    /// The archived callbacks of the first verification.
    pub async fn archived_callbacks(&self) -> Vec<StoredObject> {
        self.stack
            .objects(&format!("callbacks/{}/", self.scan_ref))
            .await
    }
}
