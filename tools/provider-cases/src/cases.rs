//! The cases. Each says in its name what holds.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::subject::{Key, Refusal, Subject, Token, TokenKind, WireAnswer};
use crate::{Case, Needs};

/// No verification has this name.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

type Outcome = Result<(), String>;

macro_rules! cases {
    ($($needs:ident $name:literal, $check:expr;)*) => {
        /// Everything that the flow and `dvctl probe` rely on.
        pub const CASES: &[Case] = &[$(Case {
            name: $name,
            needs: Needs::$needs,
            check: |subject| Box::pin($check(subject)),
        }),*];
    };
}

cases! {
    Calls "a new token is ACTIVE", new_token_is_active;
    Calls "one client may hold both tokens", one_client_holds_both;
    Calls "a silent token has no steps", silent_token_has_no_steps;
    Calls "an unused token is not deleted", unused_token_is_not_deleted;
    Calls "a token without uploads has no files", no_uploads_no_files;
    Calls "an unknown verification has no status", unknown_has_no_status;
    Calls "an unknown verification has no files", unknown_has_no_files;
    Calls "an unknown verification is not still live", unknown_is_not_live;
    Calls "an unknown token submits nothing", unknown_token_submits_nothing;
    Submission "a token is good once", token_is_good_once;
    Wire "a created token echoes what was asked for", token_echoes;
    Wire "the account's steps are named by country and document", steps_are_named;
    Wire "a silent token's echo has no questionnaire", no_questionnaire;
    Wire "a request without clientId is refused", token_without_client;
    Wire "values out of bounds are refused", values_out_of_bounds;
    Wire "an error has a message", error_has_a_message;
    Wire "a wrong key is 401 on every call", wrong_key;
    Wire "a call without scanRef is refused", calls_without_scan_ref;
    Wire "a submission without a token is refused", submission_without_token;
}

/// A client that no other case uses.
fn client() -> String {
    static SERIAL: AtomicU32 = AtomicU32::new(0);
    format!("provider-case-{}", SERIAL.fetch_add(1, Ordering::Relaxed))
}

async fn token(subject: &dyn Subject, kind: TokenKind) -> Result<Token, String> {
    let created = subject.token(kind, &client()).await;
    created.map_err(|refusal| format!("{kind:?} token: {refusal:?}"))
}

fn expect(holds: bool, seen: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(seen()) }
}

async fn new_token_is_active(subject: &dyn Subject) -> Outcome {
    for kind in [TokenKind::First, TokenKind::Second] {
        let token = token(subject, kind).await?;
        let status = subject.status(&token.scan_ref).await;
        expect(status.as_deref() == Ok("ACTIVE"), || {
            format!("{kind:?}: {status:?}")
        })?;
    }
    Ok(())
}

async fn one_client_holds_both(subject: &dyn Subject) -> Outcome {
    let client = client();
    for kind in [TokenKind::First, TokenKind::Second] {
        let created = subject.token(kind, &client).await;
        expect(created.is_ok(), || format!("{kind:?}: {created:?}"))?;
    }
    Ok(())
}

async fn silent_token_has_no_steps(subject: &dyn Subject) -> Outcome {
    let token = token(subject, TokenKind::Second).await?;
    expect(matches!(token.steps, None | Some(0)), || {
        format!("{:?} steps", token.steps)
    })
}

async fn unused_token_is_not_deleted(subject: &dyn Subject) -> Outcome {
    let token = token(subject, TokenKind::First).await?;
    let deletion = subject.delete(&token.scan_ref).await;
    expect(deletion == Err(Refusal::StillLive), || {
        format!("{deletion:?}")
    })
}

async fn no_uploads_no_files(subject: &dyn Subject) -> Outcome {
    let token = token(subject, TokenKind::First).await?;
    let files = subject.files(&token.scan_ref).await;
    // No page shows the answer: an empty one, or a refusal.
    expect(matches!(files, Ok(0) | Err(Refusal::Rejected)), || {
        format!("{files:?}")
    })
}

async fn unknown_has_no_status(subject: &dyn Subject) -> Outcome {
    let status = subject.status(NOBODY).await;
    expect(status == Err(Refusal::Rejected), || format!("{status:?}"))
}

async fn unknown_has_no_files(subject: &dyn Subject) -> Outcome {
    let files = subject.files(NOBODY).await;
    expect(files == Err(Refusal::Rejected), || format!("{files:?}"))
}

async fn unknown_is_not_live(subject: &dyn Subject) -> Outcome {
    let deletion = subject.delete(NOBODY).await;
    // An erasure ends well with either.
    expect(matches!(deletion, Ok(()) | Err(Refusal::Rejected)), || {
        format!("{deletion:?}")
    })
}

async fn unknown_token_submits_nothing(subject: &dyn Subject) -> Outcome {
    let submitted = subject.submit("no-token-of-the-provider").await;
    expect(submitted == Err(Refusal::TokenNotValid), || {
        format!("{submitted:?}")
    })
}

async fn token_is_good_once(subject: &dyn Subject) -> Outcome {
    let token = token(subject, TokenKind::Second).await?;
    let submitted = subject.submit(&token.auth_token).await;
    expect(submitted.is_ok(), || format!("first: {submitted:?}"))?;
    let again = subject.submit(&token.auth_token).await;
    expect(again == Err(Refusal::TokenNotValid), || {
        format!("again: {again:?}")
    })?;
    let status = subject.status(&token.scan_ref).await;
    let known = ["REVIEWING", "APPROVED", "DENIED", "SUSPECTED"];
    let is_known = status.as_deref().is_ok_and(|word| known.contains(&word));
    expect(is_known, || format!("afterwards: {status:?}"))
}

