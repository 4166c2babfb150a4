//! Files that direct processing would refuse. Those that can be converted are; the others park the
//! pairing before a token is spent.

use api_contract::Application;
use harness::{BACK, FRONT, Session, Stack, pictures};
use reqwest::Method;
use serde_json::{Value, json};
use verification::identifiers::Digest256;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

fn digest(bytes: &[u8]) -> String {
    Digest256::of(bytes).to_string()
}

/// The only image that the provider got for a side.
async fn received(session: &Session<'_>, side: &str) -> Value {
    let submissions = session.requests("process").await.unwrap();
    assert_eq!(submissions.len(), 1, "{submissions:?}");
    let images = submissions[0]["images"].as_array().unwrap();
    images
        .iter()
        .find(|image| image["side"] == side)
        .expect("the side")
        .clone()
}

/// Width and height of a JPEG that can be decoded.
fn dimensions(jpeg: &[u8]) -> (usize, usize) {
    let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
    decoder.decode().unwrap();
    decoder.dimensions().unwrap()
}

/// Shows that the bucket holds the original unchanged and beside it the copy that the provider got.
/// Returns the copy.
async fn prepared_copy(
    stack: &Stack,
    session: &Session<'_>,
    extension: &str,
    original: &[u8],
) -> Vec<u8> {
    let scan_ref = &session.scan_ref;
    let folder = session.folder().await.unwrap();
    assert_eq!(
        stack
            .object(&format!("{folder}/{FRONT}.{extension}"))
            .await
            .unwrap(),
        original
    );
    let image = received(session, "FRONT").await;
    let sha256 = image["sha256"].as_str().unwrap();
    let copy = stack
        .object(&format!(
            "documents/{scan_ref}/prepared/{FRONT}-{sha256}.jpg"
        ))
        .await
        .unwrap();
    assert_eq!(digest(&copy), sha256);
    assert_eq!(image["format"], "jpeg");
    assert_eq!(image["bytes"], copy.len());
    copy
}

/// What the API says of the front.
async fn told(stack: &Stack, session: &Session<'_>) -> Value {
    let path = format!("/verifications/{}", session.scan_ref);
    let body = stack
        .api(Method::GET, &path, None)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    let documents = body["documents"].as_array().unwrap();
    documents
        .iter()
        .find(|document| document["step"] == FRONT)
        .expect("the front")
        .clone()
}

#[tokio::test]
async fn a_webp_settles_as_a_jpeg_and_the_original_stays_as_it_came() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let original = pictures::webp(640, 400);
    session
        .upload(FRONT, "image/webp", original.clone())
        .await
        .unwrap();
    session
        .upload(BACK, "image/png", pictures::png(20_000))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();

    let copy = prepared_copy(&stack, &session, "webp", &original).await;
    assert_eq!(dimensions(&copy), (640, 400));
    assert_eq!(session.documents().await.unwrap().len(), 3);
    let history = session.history().await.unwrap();
    let expected = [
        "DocumentsCaptured",
        "PreparationStarted",
        "DocumentsPrepared",
        "AuthorizationStarted",
    ];
    assert_eq!(history[1..5], expected);

    let told = told(&stack, &session).await;
    assert_eq!(
        (&told["bytes"], &told["sha256"]),
        (&json!(original.len()), &json!(digest(&original)))
    );
    let submitted = json!({
        "bytes": copy.len(), "sha256": digest(&copy), "width": 640, "height": 400, "quality": 90,
            "changes": ["Converted"],
    });
    assert_eq!(told["submitted"], submitted);
}

