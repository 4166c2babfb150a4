//! The pages in a real browser: headless Chromium, driven through WebDriver as a person would, by labels and buttons.
//!
//! Needs `chromium` and `chromedriver` (Debian: `chromium`, `chromium-driver`). Without them the tests say so and pass, unless
//! `REQUIRE_BROWSER=1`. With `SCREENSHOT_DIR` set, each keeps pictures of what it saw there.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod browser;
mod customer;
mod documents;
mod narrow;
#[allow(dead_code, reason = "shared with the tests over HTTP, which use more of it")]
#[path = "../sandbox/receiver.rs"]
mod receiver;
mod reviewer;
mod shop;
#[allow(dead_code, reason = "shared with the tests over HTTP, which use more of it")]
#[path = "../sandbox/world.rs"]
mod world;
