//! Nothing personal or secret is printed.

use harness::Stack;
use serde_json::json;
use uuid::Uuid;

use crate::program::Dvctl;

#[tokio::test]
async fn no_answer_note_or_error_has_anything_personal_or_secret() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let marker = format!("MARKER{}", Uuid::new_v4().simple());
    let person = json!({
        "data": {
            "docFirstName": marker,
            "docLastName": marker,
            "docNumber": marker,
            "address": marker,
        },
        "clientIp": marker,
    });

    let authorized = stack.session_with_documents().await.unwrap();
    authorized
        .fault(json!({"route": "process", "kind": "status", "status": 429, "message": marker}))
        .await
        .unwrap();
    authorized
        .finish_expecting_200(json!({"overrides": person}))
        .await
        .unwrap();
    let record = authorized.until("Authorized").await.unwrap();
    let parked = stack.session_with_documents().await.unwrap();
    parked
        .fault(json!({"route": "process", "kind": "errorIn200", "message": marker}))
        .await
        .unwrap();
    parked
        .finish_expecting_200(json!({"overrides": person}))
        .await
        .unwrap();
    parked.until_parked("SubmissionRefused").await.unwrap();
    assert_eq!(
        stack.post_signed(marker.clone()).await.unwrap(),
        200,
        "an unreadable body is kept"
    );

    let secret = stack.secret().await.unwrap();
    let callback = stack
        .json_object(&authorized.archived_callbacks().await.unwrap()[0].key)
        .await
        .unwrap();
    let mut secrets = vec![
        marker,
        authorized.client_id.clone(),
        parked.client_id.clone(),
    ];
    secrets.push(
        record.pairing["state"]["auth_token"]
            .as_str()
            .expect("Token 2")
            .to_owned(),
    );
    secrets.extend(
        [
            &secret["apiKey"],
            &secret["apiSecret"],
            &secret["signingKeys"][0],
        ]
        .map(|text| text.as_str().unwrap().to_owned()),
    );
    let links = callback["fileUrls"].as_object().expect("links").values();
    secrets.extend(links.map(|link| link.as_str().expect("a link").to_owned()));

    let questions: [&[&str]; 14] = [
        &["show", &authorized.scan_ref],
        &["show", &parked.scan_ref],
        &["list"],
        &["list", "--whole-table", "--limit", "10000"],
        &["list", "--state", "authorized"],
        &["list", "--client", &parked.client_id],
        &["watch", "--once", "--newest", "1000"],
        &["doctor"],
        &["probe"],
        &["replay", "--failed", "--dry-run"],
        &["replay", "--dry-run", &parked.scan_ref],
        &["retry", &authorized.scan_ref],
        &["retry", &parked.scan_ref],
        &["erase", "--yes", &parked.scan_ref],
    ];
    for question in questions {
        for form in [&[][..], &["--json"]] {
            let ended = dvctl.run(&[form, question].concat()).await;
            assert!(
                !ended.answer.is_empty() || !ended.notes.is_empty(),
                "{question:?}"
            );
            for secret in &secrets {
                assert!(
                    !ended.answer.contains(secret) && !ended.notes.contains(secret),
                    "{question:?} prints {secret}: {ended:?}"
                );
            }
        }
    }
}
