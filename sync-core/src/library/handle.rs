//! The host's handle on a library: contacts in pages, edits, the feed of changes.

use super::error::LibraryError;
use super::{
    Action, Actor, Entry, FieldWrite, Link, LinkState, Meta, PassRow, Record, Ref, SourceRow, Stamp,
    Standing, Toward, Writer, codec, contact_uid, key,
};
use crate::contact::{Blob, Contact, Field, Value};
use crate::id::{ContactId, PassId, SourceId, UserId};
use crate::policy::{ReceiverEdit, Side, Subscription};
use crate::source::ItemKind;
use crate::store::{Key, KeyRange, Revision, Store, StoreError};
use crate::time::Time;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How often an operation is decided again because somebody else committed first.
const RACES: u32 = 50;

/// A library in a store. Cheap to clone.
#[derive(Clone)]
pub struct Library {
    pub(super) store: Arc<dyn Store>,
    pub(super) seed: [u8; 16],
}

/// A contact as the host sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: ContactId,
    /// The batch that wrote it last.
    pub revision: Revision,
    /// The contact with its stamps and standing.
    pub record: Record,
}

/// A piece of the feed of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Contacts that changed, the oldest change first. A deleted contact has `record.deleted`.
    pub contacts: Vec<Listed>,
    /// Where to go on.
    pub next: Position,
    /// Whether there is more to read now.
    pub more: bool,
}

/// A position in the feed of changes. The default is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Everything up to this batch has been read,
    pub revision: Revision,
    /// except, where this is set, the contacts of that batch after this one.
    pub after: Option<ContactId>,
}

/// A new contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewContact {
    /// Its fields.
    pub contact: Contact,
    /// The UID it brings, if it brings one (an imported card).
    pub uid: Option<String>,
    /// What it is.
    pub kind: ItemKind,
    /// Whose it is.
    pub standing: Standing,
    /// The bytes of its pictures.
    pub blobs: Vec<Blob>,
}

/// An edit of a contact: what changes, nothing else is touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Fields and their new values; `None` empties a field.
    pub fields: Vec<(Field, Option<Value>)>,
    /// The bytes of a new picture.
    pub blobs: Vec<Blob>,
    /// The hub's own data.
    pub standing: Option<Standing>,
}

