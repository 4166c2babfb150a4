//! One customer's session at the provider, from Token 1 on. Faults and journal are this customer's
//! own.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::json::{list, text};
use crate::objects::StoredObject;
use crate::pairing::PairingRecord;
use crate::pictures;
use crate::stack::Stack;
use crate::wait::{DEADLINE, Look, wait_for};

/// The additional step of the sandbox's account for the front of the second document.
pub const FRONT: &str = "SECOND_DOC_FRONT";
/// The one for its back.
pub const BACK: &str = "SECOND_DOC_BACK";

/// A session at the provider, opened there directly or through the API.
#[derive(Debug)]
pub struct Session<'stack> {
    pub(crate) stack: &'stack Stack,
    /// Unique to the test.
    pub client_id: String,
    /// Token 1's.
    pub scan_ref: String,
}

impl Stack {
    /// Opens a session for a new customer who has uploaded nothing yet.
    ///
    /// # Errors
    /// The sandbox refuses, or does not answer.
    pub async fn session(&self) -> Result<Session<'_>> {
        let client_id = format!("customer-{}", Uuid::new_v4().simple());
        let request = json!({"clientId": client_id});
        let answer = self
            .sandbox
            .admin(Method::POST, "/sessions", request)
            .await?;
        let scan_ref = text(&answer, "scanRef")?.to_owned();
        Ok(Session::of(self, client_id, scan_ref))
    }

    /// Opens a session for a new customer who has uploaded both sides: a JPEG of 30,000 bytes and a
    /// PNG of 20,000.
    ///
    /// # Errors
    /// The sandbox refuses, or does not answer.
    pub async fn session_with_documents(&self) -> Result<Session<'_>> {
        let session = self.session().await?;
        session.upload_both(30_000, 20_000).await?;
        Ok(session)
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
    ///
    /// # Errors
    /// The stack does not answer. The same holds for every method here.
    pub async fn upload(&self, step: &str, content_type: &str, bytes: Vec<u8>) -> Result<()> {
        self.stack
            .sandbox
            .put_file(&self.scan_ref, step, content_type, bytes)
            .await
    }

    /// The customer uploads a JPEG and a PNG of these sizes, for front and back.
    pub async fn upload_both(&self, front: usize, back: usize) -> Result<()> {
        self.upload(FRONT, "image/jpeg", pictures::jpeg(front))
            .await?;
        self.upload(BACK, "image/png", pictures::png(back)).await
    }

    /// The provider announces the first verification's result and has our answer. The result is
    /// APPROVED unless `result` says otherwise. Returns the deliveries.
    pub async fn finish(&self, result: Value) -> Result<Vec<Value>> {
        self.announce("finish", result).await
    }

    /// The provider sends its last callback again.
    pub async fn send_again(&self, how: Value) -> Result<Vec<Value>> {
        self.announce("callback", how).await
    }

    async fn announce(&self, what: &str, how: Value) -> Result<Vec<Value>> {
        let path = format!("/sessions/{}/{what}", self.scan_ref);
        let answer = self.stack.sandbox.admin(Method::POST, &path, how).await?;
        Ok(list(&answer, "deliveries")?.to_vec())
    }

    /// Finishes the session.
    ///
    /// # Errors
    /// The callback was not answered with 200 at the first attempt.
    pub async fn finish_expecting_200(&self, result: Value) -> Result<()> {
        let deliveries = self.finish(result).await?;
        ensure!(
            deliveries.len() == 1 && deliveries.iter().all(|one| one["status"] == 200),
            "expected one attempt answered with 200: {deliveries:?}"
        );
        Ok(())
    }

    /// Scripts a fault that only this customer's requests meet. `fault` may have further
    /// conditions.
    pub async fn fault(&self, mut fault: Value) -> Result<()> {
        fault["match"]["clientId"] = json!(self.client_id);
        let sandbox = &self.stack.sandbox;
        sandbox.admin(Method::POST, "/faults", fault).await?;
        Ok(())
    }

    /// Sets the outcome of direct processing for this customer.
    pub async fn outcome(&self, outcome: Value) -> Result<()> {
        let path = format!("/outcomes/{}", self.client_id);
        self.stack
            .sandbox
            .admin(Method::PUT, &path, outcome)
            .await?;
        Ok(())
    }

    /// The pairing as the table has it.
    pub async fn pairing(&self) -> Result<Option<PairingRecord>> {
        self.stack.pairing(&self.scan_ref).await
    }

    /// Waits until the pairing is as wanted.
    async fn until_it(
        &self,
        patience: Duration,
        what: String,
        is_it: impl Fn(&PairingRecord) -> bool,
    ) -> Result<PairingRecord> {
        let waited = wait_for(patience, what, async || {
            Ok(match self.pairing().await? {
                Some(pairing) if is_it(&pairing) => Look::Found(pairing),
                Some(pairing) => Look::NotYet(pairing.to_string()),
                None => Look::NotYet("there is no pairing".to_owned()),
            })
        });
        match waited.await {
            Ok(pairing) => Ok(pairing),
            Err(error) => {
                let history = self.history().await?;
                Err(error.context(format!("decided so far: {history:?}")))
            }
        }
    }

    /// Waits until the pairing is in `state`.
    pub async fn until(&self, state: &str) -> Result<PairingRecord> {
        self.until_within(DEADLINE, state).await
    }

    async fn until_within(&self, patience: Duration, state: &str) -> Result<PairingRecord> {
        let what = format!("{} is {state}", self.scan_ref);
        self.until_it(patience, what, |pairing| pairing.state == state)
            .await
    }

    /// Waits until a revocation is confirmed and recorded, or withdrawn (`None`).
    pub async fn until_revoked(&self, reason: Option<&str>) -> Result<PairingRecord> {
        let what = format!("{} is revoked: {reason:?}", self.scan_ref);
        self.until_it(DEADLINE, what, |pairing| {
            pairing.pairing["revoked"].as_str() == reason
        })
        .await
    }

    /// The folder of the upload that the pairing works with, without a slash at its end.
    pub async fn folder(&self) -> Result<String> {
        let pairing = self.pairing().await?.context("there is no pairing")?;
        let documents = list(&pairing.pairing, "documents")?;
        let newest = documents.last().context("the pairing has no document")?;
        let upload = text(newest, "upload")?;
        Ok(format!("documents/{}/{upload}", self.scan_ref))
    }

    /// Waits until the pairing is in one of these states.
    pub async fn until_one_of(&self, states: &[&str]) -> Result<PairingRecord> {
        let what = format!("{} is one of {states:?}", self.scan_ref);
        self.until_it(DEADLINE, what, |pairing| states.contains(&&*pairing.state))
            .await
    }

    /// Waits until the pairing is parked.
    ///
    /// # Errors
    /// It is parked for another reason.
    pub async fn until_parked(&self, reason: &str) -> Result<PairingRecord> {
        let pairing = self.until("Parked").await?;
        ensure!(
            pairing.reason.as_deref() == Some(reason),
            "expected {reason}, saw {pairing}"
        );
        Ok(pairing)
    }

    /// Waits until both results are in.
    ///
    /// # Errors
    /// The verdict is not Approved.
    pub async fn until_settled(&self) -> Result<PairingRecord> {
        self.until_settled_within(DEADLINE).await
    }

    /// As [`until_settled`](Self::until_settled), where the circuit may have been open for a while.
    ///
    /// # Errors
    /// The verdict is not Approved.
    pub async fn until_settled_within(&self, patience: Duration) -> Result<PairingRecord> {
        let pairing = self.until_within(patience, "Settled").await?;
        ensure!(
            pairing.verdict.as_deref() == Some("Approved"),
            "expected Approved, saw {pairing}"
        );
        Ok(pairing)
    }

    /// What was decided, oldest first.
    pub async fn history(&self) -> Result<Vec<String>> {
        self.stack.history(&self.scan_ref).await
    }

    /// The requests that the provider got about this customer on one route.
    pub async fn requests(&self, route: &str) -> Result<Vec<Value>> {
        let mut requests = self.stack.sandbox.requests_of(&self.client_id).await?;
        requests.retain(|request| request["route"] == route);
        Ok(requests)
    }

    /// The submissions that the provider accepted.
    pub async fn accepted_submissions(&self) -> Result<Vec<Value>> {
        let mut sessions = self.sessions("DOCUMENT").await?;
        sessions.retain(|session| !session["processedAt"].is_null());
        Ok(sessions)
    }

    /// This customer's sessions of one token type at the provider.
    pub async fn sessions(&self, token_type: &str) -> Result<Vec<Value>> {
        let path = format!("/sessions?clientId={}", self.client_id);
        let sandbox = &self.stack.sandbox;
        let answer = sandbox.admin(Method::GET, &path, json!({})).await?;
        let mut sessions = list(&answer, "sessions")?.to_vec();
        sessions.retain(|session| session["tokenType"] == token_type);
        Ok(sessions)
    }

    /// # Errors
    /// The provider was asked for a Token 2, or got documents.
    pub async fn assert_nothing_spent(&self) -> Result<()> {
        for route in ["token", "process"] {
            let requests = self.requests(route).await?;
            ensure!(requests.is_empty(), "something was spent: {requests:?}");
        }
        Ok(())
    }

    /// The objects in the bucket about this session's documents.
    pub async fn documents(&self) -> Result<Vec<StoredObject>> {
        let prefix = format!("documents/{}/", self.scan_ref);
        self.stack.objects(&prefix).await
    }

    /// The archived callbacks of the first verification.
    pub async fn archived_callbacks(&self) -> Result<Vec<StoredObject>> {
        let prefix = format!("callbacks/{}/", self.scan_ref);
        self.stack.objects(&prefix).await
    }
}
