//! A store that reads through to another and keeps its own writes in memory: a preview runs on it.

use super::{Batch, Key, KeyRange, Revision, Row, Store, StoreError};
use async_trait::async_trait;
use futures::lock::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads see the lower store under the writes made here; the lower store is never written.
///
/// Conditions are checked against what a reader sees. Revisions continue behind any that the lower store gives.
/// One call at a time: the lock is held while the lower store answers, so that no call sees half a batch.
pub struct OverlayStore {
    lower: Arc<dyn Store>,
    upper: Mutex<Upper>,
}

struct Upper {
    /// `None` is a deletion.
    rows: BTreeMap<Key, Option<Row>>,
    head: Revision,
}

/// Overlay revisions start here: far above what a lower store reaches, so that they sort behind.
const FIRST: Revision = Revision(1 << 62);

impl OverlayStore {
    /// An overlay without writes.
    #[must_use]
    pub fn new(lower: Arc<dyn Store>) -> Self {
        Self { lower, upper: Mutex::new(Upper { rows: BTreeMap::new(), head: FIRST }) }
    }

    async fn get_over(&self, upper: &Upper, keys: Vec<Key>) -> Result<Vec<Option<Row>>, StoreError> {
        let mut rows = self.lower.get(keys.clone()).await?;
        for (key, row) in keys.iter().zip(&mut rows) {
            if let Some(own) = upper.rows.get(key) {
                row.clone_from(own);
            }
        }
        Ok(rows)
    }

    async fn scan_over(
        &self,
        upper: &Upper,
        range: KeyRange,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        if range.start >= range.end || limit == 0 {
            return Ok(Vec::new());
        }
        let wanted = limit as usize;
        let mut rows = Vec::new();
        let mut rest = range.clone();
        // Rows replaced or deleted here leave room: read on until the limit is met or the lower range ends.
        let end = loop {
            let lower = self.lower.scan(vec![rest.clone()], limit).await?.pop().unwrap_or_default();
            let last = lower.last().filter(|_| lower.len() >= wanted).map(|(key, _)| key.clone());
            rows.extend(lower.into_iter().filter(|(key, _)| !upper.rows.contains_key(key)));
            let Some(last) = last else { break range.end };
            rest = rest.after(&last);
            if rows.len() >= wanted {
                // Own rows behind what was read of the lower store may have lower rows before them.
                break rest.start;
            }
        };
        let own = upper.rows.range(range.start..end);
        rows.extend(own.filter_map(|(key, row)| Some((key.clone(), row.clone()?))).take(wanted));
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        rows.truncate(wanted);
        Ok(rows)
    }

    async fn changed_over(
        &self,
        upper: &Upper,
        range: &KeyRange,
        since: Revision,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        // A page cannot be continued within a revision, so it grows until enough of it is not hidden by own rows.
        let mut page = limit;
        let mut rows = loop {
            let mut lower = self.lower.changed(range.clone(), since, page).await?;
            let more = lower.len() >= page as usize;
            lower.retain(|(key, _)| !upper.rows.contains_key(key));
            if !more || lower.len() >= limit as usize || page == u32::MAX {
                break lower;
            }
            page = page.saturating_mul(2);
        };
        let own = upper.rows.iter().filter(|(key, _)| range.contains(key));
        let own = own.filter_map(|(key, row)| Some((key.clone(), row.clone()?)));
        rows.extend(own.filter(|(_, row)| row.revision > since));
        rows.sort_by(|a, b| (a.1.revision, &a.0).cmp(&(b.1.revision, &b.0)));
        rows.truncate(limit as usize);
        Ok(rows)
    }
}

#[async_trait]
impl Store for OverlayStore {
    async fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Row>>, StoreError> {
        let upper = self.upper.lock().await;
        self.get_over(&upper, keys).await
    }

    async fn scan(&self, ranges: Vec<KeyRange>, limit: u32) -> Result<Vec<Vec<(Key, Row)>>, StoreError> {
        let upper = self.upper.lock().await;
        let mut answers = Vec::with_capacity(ranges.len());
        for range in ranges {
            answers.push(self.scan_over(&upper, range, limit).await?);
        }
        Ok(answers)
    }

    async fn changed(
        &self,
        range: KeyRange,
        since: Revision,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        let upper = self.upper.lock().await;
        self.changed_over(&upper, &range, since, limit).await
    }

    async fn apply(&self, batch: Batch) -> Result<Revision, StoreError> {
        let mut upper = self.upper.lock().await;
        let keys = batch.require.iter().map(|require| require.key.clone()).collect();
        let rows = self.get_over(&upper, keys).await?;
        for (require, row) in batch.require.iter().zip(rows) {
            if row.map(|row| row.revision) != require.revision {
                return Err(StoreError::Conflict);
            }
        }
        if batch.is_empty() {
            return Ok(upper.head);
        }
        let revision = Revision(upper.head.0.saturating_add(1));
        upper.head = revision;
        for key in batch.delete {
            upper.rows.insert(key, None);
        }
        for (key, bytes) in batch.put {
            upper.rows.insert(key, Some(Row { revision, bytes }));
        }
        Ok(revision)
    }
}