impl Library {
    /// Makes a library in an empty store, or opens the one that is there.
    ///
    /// `seed` is sixteen random bytes; they are only used when the library is new.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn open(store: Arc<dyn Store>, seed: [u8; 16]) -> Result<Self, LibraryError> {
        for _ in 0..RACES {
            let row = store.get(vec![key::meta()]).await?.pop().flatten();
            if let Some(row) = row {
                let meta: Meta = codec::decode(&row)?;
                return Ok(Self { store, seed: meta.seed });
            }
            let mut writer = Writer::new();
            writer.require(key::meta(), None);
            writer.put(key::meta(), &Meta { seed });
            match store.apply(writer.finish()).await {
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Live contacts in the order of their ids, after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn contacts(&self, after: Option<ContactId>, limit: u32) -> Result<Vec<Listed>, LibraryError> {
        let mut listed = Vec::new();
        let mut range = key::contacts();
        if let Some(after) = after {
            range = range.after(&key::contact(after));
        }
        while listed.len() < limit as usize {
            let want = limit.saturating_sub(listed.len() as u32).max(1);
            let page = self.store.scan(vec![range.clone()], want).await?.pop().unwrap_or_default();
            let Some((last, _)) = page.last() else { break };
            range = range.after(last);
            let complete = page.len() < want as usize;
            for (key, row) in &page {
                let record: Record = codec::decode(row)?;
                if let (Some(id), true) = (key::contact_of(key), record.is_live()) {
                    listed.push(Listed { id, revision: row.revision, record });
                }
            }
            if complete {
                break;
            }
        }
        Ok(listed)
    }

    /// One contact; `None` if it never existed. A deleted one has `record.deleted`.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn contact(&self, id: ContactId) -> Result<Option<Listed>, LibraryError> {
        let row = self.store.get(vec![key::contact(id)]).await?.pop().flatten();
        row.map(|row| Ok(Listed { id, revision: row.revision, record: codec::decode(&row)? })).transpose()
    }

    /// Contacts that changed after a revision, for a host's screens: what is shown, plus these, is what is there.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn changes(&self, since: Position, limit: u32) -> Result<Feed, LibraryError> {
        let limit = limit.max(1);
        let mut rows = Vec::new();
        if let Some(after) = since.after {
            // The rest of a batch in which the last page ended.
            let before = Revision(since.revision.0.saturating_sub(1));
            let range = key::contacts().after(&key::contact(after));
            let rest = self.store.changed(range, before, limit).await?;
            rows.extend(rest.into_iter().take_while(|(_, row)| row.revision == since.revision));
        }
        let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(limit));
        if left > 0 {
            rows.extend(self.store.changed(key::contacts(), since.revision, left).await?);
        }
        let more = rows.len() >= limit as usize;
        let next = match rows.last() {
            Some((key, row)) => {
                Position { revision: row.revision, after: key::contact_of(key).filter(|_| more) }
            }
            None => Position { after: None, ..since },
        };
        let mut contacts = Vec::with_capacity(rows.len());
        for (key, row) in &rows {
            if let Some(id) = key::contact_of(key) {
                contacts.push(Listed { id, revision: row.revision, record: codec::decode(row)? });
            }
        }
        Ok(Feed { contacts, next, more })
    }

    /// Adds contacts, all or none. Returns their ids in order.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn add(
        &self,
        new: Vec<NewContact>,
        by: &UserId,
        now: Time,
    ) -> Result<Vec<ContactId>, LibraryError> {
        self.retry(async || {
            let (mut writer, pass) = self.begin("edit", now).await?;
            let sources = self.sources().await?;
            let stamp = Stamp { time: Some(now), actor: Actor::User(by.clone()) };
            let mut ids = Vec::with_capacity(new.len());
            for (n, new) in new.iter().enumerate() {
                let id = ContactId { epoch: pass.0, counter: u32::try_from(n).unwrap_or(u32::MAX) };
                let uid = new.uid.clone().filter(|uid| !uid.trim().is_empty());
                let uid = uid.unwrap_or_else(|| contact_uid(&self.seed, id));
                let mut record = Record::new(new.contact.clone(), uid, stamp.clone(), pass);
                record.kind = new.kind;
                record.standing = new.standing.clone();
                record.standing.owner.get_or_insert_with(|| by.clone());
                writer.put_record(id, None, &record);
                put_blobs(&mut writer, &new.blobs);
                writer.mark_dirty(id, false, &sources, |_| false);
                ids.push(id);
            }
            touched(&mut writer, pass, &ids);
            self.commit(writer).await.map(|_| ids)
        })
        .await
    }

    /// Changes fields of a contact.
    ///
    /// # Errors
    /// [`LibraryError::NoContact`], [`LibraryError::Refused`], [`LibraryError::Store`].
    pub async fn edit(&self, id: ContactId, edit: &Edit, by: &UserId, now: Time) -> Result<(), LibraryError> {
        self.retry(async || {
            let mut desk = self.desk(id).await?;
            let Some(old) = desk.record.clone().filter(Record::is_live) else {
                return Err(LibraryError::NoContact(id));
            };
            self.may_edit(&desk, &old, edit)?;
            let mut record = old.clone();
            let stamp = Stamp { time: Some(now), actor: Actor::User(by.clone()) };
            let mut writes = Vec::new();
            for (field, value) in &edit.fields {
                let value = value.clone().filter(|value| !value.is_empty());
                let before = record.contact.get(field).cloned();
                if before == value {
                    continue;
                }
                record.change(field, value.clone(), stamp.clone());
                writes.push(FieldWrite {
                    field: field.clone(),
                    old: before,
                    new: value,
                    origin: stamp.actor.clone(),
                    at: stamp.time,
                    rule: "edit".to_owned(),
                    lost: None,
                });
            }
            if let Some(standing) = &edit.standing {
                record.standing = standing.clone();
            }
            if record == old {
                return Ok(());
            }
            let (mut writer, pass) = self.begin("edit", now).await?;
            record.pass = pass;
            desk.require(&mut writer, id);
            writer.put_record(id, Some(&old), &record);
            put_blobs(&mut writer, &edit.blobs);
            desk.mark_dirty(&mut writer, id, false);
            desk.entry(&mut writer, id, pass, now, Action::Update, &stamp.actor, writes);
            touched(&mut writer, pass, &[id]);
            self.commit(writer).await
        })
        .await
    }

    /// Deletes a contact. What becomes of its copies the policies of the sources say.
    ///
    /// # Errors
    /// [`LibraryError::NoContact`], [`LibraryError::Refused`], [`LibraryError::Store`].
    pub async fn delete(&self, id: ContactId, by: &UserId, now: Time) -> Result<(), LibraryError> {
        self.remove(id, by, now, Rights::Check).await
    }

    pub(super) async fn remove(
        &self,
        id: ContactId,
        by: &UserId,
        now: Time,
        rights: Rights,
    ) -> Result<(), LibraryError> {
        self.retry(async || {
            let mut desk = self.desk(id).await?;
            let Some(old) = desk.record.clone().filter(Record::is_live) else {
                return Err(LibraryError::NoContact(id));
            };
            if rights == Rights::Check {
                self.may_edit(&desk, &old, &Edit::default())?;
            }
            let (mut writer, pass) = self.begin("edit", now).await?;
            let stamp = Stamp { time: Some(now), actor: Actor::User(by.clone()) };
            let record = Record { deleted: Some(stamp.clone()), pass, ..old.clone() };
            desk.require(&mut writer, id);
            writer.put_record(id, Some(&old), &record);
            desk.mark_dirty(&mut writer, id, true);
            desk.entry(&mut writer, id, pass, now, Action::Delete, &stamp.actor, Vec::new());
            touched(&mut writer, pass, &[id]);
            self.commit(writer).await
        })
        .await
    }

    /// Brings a deleted contact back under its old id, as it was. Its copies are made again by the policies of the
    /// sources.
    ///
    /// # Errors
    /// [`LibraryError::NoContact`] unless the contact is deleted, [`LibraryError::Store`].
    pub async fn restore(&self, id: ContactId, by: &UserId, now: Time) -> Result<(), LibraryError> {
        self.retry(async || {
            let mut desk = self.desk(id).await?;
            let Some(old) = desk.record.clone().filter(|record| !record.is_live()) else {
                return Err(LibraryError::NoContact(id));
            };
            let (mut writer, pass) = self.begin("edit", now).await?;
            let record = Record { deleted: None, pass, ..old.clone() };
            desk.require(&mut writer, id);
            writer.put_record(id, Some(&old), &record);
            desk.mark_dirty(&mut writer, id, false);
            for source in desk.sources.keys() {
                // A delete that waited for an answer has nothing to wait for any more.
                writer.delete(key::held(source, id));
            }
            let actor = Actor::User(by.clone());
            desk.entry(&mut writer, id, pass, now, Action::Restore, &actor, Vec::new());
            touched(&mut writer, pass, &[id]);
            self.commit(writer).await
        })
        .await
    }

    /// What happened to a contact, the oldest first.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn history(&self, id: ContactId) -> Result<Vec<Entry>, LibraryError> {
        Ok(self.all(key::history_of(id)).await?.into_iter().map(|(_, entry)| entry).collect())
    }

    /// The passes and edits, the oldest first.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn passes(&self) -> Result<Vec<(PassId, PassRow)>, LibraryError> {
        let number = |key: &Key| {
            let bytes = key.0.get("pass/".len()..)?;
            Some(PassId(u32::from_be_bytes(bytes.try_into().ok()?)))
        };
        let rows = self.all(key::passes()).await?;
        Ok(rows.into_iter().filter_map(|(key, row)| Some((number(&key)?, row))).collect())
    }

    /// The link of a contact at a source.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn link(&self, source: &SourceId, id: ContactId) -> Result<Option<Link>, LibraryError> {
        let row = self.store.get(vec![key::link(source, id)]).await?.pop().flatten();
        Ok(row.as_ref().map(codec::decode).transpose()?)
    }

    /// The bytes of a picture.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn blob(&self, hash: &str) -> Result<Option<Blob>, LibraryError> {
        let row = self.store.get(vec![key::blob(hash)]).await?.pop().flatten();
        Ok(row.map(|row| Blob { hash: hash.to_owned(), bytes: row.bytes }))
    }

    // What the other parts of the handle stand on.

    pub(super) async fn retry<T>(
        &self,
        operation: impl AsyncFn() -> Result<T, LibraryError>,
    ) -> Result<T, LibraryError> {
        let mut last = Err(StoreError::Conflict.into());
        for _ in 0..RACES {
            last = operation().await;
            if !matches!(last, Err(LibraryError::Store(StoreError::Conflict))) {
                break;
            }
        }
        last
    }

    pub(super) async fn commit(&self, writer: Writer) -> Result<(), LibraryError> {
        self.store.apply(writer.finish()).await?;
        Ok(())
    }

    /// A batch with an epoch of its own.
    pub(super) async fn begin(&self, reason: &str, now: Time) -> Result<(Writer, PassId), LibraryError> {
        let row = self.store.get(vec![key::epoch()]).await?.pop().flatten();
        let last: u32 = row.as_ref().map(codec::decode).transpose()?.unwrap_or(0);
        let pass = PassId(last.saturating_add(1));
        let mut writer = Writer::new();
        writer.require(key::epoch(), row.map(|row| row.revision));
        writer.put(key::epoch(), &pass.0);
        writer.put(
            key::pass(pass),
            &PassRow { began: now, reason: reason.to_owned(), counts: BTreeMap::new() },
        );
        Ok((writer, pass))
    }

    /// All rows of a range, decoded.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        mut range: KeyRange,
    ) -> Result<Vec<(Key, T)>, LibraryError> {
        const PAGE: u32 = 10_000;
        let mut found = Vec::new();
        loop {
            let page = self.store.scan(vec![range.clone()], PAGE).await?.pop().unwrap_or_default();
            let Some((last, _)) = page.last() else { break };
            range = range.after(last);
            let complete = page.len() < PAGE as usize;
            for (key, row) in page {
                found.push((key, codec::decode(&row)?));
            }
            if complete {
                break;
            }
        }
        Ok(found)
    }

    pub(super) async fn desk(&self, id: ContactId) -> Result<Desk, LibraryError> {
        let sources = self.sources().await?;
        let mut keys = vec![key::contact(id)];
        keys.extend(sources.keys().map(|source| key::link(source, id)));
        let rows = self.store.get(keys).await?;
        let mut rows = rows.into_iter();
        let first = rows.next().flatten();
        let mut links = BTreeMap::new();
        for (source, row) in sources.keys().zip(rows) {
            if let Some(row) = row {
                links.insert(source.clone(), (row.revision, codec::decode(&row)?));
            }
        }
        let mut refs = BTreeMap::new();
        if sources.values().any(|row| row.policy.subscription != Subscription::Off) {
            for (key, reference) in self.all(key::references(id)).await? {
                if let Some(source) = key::source_of_reference(&key) {
                    refs.insert(source, reference);
                }
            }
        }
        let record = first.as_ref().map(codec::decode).transpose()?;
        Ok(Desk { revision: first.map(|row| row.revision), record, links, refs, sources, entries: 0 })
    }

    /// Whether the policies allow a user to edit the contact.
    fn may_edit(&self, desk: &Desk, record: &Record, edit: &Edit) -> Result<(), LibraryError> {
        let refused = || LibraryError::Refused { reason: "read_only".to_owned() };
        if record.standing.directory {
            return Err(refused());
        }
        for (source, (_, link)) in &desk.links {
            let Some(row) = desk.sources.get(source) else { continue };
            let forbids = row.policy.receiver_edit == ReceiverEdit::Forbid && link.state == LinkState::Active;
            let touched = edit.fields.iter().any(|(field, _)| row.policy.only_receives(Side::Hub, field));
            if forbids && (touched || (edit.fields.is_empty() && row.policy.is_receive_only(Side::Hub))) {
                return Err(refused());
            }
        }
        Ok(())
    }
}

