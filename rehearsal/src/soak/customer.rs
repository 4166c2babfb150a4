//! One customer, from the session to the end of the pairing, with everything that her plan has go
//! wrong. Plays the customer and the provider's staff; decides nothing about the pairing and
//! believes nothing that a function says.

use std::time::Duration;

use harness::{BACK, FRONT, FunctionProcess, Session, Stack, pictures};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use super::plan::{DeniedLater, Kill, Plan, SecondLost};
use super::watcher::Watcher;

/// The provider's staff sends a lost callback again after so long, and again after so long if that
/// was not answered 200 either.
const SENT_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// How often a customer's own tasks look at something.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Sizes of the two files.
pub const FRONT_BYTES: usize = 30_000;
pub const BACK_BYTES: usize = 20_000;

/// A customer who has been played, with what is needed to judge what became of her.
#[derive(Clone, Debug)]
pub struct Played {
    pub number: u32,
    pub client_id: String,
    pub scan_ref: String,
    /// SHA-256 of the uploaded files, in hexadecimal.
    pub uploaded: [String; 2],
    /// From the result's announcement to the end of the pairing; `None`: it has not come to one.
    pub took: Option<Duration>,
    pub plan: Plan,
    /// How many processes were killed.
    pub killed: usize,
}

/// A customer with her session.
pub struct Customer<'stack> {
    stack: &'stack Stack,
    session: Session<'stack>,
    played: Played,
    began: Instant,
}

impl<'stack> Customer<'stack> {
    /// Opens a session, uploads both files and scripts what is to go wrong at the provider.
    pub async fn arrive(stack: &'stack Stack, number: u32, plan: Plan) -> Self {
        let session = stack.session().await;
        let (front, back) = (pictures::jpeg(FRONT_BYTES), pictures::png(BACK_BYTES));
        let uploaded = [&front, &back].map(|file| hex::encode(Sha256::digest(file)));
        session.upload(FRONT, "image/jpeg", front).await;
        session.upload(BACK, "image/png", back).await;
        for fault in &plan.faults {
            session.fault(fault.clone().into()).await;
        }
        if !plan.outcome.is_empty() {
            session.outcome(plan.outcome.clone().into()).await;
        }
        let played = Played {
            number,
            client_id: session.client_id.clone(),
            scan_ref: session.scan_ref.clone(),
            uploaded,
            took: None,
            plan,
            killed: 0,
        };
        Self {
            stack,
            session,
            played,
            began: Instant::now(),
        }
    }

    /// Finishes the verification; returns when the first callback has arrived, by itself or because
    /// it was sent again.
    pub async fn finish(&mut self) {
        self.began = Instant::now();
        let (deliveries, killed) = tokio::join!(
            self.session.finish(self.played.plan.finish.clone().into()),
            self.kill()
        );
        self.played.killed = killed;
        let mut is_heard = !self.played.plan.first_is_lost && last_is_believed(&deliveries);
        while !is_heard {
            sleep(SENT_AGAIN_AFTER).await;
            is_heard =
                last_is_believed(&self.session.send_again(json!({"freshLinks": true})).await);
        }
    }

    /// Sees to it that the pairing can come to its end, waits for that and does what the plan has
    /// for afterwards.
    pub async fn follow(mut self, watcher: &Watcher) -> Played {
        let (took, (), ()) = tokio::join!(
            watcher.ended(&self.played.scan_ref, self.began),
            self.make_up_for_second(watcher),
            self.deny_meanwhile()
        );
        self.played.took = Some(took);
        if self.played.plan.repeats > 0 {
            let again = json!({"count": self.played.plan.repeats, "concurrent": true});
            self.session.send_again(again).await;
        }
        if self.played.plan.denied_later == Some(DeniedLater::Afterwards) {
            self.deny().await;
        }
        self.played
    }

    /// Who this is, for whoever has to give up waiting.
    pub fn so_far(&self) -> Played {
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

    async fn deny_meanwhile(&self) {
        if let Some(DeniedLater::Meanwhile(after)) = self.played.plan.denied_later {
            sleep(after).await;
            self.deny().await;
        }
    }

    async fn deny(&self) {
        let mut deliveries = self.session.finish(json!({"overall": "DENIED"})).await;
        while !last_is_believed(&deliveries) {
            sleep(SENT_AGAIN_AFTER).await;
            deliveries = self.session.send_again(json!({})).await;
        }
    }

    /// A second callback that the provider has tried to send in vain: sent again, or the time has
    /// come in which it is asked for.
    async fn make_up_for_second(&self, watcher: &Watcher) {
        let Some(lost) = self.played.plan.second_is_lost else {
            return;
        };
        let scan_ref = &self.played.scan_ref;
        while !watcher.is_ended(scan_ref) {
            let tried = self.second_was_tried().await;
            match (lost, tried) {
                (SecondLost::SentAgain, Some(second)) => {
                    sleep(SENT_AGAIN_AFTER).await;
                    let path = format!("/sessions/{second}/callback");
                    self.stack
                        .sandbox
                        .admin(Method::POST, &path, json!({}))
                        .await;
                }
                (SecondLost::ForGood, Some(_))
                    if self.stack.state(scan_ref).await.as_deref() == Some("Submitted") =>
                {
                    self.session.age().await;
                }
                _ => {}
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Token 2's `scanRef`, once its callback was sent.
    async fn second_was_tried(&self) -> Option<String> {
        let deliveries = self
            .stack
            .sandbox
            .deliveries_to(&self.played.client_id)
            .await;
        let mut others = deliveries
            .iter()
            .filter_map(|delivery| delivery.get("scanRef").and_then(Value::as_str));
        others
            .find(|scan_ref| *scan_ref != self.played.scan_ref)
            .map(str::to_owned)
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
