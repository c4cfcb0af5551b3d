//! A store that reads through to another and keeps its own writes in memory: a preview runs on it.

use super::{Batch, Key, KeyRange, Revision, Row, Store, StoreError};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reads see the lower store under the writes made here; the lower store is never written.
///
/// Conditions are checked against what a reader sees. Revisions continue behind any that the lower store gives.
pub struct OverlayStore {
    lower: Arc<dyn Store>,
    upper: Mutex<Upper>,
}

#[derive(Default)]
struct Upper {
    /// `None` is a deletion.
    rows: BTreeMap<Key, Option<Row>>,
    head: u64,
}

/// Overlay revisions start here: far above what a lower store reaches, so that they sort behind.
const FIRST: u64 = 1 << 62;

impl OverlayStore {
    /// An overlay without writes.
    #[must_use]
    pub fn new(lower: Arc<dyn Store>) -> Self {
        Self { lower, upper: Mutex::new(Upper { rows: BTreeMap::new(), head: FIRST }) }
    }

    fn lock(&self) -> MutexGuard<'_, Upper> {
        self.upper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for OverlayStore {
    async fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Row>>, StoreError> {
        let mut rows = self.lower.get(keys.clone()).await?;
        let upper = self.lock();
        for (key, row) in keys.iter().zip(&mut rows) {
            if let Some(own) = upper.rows.get(key) {
                row.clone_from(own);
            }
        }
        Ok(rows)
    }

    async fn scan(&self, ranges: Vec<KeyRange>, limit: u32) -> Result<Vec<Vec<(Key, Row)>>, StoreError> {
        let mut answers = Vec::with_capacity(ranges.len());
        for range in ranges {
            answers.push(self.scan_one(range, limit).await?);
        }
        Ok(answers)
    }

    async fn changed(
        &self,
        range: KeyRange,
        since: Revision,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        let mut rows = Vec::new();
        let mut from = since;
        loop {
            let page = self.lower.changed(range.clone(), from, limit).await?;
            let last = page.len() < limit as usize;
            let upper = self.lock();
            for (key, row) in page {
                from = from.max(row.revision);
                if !upper.rows.contains_key(&key) {
                    rows.push((key, row));
                }
            }
            if last || rows.len() >= limit as usize {
                break;
            }
        }
        let upper = self.lock();
        let own = upper.rows.iter().filter_map(|(key, row)| Some((key.clone(), row.clone()?)));
        rows.extend(own.filter(|(key, row)| range.contains(key) && row.revision > since));
        rows.sort_by(|a, b| (a.1.revision, &a.0).cmp(&(b.1.revision, &b.0)));
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn apply(&self, batch: Batch) -> Result<Revision, StoreError> {
        let keys: Vec<Key> = batch.require.iter().map(|r| r.key.clone()).collect();
        let rows = self.get(keys).await?;
        for (require, row) in batch.require.iter().zip(rows) {
            if row.map(|r| r.revision) != require.revision {
                return Err(StoreError::Conflict);
            }
        }
        let mut upper = self.lock();
        if batch.is_empty() {
            return Ok(Revision(upper.head));
        }
        upper.head = upper.head.saturating_add(1);
        let revision = Revision(upper.head);
        for key in batch.delete {
            upper.rows.insert(key, None);
        }
        for (key, bytes) in batch.put {
            upper.rows.insert(key, Some(Row { revision, bytes }));
        }
        Ok(revision)
    }
}

impl OverlayStore {
    async fn scan_one(&self, range: KeyRange, limit: u32) -> Result<Vec<(Key, Row)>, StoreError> {
        let mut merged: BTreeMap<Key, Row> = BTreeMap::new();
        let mut rest = range.clone();
        // Rows deleted here make room: read on until the limit is met or the lower range ends.
        loop {
            let page = self.lower.scan(vec![rest.clone()], limit).await?.pop().unwrap_or_default();
            let last = page.last().map(|(key, _)| key.clone());
            let complete = page.len() < limit as usize;
            let upper = self.lock();
            merged.extend(page.into_iter().filter(|(key, _)| !upper.rows.contains_key(key)));
            match last {
                Some(key) if !complete && merged.len() < limit as usize => rest = rest.after(&key),
                // Own rows beyond what was read of the lower range would jump the queue: they are cut off below.
                last => {
                    let end =
                        if complete { range.end.clone() } else { last.unwrap_or_else(|| range.end.clone()) };
                    let own =
                        upper.rows.range(range.start.clone()..range.end.clone().max(range.start.clone()));
                    let own = own.filter(|(key, _)| complete || **key <= end);
                    merged.extend(own.filter_map(|(key, row)| Some((key.clone(), row.clone()?))));
                    break;
                }
            }
        }
        Ok(merged.into_iter().take(limit as usize).collect())
    }
}
