//! An application's events: one for each outcome, by the schemas in `docs/events`, with nothing
//! personal.

use std::path::Path;

use adapters::EventBridgeAnnouncer;
use harness::{Session, Stack};
use serde_json::{Value, json};
use uuid::Uuid;
use verification::announcement::Detail;
use verification::comparison::{DocumentIdentity, Person};
use verification::ports::Announcer;
use verification::reason::{DeclineReason, SettledReason};
use verification::result::Overall;
use verification::{Announcement, Outcome, Timestamp};

use crate::privacy::{marker, person};

fn schema(detail_type: &str) -> Value {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events");
    let text = std::fs::read(directory.join(format!("{detail_type}.schema.json")))
        .expect("every event has a schema");
    serde_json::from_slice(&text).expect("JSON")
}

/// Shows that an event is what its schema says.
fn assert_documented(event: &Value) {
    let schema = schema(event["detail-type"].as_str().expect("text"));
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let errors: Vec<String> = validator
        .iter_errors(event)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}: {event}");
}

/// The detail that is expected, but for the time.
fn without_time(event: &Value) -> Value {
    let mut detail = event["detail"].clone();
    let occurred_at = detail
        .as_object_mut()
        .expect("an object")
        .remove("occurredAt");
    assert!(occurred_at.is_some_and(|at| at.is_string()), "{event}");
    detail
}

/// What is expected about a session, with `more`.
fn about(session: &Session<'_>, more: &Value) -> Value {
    let mut detail = json!({"scanRef": session.scan_ref, "clientId": session.client_id});
    let members = more.as_object().expect("an object").clone();
    detail.as_object_mut().expect("an object").extend(members);
    detail
}

#[tokio::test]
async fn each_outcome_is_heard_once_as_documented() {
    let stack = Stack::shared().await.unwrap();
    let (settled, declined) = tokio::try_join!(
        stack.session_with_documents(),
        stack.session_with_documents()
    )
    .unwrap();
    let (parked, revoked) = tokio::try_join!(
        stack.session_with_documents(),
        stack.session_with_documents()
    )
    .unwrap();
    let last = stack.session_with_documents().await.unwrap();
    let customers =
        [&settled, &declined, &parked, &revoked, &last].map(|session| session.client_id.as_str());
    let listener = stack.listen(&customers).await.unwrap();
    let marker = marker();
    let overrides = person(&marker);
    for session in [&settled, &revoked] {
        session
            .outcome(json!({"overrides": overrides}))
            .await
            .unwrap();
        session
            .finish_expecting_200(json!({"overrides": overrides}))
            .await
            .unwrap();
    }
    declined
        .finish_expecting_200(json!({"overall": "DENIED", "overrides": overrides}))
        .await
        .unwrap();
    parked
        .finish_expecting_200(json!({"overall": "SPLENDID", "overrides": overrides}))
        .await
        .unwrap();
    let settled_pairing = settled.until_settled().await.unwrap();
    let revoked_pairing = revoked.until_settled().await.unwrap();
    revoked
        .finish_expecting_200(json!({"overall": "DENIED", "overrides": overrides}))
        .await
        .unwrap();
    revoked.until_revoked(Some("FirstDenied")).await.unwrap();
    // A callback that comes again decides nothing, so nothing is announced again.
    declined.send_again(json!({})).await.unwrap();
    // The stream keeps its order: no event comes behind this one.
    last.finish_expecting_200(json!({"overall": "SUSPECTED"}))
        .await
        .unwrap();

    let heard = listener
        .until("DualVerificationDeclined", &last.client_id)
        .await
        .unwrap();

    let of = |session: &Session<'_>| -> Vec<(Value, Value)> {
        let events = heard
            .iter()
            .filter(|event| event["detail"]["clientId"] == session.client_id.as_str());
        events
            .map(|event| (event["detail-type"].clone(), without_time(event)))
            .collect()
    };
    let both = |second: Option<&String>, more: Value| {
        let comparison = json!({"person": "Same", "document": "Different"});
        let mut members = json!({"secondScanRef": second, "verdict": "Approved",
            "secondOverall": "APPROVED", "comparison": comparison});
        members
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        members
    };
    let result = |session: &Session<'_>, second: &Option<String>| {
        about(
            session,
            &both(second.as_ref(), json!({"firstOverall": "APPROVED"})),
        )
    };
    assert_eq!(
        of(&settled),
        [(
            json!("DualVerificationSettled"),
            result(&settled, &settled_pairing.second_scan_ref)
        )]
    );
    assert_eq!(
        of(&declined),
        [(
            json!("DualVerificationDeclined"),
            about(
                &declined,
                &json!({"reason": "FirstDenied", "firstOverall": "DENIED"})
            )
        )]
    );
    assert_eq!(
        of(&parked),
        [(
            json!("DualVerificationParked"),
            about(
                &parked,
                &json!({"reason": "OverallUnknown", "firstOverall": "UNKNOWN"})
            )
        )]
    );
    let turned = both(
        revoked_pairing.second_scan_ref.as_ref(),
        json!({"reason": "FirstDenied", "firstOverall": "DENIED"}),
    );
    assert_eq!(
        of(&revoked),
        [
            (
                json!("DualVerificationSettled"),
                result(&revoked, &revoked_pairing.second_scan_ref)
            ),
            (json!("DualVerificationRevoked"), about(&revoked, &turned))
        ]
    );
    assert_eq!(heard.len(), 6, "{heard:?}");
    for event in &heard {
        assert_documented(event);
        assert!(!event.to_string().contains(&marker), "{event}");
    }
    let lines = stack.log_lines("publisher", "").await.unwrap();
    assert!(
        !lines.iter().any(|line| line.contains(&marker)),
        "{lines:?}"
    );
}

