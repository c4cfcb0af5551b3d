//! The engine's side: how a simulated source answers commands.

use super::faults::strikes;
use super::mailbox::{SimBox, State};
use super::shelf::{Listing, Shelf, cursor_of, position_of, shown};
use crate::capability::Capabilities;
use crate::contact::{Blob, Field, Photo, Value, phone_key};
use crate::id::{FolderId, RemoteId};
use crate::identity::{name_begins, words};
use crate::source::{
    Changes, Command, Cursor, Fetched, HostSource, Item, ItemKind, Outcome, SourceError, Write, WriteOutcome,
};
use async_trait::async_trait;

#[async_trait]
impl HostSource for SimBox {
    fn capabilities(&self) -> Capabilities {
        self.lock().capabilities.clone()
    }

    async fn run(&self, command: Command) -> Result<Outcome, SourceError> {
        self.lock().answer(command)
    }
}

impl State {
    fn answer(&mut self, command: Command) -> Result<Outcome, SourceError> {
        self.admit()?;
        match command {
            Command::Open => Ok(Outcome::Opened {
                folders: self.folders.clone(),
                capabilities: Box::new(self.capabilities.clone()),
            }),
            Command::EnsureFolder(name) => Ok(Outcome::Folder(self.ensure_folder(&name))),
            Command::Changes { folders, cursor, page } => {
                self.changes(&folders, cursor.as_ref(), page.as_deref()).map(Outcome::Changes)
            }
            Command::Fetch(ids) => self.fetch(&ids).map(Outcome::Items),
            Command::FetchPhoto(id) => Ok(Outcome::Photo(self.read().item(&id).and_then(photo_of))),
            Command::Write(writes) => self.write_all(writes).map(Outcome::Written),
            Command::FindByKey(key) => {
                let uids = self.capabilities.uids;
                let found = self.read().made_with(&key).map(|item| Box::new(shown(item, uids)));
                Ok(Outcome::Found(found))
            }
            Command::Search { text, limit } => Ok(Outcome::Hits(self.search(&text.0, limit))),
        }
    }

    /// Lets a command in, or says why not.
    fn admit(&mut self) -> Result<(), SourceError> {
        if !self.online {
            return Err(SourceError::Unreachable { detail: "no connection".into() });
        }
        self.commands = self.commands.saturating_add(1);
        match self.faults.expire_after {
            Some(0) => {
                self.faults.expire_after = None;
                self.settings = None;
            }
            Some(left) => self.faults.expire_after = Some(left.saturating_sub(1)),
            None => {}
        }
        let Some(settings) = &self.settings else {
            return Err(SourceError::Auth { offer: self.required.clone() });
        };
        let missing = self.required.iter().filter(|name| settings.get(*name).is_none_or(String::is_empty));
        let missing: Vec<String> = missing.cloned().collect();
        if !missing.is_empty() {
            return Err(SourceError::Auth { offer: missing });
        }
        if strikes(&mut self.faults.throttled) {
            return Err(SourceError::Throttled { seconds: self.faults.retry_after });
        }
        Ok(())
    }

    /// What a read sees: the present, or for a while after a write the past.
    fn read(&mut self) -> &Shelf {
        if self.old.as_ref().is_some_and(|(_, reads)| *reads == 0) {
            self.old = None;
        }
        match &mut self.old {
            Some((shelf, reads)) => {
                *reads = reads.saturating_sub(1);
                shelf
            }
            None => &self.shelf,
        }
    }

    fn changes(
        &mut self,
        folders: &[FolderId],
        cursor: Option<&Cursor>,
        page: Option<&str>,
    ) -> Result<Changes, SourceError> {
        if self.faults.cut_after == Some(0) {
            self.faults.cut_after = None;
            return Err(SourceError::Protocol { detail: "the answer ends early".into() });
        }
        self.faults.cut_after = self.faults.cut_after.map(|pages| pages.saturating_sub(1));
        if cursor.is_some() && strikes(&mut self.faults.expired_cursors) {
            return Err(SourceError::CursorExpired);
        }
        let since = match cursor {
            Some(cursor) => Some(position_of(cursor).ok_or(SourceError::CursorExpired)?),
            None => None,
        };
        let scope = self.scope(folders)?;
        let listing = Listing {
            rows: self.habits.page_rows.max(1),
            whole_items: self.habits.whole_items,
            cursors: self.habits.cursors,
            uids: self.capabilities.uids,
        };
        let mut changes = self.read().list(&scope, since, page, &listing)?;
        if changes.complete && page.is_none() && strikes(&mut self.faults.empty_listings) {
            let cursor = self.habits.cursors.then(|| cursor_of(self.shelf.seq));
            return Ok(Changes { rows: Vec::new(), cursor, next_page: None, complete: true });
        }
        if let (Some(since), Some(_)) = (cursor, &changes.cursor)
            && strikes(&mut self.faults.stale_cursors)
        {
            changes.cursor = Some(since.clone());
        }
        Ok(changes)
    }

    fn scope(&self, folders: &[FolderId]) -> Result<Vec<FolderId>, SourceError> {
        if folders.is_empty() {
            return Ok(self.folders.iter().take(1).map(|folder| folder.id.clone()).collect());
        }
        let known = |id: &FolderId| self.folders.iter().any(|folder| folder.id == *id);
        if !folders.iter().all(known) {
            return Err(SourceError::NotASource { detail: "a folder is missing".into() });
        }
        Ok(folders.to_vec())
    }

    fn fetch(&mut self, ids: &[RemoteId]) -> Result<Vec<Fetched>, SourceError> {
        within(ids.len(), self.capabilities.fetch_batch)?;
        let uids = self.capabilities.uids;
        let shelf = self.read();
        let fetch = |id: &RemoteId| match shelf.item(id) {
            Some(item) => Fetched::Item(Box::new(shown(item, uids))),
            None => Fetched::Gone(id.clone()),
        };
        Ok(ids.iter().map(fetch).collect())
    }

    fn write_all(&mut self, writes: Vec<Write>) -> Result<Vec<WriteOutcome>, SourceError> {
        within(writes.len(), self.capabilities.write_batch)?;
        Ok(writes.into_iter().map(|write| self.write(&write)).collect())
    }

    /// Contacts of whose name a word begins with each word of the text, or with this number.
    fn search(&mut self, text: &str, limit: u32) -> Vec<Item> {
        let uids = self.capabilities.uids;
        let (number, typed) = (phone_key(text), words(text));
        let hit = |item: &Item| {
            let phones = item.contact.list(&Field::Phones);
            let called = phones.iter().any(|element| element.key(&Field::Phones) == number);
            item.kind == ItemKind::Contact && (name_begins(&item.contact, &typed) || called)
        };
        let hits = self.read().items().filter(|item| hit(item));
        hits.take(limit as usize).map(|item| shown(item, uids)).collect()
    }
}

fn photo_of(item: &Item) -> Option<Blob> {
    match item.contact.get(&Field::Photo)? {
        Value::Photo(Photo::Stored { hash, .. }) => {
            item.blobs.iter().find(|blob| blob.hash == *hash).cloned()
        }
        _ => None,
    }
}

fn within(count: usize, batch: u32) -> Result<(), SourceError> {
    if u32::try_from(count).is_ok_and(|count| count <= batch) {
        Ok(())
    } else {
        Err(SourceError::Protocol { detail: format!("{count} in one batch, at most {batch} are allowed") })
    }
}
