//! The reviewer's page, by clicking.

use idenfy_sandbox::{ReviewMode, Settings};
use serde_json::json;

use crate::customer::first_document;
use crate::documents::Documents;
use crate::fixture::Fixture;
use crate::shop::Shop;
use test_browser::{Screen, in_browser};

#[tokio::test]
async fn a_reviewer_denies_after_a_result_that_is_not_final() {
    let mut fixture = Fixture::with(Settings {
        review_mode: ReviewMode::Reviewer,
        ..Settings::default()
    })
    .await;
    let (shop, documents) = (Shop::open().await, Documents::create());
    let session = fixture
        .open(json!({"clientId": "customer-7", "errorUrl": format!("{}/sorry", shop.url)}))
        .await;
    in_browser("reviewer", Screen::Desktop, async |browser| {
        let link = fixture.url(&format!(
            "/api/v2/redirect?authToken={}",
            session.auth_token
        ));
        browser.open(&link).await;
        first_document(browser, &documents).await;
        for side in ["Front side", "Back side"] {
            browser.attach(side, &documents.pdf()).await;
            browser.press("Continue").await;
        }
        browser.press("Send for verification").await;
        browser.sees_heading("Thank you, under review").await;
        browser.screenshot("waiting").await;
        assert!(fixture.receiver.is_quiet(), "nobody has judged yet");
        let waiting = browser.client.current_url().await.unwrap();

        browser.open(&fixture.url("/")).await;
        browser.press("Open the reviewer's page").await;
        browser.sees_heading("Sessions").await;
        browser.screenshot("sessions").await;
        browser.press("customer-7").await;
        browser.sees_heading("customer-7").await;
        fixture.receiver.will_answer(&[503]);
        browser
            .field("Verdict on the additional steps")
            .await
            .select_by_label("Invalid")
            .await
            .unwrap();
        browser
            .field("Send a non-final result first")
            .await
            .click()
            .await
            .unwrap();
        browser.press("Deny").await;
        browser.sees("The decision was made").await;
        browser.screenshot("decided").await;

        // The first attempt was refused, its repeat and the final result were taken; newest first.
        let rows = "return [...document.querySelectorAll('tbody tr')].map((row) => \
                [...row.cells].slice(1, 6).map((cell) => cell.textContent))";
        let automatic = |attempt: &str, answer: &str| {
            json!([
                "IDENTIFICATION_AUTO_FINISHED",
                "no",
                "REVIEWING",
                attempt,
                answer
            ])
        };
        let manual = json!([
            "IDENTIFICATION_MANUAL_FINISHED",
            "yes",
            "DENIED",
            "1",
            "200"
        ]);
        assert_eq!(
            browser.evaluate(rows).await,
            json!([manual, automatic("2", "200"), automatic("1", "503")])
        );
        let bodies = [
            fixture.receiver.next().await,
            fixture.receiver.next().await,
            fixture.receiver.next().await,
        ];
        assert_eq!(bodies[2].body()["status"]["additionalSteps"], "INVALID");

        browser.press("Send again").await;
        browser.sees("The last callback was sent again").await;
        assert_eq!(fixture.receiver.next().await.raw, bodies[2].raw);

        browser.open(waiting.as_str()).await;
        browser.sees_heading("Sorry").await;
    })
    .await;
}
