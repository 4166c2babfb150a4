//! Document preparation in memory.
//! A test says which files are refused and what becomes of them.

use async_trait::async_trait;

use super::World;
use crate::identifiers::{ScanRef, StepName};
use crate::pairing::document::StoredDocument;
use crate::pairing::prepared::{Preparation, PreparedFile};
use crate::pairing::reason::ParkReason;
use crate::ports::{DocumentPreparation, PreparationError, StoreUnavailable};
use crate::time::Timestamp;

impl World {
    /// The step's file must be changed, with this outcome.
    pub fn prepares(
        &self,
        first: &ScanRef,
        step: &StepName,
        outcome: Result<PreparedFile, ParkReason>,
    ) {
        self.lock()
            .preparations
            .insert((first.clone(), step.clone()), outcome);
    }
}

#[async_trait]
impl DocumentPreparation for World {
    async fn inspect(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        _until: Timestamp,
    ) -> Result<Vec<bool>, PreparationError> {
        self.plain_fault("inspect")
            .map_err(PreparationError::Unavailable)?;
        let state = self.lock();
        let is_known = |document: &StoredDocument| {
            state
                .preparations
                .contains_key(&(first.clone(), document.step.clone()))
        };
        Ok(documents
            .iter()
            .map(|document| document.prepared.is_none() && is_known(document))
            .collect())
    }

    async fn prepare(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        _must_change: &[bool],
        _until: Timestamp,
    ) -> Result<Vec<Preparation>, PreparationError> {
        self.plain_fault("prepare")
            .map_err(PreparationError::Unavailable)?;
        self.plain_fault("outlasts")
            .map_err(|_| PreparationError::OutOfTime)?;
        let mut state = self.lock();
        let mut preparations = Vec::new();
        for document in documents
            .iter()
            .filter(|document| document.prepared.is_none())
        {
            let Some(outcome) = state
                .preparations
                .get(&(first.clone(), document.step.clone()))
                .cloned()
            else {
                continue;
            };
            let file = outcome.map_err(PreparationError::Refused)?;
            let copy = StoredDocument {
                prepared: Some(file.clone()),
                ..document.clone()
            };
            state.objects.insert(file.key(first, &document.step), copy);
            preparations.push(Preparation {
                step: document.step.clone(),
                original: document.sha256.clone(),
                file,
            });
        }
        drop(state);
        // The copies are stored, whether or not the answer arrives.
        self.plain_fault("prepared").map_err(|_| {
            PreparationError::Unavailable(StoreUnavailable {
                what: "prepared",
                source: None,
            })
        })?;
        Ok(preparations)
    }
}
