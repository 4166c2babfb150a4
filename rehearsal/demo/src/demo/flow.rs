//! One customer's way from the session to the verdict. Every step is checked against the provider's
//! journals, the bucket, the table and the queues. The first difference ends the demo.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::documents::{CustomerFile, sha256};
use harness::{Listener, Look, Session, Stack};
use serde_json::{Value, json};
use verification::identifiers::{ScanRef, SecondReference};
use verification::ports::Pairings;
use verification::{Pairing, State, Verdict};

use crate::application::{self, Comparison, Event};
use crate::demo::customer::{Delivery, Request, only, read};
use crate::demo::report::{Report, bytes, megabytes};

/// Deadline of every single wait. One customer's whole flow takes about a second.
const DEADLINE: Duration = Duration::from_secs(30);

/// Entries of a history that are read; one customer's has about ten.
const HISTORY_LIMIT: u16 = 100;

/// The stack that the customers are played on, and the application that listens.
pub struct DemoRun<'stack> {
    pub report: Report,
    pub stack: &'stack Stack,
    pub listener: Listener<'stack>,
}

/// An object in the bucket, read back whole.
struct StoredDocument {
    key: String,
    bytes: u64,
    sha256: String,
    media_type: String,
}

/// # Errors
/// `seen` is not what was expected.
fn expect<T: PartialEq + Debug>(what: &str, expected: T, seen: T) -> Result<()> {
    ensure!(
        seen == expected,
        "{what}: expected {expected:?}, saw {seen:?}"
    );
    Ok(())
}

async fn wait_for<T>(what: &str, look: impl AsyncFnMut() -> Result<Look<T>>) -> Result<T> {
    harness::wait_for(DEADLINE, what, look).await
}

/// A customer, and their files.
pub struct Customer {
    pub client_id: &'static str,
    /// Asked for besides the first document.
    pub uploads: Vec<Upload>,
    /// Whether the provider first announces a result that is not final yet.
    pub announced_early: bool,
}

/// A file for a step of the session, and the side that it must be submitted as.
pub struct Upload {
    pub step: &'static str,
    pub side: &'static str,
    pub file: CustomerFile,
}

