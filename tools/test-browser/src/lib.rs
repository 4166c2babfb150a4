//! One browser for one scenario: headless Chromium, driven through WebDriver by labels and buttons,
//! as a person would. The driver takes a free port. Driver and browser end in every case: also a
//! failed or late scenario closes its session first.
//!
//! Needs `chromium` and `chromedriver` (Debian: `chromium`, `chromium-driver`). Without them a
//! scenario says so and passes, unless `REQUIRE_BROWSER=1`. With `SCREENSHOT_DIR` set, each keeps
//! pictures of what it saw there.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::Stdio;
use std::time::Duration;

use fantoccini::ClientBuilder;
use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
pub use fantoccini::{Client, Locator};
use futures_util::FutureExt;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// Of a whole scenario, on a busy machine.
const SCENARIO_DEADLINE: Duration = Duration::from_secs(180);
/// For anything that a page is waited for.
const PAGE_DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// What the browser pretends to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Desktop,
    /// 320 pixels wide, as the narrowest phones are.
    Phone,
}

/// A browser with one window.
#[derive(Debug)]
pub struct Browser {
    pub client: Client,
    name: &'static str,
}

/// Runs a scenario in a browser of its own. Skips it with a message where there is none.
pub async fn in_browser(name: &'static str, screen: Screen, scenario: impl AsyncFnOnce(&Browser)) {
    let Some((mut driver, url)) = start_driver().await else {
        assert!(
            !is_set("REQUIRE_BROWSER"),
            "REQUIRE_BROWSER is set, and chromium or chromedriver is not installed"
        );
        eprintln!("SKIPPED {name}: chromium or chromedriver is not installed");
        return;
    };
    let profile = tempfile::tempdir().unwrap();
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(capabilities(screen, &profile));
    let client = timeout(PAGE_DEADLINE, builder.connect(&url))
        .await
        .expect("a session in time")
        .expect("a session");
    let browser = Browser {
        client: client.clone(),
        name,
    };
    let outcome = AssertUnwindSafe(timeout(SCENARIO_DEADLINE, scenario(&browser)))
        .catch_unwind()
        .await;
    if !matches!(outcome, Ok(Ok(()))) {
        browser.screenshot("failure").await;
    }
    // Closing the session ends the browser. The scenario's own outcome matters more than a failure
    // here.
    drop(timeout(PAGE_DEADLINE, client.close()).await);
    driver.kill().await.expect("an end of the driver");
    match outcome {
        Ok(in_time) => in_time.expect("a scenario in time"),
        Err(panic) => resume_unwind(panic),
    }
}

/// The driver and its address; `None` if it or the browser is missing.
async fn start_driver() -> Option<(Child, String)> {
    let version = Command::new("chromium")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version
        .await
        .ok()
        .filter(std::process::ExitStatus::success)?;
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = timeout(PAGE_DEADLINE, async {
        while let Some(line) = lines.next_line().await.unwrap() {
            // "ChromeDriver was started successfully on port 41234."
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                return port.trim_end_matches('.').parse::<u16>().unwrap();
            }
        }
        panic!("the driver ended without naming its port");
    });
    let port = port.await.expect("a driver in time");
    Some((driver, format!("http://127.0.0.1:{port}")))
}

fn capabilities(screen: Screen, profile: &TempDir) -> Capabilities {
    let mut options = json!({"args": [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-default-browser-check",
        "--no-proxy-server",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-extensions",
        "--disable-sync",
        "--metrics-recording-only",
        "--window-size=1100,1000",
        format!("--user-data-dir={}", profile.path().display()),
    ]});
    if screen == Screen::Phone {
        options["mobileEmulation"] = json!({"deviceMetrics": {"width": 320, "height": 640,
            "pixelRatio": 2.0, "touch": true}});
    }
    json!({"browserName": "chrome", "goog:chromeOptions": options})
        .as_object()
        .unwrap()
        .clone()
}

impl Browser {
    pub async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// Waits for a page, or a part of it, with this main heading.
    pub async fn sees_heading(&self, text: &str) {
        self.wait_for(&format!("//h1[normalize-space()={text:?}]"))
            .await;
    }

    /// Waits for text in any one element.
    pub async fn sees(&self, text: &str) {
        self.wait_for(&format!(
            "//body//*[not(self::script) and contains(normalize-space(.), {text:?})]"
        ))
        .await;
    }

    /// Chooses a file for the input that a label names.
    pub async fn attach(&self, label: &str, file: &std::path::Path) {
        self.field(label)
            .await
            .send_keys(file.to_str().unwrap())
            .await
            .unwrap();
    }

    /// A label's field: by its `for`, or inside it.
    pub async fn field(&self, label: &str) -> Element {
        let label = self
            .wait_for(&format!(
                "//label[starts-with(normalize-space(), {label:?})]"
            ))
            .await;
        match label.attr("for").await.unwrap() {
            Some(id) => self.client.find(Locator::Id(&id)).await.unwrap(),
            None => label.find(Locator::Css("input")).await.unwrap(),
        }
    }

    /// Presses a button or follows a link by its text.
    pub async fn press(&self, text: &str) {
        let path =
            format!("//button[normalize-space()={text:?}] | //a[normalize-space()={text:?}]");
        self.wait_for(&path).await.click().await.unwrap();
    }

    /// What a script comes to.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until a variable of the page is gone: another page was loaded.
    pub async fn lost(&self, variable: &str) {
        let script = format!(
            "return typeof window.{variable} === 'undefined' && document.readyState === 'complete'"
        );
        let gone = timeout(PAGE_DEADLINE, async {
            // Between two pages there may be nothing to ask.
            while self.client.execute(&script, Vec::new()).await.ok() != Some(json!(true)) {
                sleep(POLL).await;
            }
        });
        gone.await.expect("another page in time");
    }

    /// A picture of the page under `SCREENSHOT_DIR`, if that is set.
    pub async fn screenshot(&self, moment: &str) {
        let Some(folder) = variable("SCREENSHOT_DIR") else {
            return;
        };
        let Ok(picture) = self.client.screenshot().await else {
            return;
        };
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(format!("{folder}/{}-{moment}.png", self.name), picture).unwrap();
    }

    /// Looks until the element is there. Between two pages the driver may answer with errors of its
    /// own.
    async fn wait_for(&self, path: &str) -> Element {
        let deadline = Instant::now() + PAGE_DEADLINE;
        loop {
            let error = match self.client.find(Locator::XPath(path)).await {
                Ok(element) => return element,
                Err(error) => error,
            };
            if Instant::now() > deadline {
                panic!(
                    "{path} in time: {error}\n{}",
                    self.client.source().await.unwrap_or_default()
                );
            }
            sleep(POLL).await;
        }
    }
}

fn is_set(name: &str) -> bool {
    variable(name).is_some_and(|value| value != "0")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is told what it may count on by its environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
