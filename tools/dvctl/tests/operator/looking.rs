//! `show`, `list` and `watch`.

use api_contract::Application;
use std::collections::BTreeSet;

use harness::{BACK, FRONT, Session, Stack};
use serde_json::{Value, json};

use crate::program::Dvctl;

/// A session that is parked: iDenfy refuses Token 2 once.
pub async fn parked(stack: &Stack) -> Session<'_> {
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "token", "kind": "status", "status": 402, "identifier": "PERMISSIONS_ERROR"}))
        .await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_parked("SecondTokenRefused").await.unwrap();
    session
}

#[tokio::test]
async fn a_settled_verification_is_shown_by_either_scan_ref() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();

    let (status, shown) = dvctl.ask(&["show", &session.scan_ref]).await;
    assert_eq!(status, Some(0));
    assert_eq!(
        (&shown["state"], &shown["verdict"]),
        (&json!("Settled"), &json!("Approved"))
    );
    let steps: Vec<&Value> = shown["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| &document["step"])
        .collect();
    assert_eq!(steps, [FRONT, BACK]);
    assert_eq!(shown["documents"][0]["bytes"], 30_000);
    assert_eq!(shown["documents"][0]["sha256"].as_str().unwrap().len(), 64);
    let told: Vec<&str> = shown["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["what"].as_str().unwrap())
        .collect();
    assert_eq!(told, session.history().await.unwrap());
    assert_eq!(shown.get("clientId"), None);

    let second = shown["second"]["scanRef"].as_str().unwrap();
    let (_, by_second) = dvctl.ask(&["show", "--show-client-ids", second]).await;
    assert_eq!(by_second["scanRef"], shown["scanRef"]);
    assert_eq!(by_second["clientId"], session.client_id.as_str());

    let text = dvctl.run(&["show", second]).await.with_status(0).answer;
    assert!(
        text.contains("state        Settled")
            && text.contains(second)
            && !text.contains(&session.client_id),
        "{text}"
    );
}

#[tokio::test]
async fn a_parked_verification_says_why_and_what_a_person_does() {
    let stack = Stack::shared().await.unwrap();
    let session = parked(&stack).await;
    let (_, shown) = Dvctl::of(&stack).ask(&["show", &session.scan_ref]).await;
    assert_eq!(shown["reason"], "SecondTokenRefused");
    assert!(shown["about"]["kind"].is_string(), "{shown}");
    let last = shown["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        last["reason"], "SecondTokenRefused",
        "what parked it is told after it has been taken up as well"
    );
    assert!(
        shown["next"]
            .as_str()
            .unwrap()
            .ends_with(&format!("dvctl retry {}", session.scan_ref)),
        "{shown}"
    );
}

#[tokio::test]
async fn an_unknown_verification_is_not_found() {
    let stack = Stack::shared().await.unwrap();
    let ended = Dvctl::of(&stack)
        .run(&["show", "no-such-verification"])
        .await
        .with_status(3);
    assert!(
        ended.answer.is_empty() && ended.notes.contains("no verification has the scanRef"),
        "{ended:?}"
    );
}

#[tokio::test]
async fn parked_verifications_are_listed_page_by_page_and_each_once() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let (one, other) = (parked(&stack).await, parked(&stack).await);
    for place in [&[][..], &["--whole-table"]] {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut arguments = vec!["list", "--state", "parked", "--since", "1h", "--limit", "1"];
            arguments.extend(place);
            arguments.extend(after.iter().flat_map(|after| ["--after", after]));
            let (status, page) = dvctl.ask(&arguments).await;
            assert_eq!(status, Some(0));
            for item in page["items"].as_array().unwrap() {
                assert_eq!(item["state"], "Parked");
                found.push(item["scanRef"].as_str().unwrap().to_owned());
            }
            after = page["after"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        let distinct: BTreeSet<&String> = found.iter().collect();
        assert!(
            distinct.contains(&one.scan_ref) && distinct.contains(&other.scan_ref),
            "{place:?}: {found:?}"
        );
        assert_eq!(distinct.len(), found.len(), "{found:?}");
    }
}

#[tokio::test]
async fn what_is_in_work_and_what_a_client_has_is_listed_from_indexes() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let (session, _) = stack.api_session(json!({})).await.unwrap();
    let (_, in_work) = dvctl
        .ask(&[
            "list",
            "--state",
            "AwaitingCallback,submitted",
            "--limit",
            "10000",
        ])
        .await;
    let (_, of_client) = dvctl.ask(&["list", "--client", &session.client_id]).await;
    for (listed, others) in [(in_work, true), (of_client, false)] {
        let items = listed["items"].as_array().unwrap();
        let own = items
            .iter()
            .find(|item| item["scanRef"] == session.scan_ref.as_str());
        assert_eq!(own.expect("it is listed")["state"], "AwaitingCallback");
        assert!(others || items.len() == 1, "{items:?}");
        assert!(!listed.to_string().contains(&session.client_id));
    }
    let (_, none) = dvctl
        .ask(&["list", "--client", &session.client_id, "--state", "settled"])
        .await;
    assert_eq!(none, json!({"items": []}));
}

#[tokio::test]
async fn one_look_shows_work_queues_and_the_newest_decisions() {
    let stack = Stack::shared().await.unwrap();
    let (_session, _) = stack.api_session(json!({})).await.unwrap();
    let settled = stack.session_with_documents().await.unwrap();
    settled.finish_expecting_200(json!({})).await.unwrap();
    settled.until_settled().await.unwrap();
    let (status, view) = Dvctl::of(&stack)
        .ask(&["watch", "--once", "--newest", "1000"])
        .await;
    assert_eq!(status, Some(0));
    assert!(
        view["inWork"]["AwaitingCallback"].as_u64().unwrap() >= 1,
        "{view}"
    );
    assert!(view["queues"]["deadLetters"]["waiting"].is_u64(), "{view}");
    let newest = view["newest"].as_array().unwrap();
    let by = |function: &str| {
        newest.iter().any(|decision| {
            decision["scanRef"] == settled.scan_ref.as_str() && decision["by"] == function
        })
    };
    assert!(by("webhook") && by("processor"), "{view}");
}
