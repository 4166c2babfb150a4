//! `probe` before there is a stack: against a sandbox with one account set-up after another.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use harness::{SandboxClient, documents::Card};
use idenfy_sandbox::{ProcessTokenField, Sandbox, Settings};
use jpeg_encoder::{ColorType, Encoder};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::program::{Ended, command, play};

/// The sandbox's key, as a file.
pub fn secret_file(secret: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(secret.as_bytes()).unwrap();
    file
}

const SECRET: &str = r#"{"apiKey": "sandbox-api-key", "apiSecret": "sandbox-api-secret",
    "signingKeys": ["sandbox-signing-key"]}"#;

/// An account as it should be: judged steps with names that speak.
fn good() -> Settings {
    Settings {
        default_additional_steps: steps(&[
            ("SECOND_DOC_FRONT", "EXTRACT"),
            ("SECOND_DOC_BACK", "EXTRACT"),
        ]),
        ..Settings::default()
    }
}

fn steps(named: &[(&str, &str)]) -> Value {
    let steps: Value = named
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), json!({"type": kind})))
        .collect();
    json!({"ALL": {"ALL": steps}})
}

async fn run(sandbox: &Sandbox, arguments: &[&str]) -> Ended {
    let secret = secret_file(SECRET);
    let file = secret.path().to_str().unwrap();
    let start = ["probe", "--secret-file", file, "--base-url", sandbox.url()];
    play(command(&[arguments, &start].concat()), "").await
}

async fn probe(sandbox: &Sandbox) -> (Option<i32>, Value) {
    let ended = run(sandbox, &["--json"]).await;
    let report = serde_json::from_str(&ended.answer).unwrap_or_else(|_| panic!("{ended:?}"));
    (ended.status, report)
}

/// The check of a name, as `result: found; do`.
fn check(report: &Value, name: &str) -> String {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name);
    let check = check.unwrap_or_else(|| panic!("no {name}: {report}"));
    let text = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
    format!("{}: {}; {}", text("result"), text("found"), text("do"))
}

pub fn fact<'a>(report: &'a Value, topic: &str) -> &'a str {
    let facts = report["facts"].as_array().unwrap();
    let fact = facts.iter().find(|fact| fact["topic"] == topic);
    fact.unwrap_or_else(|| panic!("no {topic}: {report}"))["found"]
        .as_str()
        .unwrap()
}

#[tokio::test]
async fn an_account_that_fits_is_found_to_fit() {
    let sandbox = Sandbox::start(good()).await.unwrap();
    let (status, report) = probe(&sandbox).await;
    assert_eq!(
        (status, &report["result"]),
        (Some(0), &json!("fits")),
        "{report}"
    );
    assert_eq!(
        report["parameters"],
        json!({"StepVerdict": "RequireValid", "StepImages": "", "ProcessTokenField": "token",
            "ConfirmResults": true})
    );
    assert_eq!(report["steps"][0]["name"], "SECOND_DOC_BACK");
    assert_eq!(report["steps"][0]["customers"], "ALL/ALL");
    for (topic, found) in [
        ("HTTP status of a created token", "201"),
        (
            "a second token while the client's first is unused",
            "allowed",
        ),
        ("echo of suppressed steps", "as it was sent"),
        ("`final` in the answer of /status", "absent"),
        ("HTTP status of an error", "400"),
        ("headers about the rate limit", "none"),
        (
            "member of the token in direct processing",
            "`token` is read",
        ),
    ] {
        assert_eq!(fact(&report, topic), found, "{topic}");
    }
    let open = report["open"].as_array().unwrap();
    assert!(
        open.iter().any(
            |open| open["topic"] == "direct processing in this environment"
                && open["toldBy"] == "--spend"
        ),
        "{report}"
    );
}

#[tokio::test]
async fn a_probe_spends_nothing_and_says_what_it_leaves() {
    let sandbox = Sandbox::start(good()).await.unwrap();
    let admin = SandboxClient::new(sandbox.url()).unwrap();
    let (_, report) = probe(&sandbox).await;
    let sessions = admin.all("sessions").await.unwrap();
    assert_eq!(sessions.len(), 2);
    for session in &sessions {
        assert_eq!(
            (&session["state"], &session["tokenUsed"]),
            (&json!("ACTIVE"), &json!(false))
        );
        let scan_ref = session["scanRef"].as_str().unwrap();
        let left = report["leftBehind"].as_array().unwrap();
        assert!(
            left.iter()
                .any(|left| left.as_str().unwrap().contains(scan_ref)),
            "{report}"
        );
        // A webhook ignores the callback of an unknown Token 2.
        assert!(
            session["externalRef"]
                .as_str()
                .unwrap()
                .starts_with("dv2:dvctl-probe-")
        );
        assert_eq!(session["clientId"], sessions[0]["clientId"]);
    }
    assert_eq!(
        fact(&report, "deletion of an unused token"),
        "refused with PARTNER_ERROR until it lapses, as documented"
    );
}

