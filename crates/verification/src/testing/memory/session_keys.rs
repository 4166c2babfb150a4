//! Idempotency keys in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::World;
use crate::identifiers::{Digest256, ScanRef};
use crate::ports::{Saved, SessionKeys, StoreUnavailable};
use crate::session_key::SessionKey;

/// Whether the stored record is the unanswered claim of `record`.
pub(super) fn is_held(stored: &BTreeMap<Digest256, SessionKey>, record: &SessionKey) -> bool {
    let is_claim =
        |stored: &SessionKey| stored.lease_until == record.lease_until && stored.answer.is_none();
    stored.get(&record.key).is_some_and(is_claim)
}

#[async_trait]
impl SessionKeys for World {
    async fn find_key(&self, key: &Digest256) -> Result<Option<SessionKey>, StoreUnavailable> {
        self.plain_fault("find_key")?;
        Ok(self.lock().session_keys.get(key).cloned())
    }

    async fn claim_key(
        &self,
        known: Option<&SessionKey>,
        claim: &SessionKey,
    ) -> Result<Saved, StoreUnavailable> {
        self.plain_fault("claim_key")?;
        let mut state = self.lock();
        if state.session_keys.get(&claim.key) != known {
            return Ok(Saved::Lost);
        }
        state.session_keys.insert(claim.key.clone(), claim.clone());
        Ok(Saved::Won)
    }

    async fn release_key(&self, claim: &SessionKey) -> Result<(), StoreUnavailable> {
        self.plain_fault("release_key")?;
        let mut state = self.lock();
        if is_held(&state.session_keys, claim) {
            state.session_keys.remove(&claim.key);
        }
        Ok(())
    }

    async fn forget_answer(
        &self,
        key: &Digest256,
        first: &ScanRef,
    ) -> Result<u64, StoreUnavailable> {
        self.plain_fault("forget_answer")?;
        let mut state = self.lock();
        let answer = state
            .session_keys
            .get(key)
            .and_then(|stored| stored.answer.as_ref());
        let is_answer = answer.is_some_and(|opened| opened.session.scan_ref == *first);
        if is_answer {
            state.session_keys.remove(key);
        }
        Ok(u64::from(is_answer))
    }
}
