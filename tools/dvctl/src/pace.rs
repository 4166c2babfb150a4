//! Interruption of long work between two steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

/// Whether the program was asked to end.
#[derive(Clone, Debug, Default)]
pub struct Interruption {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    came: AtomicBool,
    told: Notify,
}

impl Interruption {
    /// Watches SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// The system refuses to watch signals.
    pub fn watch() -> std::io::Result<Self> {
        let interruption = Self::default();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let mut signals = signal(kind)?;
            let watched = interruption.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    watched.set();
                }
            });
        }
        Ok(interruption)
    }

    fn set(&self) {
        self.inner.came.store(true, Ordering::SeqCst);
        self.inner.told.notify_waiters();
    }

    pub fn came(&self) -> bool {
        self.inner.came.load(Ordering::SeqCst)
    }

    /// Waits for it.
    pub async fn wait(&self) {
        loop {
            let told = self.inner.told.notified();
            if self.came() {
                return;
            }
            told.await;
        }
    }

    /// Waits this long, or until interrupted.
    pub async fn pause(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.wait() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_interruption_ends_a_pause_and_stays() {
        let interruption = Interruption::default();
        assert!(!interruption.came());
        let setter = interruption.clone();
        let (paused, ()) = tokio::join!(
            tokio::time::timeout(
                Duration::from_secs(30),
                interruption.pause(Duration::from_secs(3_600))
            ),
            async move {
                tokio::task::yield_now().await;
                setter.set();
            }
        );
        assert!(paused.is_ok() && interruption.came());
        interruption.wait().await;
    }
}
