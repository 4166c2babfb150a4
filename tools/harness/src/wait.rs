//! Waiting for a condition with a deadline. No test waits for a fixed time.

use std::fmt::Display;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep, timeout_at};

/// Deadline of every wait: far longer than anything takes, for busy machines. The slowest case by
/// design, a lost answer of the provider, resolves after some 15 s.
pub const DEADLINE: Duration = Duration::from_secs(90);

const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look<T> {
    Found(T),
    /// With what was there instead.
    NotYet(String),
}

/// Repeats `look` until it finds something, and returns that.
///
/// # Errors
/// A look fails, or `patience` has passed. The message names `what` and what there was instead.
pub async fn wait_for<T>(
    patience: Duration,
    what: impl Display,
    mut look: impl AsyncFnMut() -> Result<Look<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    let mut seen = "nothing in that time".to_owned();
    loop {
        match timeout_at(deadline, look()).await {
            Ok(Ok(Look::Found(found))) => return Ok(found),
            Ok(Ok(Look::NotYet(other))) => seen = other,
            Ok(Err(error)) => return Err(error.context(format!("cannot look for: {what}"))),
            // The look itself hangs: the message tells what the one before it saw.
            Err(_) => {}
        }
        ensure!(
            Instant::now() < deadline,
            "{what}: expected within {} s, saw {seen}",
            patience.as_secs()
        );
        sleep(POLL_INTERVAL).await;
    }
}

/// Repeats `look` until it answers `Ok`, for at most [`DEADLINE`]. An `Err` is what there is
/// instead.
///
/// # Errors
/// The deadline has passed. The message names `what` and what there was instead.
pub async fn eventually<T, E: Display, F>(what: impl Display, look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, E>>,
{
    eventually_within(DEADLINE, what, look).await
}

/// As [`eventually`], for what takes longer by design, such as a pause of the circuit.
///
/// # Errors
/// `patience` has passed.
pub async fn eventually_within<T, E: Display, F>(
    patience: Duration,
    what: impl Display,
    mut look: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T, E>>,
{
    let deadline = Instant::now() + patience;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(instead) => ensure!(
                Instant::now() < deadline,
                "not within {patience:?}: {what}; instead: {instead}"
            ),
        }
        sleep(POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_at_the_deadline_with_what_there_is() {
        let mut looks = 0;
        let found = wait_for(DEADLINE, "the third look", async || {
            looks += 1;
            Ok(if looks == 3 {
                Look::Found(looks)
            } else {
                Look::NotYet(String::new())
            })
        });
        assert_eq!(found.await.unwrap(), 3);

        let never = wait_for::<()>(Duration::ZERO, "rain", async || {
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
        let never = wait_for::<()>(Duration::from_millis(200), "rain", async || {
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
