//! The rows of some contacts at one source, loaded together, changed in memory, written together.

use super::context::Context;
use super::event::{Query, Rows};
use crate::id::{ContactId, SourceId};
use crate::library::{Dirty, Intent, Link, Record, Ref, Writer, codec, key};
use crate::store::{Key, Revision, Row, StoreError};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// A row as read, and as it shall be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Loaded<T> {
    pub(super) old: Option<T>,
    pub(super) new: Option<T>,
    revision: Option<Revision>,
}

impl<T: Clone + PartialEq> Loaded<T> {
    fn read(row: Option<&Row>) -> Result<Self, StoreError>
    where
        T: DeserializeOwned,
    {
        let value: Option<T> = row.map(codec::decode).transpose()?;
        Ok(Self { old: value.clone(), new: value, revision: row.map(|row| row.revision) })
    }

    fn absent() -> Self {
        Self { old: None, new: None, revision: None }
    }

    fn changed(&self) -> bool {
        self.old != self.new
    }
}

/// One contact at one source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tie {
    pub(super) record: Loaded<Record>,
    pub(super) link: Loaded<Link>,
    pub(super) dirty: Loaded<Dirty>,
    pub(super) intent: Loaded<Intent>,
    /// Subscriptions, where the library has any.
    pub(super) refs: BTreeMap<SourceId, Ref>,
    refs_changed: BTreeSet<SourceId>,
}

impl Tie {
    fn absent() -> Self {
        Self {
            record: Loaded::absent(),
            link: Loaded::absent(),
            dirty: Loaded::absent(),
            intent: Loaded::absent(),
            refs: BTreeMap::new(),
            refs_changed: BTreeSet::new(),
        }
    }

    pub(super) fn subscribed(&self, source: &SourceId) -> Option<bool> {
        self.refs.get(source).and_then(|r| r.subscribed)
    }

    pub(super) fn set_ref(&mut self, source: &SourceId, change: impl FnOnce(&mut Ref)) {
        let entry = self.refs.entry(source.clone()).or_default();
        let before = entry.clone();
        change(entry);
        if *entry != before {
            self.refs_changed.insert(source.clone());
        }
    }
}

/// The contacts at hand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WorkSet {
    source: Option<SourceId>,
    pub(super) ties: BTreeMap<ContactId, Tie>,
    /// Contacts of which other sources have to hear: (deleted, also this source).
    spread: BTreeMap<ContactId, (bool, bool)>,
}

/// Rows a contact in the query of [`WorkSet::query`].
const ROWS: usize = 4;

impl WorkSet {
    pub(super) fn empty(source: &SourceId) -> Self {
        Self { source: Some(source.clone()), ..Self::blank() }
    }

    /// A set that belongs to no source yet.
    pub(super) fn blank() -> Self {
        Self { source: None, ties: BTreeMap::new(), spread: BTreeMap::new() }
    }

    /// The query that [`WorkSet::read`] reads.
    pub(super) fn query(source: &SourceId, ids: &[ContactId], subscriptions: bool) -> Query {
        let mut query = Query { limit: u32::MAX, ..Query::default() };
        for id in ids {
            query.get.extend([
                key::contact(*id),
                key::link(source, *id),
                key::dirty(source, *id),
                key::intent(source, *id),
            ]);
            if subscriptions {
                query.scan.push(key::references(*id));
            }
        }
        query
    }

    /// Adds the rows of [`WorkSet::query`] for the same ids.
    pub(super) fn read(&mut self, ids: &[ContactId], rows: &Rows) -> Result<(), StoreError> {
        for (at, id) in ids.iter().enumerate() {
            let row = |n: usize| rows.got.get(at * ROWS + n).and_then(Option::as_ref);
            let mut tie = Tie {
                record: Loaded::read(row(0))?,
                link: Loaded::read(row(1))?,
                dirty: Loaded::read(row(2))?,
                intent: Loaded::read(row(3))?,
                ..Tie::absent()
            };
            for (key, row) in rows.scanned.get(at).map(Vec::as_slice).unwrap_or_default() {
                if let Some(source) = key::source_of_reference(key) {
                    tie.refs.insert(source, codec::decode(row)?);
                }
            }
            self.ties.insert(*id, tie);
        }
        Ok(())
    }

    /// A contact that does not exist yet.
    pub(super) fn add(&mut self, id: ContactId, record: Record, link: Option<Link>) -> &mut Tie {
        let mut tie = Tie::absent();
        tie.record.new = Some(record);
        tie.link.new = link;
        self.ties.entry(id).or_insert(tie)
    }

    /// Other sources have to hear of this contact; `own`: this one too.
    pub(super) fn spread(&mut self, id: ContactId, deleted: bool, own: bool) {
        let entry = self.spread.entry(id).or_default();
        *entry = (deleted, entry.1 || own);
    }

    /// Everything that changed, as one batch that holds only if the rows are as they were read. The second value
    /// names the contacts that are written.
    pub(super) fn write(&self, context: &Context<'_>) -> (Writer, BTreeSet<ContactId>) {
        let mut writer = Writer::new();
        let mut touched = BTreeSet::new();
        let Some(source) = &self.source else { return (writer, touched) };
        for (id, tie) in &self.ties {
            if let (true, Some(record)) = (tie.record.changed(), &tie.record.new) {
                touched.insert(*id);
                writer.require(key::contact(*id), tie.record.revision);
                writer.put_record(*id, tie.record.old.as_ref(), record);
            }
            if tie.link.changed() {
                writer.require(key::link(source, *id), tie.link.revision);
                writer.put_link(source, *id, tie.link.old.as_ref(), tie.link.new.as_ref());
            }
            put(&mut writer, key::intent(source, *id), &tie.intent);
            if tie.dirty.changed() {
                // A mark that was set anew meanwhile must not be taken away.
                writer.require(key::dirty(source, *id), tie.dirty.revision);
                put(&mut writer, key::dirty(source, *id), &tie.dirty);
            }
            for name in &tie.refs_changed {
                if let Some(reference) = tie.refs.get(name) {
                    writer.put(key::reference(*id, name), reference);
                }
            }
        }
        for (id, (deleted, own)) in &self.spread {
            let refs = self.ties.get(id).map(|tie| &tie.refs);
            let related = |source: &SourceId| {
                refs.and_then(|refs| refs.get(source)).is_some_and(|r| r.linked || r.subscribed.is_some())
            };
            let others = context.shared.sources.iter().filter(|(name, _)| *own || *name != source);
            writer.mark_dirty(*id, *deleted, others, related);
        }
        (writer, touched)
    }
}

fn put<T: Clone + PartialEq + serde::Serialize>(writer: &mut Writer, key: Key, row: &Loaded<T>) {
    if row.changed() {
        match &row.new {
            Some(value) => writer.put(key, value),
            None => writer.delete(key),
        }
    }
}
