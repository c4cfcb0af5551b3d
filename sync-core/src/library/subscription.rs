//! Which contacts a user wants at the own sources (K12).

use super::error::LibraryError;
use super::handle::Library;
use super::{Action, Actor, Dirty, Entry, LinkState, Record, RemoteRow, Toward, codec, key};
use crate::id::{ContactId, RemoteId, SourceId, UserId};
use crate::policy::Subscription;
use crate::time::Time;

impl Library {
    /// A user ticks (`on`) or unticks a contact, for all own sources that let contacts be chosen. Ticked, its copy is
    /// made, or taken up again with the library's values; unticked, the copy stays as the user's own. A job over the
    /// contact carries it out at once, the next cycle otherwise.
    ///
    /// # Errors
    /// [`LibraryError::NoContact`], [`LibraryError::NoChoice`], [`LibraryError::Store`].
    pub async fn subscribe(
        &self,
        user: &UserId,
        id: ContactId,
        on: bool,
        now: Time,
    ) -> Result<(), LibraryError> {
        self.retry(async || {
            let desk = self.desk(id).await?;
            if !desk.record.as_ref().is_some_and(Record::is_live) {
                return Err(LibraryError::NoContact(id));
            }
            let (mut writer, pass) = self.begin("subscribe", now).await?;
            desk.require(&mut writer, id);
            let own = desk.sources.iter().filter(|(_, row)| {
                row.user == *user && matches!(row.policy.subscription, Subscription::OptIn { .. })
            });
            let mut number = 0;
            for (source, _) in own {
                let mut reference = desk.refs.get(source).cloned().unwrap_or_default();
                reference.subscribed = Some(on);
                writer.put(key::reference(id, source), &reference);
                writer.put(key::dirty(source, id), &Dirty::default());
                // A copy that its user deleted while the box was unticked is made anew.
                if let Some((revision, link)) = desk.links.get(source)
                    && on
                    && link.state == LinkState::Detached
                {
                    writer.require(key::link(source, id), Some(*revision));
                    writer.put_link(source, id, Some(link), None);
                }
                let entry = Entry {
                    pass,
                    time: now,
                    source: Some(source.clone()),
                    toward: Toward::Source,
                    action: if on { Action::Link } else { Action::Unlink },
                    rule: "subscription".to_owned(),
                    actor: Actor::User(user.clone()),
                    fields: Vec::new(),
                };
                writer.put(key::history(id, pass, number), &entry);
                number += 1;
            }
            if number == 0 {
                return Err(LibraryError::NoChoice(user.clone()));
            }
            self.commit(writer).await
        })
        .await
    }

    /// Whether the user of a source has ticked the contact there; `None`: never asked.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn subscribed(&self, source: &SourceId, id: ContactId) -> Result<Option<bool>, LibraryError> {
        let row = self.store.get(vec![key::reference(id, source)]).await?.pop().flatten();
        let reference: Option<super::Ref> = row.as_ref().map(codec::decode).transpose()?;
        Ok(reference.and_then(|reference| reference.subscribed))
    }

    /// The contact that an item of a source is linked to.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn linked_to(
        &self,
        source: &SourceId,
        item: &RemoteId,
    ) -> Result<Option<ContactId>, LibraryError> {
        let row = self.store.get(vec![key::remote(source, item)]).await?.pop().flatten();
        let row: Option<RemoteRow> = row.as_ref().map(codec::decode).transpose()?;
        Ok(row.map(|row| row.contact))
    }
}