impl DemoRun<'_> {
    /// Plays the whole flow for one customer, to a verdict of Approved. Returns the first
    /// verification's `scanRef`.
    ///
    /// # Errors
    /// The first thing that is not as expected.
    pub async fn play(&self, customer: &Customer) -> Result<ScanRef> {
        let first = self.session(customer).await?;
        let mut callbacks = Vec::new();
        if customer.announced_early {
            callbacks.push(self.early_callback(customer, &first).await?);
        }
        let callback = self.first_callback(customer, &first).await?;
        let objects = self.documents_in_bucket(customer, &first).await?;
        let (second, submission) = self.second_verification(customer, &first).await?;
        self.same_everywhere(customer, &objects, &submission)?;
        let settled = self.second_callback(customer, &first, &second).await?;
        callbacks.extend([callback, settled]);
        self.archived(&callbacks).await?;
        self.queues_are_empty().await?;
        let pairing = self.history(&first).await?;
        self.repeated_callback(customer, &first, &pairing).await?;
        self.told_to_the_application(customer, &first, &second)
            .await?;
        self.report
            .step(format_args!("verdict for {}: Approved", customer.client_id));
        Ok(first)
    }

    async fn session(&self, customer: &Customer) -> Result<ScanRef> {
        let steps: Vec<&str> = customer.uploads.iter().map(|upload| upload.step).collect();
        let created = application::create_session(self.stack, customer.client_id, &steps).await?;
        self.report
            .step("the application creates a session: POST /sessions, signed, answered 201");
        self.report.detail("clientId", customer.client_id);
        self.report.detail("scanRef", &created.scan_ref);
        self.report.detail("link", &created.redirect_url);
        self.report.detail("expires", &created.expires_at);
        let scan_ref: ScanRef = created.scan_ref.parse()?;
        let session = self.session_of(customer, &scan_ref);
        for Upload { step, file, .. } in &customer.uploads {
            session
                .upload(step, file.media_type, file.bytes.to_vec())
                .await?;
            self.report
                .step(format_args!("the customer has uploaded {}", file.place()));
            self.report.detail("step", step);
        }
        Ok(scan_ref)
    }

    /// Approved, but not final: nothing may follow from it.
    async fn early_callback(&self, customer: &Customer, first: &ScanRef) -> Result<Delivery> {
        let result = json!({ "overall": "APPROVED", "final": false, "additionalSteps": "VALID" });
        let delivery = only(self.session_of(customer, first).finish(result).await?)?;
        self.answered("first callback, approved but not final", &delivery)?;

        let pairing = self.pairing(first).await?;
        expect(
            "state after a result that is not final",
            "AwaitingCallback",
            pairing.state.name(),
        )?;
        expect(
            "documents after a result that is not final",
            0,
            self.documents(first).await?.len(),
        )?;
        for route in ["file", "process"] {
            let requests = self.requests(customer, route).await?.len();
            expect(
                &format!("requests to {route} after a result that is not final"),
                0,
                requests,
            )?;
        }
        let tokens = self.second_tokens(customer).await?.len();
        expect(
            "requests for a Token 2 after a result that is not final",
            0,
            tokens,
        )?;
        let reason = pairing.state.reason().unwrap_or("no reason");
        self.report.detail(
            "pairing",
            format_args!(
                "{}, {reason}, version {}",
                pairing.state.name(),
                pairing.version
            ),
        );
        self.report.detail(
            "followed by",
            "nothing: no file fetched, no Token 2 asked for, no document in the bucket",
        );
        Ok(delivery)
    }

    async fn first_callback(&self, customer: &Customer, first: &ScanRef) -> Result<Delivery> {
        let result = json!({ "overall": "APPROVED", "final": true, "additionalSteps": "VALID" });
        let delivery = only(self.session_of(customer, first).finish(result).await?)?;
        self.answered(
            "first callback, approved and final, additional steps valid",
            &delivery,
        )?;
        Ok(delivery)
    }

    /// Reads back what the webhook copies after its answer.
    async fn documents_in_bucket(
        &self,
        customer: &Customer,
        first: &ScanRef,
    ) -> Result<Vec<StoredDocument>> {
        let objects = wait_for("documents in the bucket", async || {
            let objects = self.documents(first).await?;
            Ok(if objects.len() == customer.uploads.len() {
                Look::Found(objects)
            } else {
                let expected = customer.uploads.len();
                Look::NotYet(format!("{} of {expected}", objects.len()))
            })
        })
        .await?;
        let total = objects.iter().map(|object| object.bytes).sum();
        self.report.step(format_args!(
            "read back from the bucket: {}",
            megabytes(total)
        ));
        for object in &objects {
            self.report.detail("object", &object.key);
            self.report.detail(
                "",
                format_args!("{}, {}", bytes(object.bytes), object.media_type),
            );
        }
        Ok(objects)
    }

    /// Waits for the processor, and returns Token 2's `scanRef` and the submission.
    async fn second_verification(
        &self,
        customer: &Customer,
        first: &ScanRef,
    ) -> Result<(ScanRef, Request)> {
        let submission = wait_for("submission of the documents", async || {
            let requests = self.requests(customer, "process").await?;
            Ok(
                match requests
                    .into_iter()
                    .find(|request| request.status.is_some())
                {
                    Some(submission) => Look::Found(submission),
                    None => Look::NotYet(format!(
                        "none; the pairing is {}",
                        self.pairing(first).await?.state.name()
                    )),
                },
            )
        })
        .await?;
        let tokens = self.second_tokens(customer).await?;
        expect("requests for a Token 2", 1, tokens.len())?;
        let token = tokens.first().context("no request for a Token 2")?;
        expect(
            "Token 2's externalRef",
            Some(SecondReference::of(first).as_str()),
            token.external_ref.as_deref(),
        )?;
        expect(
            "Token 2's type",
            Some("DOCUMENT"),
            token.token_type.as_deref(),
        )?;
        expect("answer to the submission", Some(200), submission.status)?;
        expect(
            "token of the submission",
            &token.scan_ref,
            &submission.scan_ref,
        )?;

        let second = token.scan_ref.clone().context("Token 2 has no scanRef")?;
        self.report
            .step("second verification, silent: Token 2 created, documents submitted");
        self.report.detail(
            "Token 2",
            format_args!(
                "{}, for the same client",
                token.token_type.as_deref().unwrap_or("?")
            ),
        );
        self.report.detail("scanRef", &second);
        self.report.detail(
            "externalRef",
            token.external_ref.as_deref().unwrap_or("none"),
        );
        self.report.detail(
            "request",
            format_args!(
                "{}, answered 200",
                bytes(submission.request_bytes.unwrap_or_default())
            ),
        );
        Ok((second.parse()?, submission))
    }

    /// The customer's files, the bucket's and the provider's are the same bytes.
    fn same_everywhere(
        &self,
        customer: &Customer,
        objects: &[StoredDocument],
        submission: &Request,
    ) -> Result<()> {
        expect(
            "images in the submission",
            customer.uploads.len(),
            submission.images.len(),
        )?;
        self.report.step("SHA-256 of every file, in three places");
        for Upload { step, side, file } in &customer.uploads {
            let named = |object: &&StoredDocument| object.key.contains(&format!("/{step}."));
            let object = objects
                .iter()
                .find(named)
                .with_context(|| format!("the bucket has no {step}"))?;
            let image = submission.images.iter().find(|image| image.side == *side);
            let image = image.with_context(|| format!("the submission has no {side}"))?;

            self.report
                .note(format_args!("{step}, submitted as {side}"));
            self.report.detail("  uploaded", &file.sha256);
            self.report.detail("  in bucket", &object.sha256);
            self.report.detail("  at provider", &image.sha256);
            expect(
                &format!("{step} in the bucket"),
                &file.sha256,
                &object.sha256,
            )?;
            expect(
                &format!("{step} at the provider"),
                &file.sha256,
                &image.sha256,
            )?;
            expect(
                &format!("bytes of {step} at the provider"),
                file.bytes.len() as u64,
                image.bytes,
            )?;
            expect(
                &format!("media type of {step}"),
                file.media_type,
                &object.media_type,
            )?;
            expect(
                &format!("format of {step}"),
                Some(file.format),
                image.format.as_deref(),
            )?;
        }
        self.report.note("the same bytes");
        Ok(())
    }

    async fn second_callback(
        &self,
        customer: &Customer,
        first: &ScanRef,
        second: &ScanRef,
    ) -> Result<Delivery> {
        let delivery = wait_for("second callback", async || {
            let deliveries = self.stack.sandbox.deliveries_to(customer.client_id).await?;
            let deliveries: Vec<Delivery> = read(deliveries)?;
            let seen = deliveries.len();
            let found = deliveries
                .into_iter()
                .find(|delivery| delivery.scan_ref == second.as_str());
            Ok(found.map_or_else(
                || Look::NotYet(format!("{seen} callbacks, none about Token 2")),
                Look::Found,
            ))
        })
        .await?;
        self.answered("second callback, about Token 2", &delivery)?;
        // The processor confirms the result at the provider and compares it before it settles.
        let pairing = wait_for("settlement", async || {
            // By Token 2's name: the table leads from it to the pairing.
            let pairing = self.pairing(second).await?;
            Ok(match pairing.state {
                State::Settled { .. } => Look::Found(pairing),
                state => Look::NotYet(state.name().to_owned()),
            })
        })
        .await?;
        expect("the pairing that Token 2 leads to", first, &pairing.first)?;
        expect(
            "verdict",
            &Some(Verdict::Approved),
            &pairing.state.verdict(),
        )?;
        self.report.detail(
            "pairing",
            format_args!("{}, version {}", pairing.state.name(), pairing.version),
        );
        Ok(delivery)
    }

    /// Every callback's body lies in the bucket under its own checksum.
    async fn archived(&self, callbacks: &[Delivery]) -> Result<()> {
        self.report
            .step("the callbacks as they were signed, archived under their SHA-256");
        for callback in callbacks {
            let key = format!(
                "callbacks/{}/{}.json",
                callback.scan_ref, callback.body_sha256
            );
            let objects = self.objects(&key).await?;
            let object = objects
                .first()
                .with_context(|| format!("archive: expected {key}, saw nothing"))?;
            expect(
                "checksum of an archived callback",
                &callback.body_sha256,
                &object.sha256,
            )?;
            self.report
                .detail(&bytes(object.bytes), &callback.body_sha256);
        }
        Ok(())
    }

    async fn queues_are_empty(&self) -> Result<()> {
        wait_for("an empty queue", async || {
            let queued = self.queued().await?;
            Ok(if queued == 0 {
                Look::Found(())
            } else {
                Look::NotYet(format!("{queued} messages"))
            })
        })
        .await?;
        let letters = &self.stack.description.dead_letter_queue_url;
        let dead_letters = self.stack.messages_on(letters).await?;
        expect("dead letters", 0, dead_letters)?;
        self.report
            .step("submission queue: 0 messages; dead letters: 0");
        Ok(())
    }

    async fn history(&self, first: &ScanRef) -> Result<Pairing> {
        let history = self.stack.pairings().history(first, HISTORY_LIMIT).await?;
        ensure!(
            history.len() > 1,
            "history: expected several lines, saw {}",
            history.len()
        );
        self.report.step("the pairing's history, from the table");
        for entry in &history {
            let callback = if entry.callback.is_some() {
                "  (callback)"
            } else {
                ""
            };
            let line = format!(
                "{}  {:<24} -> {:<16}{callback}",
                entry.at, entry.what, entry.state
            );
            self.report.note(line.trim_end());
        }
        self.pairing(first).await
    }

    /// Late, when all is over: it is answered, and changes nothing.
    async fn repeated_callback(
        &self,
        customer: &Customer,
        first: &ScanRef,
        before: &Pairing,
    ) -> Result<()> {
        let session = self.session_of(customer, first);
        let delivery = only(session.send_again(json!({})).await?)?;
        self.answered("first callback once more, byte for byte", &delivery)?;
        let after = self.pairing(first).await?;
        expect(
            "version after a repeated callback",
            before.version,
            after.version,
        )?;
        expect("the pairing after a repeated callback", before, &after)?;
        expect(
            "messages after a repeated callback",
            0,
            self.queued().await?,
        )?;
        let tokens = self.second_tokens(customer).await?.len();
        expect("requests for a Token 2 in all", 1, tokens)?;
        let submissions = self.requests(customer, "process").await?.len();
        expect("submissions in all", 1, submissions)?;
        self.report.detail(
            "pairing",
            format_args!("unchanged, version {}", after.version),
        );
        self.report
            .detail("provider", "still one Token 2 and one submission");
        Ok(())
    }

    /// What the application hears, and what it is answered when it asks.
    async fn told_to_the_application(
        &self,
        customer: &Customer,
        first: &ScanRef,
        second: &ScanRef,
    ) -> Result<()> {
        let event = self.event_about(first).await?;
        expect(
            "the event's type",
            "DualVerificationSettled",
            &event.detail_type,
        )?;
        for (member, expected) in [
            ("scanRef", first.as_str()),
            ("secondScanRef", second.as_str()),
            ("clientId", customer.client_id),
            ("verdict", "Approved"),
        ] {
            let seen = event.detail.get(member).and_then(|value| value.as_str());
            expect(&format!("{member} in the event"), Some(expected), seen)?;
        }
        self.report.step("the application has heard one event");
        self.report.detail("type", &event.detail_type);
        for (member, value) in &event.detail {
            let value = match value {
                Value::Null => "none".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            self.report.detail("", format_args!("{member:<14} {value}"));
        }
        let answer = application::verification(self.stack, second).await?;
        expect(
            "state in the API's answer",
            "Settled",
            answer.state.as_str(),
        )?;
        expect(
            "verdict in the API's answer",
            Some("Approved"),
            answer.verdict.as_deref(),
        )?;
        self.report.step(format_args!(
            "GET /verifications/{second}: {}, {}",
            answer.state,
            answer.verdict.as_deref().unwrap_or("no verdict")
        ));
        if let Some(Comparison { person, document }) = &answer.comparison {
            expect("person of the second document", "Same", person.as_str())?;
            expect(
                "second document, compared with the first",
                "Different",
                document.as_str(),
            )?;
            self.report.detail(
                "comparison",
                format_args!("person {person}, document {document}"),
            );
        }
        Ok(())
    }

    /// Waits for the event about a verification; there must be one only.
    async fn event_about(&self, first: &ScanRef) -> Result<Event> {
        wait_for("an event on the bus", async || {
            let heard = self.listener.heard().await?.into_iter().map(Event::read);
            let heard: Vec<Event> = heard.collect::<Result<_>>()?;
            let is_about = |event: &&Event| {
                event.detail.get("scanRef").and_then(|value| value.as_str()) == Some(first.as_str())
            };
            let about: Vec<&Event> = heard.iter().filter(is_about).collect();
            ensure!(about.len() < 2, "expected one event, saw {about:?}");
            Ok(match about.first() {
                Some(&event) => Look::Found(event.clone()),
                None => Look::NotYet(format!("{} events about others", heard.len())),
            })
        })
        .await
    }

    /// A callback must be answered with 200 at the first attempt.
    fn answered(&self, what: &str, delivery: &Delivery) -> Result<()> {
        if delivery.status != Some(200) {
            let error = delivery.error.as_deref().unwrap_or("no error");
            expect(
                &format!("{what}: answer ({error})"),
                Some(200),
                delivery.status,
            )?;
        }
        let result = match delivery.is_final {
            Some(false) => "not final",
            _ => "final",
        };
        self.report.step(format_args!(
            "{what}: answered 200 in {} ms",
            delivery.milliseconds
        ));
        let overall = delivery.overall.as_deref().unwrap_or("no result");
        self.report.detail(
            "event",
            format_args!("{}, {overall}, {result}", delivery.event_type),
        );
        Ok(())
    }

    async fn pairing(&self, scan_ref: &ScanRef) -> Result<Pairing> {
        let pairing = self.stack.pairings().find(scan_ref).await?;
        pairing
            .with_context(|| format!("pairing of {scan_ref}: expected one in the table, saw none"))
    }

    async fn documents(&self, first: &ScanRef) -> Result<Vec<StoredDocument>> {
        self.objects(&format!("documents/{first}/")).await
    }

    async fn objects(&self, prefix: &str) -> Result<Vec<StoredDocument>> {
        let mut objects = Vec::new();
        for object in self.stack.objects(prefix).await? {
            let content = self.stack.content(&object.key).await?;
            objects.push(StoredDocument {
                key: object.key,
                bytes: content.bytes.len() as u64,
                sha256: sha256(&content.bytes),
                media_type: content.media_type,
            });
        }
        Ok(objects)
    }

    async fn queued(&self) -> Result<u64> {
        let queue = &self.stack.description.submission_queue_url;
        self.stack.messages_on(queue).await
    }

    fn session_of(&self, customer: &Customer, first: &ScanRef) -> Session<'_> {
        Session::of(
            self.stack,
            customer.client_id.to_owned(),
            first.as_str().to_owned(),
        )
    }

    /// All requests about a customer to one route, oldest first.
    async fn requests(&self, customer: &Customer, route: &str) -> Result<Vec<Request>> {
        let mut all = self.stack.sandbox.requests_of(customer.client_id).await?;
        all.retain(|request| request.get("route").is_some_and(|known| known == route));
        read(all)
    }

    /// All requests for a Token 2 of a customer, oldest first.
    async fn second_tokens(&self, customer: &Customer) -> Result<Vec<Request>> {
        let mut tokens = self.requests(customer, "token").await?;
        tokens.retain(|request| request.token_type.as_deref() == Some("DOCUMENT"));
        Ok(tokens)
    }
}
