//! The customer's way, by clicking and uploading.

use serde_json::{Value, json};
use test_browser::Locator;

use crate::documents::Documents;
use crate::fixture::{Fixture, Opened};
use crate::shop::Shop;
use test_browser::{Browser, Screen, in_browser};

fn link(fixture: &Fixture, session: &Opened) -> String {
    fixture.url(&format!(
        "/api/v2/redirect?authToken={}",
        session.auth_token
    ))
}

/// From the start page through the first document.
pub async fn first_document(browser: &Browser, documents: &Documents) {
    browser.sees_heading("Verify your identity").await;
    browser.screenshot("1-start").await;
    browser.press("Start").await;
    browser.sees_heading("Your identity document").await;
    browser
        .attach("Front of the document", &documents.jpeg())
        .await;
    browser
        .attach("Back of the document", &documents.png())
        .await;
    browser
        .attach("Photo of your face", &documents.jpeg())
        .await;
    browser.screenshot("2-document").await;
    browser.press("Continue").await;
}

async fn uploads_everything(browser: &Browser, documents: &Documents) {
    first_document(browser, documents).await;
    browser.sees("Step 2 of 4").await;
    browser.attach("Front side", &documents.jpeg()).await;
    browser.press("Continue").await;
    browser.sees("Step 3 of 4").await;
    browser.screenshot("3-second-document").await;
    browser.attach("Back side", &documents.png()).await;
    browser.press("Continue").await;
    browser.sees_heading("Check and send").await;
    browser.sees("back.png").await;
    browser.screenshot("4-check").await;
}

#[tokio::test]
async fn a_customer_uploads_front_and_back_and_comes_back_to_the_shop() {
    let mut fixture = Fixture::start().await;
    let (shop, documents) = (Shop::open().await, Documents::create());
    let session = fixture
        .open(json!({"clientId": "client", "successUrl": format!("{}/done", shop.url)}))
        .await;
    in_browser("front-and-back", Screen::Desktop, async |browser| {
        browser.open(&link(&fixture, &session)).await;
        uploads_everything(browser, &documents).await;
        browser.press("Send for verification").await;
        browser.sees_heading("Back at the shop").await;
        let body = fixture.receiver.next().await.body();
        assert_eq!(
            (&body["final"], &body["status"]["overall"]),
            (&json!(true), &json!("APPROVED"))
        );
        assert_eq!(body["status"]["additionalSteps"], "VALID");
        for (step, file) in [
            ("SECOND_DOC_FRONT", documents.jpeg()),
            ("SECOND_DOC_BACK", documents.png()),
        ] {
            let stored = fixture
                .client
                .get(body["fileUrls"][step].as_str().unwrap())
                .send()
                .await
                .unwrap();
            assert_eq!(stored.bytes().await.unwrap(), std::fs::read(file).unwrap());
        }
        browser.open(&link(&fixture, &session)).await;
        browser.sees_heading("This link has been used").await;
    })
    .await;
}

#[tokio::test]
async fn a_customer_uploads_one_pdf_in_their_language() {
    let mut fixture = Fixture::start().await;
    let documents = Documents::create();
    let texts = json!({"en": {"name": "Residence permit"}, "lt": {"name": "Leidimas gyventi",
        "description": "Abi pusės"}});
    let steps = json!({"ALL": {"ALL": {"PERMIT": {"type": "UPLOAD", "texts": texts}}}});
    let session = fixture
        .open(json!({"clientId": "client", "locale": "lt", "additionalSteps": steps}))
        .await;
    in_browser("one-pdf", Screen::Desktop, async |browser| {
        browser.open(&link(&fixture, &session)).await;
        browser.press("Start").await;
        browser.press("Use specimen").await;
        browser.sees_heading("Leidimas gyventi").await;
        assert_eq!(
            browser
                .evaluate("return document.querySelector('h1').lang")
                .await,
            "lt"
        );
        browser.attach("Abi pusės", &documents.pdf()).await;
        browser.press("Continue").await;
        browser.press("Send for verification").await;
        browser.sees_heading("Thank you, you are verified").await;
        browser.screenshot("thanks").await;
        let body = fixture.receiver.next().await.body();
        assert!(
            body["additionalStepPdfUrls"]["PERMIT"].is_string()
                && body["fileUrls"].get("PERMIT").is_none()
        );
    })
    .await;
}

