//! Callbacks: their content, their signature and their repetition.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::fixture::{Fixture, PDF, PNG, SIGNING_KEY};
use crate::receiver::Received;

/// Members of the published schema and of the older dump, by the object that they stand in.
const DOCUMENTED: [(&str, &[&str]); 3] = [
    (
        "",
        &[
            "final",
            "platform",
            "status",
            "data",
            "fileUrls",
            "scanRef",
            "clientId",
            "companyId",
            "beneficiaryId",
            "startTime",
            "finishTime",
            "clientIp",
            "clientIpCountry",
            "clientLocation",
            "externalRef",
            "utilityData",
            "additionalSteps",
            "additionalStepPdfUrls",
            "additionalData",
            "AML",
            "amlCheck",
            "LID",
            "CRIMINAL_CHECK",
            "gdcMatch",
            "manualAddress",
            "manualAddressMatch",
            "registryCenterCheck",
            "addressVerification",
            "questionnaireAnswers",
            "riskAssessment",
            "bankVerification",
            "emailVerification",
            "phoneVerification",
            "driverLicenseCheck",
            "bankCardVerification",
        ],
    ),
    (
        "/status",
        &[
            "overall",
            "autoDocument",
            "manualDocument",
            "autoFace",
            "manualFace",
            "fraudTags",
            "mismatchTags",
            "additionalSteps",
            "suspicionReasons",
            "denyReasons",
            "amlResultClass",
            "pepsStatus",
            "sanctionsStatus",
            "adverseMediaStatus",
        ],
    ),
    (
        "/data",
        &[
            "docFirstName",
            "docLastName",
            "docNumber",
            "docPersonalCode",
            "docExpiry",
            "docDob",
            "docDateOfIssue",
            "docType",
            "docSex",
            "docNationality",
            "docIssuingCountry",
            "birthPlace",
            "authority",
            "address",
            "docTemporaryAddress",
            "mothersMaidenName",
            "docBirthName",
            "docPatronymic",
            "driverLicenseCategory",
            "manuallyDataChanged",
            "fullName",
            "selectedCountry",
            "orgFirstName",
            "orgLastName",
            "orgNationality",
            "orgBirthPlace",
            "orgAuthority",
            "orgAddress",
            "orgTemporaryAddress",
            "orgMothersMaidenName",
            "orgPatronymic",
            "orgBirthName",
            "ageEstimate",
            "clientIpProxyRiskLevel",
            "duplicateFaces",
            "duplicateDocFaces",
            "additionalData",
        ],
    ),
];

fn is_signed(callback: &Received, key: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(&callback.raw);
    callback.header("idenfy-signature") == Some(hex::encode(mac.finalize().into_bytes()).as_str())
}

#[tokio::test]
async fn every_documented_member_is_there_whatever_the_result() {
    let mut fixture = Fixture::start().await;
    let (customer, unused) = (
        fixture.session("client").await,
        fixture.session("client").await,
    );
    fixture.finish(&customer, json!({})).await;
    fixture
        .admin(
            "POST",
            &format!("/sessions/{}/expire", unused.scan_ref),
            json!({}),
        )
        .await;
    for _ in 0..2 {
        let body = fixture.receiver.next().await.body();
        for (object, members) in DOCUMENTED {
            let found = body.pointer(object).and_then(Value::as_object).unwrap();
            let missing: Vec<_> = members
                .iter()
                .filter(|member| !found.contains_key(**member))
                .collect();
            assert!(missing.is_empty(), "{missing:?} missing in {object:?}");
        }
    }
}

