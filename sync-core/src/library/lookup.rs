//! Finding contacts by the match index: numbers, endings of numbers, beginnings of names; and what was used last.

use super::error::LibraryError;
use super::handle::{Library, Listed, touched};
use super::{Actor, Record, Stamp, Writer, codec, contact_uid, key};
use crate::contact::{Contact, Element, Field, phone_key};
use crate::id::{ContactId, UserId};
use crate::store::KeyRange;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

impl Library {
    /// Live contacts with this number, whatever its spelling.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn with_number(&self, number: &str) -> Result<Vec<Listed>, LibraryError> {
        let phone = phone_key(number);
        let has = |record: &Record| {
            record.contact.list(&Field::Phones).iter().any(|e| phone_key(&e.content.show()) == phone)
        };
        self.indexed(key::matches("phone", &phone), u32::MAX, has).await
    }

    /// Live contacts with a number that ends in these digits.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn with_number_ending(&self, digits: &str) -> Result<Vec<Listed>, LibraryError> {
        let backwards: String = digits.chars().rev().collect();
        self.indexed(key::matches_beginning("digits", &backwards), u32::MAX, |_| true).await
    }

    /// Live contacts with a name of which a word begins so, for which `wanted` holds, in the order of ids. At most
    /// `limit` index rows are read.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn with_word(
        &self,
        beginning: &str,
        limit: u32,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Listed>, LibraryError> {
        self.indexed(key::matches_beginning("word", beginning), limit, wanted).await
    }

    async fn indexed(
        &self,
        range: KeyRange,
        limit: u32,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<Vec<Listed>, LibraryError> {
        let rows = self.store.scan(vec![range], limit).await?.pop().unwrap_or_default();
        let ids: BTreeSet<ContactId> = rows.iter().filter_map(|(key, _)| key::contact_of(key)).collect();
        let keys = ids.iter().map(|id| key::contact(*id)).collect();
        let mut found = Vec::new();
        for (id, row) in ids.iter().zip(self.store.get(keys).await?) {
            let Some(row) = row else { continue };
            let record: Record = codec::decode(&row)?;
            if record.is_live() && wanted(&record) {
                found.push(Listed { id: *id, revision: row.revision, record });
            }
        }
        Ok(found)
    }

    /// Notes that a contact was opened, or shown as a caller: of several that fit, the one used last comes first.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn note_use(&self, id: ContactId, now: Time) -> Result<(), LibraryError> {
        let mut writer = Writer::new();
        writer.put(key::used(id), &now);
        self.commit(writer).await
    }

    /// When contacts were last used; those that never were are left out.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn last_used(&self, ids: &[ContactId]) -> Result<BTreeMap<ContactId, Time>, LibraryError> {
        let rows = self.store.get(ids.iter().map(|id| key::used(*id)).collect()).await?;
        let mut used = BTreeMap::new();
        for (id, row) in ids.iter().zip(rows) {
            if let Some(row) = row {
                used.insert(*id, codec::decode(&row)?);
            }
        }
        Ok(used)
    }

    /// The contact of an unknown caller: made once for a user and a number, however many devices ask at the same
    /// moment (decision 14). `local_only`: it never goes to a source.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn add_caller(
        &self,
        user: &UserId,
        number: &str,
        local_only: bool,
        now: Time,
    ) -> Result<ContactId, LibraryError> {
        let claim = key::caller(user, &phone_key(number));
        self.retry(async || {
            let row = self.store.get(vec![claim.clone()]).await?.pop().flatten();
            if let Some(row) = &row {
                let id: ContactId = codec::decode(row)?;
                if self.contact(id).await?.is_some_and(|listed| listed.record.is_live()) {
                    return Ok(id);
                }
            }
            let (mut writer, pass) = self.begin("caller", now).await?;
            let sources = self.sources().await?;
            let id = ContactId { epoch: pass.0, counter: 0 };
            let contact = Contact::new().with_element(Field::Phones, Element::text(number));
            let stamp = Stamp { time: Some(now), actor: Actor::User(user.clone()) };
            let mut record = Record::new(contact, contact_uid(&self.seed, id), stamp, pass);
            record.standing.owner = Some(user.clone());
            record.standing.local_only = local_only;
            writer.require(claim.clone(), row.map(|row| row.revision));
            writer.put(claim.clone(), &id);
            writer.put_record(id, None, &record);
            writer.mark_dirty(id, false, &sources, |_| false);
            touched(&mut writer, pass, &[id]);
            self.commit(writer).await.map(|()| id)
        })
        .await
    }
}
