//! State of all routes. Locks are held for single steps in memory and never across an `await`. A
//! poisoned lock is used on: every value changes in one step.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::world::callback_client::callback_client;
use crate::world::faults::Faults;
use crate::world::journal::Journal;
use crate::world::links::LinkSigner;
use crate::world::records::Outcome;
use crate::world::session::Sessions;
use crate::world::settings::Settings;

/// The sandbox's state, shared by reference.
pub(crate) type Shared = Arc<State>;

pub(crate) struct State {
    /// `http://127.0.0.1:<port>`.
    pub address: String,
    pub links: LinkSigner,
    pub client: reqwest::Client,
    /// Wakes the task that lets sessions lapse when a deadline comes nearer.
    pub deadlines_changed: Notify,
    settings: Mutex<Arc<Settings>>,
    sessions: Mutex<Sessions>,
    outcomes: Mutex<HashMap<String, Outcome>>,
    journal: Mutex<Journal>,
    faults: Mutex<Faults>,
    background: Mutex<JoinSet<()>>,
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("State")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl State {
    /// # Errors
    /// The HTTP client for callbacks cannot be set up.
    pub(crate) fn new(address: String, settings: Settings) -> anyhow::Result<Self> {
        Ok(Self {
            address,
            links: LinkSigner::new(),
            client: callback_client()?,
            deadlines_changed: Notify::new(),
            settings: Mutex::new(Arc::new(settings)),
            sessions: Mutex::default(),
            outcomes: Mutex::default(),
            journal: Mutex::default(),
            faults: Mutex::default(),
            background: Mutex::default(),
        })
    }

    /// The current settings. Later changes do not affect the returned ones.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    /// Replaces the settings by what `change` makes of them.
    pub(crate) fn change_settings<E>(
        &self,
        change: impl FnOnce(&Settings) -> Result<Settings, E>,
    ) -> Result<Arc<Settings>, E> {
        let mut settings = lock(&self.settings);
        *settings = Arc::new(change(&settings)?);
        Ok(Arc::clone(&settings))
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.sessions)
    }

    pub(crate) fn outcomes(&self) -> MutexGuard<'_, HashMap<String, Outcome>> {
        lock(&self.outcomes)
    }

    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        lock(&self.journal)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    /// Origin of file links, without a slash at its end.
    pub(crate) fn public_url(&self, settings: &Settings) -> String {
        settings
            .public_url
            .as_deref()
            .unwrap_or(&self.address)
            .trim_end_matches('/')
            .to_owned()
    }

    /// Runs a task until it ends or the sandbox stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut background = lock(&self.background);
        while background.try_join_next().is_some() {}
        background.spawn(task);
    }

    /// Ends every task, also those that hold the state themselves.
    pub(crate) fn stop(&self) {
        lock(&self.background).abort_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
