//! What the engine asks of a store: ordered rows, read in bulk, written in atomic batches.
//!
//! Four calls, each a bulk call, so that a host can put it over SQLite, Room, Core Data or IndexedDB in an hour and
//! crossing a language boundary stays cheap. Secondary indexes are rows of the same batch.

mod memory;
mod overlay;

pub use memory::MemoryStore;
pub use overlay::OverlayStore;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A key: bytes, ordered as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first part names the table; what follows may hold a number or an address.
        let table: Vec<u8> = self.0.iter().copied().take_while(|b| *b != b'/').collect();
        write!(f, "Key({}/…)", String::from_utf8_lossy(&table))
    }
}

/// The number of a batch, given by the store: rises in commit order, is never reused, and is the version of every
/// row that the batch put.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

/// A stored row.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The batch that put it.
    pub revision: Revision,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({:?}, {} bytes)", self.revision, self.bytes.len())
    }
}

/// Keys from `start` (included) to `end` (excluded).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub start: Key,
    /// The key after the last.
    pub end: Key,
}

impl KeyRange {
    /// All keys that begin with these bytes.
    #[must_use]
    pub fn prefix(prefix: impl Into<Vec<u8>>) -> Self {
        let start: Vec<u8> = prefix.into();
        let mut end = start.clone();
        while let Some(last) = end.pop() {
            if let Some(next) = last.checked_add(1) {
                end.push(next);
                return Self { start: Key(start), end: Key(end) };
            }
        }
        // Nothing but 0xFF: no key of ours reaches there.
        Self { start: Key(start), end: Key(vec![0xFF; 64]) }
    }

    /// The same range, from just behind a key.
    #[must_use]
    pub fn after(mut self, key: &Key) -> Self {
        let mut next = key.0.clone();
        next.push(0);
        self.start = Key(next);
        self
    }

    /// Whether the key lies in the range.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        self.start <= *key && *key < self.end
    }
}

/// A condition that must hold when a batch is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Require {
    /// The key.
    pub key: Key,
    /// The revision that its row must have; `None`: no such row.
    pub revision: Option<Revision>,
}

/// Writes that happen together or not at all.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// What must hold. If one condition fails, nothing is written.
    pub require: Vec<Require>,
    /// Rows to put; a later put of a key replaces an earlier one.
    pub put: Vec<(Key, Vec<u8>)>,
    /// Keys to delete; absent ones are no error. A key is never in both lists.
    pub delete: Vec<Key>,
}

impl Batch {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.delete.is_empty()
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Batch({} require, {} put, {} delete)",
            self.require.len(),
            self.put.len(),
            self.delete.len()
        )
    }
}

/// A failure of the store. Each variant says who can act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum StoreError {
    /// Us, at once: a condition failed because somebody else committed; load and decide again.
    #[error("another process changed the library meanwhile")]
    Conflict,
    /// Passing: another process holds the store.
    #[error("the library is in use by another process; try again")]
    Busy,
    /// The user: no room left.
    #[error("the disk is full; free some space and run again: nothing was lost")]
    Full,
    /// The user: the file may not be written.
    #[error("the library cannot be written: {detail}")]
    ReadOnly {
        /// What the system said.
        detail: String,
    },
    /// The user: the file is damaged or is something else.
    #[error("this is not a usable library: {detail}")]
    Corrupt {
        /// What was found.
        detail: String,
    },
    /// The user: the file was written by a newer release.
    #[error("the library has format {found}, this release reads up to {supported}: use a newer release")]
    FromTheFuture {
        /// The format of the file.
        found: u32,
        /// The newest that is understood.
        supported: u32,
    },
    /// The host or the system: anything else.
    #[error("the store failed: {detail}")]
    Failed {
        /// What the system said.
        detail: String,
    },
}

/// Ordered rows with atomic batches.
///
/// Laws, checked by the conformance kit: a batch is all or nothing; a failed condition is [`StoreError::Conflict`]
/// and writes nothing; revisions rise in commit order and are never reused, also after a deletion or a restart;
/// reads see every batch that was applied before; scans are in key order.
#[async_trait]
pub trait Store: Send + Sync {
    /// The rows of these keys, in the same order.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Row>>, StoreError>;

    /// For each range, its first `limit` rows in key order.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn scan(&self, ranges: Vec<KeyRange>, limit: u32) -> Result<Vec<Vec<(Key, Row)>>, StoreError>;

    /// The first `limit` rows of a range whose revision is greater than `since`, in the order of revision, then key.
    ///
    /// A full answer may end within a revision. Its remaining rows are those with this revision in an answer for
    /// the range behind the last key, since the revision before; later ones follow since the revision itself.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn changed(
        &self,
        range: KeyRange,
        since: Revision,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError>;

    /// Applies a batch and returns its revision. A batch that changes nothing only checks its conditions and returns
    /// the newest revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a condition fails, or another [`StoreError`].
    async fn apply(&self, batch: Batch) -> Result<Revision, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_ranges_end_where_the_prefix_does() {
        let range = KeyRange::prefix(*b"link/a\xff");
        assert!(range.contains(&Key(b"link/a\xff\xff".to_vec())));
        assert!(!range.contains(&Key(b"link/b".to_vec())));
        assert!(!range.contains(&Key(b"link/a\xfe".to_vec())));
        assert!(range.clone().after(&Key(b"link/a\xff".to_vec())).contains(&Key(b"link/a\xff\0".to_vec())));
        assert!(!range.after(&Key(b"link/a\xff".to_vec())).contains(&Key(b"link/a\xff".to_vec())));
    }
}
