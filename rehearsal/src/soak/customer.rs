//! One customer, from the session to the end of the pairing, with all troubles of her plan. Plays
//! the customer and the provider's staff. Decides nothing about the pairing and asks no function.

use std::time::Duration;

use anyhow::Result;
use harness::{BACK, FRONT, FunctionProcess, Session, Stack, pictures};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use super::plan::{DeniedLater, Kill, Plan, SecondLost};
use super::watcher::Watcher;

/// Pause before the provider's staff sends a lost callback again, as often as it is not answered
/// 200.
const SENT_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Interval of the looks of a customer's own tasks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Sizes of the two files.
pub const FRONT_BYTES: usize = 30_000;
pub const BACK_BYTES: usize = 20_000;

/// A customer's data, and what is needed to judge the end of her pairing.
#[derive(Clone, Debug)]
pub struct CustomerResult {
    pub number: u32,
    pub client_id: String,
    pub scan_ref: String,
    /// SHA-256 of the uploaded files, in hexadecimal.
    pub uploaded: [String; 2],
    /// From the result's announcement to the end of the pairing; `None`: it has not ended.
    pub took: Option<Duration>,
    pub plan: Plan,
    /// How many processes were killed.
    pub killed: usize,
}

/// A customer with her session.
pub struct Customer<'stack> {
    stack: &'stack Stack,
    session: Session<'stack>,
    played: CustomerResult,
    began: Instant,
}

impl<'stack> Customer<'stack> {
    /// Opens a session, uploads both files and scripts the faults of the provider.
    ///
    /// # Errors
    /// A part of the stack does not answer; so for all that follow.
    pub async fn arrive(stack: &'stack Stack, number: u32, plan: Plan) -> Result<Self> {
        let session = stack.session().await?;
        let (front, back) = (pictures::jpeg(FRONT_BYTES), pictures::png(BACK_BYTES));
        let uploaded = [&front, &back].map(|file| hex::encode(Sha256::digest(file)));
        session.upload(FRONT, "image/jpeg", front).await?;
        session.upload(BACK, "image/png", back).await?;
        for fault in &plan.faults {
            session.fault(fault.clone().into()).await?;
        }
        if !plan.outcome.is_empty() {
            session.outcome(plan.outcome.clone().into()).await?;
        }
        let played = CustomerResult {
            number,
            client_id: session.client_id.clone(),
            scan_ref: session.scan_ref.clone(),
            uploaded,
            took: None,
            plan,
            killed: 0,
        };
        Ok(Self {
            stack,
            session,
            played,
            began: Instant::now(),
        })
    }

    /// Finishes the verification. Returns when the first callback has arrived, sent again if need
    /// be.
    pub async fn finish(&mut self) -> Result<()> {
        self.began = Instant::now();
        let (deliveries, killed) = tokio::join!(
            self.session.finish(self.played.plan.finish.clone().into()),
            self.kill()
        );
        let deliveries = deliveries?;
        self.played.killed = killed;
        let mut is_heard = !self.played.plan.first_is_lost && last_is_believed(&deliveries);
        while !is_heard {
            sleep(SENT_AGAIN_AFTER).await;
            let again = json!({"freshLinks": true});
            is_heard = last_is_believed(&self.session.send_again(again).await?);
        }
        Ok(())
    }

    /// Makes up for lost callbacks, waits for the pairing's end and does what the plan has for
    /// afterwards.
    pub async fn follow(mut self, watcher: &Watcher) -> Result<CustomerResult> {
        let ended = async { Ok(watcher.ended(&self.played.scan_ref, self.began).await) };
        let (took, (), ()) = tokio::try_join!(
            ended,
            self.make_up_for_second(watcher),
            self.deny_meanwhile()
        )?;
        self.played.took = Some(took);
        if self.played.plan.repeats > 0 {
            let again = json!({"count": self.played.plan.repeats, "concurrent": true});
            self.session.send_again(again).await?;
        }
        if self.played.plan.denied_later == Some(DeniedLater::Afterwards) {
            self.deny().await?;
        }
        Ok(self.played)
    }

    /// The result so far, for when the deadline comes.
    pub fn so_far(&self) -> CustomerResult {
        self.played.clone()
    }

    async fn kill(&self) -> usize {
        let Some(Kill {
            function,
            after,
            all,
        }) = self.played.plan.kill
        else {
            return 0;
        };
        sleep(after).await;
        let mut processes = FunctionProcess::all(&self.stack.description.endpoint_url);
        processes.retain(|process| process.function.contains(function));
        if !all {
            let number = usize::try_from(self.played.number).unwrap_or_default();
            let chosen = number
                .checked_rem(processes.len())
                .map(|chosen| processes.swap_remove(chosen));
            processes = chosen.into_iter().collect();
        }
        processes.iter().filter(|process| process.kill()).count()
    }

    async fn deny_meanwhile(&self) -> Result<()> {
        if let Some(DeniedLater::Meanwhile(after)) = self.played.plan.denied_later {
            sleep(after).await;
            self.deny().await?;
        }
        Ok(())
    }

    async fn deny(&self) -> Result<()> {
        let mut deliveries = self.session.finish(json!({"overall": "DENIED"})).await?;
        while !last_is_believed(&deliveries) {
            sleep(SENT_AGAIN_AFTER).await;
            deliveries = self.session.send_again(json!({})).await?;
        }
        Ok(())
    }

    /// Makes up for a second callback that the provider has sent in vain: sends it again, or makes
    /// the pairing due for the reconciler.
    async fn make_up_for_second(&self, watcher: &Watcher) -> Result<()> {
        let Some(lost) = self.played.plan.second_is_lost else {
            return Ok(());
        };
        let scan_ref = &self.played.scan_ref;
        while !watcher.is_ended(scan_ref) {
            match (lost, self.second_was_tried().await?) {
                (SecondLost::SentAgain, Some(second)) => {
                    sleep(SENT_AGAIN_AFTER).await;
                    let path = format!("/sessions/{second}/callback");
                    let sandbox = &self.stack.sandbox;
                    sandbox.admin(Method::POST, &path, json!({})).await?;
                }
                (SecondLost::ForGood, Some(_)) => {
                    if self.stack.state(scan_ref).await?.as_deref() == Some("Submitted") {
                        self.session.age().await?;
                    }
                }
                (_, None) => {}
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Token 2's `scanRef`, once its callback was sent.
    async fn second_was_tried(&self) -> Result<Option<String>> {
        let sandbox = &self.stack.sandbox;
        let deliveries = sandbox.deliveries_to(&self.played.client_id).await?;
        let mut others = deliveries
            .iter()
            .filter_map(|delivery| delivery.get("scanRef").and_then(Value::as_str))
            .filter(|scan_ref| *scan_ref != self.played.scan_ref);
        Ok(others.next().map(str::to_owned))
    }
}

/// Whether the last attempt carried the whole body and was answered 200.
fn last_is_believed(deliveries: &[Value]) -> bool {
    deliveries.last().is_some_and(|delivery| {
        delivery.get("status").is_some_and(|status| *status == 200)
            && delivery
                .get("fault")
                .is_none_or(|fault| *fault != "cutBody")
    })
}
