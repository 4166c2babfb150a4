//! `export`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use api_contract::Application;
use harness::{FaultProxy, Look, Session, Stack, documents::sha256, wait_for};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::program::{Dvctl, command, play};

/// A new place for an export, as an argument.
fn place(folder: &TempDir) -> (PathBuf, String) {
    let place = folder.path().join("export");
    let argument = place.to_str().unwrap().to_owned();
    (place, argument)
}

fn read(place: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(place.join(name)).unwrap()).unwrap()
}

/// Every file below a directory.
fn files(place: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in place.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{path:?}");
            found.extend(files(&path));
        } else {
            assert_eq!(mode, 0o600, "{path:?}");
            found.push(path);
        }
    }
    found
}

/// A settled customer of a session with an idempotency key, and the session's answer.
async fn settled(stack: &Stack) -> (Session<'_>, Value) {
    let client_id = format!("customer-{}", Uuid::new_v4().simple());
    let mut key = HeaderMap::new();
    key.insert("idempotency-key", client_id.parse().unwrap());
    let body = json!({"clientId": client_id}).to_string().into_bytes();
    let opened = stack
        .api_with(Method::POST, "/sessions", key, body)
        .await
        .unwrap();
    let opened = opened.expect(201).unwrap();
    let scan_ref = opened["scanRef"].as_str().unwrap().to_owned();
    let session = Session::of(stack, client_id, scan_ref);
    session.upload_both(30_000, 20_000).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    (session, opened)
}

#[tokio::test]
async fn either_scan_ref_leads_to_everything_that_is_kept() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let (session, opened) = settled(&stack).await;
    let (_, shown) = dvctl.ask(&["show", &session.scan_ref]).await;
    let second = shown["second"]["scanRef"].as_str().unwrap();

    for scan_ref in [session.scan_ref.as_str(), second] {
        let folder = tempfile::tempdir().unwrap();
        let (place, argument) = place(&folder);
        let (status, summary) = dvctl.ask(&["export", "--to", &argument, scan_ref]).await;
        assert_eq!(
            (status, &summary["problems"]),
            (Some(0), &json!([])),
            "{summary}"
        );
        assert!(
            !summary.to_string().contains(&session.client_id),
            "{summary}"
        );

        let manifest = read(&place, "manifest.json");
        assert_eq!(manifest["scanRefs"], json!([session.scan_ref, second]));
        let listed = manifest["files"].as_array().unwrap();
        assert_eq!(
            files(&place).len(),
            listed.len() + 1,
            "all files are in the manifest"
        );
        for file in listed {
            let bytes = std::fs::read(place.join(file["path"].as_str().unwrap())).unwrap();
            assert_eq!(file["sha256"], sha256(&bytes), "{file}");
            assert_eq!(file["bytes"], bytes.len());
            assert!(
                file["keptAt"].is_string() && file["keptIn"].is_string(),
                "{file}"
            );
        }
        let mut kept = stack
            .objects(&format!("documents/{}/", session.scan_ref))
            .await
            .unwrap();
        for name in [session.scan_ref.as_str(), second] {
            kept.extend(stack.objects(&format!("callbacks/{name}/")).await.unwrap());
        }
        assert!(kept.len() >= 4, "two files and two callbacks: {kept:?}");
        for object in kept {
            let bytes = stack.object(&object.key).await.unwrap();
            assert!(
                std::fs::read(place.join(&object.key)).unwrap() == bytes,
                "{object}"
            );
        }

        let records = read(&place, "records.json");
        let history = records["history"].as_array().unwrap();
        assert_eq!(history.len(), session.history().await.unwrap().len());
        assert_eq!(records["pairing"]["client_id"], session.client_id.as_str());
        assert_eq!(records["aliases"][0]["pk"], format!("SECOND#{second}"));
        assert_eq!(records["session"]["scan_ref"], session.scan_ref.as_str());
        let token = opened["authToken"].as_str().unwrap();
        for file in files(&place) {
            let content = std::fs::read(&file).unwrap();
            let is_there = content
                .windows(token.len())
                .any(|part| part == token.as_bytes());
            assert!(!is_there, "{file:?} has the session's token");
        }
        let elsewhere = manifest["keptElsewhere"].to_string();
        for place in ["iDenfy", "logs", "backups"] {
            assert!(elsewhere.contains(place), "{place}: {elsewhere}");
        }
    }
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_unknown_exported() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let (session, _) = stack.api_session(json!({})).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (_, argument) = place(&folder);
    let taken = folder.path().to_str().unwrap();
    let ended = dvctl
        .run(&["export", "--to", taken, &session.scan_ref])
        .await
        .with_status(2);
    assert!(ended.notes.contains("is there already"), "{ended:?}");

    let unknown = ["export", "--to", &argument, "no-such-verification"];
    dvctl.run(&unknown).await.with_status(3);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);

    // Its file is not what the record says, so somebody must look.
    let (session, _) = settled(&stack).await;
    let key = session.documents().await.unwrap()[0].key.clone();
    stack.put_object(&key, b"altered".to_vec()).await.unwrap();
    let altered = dvctl
        .run(&["export", "--to", &argument, &session.scan_ref])
        .await;
    let altered = altered.with_status(4);
    assert!(
        altered
            .answer
            .contains(&format!("{key} is not what the record says")),
        "{altered:?}"
    );

    dvctl
        .run(&["erase", "--yes", &session.scan_ref])
        .await
        .with_status(0);
    let (_, argument) = place(&tempfile::tempdir().unwrap());
    let gone = dvctl
        .run(&["export", "--to", &argument, &session.scan_ref])
        .await
        .with_status(3);
    assert!(gone.notes.contains("was erased"), "{gone:?}");
}

#[tokio::test]
async fn an_export_that_is_broken_off_leaves_nothing() {
    let stack = Stack::shared().await.unwrap();
    let (session, _) = settled(&stack).await;
    let proxy = FaultProxy::open().await.unwrap();
    proxy.lead_to(&stack.description.endpoint_url).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (_, argument) = place(&folder);
    let name = &stack.description.stack_name;
    let to = [
        "--stack",
        name,
        "--endpoint",
        proxy.origin(),
        "export",
        "--to",
        &argument,
    ];
    let export = || command(&[&to[..], &[&session.scan_ref]].concat());

    // Interrupted while a callback is read, after the documents were written.
    let slow = proxy.delay(Duration::from_secs(60), |call| {
        call.service == "s3" && call.path.contains("/callbacks/") && call.path.ends_with(".json")
    });
    let child = export().spawn().unwrap();
    let documents = folder
        .path()
        .join("export.incomplete/documents")
        .join(&session.scan_ref);
    wait_for(harness::DEADLINE, "both documents", async || {
        Ok(match documents.exists() && files(&documents).len() == 2 {
            true => Look::Found(()),
            false => Look::NotYet("fewer".to_owned()),
        })
    })
    .await
    .unwrap();
    let process = rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
    let ended = tokio::time::timeout(harness::DEADLINE, child.wait_with_output()).await;
    let ended = ended.unwrap().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let notes = String::from_utf8(ended.stderr).unwrap();
    assert!(notes.contains("interrupted"), "{notes}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);

    drop(slow);
    let refused = proxy.refuse(|call| call.service == "s3" && call.path.ends_with(".png"));
    let failed = play(export(), "").await.with_status(1);
    assert!(failed.notes.contains("reading a kept file"), "{failed:?}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    drop(refused);

    play(export(), "").await.with_status(0);
    assert!(folder.path().join("export/manifest.json").is_file());
}
