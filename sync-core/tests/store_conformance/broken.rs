//! Stores with one mistake each, as an implementer may make it: the kit names the law that is broken.

use super::Shared;
use acquaint_core::store::{Batch, Key, KeyRange, MemoryStore, Revision, Row, Store, StoreError};
use acquaint_core::testkit::store_conformance::{LAWS, check_all};
use async_trait::async_trait;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    GetSortsItsKeys,
    ScanIncludesTheEnd,
    ScanSharesOneLimit,
    ScanFoldsCase,
    ScanDropsEmptyValues,
    ChangedIncludesSince,
    ChangedInKeyOrder,
    ChangedKeepsOneRowARevision,
    PutsBeforeItChecks,
    IgnoresAbsent,
    IgnoresRevisions,
    ChecksAfterDeletes,
    CountsEmptyBatches,
    KeepsTheFirstPut,
    NumbersFromTheRows,
    ForgetsOnClosing,
    CutsBigBatches,
    CutsBigValues,
    LocksAfterChecking,
    WritesRowByRow,
}

/// Each mistake with the first law, in the order of the list, that it breaks.
const MISTAKES: [(Mistake, &str); 20] = [
    (Mistake::GetSortsItsKeys, "get_answers_in_the_order_asked"),
    (Mistake::ScanIncludesTheEnd, "scan_stays_in_its_range"),
    (Mistake::ScanSharesOneLimit, "scan_limits_each_range"),
    (Mistake::ScanFoldsCase, "scan_is_in_key_order"),
    (Mistake::ScanDropsEmptyValues, "rows_survive_reopening"),
    (Mistake::ChangedIncludesSince, "changed_is_in_the_order_of_revisions"),
    (Mistake::ChangedInKeyOrder, "changed_is_in_the_order_of_revisions"),
    (Mistake::ChangedKeepsOneRowARevision, "changed_can_be_paged_within_a_revision"),
    (Mistake::PutsBeforeItChecks, "batch_is_all_or_nothing"),
    (Mistake::IgnoresAbsent, "batch_is_all_or_nothing"),
    (Mistake::IgnoresRevisions, "condition_present"),
    (Mistake::ChecksAfterDeletes, "batch_is_all_or_nothing"),
    (Mistake::CountsEmptyBatches, "batch_without_writes_only_checks"),
    (Mistake::KeepsTheFirstPut, "later_put_replaces_earlier"),
    (Mistake::NumbersFromTheRows, "revisions_are_never_reused"),
    (Mistake::ForgetsOnClosing, "revisions_are_never_reused"),
    (Mistake::CutsBigBatches, "big_batch"),
    (Mistake::CutsBigValues, "big_value"),
    (Mistake::LocksAfterChecking, "no_increment_is_lost"),
    (Mistake::WritesRowByRow, "changed_is_in_the_order_of_revisions"),
];

#[test]
fn every_mistake_is_caught_and_named() {
    for (mistake, law) in MISTAKES {
        let fresh = || (Arc::new(MemoryStore::new()), Mutex::new(Weak::new()));
        let open =
            |(kept, last): &(Arc<MemoryStore>, Mutex<Weak<MemoryStore>>)| -> Result<Shared, StoreError> {
                let mut last = last.lock().expect("no test panics here");
                let inner = match mistake {
                    Mistake::ForgetsOnClosing => last.upgrade().unwrap_or_default(),
                    _ => kept.clone(),
                };
                *last = Arc::downgrade(&inner);
                Ok(Arc::new(Broken { inner, mistake }))
            };
        let broken = check_all(fresh, open).expect_err(&format!("{mistake:?} goes unnoticed"));
        assert!(
            broken.starts_with(&format!("law {law} is broken: ")),
            "{mistake:?} was reported as: {broken}"
        );
    }
}

#[test]
fn half_a_batch_is_seen() {
    let inner = Arc::new(MemoryStore::new());
    let open = || -> Result<Shared, StoreError> {
        Ok(Arc::new(Broken { inner: inner.clone(), mistake: Mistake::WritesRowByRow }))
    };
    let law = LAWS.iter().find(|law| law.name == "reads_are_whole").expect("it is in the list");
    let broken = law.check(&open).expect_err("half a batch goes unnoticed");
    assert!(broken.contains("half a batch"), "it was reported as: {broken}");
}

#[expect(clippy::disallowed_methods, reason = "time for another thread to look")]
fn dawdle() {
    std::thread::sleep(Duration::from_micros(200));
}