/// Whether the policies are asked before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rights {
    Check,
    /// The change follows from a rule, not from a user's edit.
    Granted,
}

/// The rows around one contact.
pub(super) struct Desk {
    pub(super) revision: Option<Revision>,
    pub(super) record: Option<Record>,
    pub(super) links: BTreeMap<SourceId, (Revision, Link)>,
    pub(super) refs: BTreeMap<SourceId, Ref>,
    pub(super) sources: BTreeMap<SourceId, SourceRow>,
    entries: u32,
}

impl Desk {
    /// The batch holds only if the contact is as it was read.
    pub(super) fn require(&self, writer: &mut Writer, id: ContactId) {
        writer.require(key::contact(id), self.revision);
    }

    /// Tells the sources.
    pub(super) fn mark_dirty(&self, writer: &mut Writer, id: ContactId, deleted: bool) {
        let related = |source: &SourceId| {
            self.links.contains_key(source) || self.refs.get(source).is_some_and(|r| r.subscribed.is_some())
        };
        writer.mark_dirty(id, deleted, &self.sources, related);
    }

    /// Adds to the contact's history.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn entry(
        &mut self,
        writer: &mut Writer,
        id: ContactId,
        pass: PassId,
        now: Time,
        action: Action,
        actor: &Actor,
        fields: Vec<FieldWrite>,
    ) {
        let entry = Entry {
            pass,
            time: now,
            source: None,
            toward: Toward::Hub,
            action,
            rule: "edit".to_owned(),
            actor: actor.clone(),
            fields,
        };
        writer.put(key::history(id, pass, self.entries), &entry);
        self.entries += 1;
    }
}

pub(super) fn put_blobs(writer: &mut Writer, blobs: &[Blob]) {
    for blob in blobs {
        writer.put_bytes(key::blob(&blob.hash), blob.bytes.clone());
    }
}

pub(super) fn touched(writer: &mut Writer, pass: PassId, ids: &[ContactId]) {
    let ids: BTreeSet<ContactId> = ids.iter().copied().collect();
    writer.put(key::touched(pass, 0), &ids);
}
