//! The pages on the narrowest screens: everything is there without scrolling sideways.

use serde_json::json;

use crate::documents::Documents;
use crate::fixture::Fixture;
use test_browser::{Browser, Screen, in_browser};

async fn fits(browser: &Browser, moment: &str) {
    let widths = browser
        .evaluate(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        )
        .await;
    assert_eq!(widths, json!([320, 320]), "{moment}");
    browser.screenshot(moment).await;
}

#[tokio::test]
async fn nothing_scrolls_sideways_on_a_narrow_phone() {
    let fixture = Fixture::start().await;
    let documents = Documents::create();
    let client_id = "a-client-with-a-name-that-goes-on-and-on-without-any-space-whatsoever-to-break-the-line-at";
    let session = fixture.session(client_id).await;
    in_browser("narrow", Screen::Phone, async |browser| {
        browser
            .open(&fixture.url(&format!(
                "/api/v2/redirect?authToken={}",
                session.auth_token
            )))
            .await;
        browser.sees_heading("Verify your identity").await;
        fits(browser, "1-start").await;
        browser.press("Start").await;
        browser
            .attach("Front of the document", &documents.text())
            .await;
        browser.press("Continue").await;
        browser.sees("There is a problem").await;
        fits(browser, "2-problem").await;
        for step in ["Step 1 of 4", "Step 2 of 4", "Step 3 of 4"] {
            browser.sees(step).await;
            browser.press("Use specimen").await;
        }
        browser.sees_heading("Check and send").await;
        fits(browser, "3-check").await;
        browser.press("Send for verification").await;
        browser.sees_heading("Thank you, you are verified").await;
        fits(browser, "4-result").await;
        browser.open(&fixture.url("/reviewer")).await;
        fits(browser, "5-sessions").await;
        browser.press(client_id).await;
        browser.sees("IDENTIFICATION_MANUAL_FINISHED").await;
        fits(browser, "6-session").await;
    })
    .await;
}