async fn send(subject: &dyn Subject, operation: &str, body: Value) -> Result<WireAnswer, String> {
    let answer = subject.send(operation, body, Key::Right).await;
    answer.ok_or_else(|| "no HTTP".to_owned())
}

/// Refused, with an HTTP status of the request's fault.
fn is_refused(answer: &WireAnswer) -> bool {
    !answer.is_success() && answer.status < 500
}

async fn token_echoes(subject: &dyn Subject) -> Outcome {
    let request = json!({"clientId": client(), "tokenType": "DOCUMENT", "externalRef": "dv2:case",
        "expiryTime": 61, "sessionLength": 60});
    let answer = send(subject, "token", request).await?;
    expect(answer.is_success(), || format!("HTTP {}", answer.status))?;
    let length = |name: &str| answer.text(name).map_or(0, str::len);
    for name in ["authToken", "scanRef"] {
        expect((1..=40).contains(&length(name)), || {
            format!("{name}: {} bytes", length(name))
        })?;
    }
    for (name, asked) in [
        ("tokenType", json!("DOCUMENT")),
        ("externalRef", json!("dv2:case")),
        ("expiryTime", json!(61)),
    ] {
        let echo = answer.members.get(name);
        expect(echo == Some(&asked), || format!("{name}: {echo:?}"))?;
    }
    Ok(())
}

async fn steps_are_named(subject: &dyn Subject) -> Outcome {
    let request = json!({"clientId": client(), "tokenType": "IDENTIFICATION", "expiryTime": 60});
    let answer = send(subject, "token", request).await?;
    let echo = answer
        .members
        .get("additionalSteps")
        .cloned()
        .unwrap_or_default();
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut kinds = Vec::new();
    for documents in members(&echo).values() {
        for steps in members(documents).values() {
            for step in members(steps).values() {
                kinds.push(step.get("type").and_then(Value::as_str).map(str::to_owned));
            }
        }
    }
    let known = ["UPLOAD", "EXTRACT", "COMPARE"];
    let are_known = kinds
        .iter()
        .all(|kind| kind.as_deref().is_some_and(|kind| known.contains(&kind)));
    expect(!kinds.is_empty() && are_known, || format!("{kinds:?}"))
}

async fn no_questionnaire(subject: &dyn Subject) -> Outcome {
    let request = json!({"clientId": client(), "tokenType": "DOCUMENT", "expiryTime": 60,
        "additionalSteps": {"ALL": {"ALL": {}}}, "questionnaire": null});
    let answer = send(subject, "token", request).await?;
    expect(answer.is_success(), || format!("HTTP {}", answer.status))?;
    let echo = answer.members.get("questionnaire");
    expect(echo.is_none_or(Value::is_null), || "it has one".to_owned())
}

async fn token_without_client(subject: &dyn Subject) -> Outcome {
    let answer = send(subject, "token", json!({"tokenType": "DOCUMENT"})).await?;
    expect(is_refused(&answer), || format!("HTTP {}", answer.status))
}

async fn values_out_of_bounds(subject: &dyn Subject) -> Outcome {
    for (name, value) in [
        ("clientId", json!("c".repeat(101))),
        ("clientId", json!("")),
        ("externalRef", json!("e".repeat(41))),
        ("expiryTime", json!(-1)),
        ("sessionLength", json!(59)),
        ("sessionLength", json!(3_601)),
        ("tokenType", json!("PICTURE")),
    ] {
        let mut request = json!({"clientId": client(), "tokenType": "DOCUMENT", "expiryTime": 60});
        if let Some(member) = request.as_object_mut() {
            member.insert(name.to_owned(), value);
        }
        let answer = send(subject, "token", request).await?;
        expect(is_refused(&answer), || {
            format!("{name}: HTTP {}", answer.status)
        })?;
    }
    Ok(())
}

async fn error_has_a_message(subject: &dyn Subject) -> Outcome {
    for operation in ["status", "files"] {
        let answer = send(subject, operation, json!({"scanRef": NOBODY})).await?;
        expect(is_refused(&answer), || {
            format!("{operation}: HTTP {}", answer.status)
        })?;
        expect(answer.text("message").is_some(), || {
            format!("{operation}: no message")
        })?;
    }
    Ok(())
}

async fn wrong_key(subject: &dyn Subject) -> Outcome {
    for (operation, body) in [
        ("token", json!({"clientId": client()})),
        ("status", json!({"scanRef": NOBODY})),
        ("files", json!({"scanRef": NOBODY})),
        ("delete", json!({"scanRef": NOBODY})),
        (
            "process",
            json!({"token": "x", "country": "LT", "images": {}}),
        ),
    ] {
        let answer = subject.send(operation, body, Key::Wrong).await;
        let answer = answer.ok_or_else(|| "no HTTP".to_owned())?;
        let is_refused = answer.status == 401 || answer.text("identifier") == Some("UNAUTHORIZED");
        expect(is_refused, || {
            format!("{operation}: HTTP {}", answer.status)
        })?;
    }
    Ok(())
}

async fn calls_without_scan_ref(subject: &dyn Subject) -> Outcome {
    for operation in ["status", "files", "delete"] {
        let answer = send(subject, operation, json!({})).await?;
        expect(is_refused(&answer), || {
            format!("{operation}: HTTP {}", answer.status)
        })?;
    }
    Ok(())
}

async fn submission_without_token(subject: &dyn Subject) -> Outcome {
    let answer = send(subject, "process", json!({"country": "LT", "images": {}})).await?;
    // 200 with an error in it is documented.
    let is_refused = !answer.is_success() || !answer.members.is_empty();
    expect(is_refused && answer.status < 500, || {
        format!("HTTP {}", answer.status)
    })
}
