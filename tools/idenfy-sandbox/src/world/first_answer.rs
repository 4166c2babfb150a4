//! The answer to a callback's first delivery. The customer's page depends on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Whether the first delivery was acknowledged. Clones share it; it is decided once.
#[derive(Clone, Debug, Default)]
pub(crate) struct FirstAnswer(Arc<watch::Sender<Option<bool>>>);

impl FirstAnswer {
    /// Decides it, unless it is decided.
    pub(crate) fn decide(&self, acknowledged: bool) {
        self.0.send_if_modified(|decided| {
            let is_first = decided.is_none();
            decided.get_or_insert(acknowledged);
            is_first
        });
    }

    /// Waits for the decision. The end of the wait decides against an acknowledgement.
    pub(crate) async fn is_acknowledged(&self, wait: Duration) -> bool {
        let mut changes = self.0.subscribe();
        // The sender is part of `self`: the wait ends by a decision or by its time.
        let in_time = timeout(wait, changes.wait_for(Option::is_some)).await;
        if in_time.is_err() {
            self.decide(false);
        }
        *self.0.borrow() == Some(true)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::FirstAnswer;

    const AT_ONCE: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn only_the_first_answer_counts() {
        let answer = FirstAnswer::default();
        answer.decide(true);
        answer.decide(false);
        assert!(answer.is_acknowledged(AT_ONCE).await);
    }

    #[tokio::test]
    async fn an_answer_ends_the_wait() {
        let answer = FirstAnswer::default();
        let decide = async { answer.decide(true) };
        assert_eq!(
            tokio::join!(answer.is_acknowledged(LONG), decide),
            (true, ())
        );
    }

    #[tokio::test]
    async fn an_answer_after_the_wait_changes_nothing() {
        let answer = FirstAnswer::default();
        assert!(!answer.is_acknowledged(AT_ONCE).await);
        answer.decide(true);
        assert!(!answer.is_acknowledged(LONG).await);
    }
}
