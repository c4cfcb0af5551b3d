//! A store in memory: for tests, for short-lived libraries, and the reference for the others.

use super::{Batch, Key, KeyRange, Revision, Row, Store, StoreError};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store that keeps its rows in a map. Clone it to keep a snapshot.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    rows: BTreeMap<Key, Row>,
    by_revision: BTreeMap<(Revision, Key), ()>,
    head: Revision,
}

impl Clone for MemoryStore {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.lock().clone()) }
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All rows in key order.
    #[must_use]
    pub fn rows(&self) -> Vec<(Key, Row)> {
        self.lock().rows.iter().map(|(key, row)| (key.clone(), row.clone())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the map whole, also if a caller panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Row>>, StoreError> {
        let state = self.lock();
        Ok(keys.iter().map(|key| state.rows.get(key).cloned()).collect())
    }

    async fn scan(&self, ranges: Vec<KeyRange>, limit: u32) -> Result<Vec<Vec<(Key, Row)>>, StoreError> {
        let state = self.lock();
        let scan = |range: KeyRange| {
            if range.start >= range.end {
                return Vec::new();
            }
            let rows = state.rows.range(range.start..range.end).take(limit as usize);
            rows.map(|(key, row)| (key.clone(), row.clone())).collect()
        };
        Ok(ranges.into_iter().map(scan).collect())
    }

    async fn changed(
        &self,
        range: KeyRange,
        since: Revision,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        let state = self.lock();
        let from = (Revision(since.0.saturating_add(1)), Key(Vec::new()));
        let keys =
            state.by_revision.range(from..).map(|((_, key), ())| key).filter(|key| range.contains(key));
        let rows = keys.filter_map(|key| Some((key.clone(), state.rows.get(key)?.clone())));
        Ok(rows.take(limit as usize).collect())
    }

    async fn apply(&self, batch: Batch) -> Result<Revision, StoreError> {
        let mut state = self.lock();
        for require in &batch.require {
            if state.rows.get(&require.key).map(|row| row.revision) != require.revision {
                return Err(StoreError::Conflict);
            }
        }
        if batch.is_empty() {
            return Ok(state.head);
        }
        let revision = Revision(state.head.0.saturating_add(1));
        state.head = revision;
        for key in batch.delete {
            if let Some(old) = state.rows.remove(&key) {
                state.by_revision.remove(&(old.revision, key));
            }
        }
        for (key, bytes) in batch.put {
            if let Some(old) = state.rows.insert(key.clone(), Row { revision, bytes }) {
                state.by_revision.remove(&(old.revision, key.clone()));
            }
            state.by_revision.insert((revision, key), ());
        }
        Ok(revision)
    }
}