/// Each is found, with the exit status and what is to be done.
#[tokio::test]
async fn every_wrong_account_is_found_with_what_to_do() {
    let wrong: [(Settings, i32, &str, &[&str]); 8] = [
        (
            Settings {
                default_additional_steps: json!({}),
                ..good()
            },
            6,
            "steps",
            &["failed", "no additional step", "SECOND_DOC_FRONT"],
        ),
        (
            Settings {
                default_additional_steps: steps(&[("SECOND_DOC", "UPLOAD")]),
                ..good()
            },
            5,
            "step kinds",
            &[
                "warning",
                "SECOND_DOC is of the kind UPLOAD",
                "StepVerdict=AcceptUnjudged",
            ],
        ),
        (
            Settings {
                default_additional_steps: steps(&[("BACK PAGE", "EXTRACT"), ("PAGE_1", "EXTRACT")]),
                ..good()
            },
            5,
            "step names",
            &[
                "warning",
                "do not tell",
                "StepImages=PAGE_1=FRONT,BACK%20PAGE=BACK",
            ],
        ),
        (
            Settings {
                direct_processing: false,
                ..good()
            },
            6,
            "processing",
            &["failed", "not enabled", "ask iDenfy's support"],
        ),
        (
            Settings {
                honours_step_suppression: false,
                ..good()
            },
            6,
            "suppression",
            &["failed", "has 2 steps", "ask iDenfy's support"],
        ),
        (
            Settings {
                default_additional_steps: json!({"LT": {"PASSPORT": {"ID": {"type": "EXTRACT"}}}}),
                ..good()
            },
            5,
            "step customers",
            &[
                "warning",
                "only customers with LT/PASSPORT",
                "ALL countries",
            ],
        ),
        (
            Settings {
                process_token_field: ProcessTokenField::AuthToken,
                ..good()
            },
            5,
            "token member",
            &[
                "warning",
                "reads `authToken`",
                "ProcessTokenField=authToken",
            ],
        ),
        (
            Settings {
                api_key: idenfy_sandbox::Secret::new("another"),
                ..good()
            },
            1,
            "Token 1",
            &["unknown", "API key is refused", "apiSecret"],
        ),
    ];
    for (settings, status, name, words) in wrong {
        let sandbox = Sandbox::start(settings).await.unwrap();
        let (ended, report) = probe(&sandbox).await;
        let check = check(&report, name);
        assert_eq!(ended, Some(status), "{name}: {report}");
        for word in words {
            assert!(check.contains(word), "{word} is not in {check}");
        }
    }
}

#[tokio::test]
async fn a_call_that_the_account_lacks_is_found() {
    let lacking = |route: &str, status: u16, identifier: &str| {
        json!({"route": route, "kind": "status", "status": status, "identifier": identifier,
            "times": 9})
    };
    for (fault, status, name, words) in [
        (
            lacking("token", 402, "X"),
            6,
            "Token 1",
            ["used up", "top up"],
        ),
        (
            lacking("status", 403, "PERMISSIONS_ERROR"),
            5,
            "status",
            ["forbids", "ConfirmResults=false"],
        ),
        (
            lacking("files", 403, "PERMISSIONS_ERROR"),
            5,
            "files",
            ["forbids", "/api/v2/files"],
        ),
        (
            lacking("delete", 403, "PERMISSIONS_ERROR"),
            5,
            "deletion",
            ["forbids", "dashboard"],
        ),
        (
            lacking("token", 503, "X"),
            1,
            "Token 1",
            ["HTTP 503", "status.idenfy.com"],
        ),
        (
            lacking("process", 502, "X"),
            1,
            "processing",
            ["HTTP 502", "again"],
        ),
    ] {
        let sandbox = Sandbox::start(good()).await.unwrap();
        let admin = SandboxClient::new(sandbox.url()).unwrap();
        admin.admin(Method::POST, "/faults", fault).await.unwrap();
        let (ended, report) = probe(&sandbox).await;
        assert_eq!(ended, Some(status), "{name}: {report}");
        for word in words {
            let check = check(&report, name);
            assert!(check.contains(word), "{word} is not in {check}");
        }
        let confirms = report["parameters"]["ConfirmResults"].as_bool();
        assert_ne!(confirms, Some(name == "status"), "{report}");
    }
}

