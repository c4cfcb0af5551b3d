//! The sources of a library: adding, changing the rules, letting go and taking up again.

use super::error::LibraryError;
use super::handle::Library;
use super::{Action, Actor, FieldWrite, Record};
use super::{Conflict, Dirty, Held, Parked, RemoteRow, SourceRow, Stamp, Writer, codec, key};
use crate::contact::{Field, Value};
use crate::id::{ContactId, RemoteId, SourceId, UserId};
use crate::policy::{Policy, Severity};
use crate::time::Time;
use std::collections::BTreeMap;

/// What the user decides about an open conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The hub's value.
    Hub,
    /// The source's value.
    Source,
    /// Another value.
    Value(Option<Value>),
}

/// An open conflict with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenConflict {
    /// The source.
    pub source: SourceId,
    /// The contact.
    pub contact: ContactId,
    /// The field.
    pub field: Field,
    /// The two values.
    pub conflict: Conflict,
}

impl Library {
    /// The sources.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn sources(&self) -> Result<BTreeMap<SourceId, SourceRow>, LibraryError> {
        let rows = self.all(key::sources()).await?;
        let name = |key: &crate::store::Key| {
            SourceId::new(std::str::from_utf8(key.0.get("source/".len()..)?).ok()?.to_owned()).ok()
        };
        Ok(rows.into_iter().filter_map(|(key, row)| Some((name(&key)?, row))).collect())
    }

    /// Adds a source. Its first sync is the next cycle.
    ///
    /// # Errors
    /// [`LibraryError::SourceExists`], [`LibraryError::Unsafe`] for a policy that contradicts itself,
    /// [`LibraryError::Store`].
    pub async fn add_source(&self, source: &SourceId, row: &SourceRow) -> Result<(), LibraryError> {
        usable(&row.policy)?;
        if self.sources().await?.contains_key(source) {
            return Err(LibraryError::SourceExists(source.clone()));
        }
        let mut writer = Writer::new();
        writer.require(key::source(source), None);
        writer.put(key::source(source), row);
        self.mark_everything(&mut writer, source).await?;
        match self.commit(writer).await {
            Err(LibraryError::Store(crate::store::StoreError::Conflict)) => {
                Err(LibraryError::SourceExists(source.clone()))
            }
            result => result,
        }
    }

    /// Changes a source's row. A change of the rules makes the next cycle look at everything again.
    ///
    /// # Errors
    /// [`LibraryError::NoSource`], [`LibraryError::Unsafe`], whatever `change` gives, [`LibraryError::Store`].
    pub async fn change_source(
        &self,
        source: &SourceId,
        change: impl Fn(&mut SourceRow) -> Result<(), LibraryError>,
    ) -> Result<(), LibraryError> {
        self.retry(async || {
            let row = self.store.get(vec![key::source(source)]).await?.pop().flatten();
            let row = row.ok_or_else(|| LibraryError::NoSource(source.clone()))?;
            let old: SourceRow = codec::decode(&row)?;
            let mut new = old.clone();
            change(&mut new)?;
            if new == old {
                return Ok(());
            }
            let mut writer = Writer::new();
            if new.policy != old.policy {
                usable(&new.policy)?;
                new.recheck = true;
                new.opened = false;
                self.mark_everything(&mut writer, source).await?;
            }
            writer.require(key::source(source), Some(row.revision));
            writer.put(key::source(source), &new);
            self.commit(writer).await
        })
        .await
    }

    /// Deletes that wait for an answer, by source.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn held(&self) -> Result<Vec<(SourceId, ContactId, Held)>, LibraryError> {
        let mut found = Vec::new();
        for source in self.sources().await?.into_keys() {
            for (key, held) in self.all(key::all_held(&source)).await? {
                found.extend(key::contact_of(&key).map(|id| (source.clone(), id, held)));
            }
        }
        Ok(found)
    }

    /// Items that cannot be read or brought in.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn parked(&self) -> Result<Vec<(SourceId, RemoteId, Parked)>, LibraryError> {
        let mut found = Vec::new();
        for source in self.sources().await?.into_keys() {
            let rows: Vec<(crate::store::Key, Parked)> = self.all(key::all_parked(&source)).await?;
            let shown = rows.into_iter().filter(|(_, parked)| parked.reason != "ignored");
            found.extend(
                shown.filter_map(|(key, parked)| Some((source.clone(), key::remote_of(&key)?, parked))),
            );
        }
        Ok(found)
    }

    /// Open conflicts.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn conflicts(&self) -> Result<Vec<OpenConflict>, LibraryError> {
        let rows: Vec<(crate::store::Key, Conflict)> = self.all(key::conflicts()).await?;
        let place = |key: &crate::store::Key| {
            let rest = key.0.get("conflict/".len()..)?;
            let name = rest.iter().position(|b| *b == b'/')?;
            let source = SourceId::new(std::str::from_utf8(rest.get(..name)?).ok()?.to_owned()).ok()?;
            let contact = ContactId::from_bytes(rest.get(name + 1..name + 9)?)?;
            let field = std::str::from_utf8(rest.get(name + 10..)?).ok()?.parse().ok()?;
            Some((source, contact, field))
        };
        let open = rows.into_iter().filter_map(|(key, conflict)| {
            let (source, contact, field) = place(&key)?;
            Some(OpenConflict { source, contact, field, conflict })
        });
        Ok(open.collect())
    }

    /// Decides an open conflict. The next cycle carries the decision to the source.
    ///
    /// # Errors
    /// [`LibraryError::NoConflict`], [`LibraryError::NoContact`], [`LibraryError::Store`].
    pub async fn resolve(
        &self,
        source: &SourceId,
        id: ContactId,
        field: &Field,
        choice: &Choice,
        by: &UserId,
        now: Time,
    ) -> Result<(), LibraryError> {
        self.retry(async || {
            let conflict_key = key::conflict(source, id, field);
            let row = self.store.get(vec![conflict_key.clone()]).await?.pop().flatten();
            let conflict: Conflict = match &row {
                Some(row) => codec::decode(row)?,
                None => return Err(LibraryError::NoConflict),
            };
            let mut desk = self.desk(id).await?;
            let Some(old) = desk.record.clone().filter(Record::is_live) else {
                return Err(LibraryError::NoContact(id));
            };
            let Some((revision, link)) = desk.links.get(source).cloned() else {
                return Err(LibraryError::NoConflict);
            };
            let (mut writer, pass) = self.begin("resolve", now).await?;
            let stamp = Stamp { time: Some(now), actor: Actor::User(by.clone()) };
            let value = match choice {
                Choice::Hub => old.contact.get(field).cloned(),
                Choice::Source => conflict.source.clone(),
                Choice::Value(value) => value.clone().filter(|value| !value.is_empty()),
            };
            let lost = match choice {
                Choice::Source => old.contact.get(field).cloned(),
                Choice::Hub | Choice::Value(_) => conflict.source.clone(),
            };
            let mut record = Record { pass, ..old.clone() };
            record.change(field, value.clone(), stamp.clone());
            let mut freed = link.clone();
            freed.open.remove(field);
            desk.require(&mut writer, id);
            writer.require(conflict_key.clone(), row.map(|row| row.revision));
            writer.require(key::link(source, id), Some(revision));
            writer.put_record(id, Some(&old), &record);
            writer.put_link(source, id, Some(&link), Some(&freed));
            writer.delete(conflict_key);
            desk.mark_dirty(&mut writer, id, false);
            writer.put(key::dirty(source, id), &Dirty::default());
            let write = FieldWrite {
                field: field.clone(),
                old: old.contact.get(field).cloned(),
                new: value,
                origin: stamp.actor.clone(),
                at: stamp.time,
                rule: "resolve".to_owned(),
                lost,
            };
            desk.entry(&mut writer, id, pass, now, Action::Update, &stamp.actor, vec![write]);
            super::handle::touched(&mut writer, pass, &[id]);
            self.commit(writer).await
        })
        .await
    }

    /// The number of active links of a source.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn link_count(&self, source: &SourceId) -> Result<u64, LibraryError> {
        let rows: Vec<(crate::store::Key, RemoteRow)> = self.all(key::remotes(source)).await?;
        Ok(rows.iter().filter(|(_, row)| row.active).count() as u64)
    }

    /// A new source, or one under new rules, has to look at every contact.
    async fn mark_everything(&self, writer: &mut Writer, source: &SourceId) -> Result<(), LibraryError> {
        let records: Vec<(crate::store::Key, Record)> = self.all(key::contacts()).await?;
        for (key, record) in records {
            if let (Some(id), true) = (key::contact_of(&key), record.is_live()) {
                writer.put(key::dirty(source, id), &Dirty::default());
            }
        }
        Ok(())
    }
}

/// A policy that contradicts itself is refused; what is merely unsafe is the host's to show.
fn usable(policy: &Policy) -> Result<(), LibraryError> {
    let error = policy.check().into_iter().find(|finding| finding.severity == Severity::Error);
    error.map_or(Ok(()), |finding| Err(LibraryError::Unsafe(finding.text.to_owned())))
}
