//! Waiting for something to become true. Tests wait on what is, never on how long it should take.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long anything may take to become true: far longer than it does, for machines that are busy.
/// The longest way by design, an answer of the provider that is lost, resolves after some fifteen
/// seconds.
pub const DEADLINE: Duration = Duration::from_secs(90);

const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Looks again and again until `look` finds what it looks for, and returns it. An `Err` is what
/// there is instead.
///
/// # Panics
/// When [`DEADLINE`] passes; the message has `what` and what there was instead.
pub async fn eventually<T, E: Display, F>(what: impl Display, look: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, E>>,
{
    eventually_within(DEADLINE, what, look).await
}

/// The same for what may take longer by design, such as a pause that everybody makes.
///
/// # Panics
/// When `patience` has passed.
pub async fn eventually_within<T, E: Display, F>(
    patience: Duration,
    what: impl Display,
    mut look: impl FnMut() -> F,
) -> T
where
    F: Future<Output = Result<T, E>>,
{
    let deadline = Instant::now() + patience;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) => assert!(
                Instant::now() < deadline,
                "not within {patience:?}: {what}; instead: {instead}"
            ),
        }
        sleep(POLL_INTERVAL).await;
    }
}