struct Broken {
    inner: Arc<MemoryStore>,
    mistake: Mistake,
}

impl Broken {
    async fn put(&self, put: Vec<(Key, Vec<u8>)>) -> Result<Revision, StoreError> {
        self.inner.apply(Batch { put, ..Batch::default() }).await
    }

    async fn delete(&self, delete: Vec<Key>) -> Result<Revision, StoreError> {
        self.inner.apply(Batch { delete, ..Batch::default() }).await
    }

    async fn check(&self, batch: &mut Batch) -> Result<Revision, StoreError> {
        self.inner.apply(Batch { require: std::mem::take(&mut batch.require), ..Batch::default() }).await
    }
}

#[async_trait]
impl Store for Broken {
    async fn get(&self, mut keys: Vec<Key>) -> Result<Vec<Option<Row>>, StoreError> {
        if self.mistake == Mistake::GetSortsItsKeys {
            keys.sort();
        }
        self.inner.get(keys).await
    }

    async fn scan(&self, ranges: Vec<KeyRange>, limit: u32) -> Result<Vec<Vec<(Key, Row)>>, StoreError> {
        let wider = |range: KeyRange| match self.mistake {
            Mistake::ScanIncludesTheEnd if range.start < range.end => {
                KeyRange { end: range.clone().after(&range.end).start, ..range }
            }
            _ => range,
        };
        let mut lists = self.inner.scan(ranges.into_iter().map(wider).collect(), limit).await?;
        let mut left = limit as usize;
        for list in &mut lists {
            match self.mistake {
                Mistake::ScanSharesOneLimit => list.truncate(left),
                Mistake::ScanFoldsCase => list.sort_by_key(|(key, _)| key.0.to_ascii_lowercase()),
                Mistake::ScanDropsEmptyValues => list.retain(|(_, row)| !row.bytes.is_empty()),
                _ => {}
            }
            left = left.saturating_sub(list.len());
        }
        Ok(lists)
    }

    async fn changed(
        &self,
        range: KeyRange,
        since: Revision,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        match self.mistake {
            Mistake::ChangedIncludesSince => {
                self.inner.changed(range, Revision(since.0.saturating_sub(1)), limit).await
            }
            Mistake::ChangedInKeyOrder => {
                let mut rows = self.inner.changed(range, since, limit).await?;
                rows.sort_by(|a, b| a.0.cmp(&b.0));
                Ok(rows)
            }
            Mistake::ChangedKeepsOneRowARevision => {
                let mut rows = self.inner.changed(range, since, u32::MAX).await?;
                rows.dedup_by_key(|(_, row)| row.revision);
                rows.truncate(limit as usize);
                Ok(rows)
            }
            _ => self.inner.changed(range, since, limit).await,
        }
    }

    async fn apply(&self, mut batch: Batch) -> Result<Revision, StoreError> {
        match self.mistake {
            Mistake::PutsBeforeItChecks => drop(self.put(std::mem::take(&mut batch.put)).await?),
            Mistake::ChecksAfterDeletes => drop(self.delete(std::mem::take(&mut batch.delete)).await?),
            Mistake::IgnoresAbsent => batch.require.retain(|require| require.revision.is_some()),
            Mistake::IgnoresRevisions => batch.require.retain(|require| require.revision.is_none()),
            Mistake::CountsEmptyBatches if batch.is_empty() => batch.delete.push(Key(b"none".to_vec())),
            Mistake::KeepsTheFirstPut => batch.put.reverse(),
            Mistake::CutsBigBatches => batch.put.truncate(1000),
            Mistake::CutsBigValues => batch.put.iter_mut().for_each(|put| put.1.truncate(1 << 20)),
            Mistake::LocksAfterChecking => {
                self.check(&mut batch).await?;
                dawdle();
            }
            Mistake::WritesRowByRow => {
                let mut revision = self.check(&mut batch).await?;
                for put in batch.put {
                    revision = self.put(vec![put]).await?;
                    dawdle();
                }
                for key in batch.delete {
                    revision = self.delete(vec![key]).await?;
                }
                return Ok(revision);
            }
            _ => {}
        }
        let revision = self.inner.apply(batch).await?;
        if self.mistake == Mistake::NumbersFromTheRows {
            let newest = self.inner.rows().into_iter().map(|(_, row)| row.revision).max();
            return Ok(newest.unwrap_or_default());
        }
        Ok(revision)
    }
}
