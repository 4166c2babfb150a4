//! Every sample event: the use and the failures of each function.

use std::path::Path;

use anyhow::{Context, Result};
use idenfy::SigningKey;
use serde_json::{Value, json};

use super::batches::{added_lines, deployment, messages, tick};
use super::requests::{application, by_http_api, callback};
use super::sample::{Function, Sample};

/// The verification that all events are about.
pub const FIRST: &str = "5d1f2c6e-3b0a-4f57-9c86-2a7d94e1b803";
/// Its second verification.
pub const SECOND: &str = "c0a7e9b4-61d2-4e0f-8a35-7f4b1d92e6a8";
/// The customer.
pub const CLIENT: &str = "customer-4711";

const CAPTURED: &[&str] = &["webhook/first-approved"];
const SUBMITTED: &[&str] = &["webhook/first-approved", "processor/submit-documents"];
const DECLINED: &[&str] = &["webhook/first-denied"];
const PARKED: &[&str] = &["webhook/first-step-unjudged"];

/// All of them, in the order in which they are shown.
///
/// # Errors
/// A callback's body in `callbacks` cannot be read.
pub fn samples(callbacks: &Path, key: &SigningKey) -> Result<Vec<Sample>> {
    // First, while nothing can be overdue.
    let mut samples = vec![
        Sample::new(Function::Reconciler, "schedule", tick()),
        Sample::new(Function::Reconciler, "by-hand", json!({})),
    ];
    samples.extend(webhook(callbacks, key)?);
    samples.extend(processor());
    samples.extend(api());
    samples.extend(publisher());
    samples.extend(pre_traffic());
    samples.extend(outcome_push());
    Ok(samples)
}

/// One event per body, and those that are refused.
fn webhook(callbacks: &Path, key: &SigningKey) -> Result<Vec<Sample>> {
    let sample = |name: &str, event| Sample::new(Function::Webhook, name, event);
    let mut paths: Vec<_> = std::fs::read_dir(callbacks)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let mut samples = Vec::new();
    for path in paths {
        let body = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let signed = sample(
            &name,
            callback("POST", Some(&key.sign(body.as_bytes())), &body),
        );
        samples.push(if name.starts_with("second-") {
            signed.after(SUBMITTED)
        } else {
            signed
        });
        if name == "first-approved" {
            samples.push(sample(
                "first-approved-by-http-api",
                by_http_api(callback("POST", Some(&key.sign(body.as_bytes())), &body)),
            ));
            samples.push(sample("signature-missing", callback("POST", None, &body)));
            samples.push(sample(
                "signature-wrong",
                callback("POST", Some(&"0".repeat(64)), &body),
            ));
            samples.push(sample("method-not-allowed", callback("GET", None, "")));
        }
    }
    Ok(samples)
}

fn processor() -> Vec<Sample> {
    let sample =
        |name: &str, bodies: &[&str]| Sample::new(Function::Processor, name, messages(bodies));
    let message = json!({"type": "SubmitDocumentsV1", "scanRef": FIRST}).to_string();
    vec![
        sample("submit-documents", &[&message]).after(CAPTURED),
        sample("submitted-already", &[&message]).after(SUBMITTED),
        sample("poison-beside-good", &["not a claim check", &message]).after(CAPTURED),
        sample("unknown-verification", &[&message]),
    ]
}

fn api() -> Vec<Sample> {
    let sample = |name: &str, method: &str, target: &str, body: &Value| {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        Sample::new(Function::Api, name, application(method, target, &body))
    };
    let verification = format!("/verifications/{FIRST}");
    let retry = format!("{verification}/retry");
    let list = format!("/verifications?clientId={CLIENT}&limit=10");
    let none = Value::Null;
    vec![
        sample(
            "create-session",
            "POST",
            "/sessions",
            &json!({"clientId": CLIENT, "country": "LT", "locale": "en",
                "successUrl": "https://application.example/verified",
                "secondDocument": {"country": "LT"}}),
        ),
        sample(
            "create-session-invalid",
            "POST",
            "/sessions",
            &json!({"clientId": "", "country": "Lithuania", "expirySeconds": -1}),
        ),
        sample("show-submitted", "GET", &verification, &none).after(SUBMITTED),
        sample("show-declined", "GET", &verification, &none).after(DECLINED),
        sample("show-unknown", "GET", &verification, &none),
        sample("list-of-client", "GET", &list, &none).after(CAPTURED),
        sample(
            "list-without-client",
            "GET",
            "/verifications?limit=0",
            &none,
        ),
        sample("retry-still-parked", "POST", &retry, &none).after(PARKED),
        sample("retry-not-parked", "POST", &retry, &none).after(CAPTURED),
        sample("erase", "DELETE", &verification, &none).after(DECLINED),
        sample("erase-unknown", "DELETE", &verification, &none),
        sample("method-not-allowed", "PUT", "/sessions", &none),
        sample("route-not-found", "GET", "/nothing", &none),
    ]
}

fn settled_detail() -> Value {
    json!({
        "scanRef": FIRST,
        "secondScanRef": SECOND,
        "clientId": CLIENT,
        "verdict": "Approved",
        "firstOverall": "APPROVED",
        "secondOverall": "APPROVED",
        "occurredAt": "2026-11-23T08:21:03.000Z"
    })
}

fn publisher() -> Vec<Sample> {
    let settled = |detail: Value| {
        json!({
            "pk": {"S": format!("PAIRING#{FIRST}")},
            "sk": {"S": "EVENT#2026-11-23T08:21:03.000Z#sample"},
            "what": {"S": "settled"},
            "outcome": {"S": "DualVerificationSettled"},
            "detail": {"S": detail.as_str().map_or_else(|| detail.to_string(), str::to_owned)}
        })
    };
    let good = settled(settled_detail());
    let poison = settled(json!("not a detail"));
    let other = json!({"pk": {"S": format!("PAIRING#{FIRST}")}, "sk": {"S": "PAIRING"},
        "state": {"S": "Captured"}});
    let sample = |name: &str, lines: &[(Option<&str>, Value)]| {
        Sample::new(Function::Publisher, name, added_lines(lines))
    };
    vec![
        sample("outcome", &[(Some("100000000000000000001"), good.clone())]),
        sample("no-outcome", &[(Some("100000000000000000001"), other)]),
        sample(
            "unreadable-beside-good",
            &[
                (Some("100000000000000000001"), good),
                (Some("100000000000000000002"), poison.clone()),
            ],
        ),
        sample("unreadable-without-place", &[(None, poison)]),
    ]
}

/// No application listens, so an outcome stays on its queue.
fn outcome_push() -> Vec<Sample> {
    let event = json!({
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000000",
        "detail-type": "DualVerificationSettled",
        "source": "dual-verification",
        "account": "000000000000",
        "time": "2026-11-23T08:21:03Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": settled_detail()
    })
    .to_string();
    let sample =
        |name: &str, bodies: &[&str]| Sample::new(Function::OutcomePush, name, messages(bodies));
    vec![
        sample("application-unreachable", &[&event]),
        sample("no-outcome-beside-one", &["not an outcome", &event]),
    ]
}

/// The emulator has no CodeDeploy, so both end in an error: the first after the version has been
/// tested.
fn pre_traffic() -> Vec<Sample> {
    let sample = |name: &str, event| Sample::new(Function::PreTraffic, name, event);
    vec![
        sample("deployment", deployment()),
        sample("by-hand", json!({})),
    ]
}