#[tokio::test]
async fn other_readings_of_the_documentation_are_told() {
    let sandbox = Sandbox::start(Settings {
        token_created_status: 200,
        conflict_on_active_session: true,
        status_final: idenfy_sandbox::StatusFinal::Present,
        files_shape: idenfy_sandbox::FilesShape::Nested,
        ..good()
    })
    .await
    .unwrap();
    let (status, report) = probe(&sandbox).await;
    assert_eq!(status, Some(0), "{report}");
    for (topic, found) in [
        ("HTTP status of a created token", "200"),
        (
            "a second token while the client's first is unused",
            "refused (409)",
        ),
        ("`final` in the answer of /status", "present"),
        ("form of the answer of /files", "links in fileUrls"),
    ] {
        assert!(fact(&report, topic).starts_with(found), "{topic}: {report}");
    }
}

#[tokio::test]
async fn the_report_can_be_pasted_into_an_issue() {
    let sandbox = Sandbox::start(good()).await.unwrap();
    let admin = SandboxClient::new(sandbox.url()).unwrap();
    let fault = json!({"route": "files", "kind": "status", "status": 400,
        "identifier": "BAD_VALUE", "message": "MARKER of a person", "times": 9});
    admin.admin(Method::POST, "/faults", fault).await.unwrap();
    for form in [&[][..], &["--json"]] {
        let ended = run(&sandbox, form).await.with_status(0);
        let said = format!("{}{}", ended.answer, ended.notes);
        for secret in [
            "sandbox-api-key",
            "sandbox-api-secret",
            "sandbox-signing-key",
            "MARKER",
        ] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        // The sandbox's tokens are the only words of 40 letters and digits.
        let mut words = said.split(|sign: char| !sign.is_ascii_alphanumeric());
        assert!(words.all(|word| word.len() < 40), "{said}");
    }
}

#[tokio::test]
async fn text_says_the_verdict_the_parameters_and_the_rest() {
    let sandbox = Sandbox::start(good()).await.unwrap();
    let ended = run(&sandbox, &[]).await.with_status(0);
    for line in [
        "against the template's defaults",
        "ok       suppression",
        "Proposed parameters\n  StepVerdict=RequireValid\n",
        "What the documentation leaves open, and this account does\n",
        "Not told by these answers\n",
        "Left behind\n",
        "\nThe account fits.\n",
    ] {
        assert!(ended.answer.contains(line), "{line}: {}", ended.answer);
    }
}

#[tokio::test]
async fn what_cannot_be_probed_is_refused_with_the_reason() {
    let incomplete = secret_file(r#"{"apiKey": "hidden", "signingKeys": ["hidden"]}"#);
    let incomplete = incomplete.path().to_str().unwrap();
    for (arguments, said) in [
        (
            &["probe", "--secret-file", incomplete][..],
            "apiSecret is missing",
        ),
        (
            &["probe", "--secret-file", "/nonexistent/s.json"],
            "/nonexistent/s.json cannot be read",
        ),
        (
            &["probe", "--secret-file", incomplete, "--front", "x"],
            "--spend",
        ),
        (
            &["probe", "--base-url", "https://example.com"],
            "--secret-file",
        ),
        (
            &[
                "probe",
                "--secret-file",
                incomplete,
                "--spend",
                "--yes",
                "--front",
                "/dev/null",
            ],
            "no JPEG, PNG or PDF",
        ),
        (
            &[
                "probe",
                "--secret-file",
                incomplete,
                "--spend",
                "--country",
                "LTU",
            ],
            "two letters",
        ),
    ] {
        let ended = play(command(arguments), "").await.with_status(2);
        assert!(ended.notes.contains(said), "{said}: {ended:?}");
        assert!(
            ended.answer.is_empty() && !ended.notes.contains("hidden"),
            "{ended:?}"
        );
    }
    let remote = [
        "probe",
        "--secret-file",
        "-",
        "--base-url",
        "http://ivs.idenfy.com",
    ];
    let ended = play(command(&remote), SECRET).await.with_status(2);
    assert!(ended.notes.contains("must be https"), "{ended:?}");

    let open = secret_file(SECRET);
    open.as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))
        .unwrap();
    let file = open.path().to_str().unwrap();
    let unreached = [
        "probe",
        "--secret-file",
        file,
        "--base-url",
        "http://127.0.0.1:9",
    ];
    let ended = play(command(&unreached), "").await.with_status(1);
    assert!(
        ended.notes.contains("chmod 600") && ended.answer.contains("network"),
        "{ended:?}"
    );
}

/// The drawn cards of `probe --spend` say that they are none.
#[test]
fn the_specimens_are_the_drawn_cards() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specimen");
    for (side, file) in [("FRONT", "front.jpg"), ("BACK", "back.jpg")] {
        let card = Card::draw(704, side);
        let mut drawn = Vec::new();
        let encoder = Encoder::new(&mut drawn, 60);
        encoder
            .encode(&card.pixels, card.width, card.height, ColorType::Rgb)
            .unwrap();
        assert!(std::fs::read(folder.join(file)).unwrap() == drawn, "{file}");
    }
}
