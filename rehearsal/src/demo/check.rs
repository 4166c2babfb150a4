//! How the demo holds what it sees against what it expects: at once, or by waiting, never longer
//! than a deadline. A failure says both.

use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::Instant;

/// Every single wait. The whole flow of one customer takes about a second.
const DEADLINE: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// What one look found.
pub enum Look<T> {
    Found(T),
    /// With what was there instead.
    NotYet(String),
}

/// Succeeds if `seen` is what was expected.
///
/// # Errors
/// Otherwise.
pub fn expect<T: PartialEq + Debug>(what: &str, expected: T, seen: T) -> Result<()> {
    ensure!(
        seen == expected,
        "{what}: expected {expected:?}, saw {seen:?}"
    );
    Ok(())
}

/// Looks again and again until `what` is found.
///
/// # Errors
/// When it is not found in 30 s, or a look fails.
pub async fn wait_for<T>(what: &str, look: impl AsyncFnMut() -> Result<Look<T>>) -> Result<T> {
    wait_at_most(DEADLINE, what, look).await
}

async fn wait_at_most<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Look<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    let mut seen = "nothing in that time".to_owned();
    loop {
        match tokio::time::timeout_at(deadline, look()).await {
            Ok(Ok(Look::Found(found))) => return Ok(found),
            Ok(Ok(Look::NotYet(other))) => seen = other,
            Ok(Err(error)) => return Err(error.context(format!("cannot look for: {what}"))),
            // The look itself is stuck; what the one before it saw is told.
            Err(_) => {}
        }
        ensure!(
            Instant::now() < deadline,
            "{what}: expected within {} s, saw {seen}",
            patience.as_secs()
        );
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_says_what_was_expected_and_what_was_seen() {
        let error = expect("submissions", 1, 2).unwrap_err();
        assert_eq!(error.to_string(), "submissions: expected 1, saw 2");
    }

    #[tokio::test]
    async fn waiting_ends_at_the_deadline_with_what_there_is() {
        let mut looks = 0;
        let found = wait_for("the third look", async || {
            looks += 1;
            Ok(if looks == 3 {
                Look::Found(looks)
            } else {
                Look::NotYet(String::new())
            })
        });
        assert_eq!(found.await.unwrap(), 3);

        let never = wait_at_most::<()>(Duration::ZERO, "rain", async || {
            Ok(Look::NotYet("sun".to_owned()))
        })
        .await;
        assert_eq!(
            never.unwrap_err().to_string(),
            "rain: expected within 0 s, saw sun"
        );
    }

    #[tokio::test]
    async fn a_look_that_hangs_ends_at_the_deadline() {
        let mut looks = 0;
        let never = wait_at_most::<()>(Duration::from_millis(100), "rain", async || {
            looks += 1;
            if looks > 1 {
                std::future::pending::<()>().await;
            }
            Ok(Look::NotYet("sun".to_owned()))
        });
        assert_eq!(
            never.await.unwrap_err().to_string(),
            "rain: expected within 0 s, saw sun"
        );
    }
}