#[tokio::test]
async fn a_wrong_file_is_explained_at_its_field() {
    let fixture = Fixture::start().await;
    let documents = Documents::create();
    let session = fixture.session("client").await;
    in_browser("wrong-type", Screen::Desktop, async |browser| {
        browser.open(&link(&fixture, &session)).await;
        browser.press("Start").await;
        for with_script in [true, false] {
            browser.sees_heading("Your identity document").await;
            if with_script {
                // The page stays, so what is noted in it stays, too.
                let watch = "const bar = document.querySelector('[data-transfer]'); \
                    window.hasShownProgress = false; \
                    new MutationObserver(() => { window.hasShownProgress ||= !bar.hidden; }).observe(bar, {attributes: true});";
                browser.evaluate(watch).await;
            } else {
                // Sent by the browser itself, as if the page had no script.
                browser
                    .evaluate("document.querySelector('form').removeAttribute('data-upload')")
                    .await;
            }
            browser.attach("Front of the document", &documents.text()).await;
            browser.attach("Photo of your face", &documents.jpeg()).await;
            browser.press("Continue").await;
            if with_script {
                browser.sees("There is a problem").await;
                assert_eq!(browser.evaluate("return window.hasShownProgress").await, true);
            } else {
                browser.lost("hasShownProgress").await;
                browser.sees("There is a problem").await;
            }
            browser.sees("The file is not a JPEG, PNG or PDF.").await;
            assert_eq!(browser.evaluate("return document.activeElement.id").await, "errors");
            browser.screenshot("problem").await;
            let summary = browser.client.find(Locator::Css("#errors a")).await.unwrap();
            summary.click().await.unwrap();
            assert_eq!(browser.evaluate("return document.activeElement.id").await, "file-FRONT");
            assert_eq!(
                browser
                    .field("Front of the document")
                    .await
                    .attr("aria-invalid")
                    .await
                    .unwrap()
                    .unwrap(),
                "true"
            );
            browser.sees("Received: front.jpg").await;
        }
        browser.attach("Front of the document", &documents.png()).await;
        browser.press("Continue").await;
        browser.sees("Step 2 of 4").await;
    })
    .await;
}

#[tokio::test]
async fn an_expired_link_says_so() {
    let fixture = Fixture::start().await;
    let session = fixture
        .open(json!({"clientId": "client", "expiryTime": 0}))
        .await;
    in_browser("expired", Screen::Desktop, async |browser| {
        browser.open(&link(&fixture, &session)).await;
        browser.sees_heading("This link has expired").await;
        browser.screenshot("expired").await;
    })
    .await;
}

#[tokio::test]
async fn a_page_around_the_session_is_told_the_result() {
    let fixture = Fixture::start().await;
    let shop = Shop::open().await;
    let session = fixture.session("client").await;
    let framed = fixture.url(&format!("/?authToken={}&lang=en", session.auth_token));
    in_browser("frame", Screen::Desktop, async |browser| {
        browser.open(&shop.framing(&framed)).await;
        browser.client.enter_frame(0).await.unwrap();
        browser.press("Start").await;
        for step in ["Step 1 of 4", "Step 2 of 4", "Step 3 of 4"] {
            browser.sees(step).await;
            browser.press("Use specimen").await;
        }
        browser.press("Send for verification").await;
        browser.sees_heading("Thank you, you are verified").await;
        browser.client.enter_parent_frame().await.unwrap();
        browser.sees(fixture.sandbox.url()).await;
        browser.screenshot("told").await;
        let told = browser
            .evaluate("return document.querySelector('#message').textContent")
            .await;
        let (origin, message) = told.as_str().unwrap().split_once(' ').unwrap();
        assert_eq!(origin, fixture.sandbox.url());
        let message: Value = serde_json::from_str(message).unwrap();
        let expected = json!({"status": "APPROVED", "manualStatus": "APPROVED",
            "autoSuspected": false, "manualSuspected": false});
        assert_eq!(message, expected);
    })
    .await;
}
