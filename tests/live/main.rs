//! One list of cases (`tools/provider-cases`), against the sandbox and against iDenfy itself.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests: a panic is how a failure is told"
)]

mod over_http;

use idenfy_sandbox::{Sandbox, Settings};
use provider_cases::{CASES, Needs, differences};

use over_http::OverHttp;

#[tokio::test]
async fn the_sandbox_answers_every_case() {
    let sandbox = Sandbox::start(Settings::default()).await.unwrap();
    let subject = OverHttp::new(sandbox.url(), "sandbox-api-key", "sandbox-api-secret");
    let able = [Needs::Calls, Needs::Wire, Needs::Submission];
    let found = differences(&subject, &able).await;
    assert_eq!(found, Vec::<String>::new());
}

/// A case that nothing can fail would prove nothing.
#[tokio::test]
async fn an_account_that_differs_fails_its_cases() {
    let sandbox = Sandbox::start(Settings {
        honours_step_suppression: false,
        direct_processing: false,
        conflict_on_active_session: true,
        ..Settings::default()
    })
    .await
    .unwrap();
    let subject = OverHttp::new(sandbox.url(), "sandbox-api-key", "sandbox-api-secret");
    let able = [Needs::Calls, Needs::Submission];
    let found = differences(&subject, &able).await.join("\n");
    for case in [
        "one client may hold both tokens",
        "a silent token has no steps",
        "an unknown token submits nothing",
        "a token is good once",
    ] {
        assert!(found.contains(case), "{case}: {found}");
    }
    let nobody = OverHttp::new("http://127.0.0.1:9", "key", "secret");
    let found = differences(&nobody, &[Needs::Calls, Needs::Wire, Needs::Submission]).await;
    assert_eq!(
        found.len(),
        CASES.len(),
        "without an answer no case holds: {found:?}"
    );
}

/// `IDENFY_API_KEY` and `IDENFY_API_SECRET` name the account, best a test environment.
/// `IDENFY_SPEND=1` also makes one submission. Tokens are left to lapse.
#[tokio::test]
#[ignore = "needs iDenfy's credentials"]
async fn idenfy_answers_every_case() {
    let variable = |name: &str| {
        #[expect(
            clippy::disallowed_methods,
            reason = "credentials come by environment only"
        )]
        let value = std::env::var(name);
        value.ok().filter(|value| !value.is_empty())
    };
    let needed = |name: &str| variable(name).unwrap_or_else(|| panic!("{name} is not set"));
    let url = variable("IDENFY_BASE_URL").unwrap_or_else(|| "https://ivs.idenfy.com".to_owned());
    let subject = OverHttp::new(
        &url,
        &needed("IDENFY_API_KEY"),
        &needed("IDENFY_API_SECRET"),
    );
    let mut able = vec![Needs::Calls, Needs::Wire];
    able.extend(variable("IDENFY_SPEND").map(|_| Needs::Submission));
    let found = differences(&subject, &able).await;
    assert!(
        found.is_empty(),
        "iDenfy differs from our models:\n{}",
        found.join("\n")
    );
}