#[tokio::test]
async fn a_photo_lying_on_its_side_is_submitted_upright() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let original = pictures::photo(300, 200, 90, 6);
    session
        .upload(FRONT, "image/jpeg", original.clone())
        .await
        .unwrap();
    session
        .finish_expecting_200(json!({"additionalSteps": "VALID"}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
    let copy = prepared_copy(&stack, &session, "jpg", &original).await;
    assert_eq!(dimensions(&copy), (200, 300));
    assert_eq!(
        told(&stack, &session).await["submitted"]["changes"],
        json!(["Turned"])
    );
}

#[tokio::test]
async fn an_upright_photo_goes_as_it_is() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let original = pictures::photo(300, 200, 90, 1);
    session
        .upload(FRONT, "image/jpeg", original.clone())
        .await
        .unwrap();
    session
        .finish_expecting_200(json!({"additionalSteps": "VALID"}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
    assert_eq!(
        received(&session, "FRONT").await["sha256"],
        digest(&original)
    );
    assert_eq!(session.documents().await.unwrap().len(), 1);
    assert_eq!(told(&stack, &session).await["submitted"], Value::Null);
}

#[tokio::test]
async fn a_photo_is_made_smaller_until_both_sides_fit() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let (original, back) = (
        pictures::photo(3_000, 2_300, 97, 1),
        pictures::pdf(5_000_000),
    );
    assert!(
        (11_000_000..30_000_000).contains(&original.len()),
        "{}",
        original.len()
    );
    session
        .upload(FRONT, "image/jpeg", original.clone())
        .await
        .unwrap();
    session
        .upload(BACK, "application/pdf", back.clone())
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    let copy = prepared_copy(&stack, &session, "jpg", &original).await;
    assert!(copy.len() + back.len() <= 14_990_000, "{}", copy.len());
    assert_eq!(
        received(&session, "BACK").await["sha256"],
        digest(&back),
        "a PDF is never changed"
    );
    let changes = told(&stack, &session).await["submitted"]["changes"].clone();
    assert_eq!(changes[0], "Recompressed");
}

async fn assert_parked_and_kept(
    reason: &str,
    content_type: &str,
    extension: &str,
    original: Vec<u8>,
) {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .upload(FRONT, content_type, original.clone())
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let pairing = session.until_parked(reason).await.unwrap();
    assert_eq!(
        pairing.pairing["state"]["cause"]["step"], FRONT,
        "{pairing}"
    );
    session.assert_nothing_spent().await.unwrap();
    let folder = session.folder().await.unwrap();
    let kept = stack
        .object(&format!("{folder}/{FRONT}.{extension}"))
        .await
        .unwrap();
    assert_eq!(kept, original);
}

#[tokio::test]
async fn what_can_never_be_submitted_is_kept_and_parked() {
    let heic = pictures::starting_with(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", 50_000);
    let broken = pictures::starting_with(b"RIFF\x10\0\0\0WEBPVP8 ", 50_000);
    let mut cut = pictures::photo(300, 200, 90, 6);
    cut.truncate(cut.len() / 2);
    tokio::join!(
        assert_parked_and_kept(
            "FileEncrypted",
            "application/pdf",
            "pdf",
            pictures::encrypted_pdf(400_000)
        ),
        assert_parked_and_kept("FileTypeNotAccepted", "image/heic", "heic", heic),
        assert_parked_and_kept("FileUnreadable", "image/webp", "webp", broken),
        assert_parked_and_kept("FileUnreadable", "image/jpeg", "jpg", cut),
        assert_parked_and_kept("TooManyPixels", "image/jpeg", "jpg", pictures::bomb()),
    );
}

#[tokio::test]
async fn a_broken_picture_disturbs_no_neighbour() {
    let stack = Stack::shared().await.unwrap();
    let broken = async {
        let original = pictures::starting_with(b"RIFF\x10\0\0\0WEBPVP8 ", 50_000);
        assert_parked_and_kept("FileUnreadable", "image/webp", "webp", original).await;
    };
    let good = async {
        let session = stack.session_with_documents().await.unwrap();
        session.finish_expecting_200(json!({})).await.unwrap();
        session.until_settled().await.unwrap();
    };
    tokio::join!(broken, good, good_photo(&stack));
}

async fn good_photo(stack: &Stack) {
    let session = stack.session().await.unwrap();
    session
        .upload(FRONT, "image/jpeg", pictures::photo(300, 200, 90, 8))
        .await
        .unwrap();
    session
        .finish_expecting_200(json!({"additionalSteps": "VALID"}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
}

#[tokio::test]
async fn erasure_takes_the_copies_with_the_originals() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    session
        .upload(FRONT, "image/webp", pictures::webp(64, 40))
        .await
        .unwrap();
    session
        .finish_expecting_200(json!({"additionalSteps": "VALID"}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
    assert_eq!(session.documents().await.unwrap().len(), 2);
    let path = format!("/verifications/{}", session.scan_ref);
    stack
        .api(Method::DELETE, &path, None)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert!(session.documents().await.unwrap().is_empty());
}
