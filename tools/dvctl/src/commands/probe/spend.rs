//! One submission to direct processing, and its result.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use idenfy::{Error, Image, OverallWord, Submission};
use serde_json::{Map, Value};
use verification::document::FileType;
use verification::identifiers::ScanRef;

use super::account::DeployedStack;
use super::calls::{Probe, ProbeToken};
use super::facts::Topic;
use super::refusal::{describe, refused};
use crate::commands::check::Check;
use crate::failure::Failure;
use crate::when::describe as describe_time;

const NAME: &str = "submission";

/// Drawn cards that say that they are no documents.
const FRONT: &[u8] = include_bytes!("../../../specimen/front.jpg");
const BACK: &[u8] = include_bytes!("../../../specimen/back.jpg");

/// Pauses between two questions for the result. iDenfy dislikes polling.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// How long a callback may follow the status.
const CALLBACK_PATIENCE: Duration = Duration::from_secs(60);
const CALLBACK_PAUSE: Duration = Duration::from_secs(3);

/// What is submitted.
pub struct Specimen {
    country: String,
    images: Vec<(&'static str, Bytes)>,
    is_drawn: bool,
}

impl Specimen {
    /// The given files, or the drawn cards.
    ///
    /// # Errors
    /// A file cannot be read, or is nothing that direct processing takes.
    pub async fn read(
        front: Option<PathBuf>,
        back: Option<PathBuf>,
        country: String,
    ) -> Result<Self, Failure> {
        let Some(front) = front else {
            return Ok(Self {
                country,
                images: vec![
                    ("FRONT", Bytes::from_static(FRONT)),
                    ("BACK", Bytes::from_static(BACK)),
                ],
                is_drawn: true,
            });
        };
        let mut images = vec![("FRONT", picture(front).await?)];
        if let Some(back) = back {
            images.push(("BACK", picture(back).await?));
        }
        Ok(Self {
            country,
            images,
            is_drawn: false,
        })
    }

