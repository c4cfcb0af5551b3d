//! Connecting a source and letting it go (K18, K19).

use super::error::LibraryError;
use super::handle::{Library, Rights};
use super::{Link, LinkState, SourceState, Writer, key};
use crate::id::{SourceId, UserId};
use crate::merge;
use crate::policy::{Direction, OnDisconnect, OnReconnect, SettingsError, is_secret};
use crate::source::SourceError;
use crate::store::Key;
use crate::time::Time;
use std::collections::BTreeMap;

impl Library {
    /// Connects a source with these settings, or connects it again. They are checked before any network use; whether
    /// they are right shows in the next cycle. Secrets are checked and not kept: the host keeps them.
    ///
    /// # Errors
    /// [`LibraryError::Settings`] names what is missing or malformed, and the source then waits for the user;
    /// [`LibraryError::NoSource`], [`LibraryError::Store`].
    pub async fn connect(
        &self,
        source: &SourceId,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), LibraryError> {
        let rows = self.sources().await?;
        let row = rows.get(source).ok_or_else(|| LibraryError::NoSource(source.clone()))?;
        if let Err(error) = row.policy.connection.check_settings(settings) {
            let wanting = wanting(&error);
            self.change_source(source, |row| {
                row.state = SourceState::NeedsSettings(wanting.clone());
                Ok(())
            })
            .await?;
            return Err(error.into());
        }
        let kept = settings.iter().filter(|(name, _)| !is_secret(name));
        let kept: BTreeMap<String, String> =
            kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.change_source(source, |row| {
            row.settings.extend(kept.clone());
            Ok(())
        })
        .await?;
        self.reconnect(source).await
    }

    /// Lets a source go: planned work is cancelled, the source is left exactly as it is, the links are remembered.
    /// What becomes of the hub's copies the policy says (K19). The host forgets the credentials.
    ///
    /// # Errors
    /// [`LibraryError::NoSource`], [`LibraryError::Store`].
    pub async fn disconnect(&self, source: &SourceId, by: &UserId, now: Time) -> Result<(), LibraryError> {
        let rows = self.sources().await?;
        let row = rows.get(source).ok_or_else(|| LibraryError::NoSource(source.clone()))?;
        let rule = row.policy.disconnect.copies;
        self.change_source(source, |row| {
            row.state = SourceState::Disconnected;
            row.due = None;
            Ok(())
        })
        .await?;
        if rule == OnDisconnect::Keep {
            return Ok(());
        }
        let links: Vec<(Key, Link)> = self.all(key::links(source)).await?;
        for (key, link) in links {
            let Some(id) = key::contact_of(&key) else { continue };
            let Some(listed) = self.contact(id).await?.filter(|listed| listed.record.is_live()) else {
                continue;
            };
            // Another source still holds it: its contact is not this source's to take along.
            let desk = self.desk(id).await?;
            let mut others = desk.links.iter().filter(|(name, _)| *name != source);
            if link.state != LinkState::Active || others.any(|(_, (_, link))| link.state == LinkState::Active)
            {
                continue;
            }
            let mut fields = link.fields();
            fields.extend(listed.record.contact.fields().cloned());
            let modified = fields.iter().any(|field| {
                row.policy.maps(field, Direction::In)
                    && !merge::same(field, listed.record.contact.get(field), link.hub_base(field))
            });
            if rule == OnDisconnect::RemoveAll || !modified {
                self.remove(id, by, now, Rights::Granted).await?;
                let mut writer = Writer::new();
                writer.put_link(source, id, Some(&link), None);
                writer.delete(key::dirty(source, id));
                // What was removed here comes in as new after a reconnect (decision 32).
                writer.delete(key::cursor(source));
                self.commit(writer).await?;
            }
        }
        Ok(())
    }

    /// Takes a source up again. Under `relink` the links are alive at once, with their bases, so edits made on either
    /// side meanwhile travel in the next cycle.
    ///
    /// # Errors
    /// [`LibraryError::NoSource`], [`LibraryError::Store`].
    pub async fn reconnect(&self, source: &SourceId) -> Result<(), LibraryError> {
        let rows = self.sources().await?;
        let row = rows.get(source).ok_or_else(|| LibraryError::NoSource(source.clone()))?;
        if row.policy.disconnect.reconnect != OnReconnect::Relink && row.state == SourceState::Disconnected {
            let mut writer = Writer::new();
            let links: Vec<(Key, Link)> = self.all(key::links(source)).await?;
            for (key, link) in links {
                if let Some(id) = key::contact_of(&key) {
                    writer.put_link(source, id, Some(&link), None);
                }
            }
            writer.delete(key::cursor(source));
            self.commit(writer).await?;
        }
        self.change_source(source, |row| {
            row.state = SourceState::Connected;
            row.opened = false;
            row.failures = 0;
            Ok(())
        })
        .await
    }
}

/// What is wrong with settings, as the state of a source that waits for better ones.
fn wanting(error: &SettingsError) -> SourceError {
    let named = error.missing.first().or(error.malformed.first().map(|malformed| &malformed.setting));
    SourceError::Settings { setting: named.cloned().unwrap_or_default(), detail: error.to_string() }
}
