//! The customer's way in a real browser; see `tools/test-browser` for its needs.

use api_contract::Application;
use std::path::PathBuf;

use harness::{Stack, pictures};
use reqwest::Method;
use serde_json::json;
use test_browser::{Browser, Screen, in_browser};

/// Pictures on disk for a browser to upload.
pub(crate) struct Photos {
    _folder: tempfile::TempDir,
    front: PathBuf,
    back: PathBuf,
}

impl Photos {
    pub(crate) fn take() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (front, back) = (
            folder.path().join("front.jpg"),
            folder.path().join("back.png"),
        );
        std::fs::write(&front, pictures::jpeg(30_000)).unwrap();
        std::fs::write(&back, pictures::png(20_000)).unwrap();
        Self {
            _folder: folder,
            front,
            back,
        }
    }
}

/// From the provider's first page through both documents.
pub(crate) async fn verify(browser: &Browser, photos: &Photos) {
    browser.press("Start").await;
    browser.sees_heading("Your identity document").await;
    browser.press("Use specimen").await;
    browser.attach("Front side", &photos.front).await;
    browser.press("Continue").await;
    browser.attach("Back side", &photos.back).await;
    browser.press("Continue").await;
    browser.sees_heading("Check and send").await;
    browser.press("Send for verification").await;
}

#[tokio::test]
async fn a_customer_who_clicks_and_uploads_settles() {
    let stack = Stack::shared().await.unwrap();
    let (session, created) = stack.api_session(json!({})).await.unwrap();
    let bus = stack.listen(&[&session.client_id]).await.unwrap();
    let photos = Photos::take();
    in_browser("session-to-settled", Screen::Phone, async |browser| {
        browser.open(created["redirectUrl"].as_str().unwrap()).await;
        verify(browser, &photos).await;
        browser.sees_heading("Thank you, you are verified").await;
        session.until_settled().await.unwrap();

        for (key, photo) in [
            ("SECOND_DOC_FRONT.jpg", &photos.front),
            ("SECOND_DOC_BACK.png", &photos.back),
        ] {
            let kept = stack
                .object(&format!("{}/{key}", session.folder().await.unwrap()))
                .await
                .unwrap();
            assert!(
                kept == std::fs::read(photo).unwrap(),
                "{key} is what was uploaded"
            );
        }
        assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
        let events = bus
            .until("DualVerificationSettled", &session.client_id)
            .await
            .unwrap();
        assert_eq!(events.len(), 1, "{events:?}");
        let path = format!("/verifications/{}", session.scan_ref);
        let answer = stack
            .api(Method::GET, &path, None)
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        assert_eq!(
            (&answer["state"], &answer["verdict"]),
            (&json!("Settled"), &json!("Approved"))
        );

        let receipt = stack
            .api(Method::DELETE, &path, None)
            .await
            .unwrap()
            .expect(200)
            .unwrap();
        assert_eq!(receipt["complete"], true, "{receipt}");
        assert_eq!(
            stack
                .objects(&format!("documents/{}/", session.scan_ref))
                .await
                .unwrap(),
            []
        );
    })
    .await;
}