    fn submission(&self, probe: &Probe<'_>, token: &ProbeToken) -> Submission {
        let image = |(step, bytes): &(&str, Bytes)| {
            let bytes = bytes.clone();
            Image {
                step: (*step).to_owned(),
                length: bytes.len() as u64,
                content: futures_util::stream::once(async move { Ok(bytes) }).boxed(),
            }
        };
        Submission {
            token: token.auth_token.clone(),
            token_field: probe.token_field(),
            country: self.country.clone(),
            document_type: None,
            images: self.images.iter().map(image).collect(),
        }
    }
}

async fn picture(file: PathBuf) -> Result<Bytes, Failure> {
    let shown = file.display().to_string();
    let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
    let bytes = read
        .map_err(|error| Failure::new("reading was broken off").because(error))?
        .map_err(|error| Failure::usage(format!("{shown} cannot be read")).because(error))?;
    match FileType::sniff(&bytes) {
        Some(FileType::Jpeg | FileType::Png | FileType::Pdf) => Ok(bytes.into()),
        _ => Err(Failure::usage(format!("{shown} is no JPEG, PNG or PDF"))),
    }
}

/// Submits, waits for the result, and removes it at iDenfy.
pub async fn run(probe: &mut Probe<'_>, token: &ProbeToken, specimen: Specimen, wait: Duration) {
    probe.output.progress("submitting the specimen");
    let submission = specimen.submission(probe, token);
    if let Err(error) = probe.account.client.process(submission).await {
        probe.push(judge_refusal(&error, specimen.is_drawn));
        return;
    }
    probe.used_up(token);
    let facts = &mut probe.found.facts;
    facts.tell(Topic::ProcessEnabled, "yes");
    facts.tell(Topic::DocumentTypeOptional, "accepted");
    let (result, took) = result(probe, &token.scan_ref, wait).await;
    probe.push(judge_result(result.as_ref(), took));
    let is_decided = result.is_some();
    if is_decided && let Some(stack) = &probe.account.stack {
        let check = callback(probe, stack, &token.scan_ref).await;
        probe.push(check);
    }
    probe
        .output
        .progress("deleting the specimen's verification");
    match probe.delete(&token.scan_ref).await {
        Ok(()) => {
            let files = probe.has_files(&token.scan_ref).await;
            let found = files.err().map_or_else(
                || "an answer without an error".to_owned(),
                |error| describe(&error),
            );
            probe.found.facts.tell(Topic::DeletedFiles, found);
        }
        Err(error) => probe.found.left_behind.push(format!(
            "the specimen's verification {} at iDenfy, which was not deleted ({})",
            token.scan_ref,
            error.kind()
        )),
    }
}

fn judge_refusal(error: &Error, is_drawn: bool) -> Check {
    match error {
        Error::Rejected { .. } | Error::RejectedWithoutIdentifier { .. } => Check::unknown(
            NAME,
            format!(
                "direct processing answers, and refuses the document: {}",
                describe(error)
            ),
            if is_drawn {
                "iDenfy may have found no document in the drawn card: give --front and --back with \
                 sample documents (github.com/idenfy/idenfy_sample_documents), and --country"
            } else {
                "check the document and --country; iDenfy's support can turn \"Validate photos\" \
                 off"
            },
        ),
        error => refused(NAME, "direct processing", error),
    }
}

/// The final word, and how long it took. `None`: not within the time.
async fn result(
    probe: &mut Probe<'_>,
    scan_ref: &str,
    wait: Duration,
) -> (Option<OverallWord>, Duration) {
    use verification::ports::Clock;
    let started = probe.environment.clock.now();
    let mut pauses = PAUSES.into_iter();
    let mut pause = Duration::ZERO;
    loop {
        pause = pauses.next().unwrap_or(pause);
        let elapsed = probe.environment.clock.now().since(started);
        if elapsed >= wait || probe.environment.interruption.came() {
            return (None, elapsed);
        }
        probe.output.progress(format_args!(
            "waiting for the result, {} of {}",
            describe_time(elapsed),
            describe_time(wait)
        ));
        let rest = wait.saturating_sub(elapsed);
        probe.environment.interruption.pause(pause.min(rest)).await;
        let Ok(status) = probe.overall(scan_ref).await else {
            continue;
        };
        let is_decided = matches!(
            status.overall,
            Some(OverallWord::Approved | OverallWord::Denied | OverallWord::Suspected)
        );
        if is_decided && status.is_final != Some(false) {
            return (status.overall, probe.environment.clock.now().since(started));
        }
        if status.overall == Some(OverallWord::Reviewing) {
            let found = format!("still under review after {}", describe_time(elapsed));
            probe.found.facts.tell(Topic::DirectReview, found);
        }
    }
}

fn judge_result(overall: Option<&OverallWord>, took: Duration) -> Check {
    let took = describe_time(took);
    match overall {
        Some(OverallWord::Approved) => Check::ok(NAME, format!("APPROVED after {took}")),
        Some(OverallWord::Denied) => Check::ok(
            NAME,
            format!("judged after {took}: DENIED, as a specimen may be"),
        ),
        Some(_) => Check::ok(
            NAME,
            format!("judged after {took}: SUSPECTED, as a specimen may be"),
        ),
        None => Check::unknown(
            NAME,
            format!("accepted, and without a result after {took}"),
            "look at the verification in iDenfy's dashboard: a reviewer may be at it. Wait longer \
             with --wait",
        ),
    }
}

/// The callback of the submission, as the stack has archived it.
async fn callback(probe: &mut Probe<'_>, stack: &DeployedStack, scan_ref: &str) -> Check {
    const NAME: &str = "callback";
    use verification::ports::Clock;
    let Ok(name) = scan_ref.parse::<ScanRef>() else {
        return Check::unknown(
            NAME,
            "the scanRef is no usable name",
            "report it to this project",
        );
    };
    let started = probe.environment.clock.now();
    loop {
        probe
            .output
            .progress("waiting for the callback in the archive");
        let body = match newest(stack, &name).await {
            Ok(body) => body,
            Err(failure) => return Check::of(NAME, &failure),
        };
        if let Some(body) = body {
            tell_callback(probe, &body);
            let found = "came to this stack, signed with a key of the secret";
            return Check::ok(NAME, found);
        }
        let elapsed = probe.environment.clock.now().since(started);
        if elapsed >= CALLBACK_PATIENCE || probe.environment.interruption.came() {
            return Check::warning(
                NAME,
                format!("none came to this stack within {}", describe_time(elapsed)),
                "set the five notifications with WebhookUrl and the signing key \
                 (docs/DEPLOYING.md, iDenfy's dashboard)",
            );
        }
        probe.environment.interruption.pause(CALLBACK_PAUSE).await;
    }
}

async fn newest(
    stack: &DeployedStack,
    scan_ref: &ScanRef,
) -> Result<Option<Map<String, Value>>, Failure> {
    let page = stack.archive.list(Some(scan_ref), None).await?;
    let newest = page
        .callbacks
        .into_iter()
        .max_by_key(|callback| callback.kept_at);
    let Some(newest) = newest else {
        return Ok(None);
    };
    let body = stack.archive.body(Some(scan_ref), &newest.digest).await?;
    Ok(body.and_then(|body| serde_json::from_slice(&body).ok()))
}

/// What the body tells: which members there are, and the provider's own words. No data.
fn tell_callback(probe: &mut Probe<'_>, body: &Map<String, Value>) {
    let facts = &mut probe.found.facts;
    facts.tell(Topic::CallbackKey, "a key of the secret");
    let is_final = match body.get("final") {
        Some(Value::Bool(is_final)) => is_final.to_string(),
        _ => "absent".to_owned(),
    };
    facts.tell(Topic::CallbackFinal, is_final);
    let status = body.get("status").and_then(Value::as_object);
    let in_status = |name: &str| word(status.and_then(|status| status.get(name)));
    let links = body.get("fileUrls").and_then(Value::as_object);
    facts.tell(
        Topic::DirectCallback,
        format!(
            "platform {}, clientIp {}, autoFace {}, manualFace {}, {} links",
            word(body.get("platform")),
            presence(body.get("clientIp")),
            in_status("autoFace"),
            in_status("manualFace"),
            links.map_or(0, Map::len),
        ),
    );
    let time = |name: &str| presence(body.get(name));
    let found = format!(
        "startTime {}, finishTime {}",
        time("startTime"),
        time("finishTime")
    );
    facts.tell(Topic::DirectTimes, found);
}

/// A word of the provider's vocabulary. Anything else is only said to be there.
fn word(value: Option<&Value>) -> String {
    let is_word = |text: &&str| {
        text.len() <= 40
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    let text = value.and_then(Value::as_str).filter(is_word);
    text.map_or_else(|| presence(value).to_owned(), str::to_owned)
}

const fn presence(value: Option<&Value>) -> &'static str {
    match value {
        None => "absent",
        Some(Value::Null) => "null",
        Some(_) => "present",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::check::Health;
    use serde_json::json;

    #[test]
    fn nothing_personal_is_told_of_a_callback() {
        assert_eq!(word(Some(&json!("DOC_VALIDATED"))), "DOC_VALIDATED");
        assert_eq!(word(Some(&json!("Ona Petraitė"))), "present");
        assert_eq!(word(Some(&json!(null))), "null");
        assert_eq!(word(None), "absent");
    }

    #[test]
    fn a_refused_specimen_leaves_it_open_and_says_what_to_try() {
        let rejected = Error::Rejected {
            identifier: "BAD_VALUE".to_owned(),
            status: 200,
            member: None,
        };
        for (is_drawn, advised) in [(true, "--front"), (false, "Validate photos")] {
            let check = judge_refusal(&rejected, is_drawn);
            assert_eq!(check.result, Health::Unknown);
            assert!(check.advice.unwrap().contains(advised));
        }
        assert_eq!(
            judge_refusal(&Error::NotInContract, true).result,
            Health::Failed
        );
        assert_eq!(judge_result(None, Duration::ZERO).result, Health::Unknown);
        assert_eq!(
            judge_result(Some(&OverallWord::Denied), Duration::ZERO).result,
            Health::Ok
        );
    }
}
