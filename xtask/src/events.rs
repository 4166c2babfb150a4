//! `cargo xtask events`: the sample events in `events/`, made from the callback bodies in `events/callbacks/` and signed with the
//! development key, so that a body can be edited and its events follow.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use idenfy::SigningKey;
use local_stack::{ProviderSecret, workspace};
use serde_json::{Value, json};

/// Make the sample events anew
///
/// Wraps each body of events/callbacks as Lambda hands it to the webhook, signed with the key of events/secret.local.json, and makes the
/// queue messages for the processor.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Change nothing; fail if a file is not what it would be made
    #[arg(long)]
    check: bool,
}

/// Runs the command to its end.
///
/// # Errors
/// A body or the secret cannot be read, or, with `--check`, a file differs.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let root = workspace::root().join("events");
    let made = make(&root)?;
    if arguments.check {
        check(&made)?;
    } else {
        for (path, content) in &made {
            std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
            println!("{}", path.strip_prefix(workspace::root()).unwrap_or(path).display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// Names the first file that is not as it would be made.
pub fn check_all() -> Result<()> {
    check(&make(&workspace::root().join("events"))?)
}

fn check(made: &BTreeMap<PathBuf, String>) -> Result<()> {
    for (path, content) in made {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        ensure!(found == *content, "{} is out of date: run `cargo xtask events`", path.display());
    }
    Ok(())
}

fn make(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let key = ProviderSecret::read(&root.join("secret.local.json"))?;
    let key = key
        .signing_keys
        .into_iter()
        .next()
        .context("events/secret.local.json has no signing key")?;
    let key = SigningKey::new(key)?;
    let mut made = BTreeMap::new();
    let mut add = |folder: &str, name: &str, event: &Value| -> Result<()> {
        made.insert(
            root.join(folder).join(format!("{name}.json")),
            format!("{}\n", serde_json::to_string_pretty(event)?),
        );
        Ok(())
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(root.join("callbacks"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        let body = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        add(
            "webhook",
            &name,
            &function_url_event("POST", Some(&key.sign(body.as_bytes())), &body),
        )?;
        if name == "first-approved" {
            add("webhook", "signature-missing", &function_url_event("POST", None, &body))?;
            add(
                "webhook",
                "signature-wrong",
                &function_url_event("POST", Some(&"0".repeat(64)), &body),
            )?;
            add("webhook", "method-not-allowed", &function_url_event("GET", None, ""))?;
            let scan_ref = serde_json::from_str::<Value>(&body)?;
            let message = json!({"type": "SubmitDocumentsV1", "scanRef": scan_ref.get("scanRef")}).to_string();
            add("processor", "submit-documents", &queue_event(&[&message]))?;
            add("processor", "poison-beside-good", &queue_event(&["not a claim check", &message]))?;
        }
    }
    Ok(made)
}

/// As a function URL hands a request over. (Source: "Invoking Lambda function URLs", request payload format 2.0.)
fn function_url_event(method: &str, signature: Option<&str>, body: &str) -> Value {
    let mut headers = json!({"content-type": "application/json", "idenfy-event-type": "IDENTIFICATION_MANUAL_FINISHED", "host": "url-id.lambda-url.eu-west-1.on.aws"});
    if let (Some(signature), Some(headers)) = (signature, headers.as_object_mut()) {
        headers.insert("idenfy-signature".to_owned(), json!(signature));
    }
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "url-id",
            "domainName": "url-id.lambda-url.eu-west-1.on.aws",
            "domainPrefix": "url-id",
            "http": {"method": method, "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "sample"},
            "requestId": "00000000-0000-4000-8000-000000000000",
            "routeKey": "$default",
            "stage": "$default",
            "time": "23/Nov/2026:08:21:03 +0000",
            "timeEpoch": 1_795_422_063_000_i64
        },
        "body": body,
        "isBase64Encoded": false
    })
}

/// As an SQS event source hands messages over. (Source: "Using Lambda with Amazon SQS".)
fn queue_event(bodies: &[&str]) -> Value {
    let record = |(number, body): (usize, &&str)| {
        json!({
            "messageId": format!("00000000-0000-4000-8000-00000000000{number}"),
            "receiptHandle": format!("sample-receipt-{number}"),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1795422063000",
                "SenderId": "AIDASPECIMEN",
                "ApproximateFirstReceiveTimestamp": "1795422063010"
            },
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:dual-verification-submissions",
            "awsRegion": "eu-west-1"
        })
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}