#[tokio::test]
async fn only_outcomes_start_the_publisher() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    let listener = stack.listen(&[&session.client_id]).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    listener
        .until("DualVerificationSettled", &session.client_id)
        .await
        .unwrap();
    let lines = stack
        .log_records("publisher", "outcomes_published")
        .await
        .unwrap();
    assert!(!lines.is_empty());
    for line in lines {
        assert_eq!(
            line["records"], line["published"],
            "each record was an outcome: {line}"
        );
    }
}

#[tokio::test]
async fn more_announcements_than_one_call_takes_all_arrive() {
    let stack = Stack::shared().await.unwrap();
    let client_id = format!("customer-{}", Uuid::new_v4().simple());
    let listener = stack.listen(&[&client_id]).await.unwrap();
    let announcement = |number: i64, outcome| Announcement {
        outcome,
        detail: Detail {
            scan_ref: format!("scan-{number}").parse().unwrap(),
            second_scan_ref: None,
            client_id: Some(client_id.parse().unwrap()),
            verdict: None,
            reason: None,
            first_overall: None,
            second_overall: None,
            first_tags: Vec::new(),
            second_tags: Vec::new(),
            comparison: None,
            occurred_at: Timestamp::from_milliseconds(1_795_422_063_000 + number),
        },
    };
    let mut announcements: Vec<Announcement> = (0..22)
        .map(|number| announcement(number, Outcome::DualVerificationExpired))
        .collect();
    announcements.push(announcement(22, Outcome::DualVerificationSettled));
    let announcer =
        EventBridgeAnnouncer::new(stack.http.clone(), &stack.sdk, &stack.description.event_bus);
    let results = announcer.announce(&announcements).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let heard = listener
        .until("DualVerificationSettled", &client_id)
        .await
        .unwrap();
    assert_eq!(results.len(), 23);
    assert_eq!(heard.len(), 23, "{heard:?}");
    for event in heard
        .iter()
        .filter(|event| event["detail-type"] == "DualVerificationExpired")
    {
        assert_documented(event);
    }
}

#[test]
fn the_schemas_know_every_outcome_and_every_word() {
    for outcome in Outcome::ALL.iter().copied() {
        let schema = schema(outcome.as_str());
        assert_eq!(
            schema["properties"]["detail-type"]["const"],
            outcome.as_str()
        );
        let detail = &schema["properties"]["detail"];
        assert_eq!(detail["additionalProperties"], false);
        for (name, member) in detail["properties"].as_object().expect("members") {
            assert!(member["description"].is_string(), "{outcome:?} {name}");
        }
        let overall = Overall::ALL
            .iter()
            .map(|word| word.as_str())
            .collect::<Vec<_>>();
        for member in ["firstOverall", "secondOverall"] {
            assert_eq!(
                detail["properties"][member]["enum"],
                json!(overall),
                "{outcome:?}"
            );
        }
        if matches!(
            outcome,
            Outcome::DualVerificationDeclined | Outcome::DualVerificationRevoked
        ) {
            let reasons = DeclineReason::ALL
                .iter()
                .map(|word| word.as_str())
                .collect::<Vec<_>>();
            assert_eq!(
                detail["properties"]["reason"]["enum"],
                json!(reasons),
                "{outcome:?}"
            );
        }
        if outcome == Outcome::DualVerificationSettled {
            let reasons = SettledReason::ALL
                .iter()
                .map(|word| word.as_str())
                .collect::<Vec<_>>();
            assert_eq!(detail["properties"]["reason"]["enum"], json!(reasons));
        }
        let comparison = &detail["properties"]["comparison"]["properties"];
        assert_eq!(
            comparison["person"]["enum"],
            json!(
                Person::ALL
                    .iter()
                    .map(|word| word.as_str())
                    .collect::<Vec<_>>()
            )
        );
        assert_eq!(
            comparison["document"]["enum"],
            json!(
                DocumentIdentity::ALL
                    .iter()
                    .map(|word| word.as_str())
                    .collect::<Vec<_>>()
            )
        );
    }
}
