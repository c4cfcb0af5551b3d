//! Collects the rows of one atomic batch, with the index rows that follow from them.

use super::codec::encode;
use super::key;
use super::link::{Link, LinkState};
use super::record::Record;
use super::rows::{Dirty, RemoteRow, SourceRow, match_keys};
use crate::id::{ContactId, SourceId};
use crate::policy::Subscription;
use crate::store::{Batch, Key, Require, Revision};
use serde::Serialize;
use std::collections::BTreeMap;

/// A batch under construction: the last word on a key counts.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    rows: BTreeMap<Key, Option<Vec<u8>>>,
    require: BTreeMap<Key, Option<Revision>>,
}

impl Writer {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a row.
    pub fn put<T: Serialize>(&mut self, key: Key, value: &T) {
        self.rows.insert(key, Some(encode(value)));
    }

    /// Puts bytes that are no row of ours (pictures, cursors).
    pub fn put_bytes(&mut self, key: Key, bytes: Vec<u8>) {
        self.rows.insert(key, Some(bytes));
    }

    /// Deletes a row.
    pub fn delete(&mut self, key: Key) {
        self.rows.insert(key, None);
    }

    /// Deletes a row that is known to be there.
    pub fn delete_if(&mut self, present: bool, key: Key) {
        if present {
            self.delete(key);
        }
    }

    /// Demands that a row still has the revision that was read (`None`: is absent).
    pub fn require(&mut self, key: Key, revision: Option<Revision>) {
        self.require.insert(key, revision);
    }

    /// Whether this row is written.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.rows.contains_key(key)
    }

    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Puts a contact and brings its match keys up to date. A tombstone has none.
    pub fn put_record(&mut self, id: ContactId, old: Option<&Record>, new: &Record) {
        let keys = |record: &Record| match record.is_live() {
            true => match_keys(&record.uid, &record.contact),
            false => Vec::new(),
        };
        let (before, after) = (old.map(keys).unwrap_or_default(), keys(new));
        for (kind, value) in before.iter().filter(|k| !after.contains(k)) {
            self.delete(key::match_key(kind, value, id));
        }
        for (kind, value) in after.iter().filter(|k| !before.contains(k)) {
            self.put_bytes(key::match_key(kind, value, id), Vec::new());
        }
        self.put(key::contact(id), new);
    }

    /// Puts or deletes a link and its index by remote id.
    pub fn put_link(&mut self, source: &SourceId, id: ContactId, old: Option<&Link>, new: Option<&Link>) {
        if let Some(old) = old.filter(|old| new.is_none_or(|new| new.remote != old.remote)) {
            self.delete(key::remote(source, &old.remote));
        }
        match new {
            None => self.delete(key::link(source, id)),
            Some(link) => {
                let active = link.state == LinkState::Active;
                let row = RemoteRow { contact: id, version: link.version.clone(), active };
                self.put(key::remote(source, &link.remote), &row);
                self.put(key::link(source, id), link);
            }
        }
    }

    /// Tells sources that a contact changed. `related` says whether a source whose users choose their contacts has
    /// this one chosen or linked.
    pub fn mark_dirty<'a>(
        &mut self,
        id: ContactId,
        deleted: bool,
        sources: impl IntoIterator<Item = (&'a SourceId, &'a SourceRow)>,
        related: impl Fn(&SourceId) -> bool,
    ) {
        for (source, row) in sources {
            let by_default = !matches!(row.policy.subscription, Subscription::OptIn { others: false, .. });
            if by_default || related(source) {
                self.put(key::dirty(source, id), &Dirty { deleted, key: None });
            }
        }
    }

    /// Takes over another batch; its rows come after the own ones.
    pub fn append(&mut self, other: Writer) {
        self.rows.extend(other.rows);
        self.require.extend(other.require);
    }

    /// The batch.
    #[must_use]
    pub fn finish(self) -> Batch {
        let mut batch = Batch::default();
        for (key, row) in self.rows {
            match row {
                Some(bytes) => batch.put.push((key, bytes)),
                None => batch.delete.push(key),
            }
        }
        batch.require = self.require.into_iter().map(|(key, revision)| Require { key, revision }).collect();
        batch
    }
}