#[tokio::test]
async fn a_session_ends_with_both_documents_and_a_verdict() {
    let mut fixture = Fixture::start().await;
    let session = fixture
        .open(json!({"clientId": "client", "externalRef": "ours"}))
        .await;
    fixture
        .put_file(&session, "SECOND_DOC_FRONT", "image/png", PNG)
        .await;
    fixture
        .put_file(&session, "SECOND_DOC_BACK", "application/pdf", PDF)
        .await;
    let answer = fixture
        .finish(&session, json!({"nonFinalFirst": true}))
        .await;
    let (first, second) = (fixture.receiver.next().await, fixture.receiver.next().await);
    assert_eq!(
        first.header("idenfy-event-type"),
        Some("IDENTIFICATION_AUTO_FINISHED")
    );
    assert_eq!(
        second.header("idenfy-event-type"),
        Some("IDENTIFICATION_MANUAL_FINISHED")
    );
    assert!(is_signed(&first, SIGNING_KEY) && is_signed(&second, SIGNING_KEY));
    let (first, second) = (first.body(), second.body());
    assert_eq!(
        (&first["final"], &first["status"]["additionalSteps"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        (&second["final"], &second["status"]["additionalSteps"]),
        (&json!(true), &json!("VALID"))
    );
    assert_eq!(
        second["additionalSteps"],
        json!({"SECOND_DOC_FRONT": "UPLOAD", "SECOND_DOC_BACK": "UPLOAD"})
    );
    assert_eq!(
        second["additionalStepPdfUrls"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["SECOND_DOC_BACK"]
    );
    assert_eq!(
        (&second["clientId"], &second["externalRef"]),
        (&json!("client"), &json!("ours"))
    );
    let attempts = answer["deliveries"].as_array().unwrap();
    assert_eq!(
        attempts
            .iter()
            .map(|attempt| attempt["status"].clone())
            .collect::<Vec<_>>(),
        [200, 200]
    );
}

#[tokio::test]
async fn the_verdict_on_the_steps_is_implied_or_given() {
    let mut fixture = Fixture::start().await;
    let mut verdict = async |how: Value| {
        let session = fixture.session("client").await;
        fixture
            .put_file(&session, "SECOND_DOC_FRONT", "image/png", PNG)
            .await;
        fixture.finish(&session, how).await;
        fixture.receiver.next().await.body()["status"].clone()
    };
    let missing = verdict(json!({})).await;
    assert_eq!(
        (&missing["additionalSteps"], &missing["mismatchTags"]),
        (&json!("NOT_FOUND"), &json!(["ADDITIONAL_STEP_NOT_FOUND"]))
    );
    assert_eq!(
        verdict(json!({"additionalSteps": null})).await["additionalSteps"],
        Value::Null
    );
    assert_eq!(
        verdict(json!({"additionalSteps": {"odd": 1}})).await["additionalSteps"],
        json!({"odd": 1})
    );

    let session = fixture.session("client").await;
    fixture
        .settings(json!({"stepVerdictSpelling": "sentence", "eventNames": "idVerification"}))
        .await;
    fixture
        .finish(&session, json!({"additionalSteps": "VALID"}))
        .await;
    let callback = fixture.receiver.next().await;
    assert_eq!(
        callback.body()["status"]["additionalSteps"],
        "Additional step is valid"
    );
    assert_eq!(
        callback.header("idenfy-event-type"),
        Some("ID_VERIFICATION_MANUAL_FINISHED")
    );
}

#[tokio::test]
async fn upload_steps_are_judged_only_by_setting() {
    let mut fixture = Fixture::start().await;
    fixture.settings(json!({"judgesUploadSteps": false})).await;
    let of_kind = |kind: &str| json!({"ALL": {"ALL": {"STEP": {"type": kind}}}});
    for (kind, has_file, verdict) in [
        ("UPLOAD", true, Value::Null),
        ("UPLOAD", false, Value::Null),
        ("EXTRACT", true, json!("VALID")),
        ("COMPARE", false, json!("NOT_FOUND")),
    ] {
        fixture
            .settings(json!({"defaultAdditionalSteps": of_kind(kind)}))
            .await;
        let session = fixture.session("client").await;
        if has_file {
            fixture.put_file(&session, "STEP", "image/png", PNG).await;
        }
        fixture.finish(&session, json!({})).await;
        let body = fixture.receiver.next().await.body();
        assert_eq!(
            body["status"]["additionalSteps"], verdict,
            "{kind}, {has_file}"
        );
        let completed = if has_file {
            json!({"STEP": kind})
        } else {
            json!({})
        };
        assert_eq!(body["additionalSteps"], completed);
        if verdict.is_null() {
            assert_eq!(body["status"]["mismatchTags"], json!([]));
        }
    }
    let session = fixture.session("client").await;
    fixture
        .finish(&session, json!({"additionalSteps": "VALID"}))
        .await;
    let given = fixture.receiver.next().await.body();
    assert_eq!(
        given["status"]["additionalSteps"], "VALID",
        "what is asked for is sent"
    );
}

#[tokio::test]
async fn anything_but_200_is_repeated_with_the_same_bytes() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.receiver.will_answer(&[500, 204, 302]);
    let answer = fixture.finish(&session, json!({})).await;
    let mut received = Vec::new();
    for _ in 0..4 {
        received.push(fixture.receiver.next().await);
    }
    assert!(
        received
            .iter()
            .all(|callback| callback.raw == received[0].raw && is_signed(callback, SIGNING_KEY))
    );
    let attempts: Vec<_> = answer["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| (record["attempt"].clone(), record["status"].clone()))
        .collect();
    let numbered = |attempt: u32, status: u32| (json!(attempt), json!(status));
    assert_eq!(
        attempts,
        [
            numbered(1, 500),
            numbered(2, 204),
            numbered(3, 302),
            numbered(4, 200)
        ]
    );
    assert!(fixture.receiver.is_quiet());
}

#[tokio::test]
async fn repeats_end_and_failures_are_recorded() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.settings(json!({"callbackRetries": 1})).await;
    fixture.receiver.will_answer(&[503, 503]);
    fixture.finish(&session, json!({})).await;
    fixture.receiver.next().await;
    fixture.receiver.next().await;
    assert!(fixture.receiver.is_quiet());

    let again = format!("/sessions/{}/callback", session.scan_ref);
    fixture
        .settings(json!({"callbackUrl": "http://127.0.0.1:1/"}))
        .await;
    let unreachable = fixture.admin("POST", &again, json!({})).await;
    assert_eq!(unreachable["deliveries"][0]["error"], "no connection");
    fixture.settings(json!({"callbackUrl": null})).await;
    let nowhere = fixture.admin("POST", &again, json!({})).await;
    assert_eq!(nowhere["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(nowhere["deliveries"][0]["error"], "no receiver");
    let journal = fixture
        .admin(
            "GET",
            &format!("/deliveries?scanRef={}", session.scan_ref),
            json!({}),
        )
        .await;
    assert_eq!(journal["deliveries"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_times_out() {
    let fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = format!("http://{}/", silent.local_addr().unwrap());
    fixture
        .settings(json!({"callbackUrl": receiver, "callbackRetries": 0,
            "callbackTimeoutMilliseconds": 20}))
        .await;
    let answer = fixture.finish(&session, json!({})).await;
    assert_eq!(answer["deliveries"][0]["error"], "timeout");
}

#[tokio::test]
async fn without_a_key_callbacks_are_not_signed() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.settings(json!({"signingKey": ""})).await;
    fixture.finish(&session, json!({})).await;
    assert_eq!(
        fixture.receiver.next().await.header("idenfy-signature"),
        None
    );
    fixture.settings(json!({"signingKey": "rotated"})).await;
    fixture.finish(&session, json!({})).await;
    assert!(is_signed(&fixture.receiver.next().await, "rotated"));
}

#[tokio::test]
async fn text_outside_ascii_is_sent_raw_or_escaped() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.finish(&session, json!({})).await;
    let raw = fixture.receiver.next().await;
    fixture
        .settings(json!({"callbackEscapeNonAscii": true}))
        .await;
    fixture
        .admin(
            "POST",
            &format!("/sessions/{}/callback", session.scan_ref),
            json!({}),
        )
        .await;
    let escaped = fixture.receiver.next().await;
    assert!(!raw.raw.is_ascii() && escaped.raw.is_ascii());
    assert_eq!(raw.body(), escaped.body());
    assert!(is_signed(&escaped, SIGNING_KEY));
}

#[tokio::test]
async fn the_last_callback_can_be_sent_again_in_many_ways() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let path = format!("/sessions/{}/callback", session.scan_ref);
    assert_eq!(
        fixture.try_admin("POST", &path, json!({})).await.status,
        409
    );
    fixture.settings(json!({"fileLinkSeconds": 60})).await;
    fixture.finish(&session, json!({})).await;
    let original = fixture.receiver.next().await;

    let answer = fixture
        .admin("POST", &path, json!({"count": 5, "concurrent": true}))
        .await;
    assert_eq!(answer["deliveries"].as_array().unwrap().len(), 5);
    for _ in 0..5 {
        assert_eq!(fixture.receiver.next().await.raw, original.raw);
    }
    fixture.settings(json!({"fileLinkSeconds": 61})).await;
    fixture
        .admin("POST", &path, json!({"freshLinks": true}))
        .await;
    let renewed = fixture.receiver.next().await.body();
    assert!(
        renewed["fileUrls"]["FRONT"]
            .as_str()
            .unwrap()
            .contains("X-Amz-Expires=61")
    );
    let changed = json!({"overrides": {"status": {"overall": "DENIED"}},
        "eventType": "IDENTIFICATION", "expiredLinks": true});
    fixture.admin("POST", &path, changed).await;
    let changed = fixture.receiver.next().await;
    assert_eq!(changed.header("idenfy-event-type"), Some("IDENTIFICATION"));
    assert_eq!(changed.body()["status"]["overall"], "DENIED");
    let link = changed.body()["fileUrls"]["FRONT"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(fixture.client.get(link).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn an_old_callback_is_sent_again_byte_for_byte() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let path = format!("/sessions/{}/callback", session.scan_ref);
    let mut sent = Vec::new();
    for overall in ["APPROVED", "DENIED", "APPROVED"] {
        fixture.finish(&session, json!({"overall": overall})).await;
        sent.push(fixture.receiver.next().await);
    }
    assert_ne!(sent[0].raw, sent[2].raw, "each result has links of its own");
    let journal = fixture.admin("GET", "/deliveries", json!({})).await;
    let sequence = |number: usize| journal["deliveries"][number]["sequence"].clone();
    for (which, number) in [
        (json!({"callback": 0}), 0),
        (json!({"sequence": sequence(1)}), 1),
        (json!({"sequence": sequence(0), "count": 1}), 0),
        (json!({}), 2),
    ] {
        let answer = fixture.admin("POST", &path, which.clone()).await;
        let again = fixture.receiver.next().await;
        assert_eq!(again.raw, sent[number].raw, "{which}");
        assert_eq!(
            again.header("idenfy-event-type"),
            sent[number].header("idenfy-event-type")
        );
        assert!(is_signed(&again, SIGNING_KEY));
        assert_eq!(answer["deliveries"][0]["callback"], number);
    }
}

#[tokio::test]
async fn only_callbacks_that_are_kept_are_sent_again() {
    let mut fixture = Fixture::start().await;
    let (session, other) = (
        fixture.session("client").await,
        fixture.session("client").await,
    );
    for finished in [&session, &other] {
        fixture.finish(finished, json!({})).await;
        fixture.receiver.next().await;
    }
    let path = format!("/sessions/{}/callback", session.scan_ref);
    let changed = fixture
        .admin("POST", &path, json!({"overrides": {"final": false}}))
        .await;
    fixture.receiver.next().await;
    assert_eq!(changed["deliveries"][0]["callback"], Value::Null);
    let of_other = fixture
        .admin(
            "GET",
            &format!("/deliveries?scanRef={}", other.scan_ref),
            json!({}),
        )
        .await;
    for (which, status) in [
        (
            json!({"sequence": changed["deliveries"][0]["sequence"]}),
            409,
        ),
        (
            json!({"sequence": of_other["deliveries"][0]["sequence"]}),
            404,
        ),
        (json!({"callback": 1}), 404),
        (json!({"callback": 0, "sequence": 1}), 400),
    ] {
        assert_eq!(
            fixture.try_admin("POST", &path, which.clone()).await.status,
            status,
            "{which}"
        );
    }
    assert!(fixture.receiver.is_quiet());
}

#[tokio::test]
async fn a_result_can_change_after_it_was_final() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    fixture.finish(&session, json!({})).await;
    fixture
        .finish(
            &session,
            json!({"overall": "DENIED", "overrides": {"companyId": null}}),
        )
        .await;
    assert_eq!(
        fixture.receiver.next().await.body()["status"]["overall"],
        "APPROVED"
    );
    let later = fixture.receiver.next().await.body();
    assert_eq!(later["status"]["overall"], "DENIED");
    assert!(later.get("companyId").is_none());
}
