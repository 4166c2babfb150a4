//! The archive of callbacks.

use adapters::S3CallbackArchive;
use harness::Stack;
use serde_json::json;
use verification::comparison::Subject;
use verification::identifiers::Digest256;
use verification::ports::CallbackArchive;
use verification::testing::conformance;

use super::new_scan_ref;

#[tokio::test]
async fn the_archive_conforms() {
    let stack = Stack::shared().await.unwrap();
    let archive = S3CallbackArchive::new(&stack.sdk, &stack.description.document_bucket);
    let (scan_ref, link) = (
        new_scan_ref(),
        "https://files.example/second?X-Amz-Signature=1",
    );
    let subject = Subject {
        first_name: Some("ONA".to_owned()),
        date_of_birth: Some("1970-01-01".to_owned()),
        document_number: Some("LB77012345".to_owned()),
        ..Subject::default()
    };
    let data = json!({"docFirstName": "ONA", "docDob": "1970-01-01", "docNumber": "LB77012345"});
    let body =
        json!({"scanRef": scan_ref.as_str(), "fileUrls": {"SECOND_DOC_FRONT": link}, "data": data})
            .to_string();
    conformance::archive(
        &archive,
        &scan_ref,
        body.as_bytes(),
        ("SECOND_DOC_FRONT", link),
        &subject,
    )
    .await;
}

#[tokio::test]
async fn a_body_under_another_s_name_is_no_callback() {
    let stack = Stack::shared().await.unwrap();
    let archive = S3CallbackArchive::new(&stack.sdk, &stack.description.document_bucket);
    let scan_ref = new_scan_ref();
    let body = json!({"scanRef": scan_ref.as_str()}).to_string();
    let digest = Digest256::of(b"the body that was signed");
    archive
        .keep(Some(&scan_ref), &digest, body.as_bytes())
        .await
        .unwrap();
    assert_eq!(archive.body(Some(&scan_ref), &digest).await.unwrap(), None);
    assert!(archive.read(&scan_ref, &digest).await.unwrap().is_none());
    assert_eq!(archive.subject(&scan_ref, &digest).await.unwrap(), None);
}

#[tokio::test]
async fn keeping_at_the_same_time_is_keeping_once() {
    let stack = Stack::shared().await.unwrap();
    let archive = S3CallbackArchive::new(&stack.sdk, &stack.description.document_bucket);
    let scan_ref = new_scan_ref();
    let body = json!({"scanRef": scan_ref.as_str()}).to_string();
    let digest = Digest256::of(body.as_bytes());
    let keeps = (0..10).map(|_| archive.keep(Some(&scan_ref), &digest, body.as_bytes()));
    for kept in futures_util::future::join_all(keeps).await {
        kept.unwrap();
    }
    let objects = stack
        .objects(&format!("callbacks/{scan_ref}/"))
        .await
        .unwrap();
    assert_eq!(objects.len(), 1);
    assert_eq!(
        objects[0].key,
        format!("callbacks/{scan_ref}/{digest}.json")
    );
    assert_eq!(
        stack.object(&objects[0].key).await.unwrap(),
        body.as_bytes()
    );
}
