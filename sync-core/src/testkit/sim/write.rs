//! How a simulated source carries out writes.

use super::faults::strikes;
use super::mailbox::{Logged, LoggedKind, State};
use super::shelf::shown;
use crate::contact::{Blob, Contact, Content, Field, Photo, Value, phone_key};
use crate::id::{FolderId, IntentKey, RemoteId, Version};
use crate::redact::Redacted;
use crate::source::{Item, Raw, Refusal, RefusalKind, Removal, SourceError, Write, WriteOutcome};

impl State {
    pub(super) fn write(&mut self, write: &Write) -> WriteOutcome {
        if strikes(&mut self.faults.unsent) {
            return WriteOutcome::NotSent(SourceError::Unreachable { detail: "the connection broke".into() });
        }
        if self.faults.old_reads > 0 && self.old.as_ref().is_none_or(|(_, reads)| *reads == 0) {
            self.old = Some((self.shelf.clone(), self.faults.old_reads));
        }
        let outcome = self.carry_out(write);
        let id = match (&outcome, write) {
            (WriteOutcome::Applied { id, .. }, _) => Some(id.clone()),
            (_, Write::Update { id, .. } | Write::Delete { id, .. } | Write::Move { id, .. }) => {
                Some(id.clone())
            }
            (_, Write::Create { .. }) => None,
        };
        let applied = matches!(outcome, WriteOutcome::Applied { .. });
        self.log.push(Logged { kind: kind_of(write), id, at: self.clock.now(), applied });
        if strikes(&mut self.faults.lost_answers) { WriteOutcome::Unknown } else { outcome }
    }

    fn carry_out(&mut self, write: &Write) -> WriteOutcome {
        if guard_of(write).is_some() && strikes(&mut self.faults.stale) {
            return WriteOutcome::Stale;
        }
        let outcome = self.apply(write);
        let creates_twice = self.faults.new_ids && matches!(write, Write::Create { .. });
        if !creates_twice && strikes(&mut self.faults.doubled) { self.apply(write) } else { outcome }
    }

    fn apply(&mut self, write: &Write) -> WriteOutcome {
        if !self.capabilities.writable {
            return rejected(RefusalKind::ReadOnly, "the source is read-only");
        }
        match write {
            Write::Create { folder, key, uid, contact, blobs, template: _, marker } => {
                self.create(folder.as_ref(), key, uid, contact, blobs, *marker)
            }
            Write::Update { id, guard, contact, changed, blobs, raw, marker } => {
                let update = |state: &mut Self, item: &mut Item| {
                    for field in changed {
                        item.contact.put(field.clone(), contact.get(field).cloned());
                    }
                    if changed.contains(&Field::Photo) {
                        item.blobs.clone_from(blobs);
                    }
                    item.marked = marker.unwrap_or(item.marked);
                    state.accept(item)
                };
                self.change(id, guard.as_ref(), Some(raw), update)
            }
            Write::Delete { id, guard } => match self.guarded(id, guard.as_ref(), None) {
                Ok(_) => {
                    self.shelf.remove(id, Removal::Deleted);
                    WriteOutcome::Applied { id: id.clone(), version: None, item: None }
                }
                Err(outcome) => outcome,
            },
            Write::Move { id, guard, folder } => {
                let target = self.folder(Some(folder));
                self.change(id, guard.as_ref(), None, |_, item| {
                    item.folder = Some(target?);
                    Ok(())
                })
            }
        }
    }

    fn create(
        &mut self,
        folder: Option<&FolderId>,
        key: &IntentKey,
        uid: &Redacted<String>,
        contact: &Contact,
        blobs: &[Blob],
        marker: bool,
    ) -> WriteOutcome {
        let id = if self.faults.new_ids {
            self.items_made = self.items_made.saturating_add(1);
            RemoteId(format!("item-{}", self.items_made))
        } else {
            RemoteId(key.as_str().to_owned())
        };
        if self.shelf.item(&id).is_some() {
            return WriteOutcome::Stale;
        }
        let uids = self.capabilities.uids;
        if uids && self.shelf.has_uid(&uid.0) {
            return rejected(RefusalKind::DuplicateUid, "another item has this UID");
        }
        let mut item = Item::new(id, contact.clone());
        item.blobs = blobs.to_vec();
        item.marked = marker;
        item.uid = uids.then(|| uid.clone());
        match self.folder(folder) {
            Ok(folder) => item.folder = Some(folder),
            Err(outcome) => return outcome,
        }
        match self.accept(&mut item) {
            Ok(()) => self.applied(item, Some(key)),
            Err(outcome) => outcome,
        }
    }

    fn change(
        &mut self,
        id: &RemoteId,
        guard: Option<&Version>,
        raw: Option<&Raw>,
        edit: impl FnOnce(&mut Self, &mut Item) -> Result<(), WriteOutcome>,
    ) -> WriteOutcome {
        let changed = self.guarded(id, guard, raw).and_then(|mut item| {
            edit(self, &mut item)?;
            Ok(item)
        });
        match changed {
            Ok(item) => self.applied(item, None),
            Err(outcome) => outcome,
        }
    }

    /// The item, if it still is what the guard says.
    fn guarded(
        &self,
        id: &RemoteId,
        guard: Option<&Version>,
        raw: Option<&Raw>,
    ) -> Result<Item, WriteOutcome> {
        let Some(item) = self.shelf.item(id) else { return Err(WriteOutcome::Gone) };
        if guard.is_some() && guard != item.version.as_ref() {
            return Err(WriteOutcome::Stale);
        }
        // A connector patches the raw form: an older one than the guard names would undo what came between.
        if guard.is_some() && raw.is_some_and(|raw| *raw != item.raw) {
            return Err(rejected(RefusalKind::Invalid, "the raw form is not that of the guarded version"));
        }
        self.refusal(item)?;
        Ok(item.clone())
    }

    fn refusal(&self, item: &Item) -> Result<(), WriteOutcome> {
        let refused = self.faults.refused.as_ref();
        if refused.is_some_and(|r| item.id.as_str() == r || item.contact.display_name() == *r) {
            return Err(rejected(RefusalKind::Invalid, "this item is always refused"));
        }
        Ok(())
    }

    fn folder(&self, id: Option<&FolderId>) -> Result<FolderId, WriteOutcome> {
        let folder = match id {
            Some(id) => self.folders.iter().find(|folder| folder.id == *id),
            None => self.folders.first(),
        };
        match folder {
            Some(folder) if folder.writable => Ok(folder.id.clone()),
            Some(_) => Err(rejected(RefusalKind::ReadOnly, "the folder is read-only")),
            None => Err(rejected(RefusalKind::Invalid, "there is no such folder")),
        }
    }

    /// Makes of an item what the source would store of it.
    fn accept(&self, item: &mut Item) -> Result<(), WriteOutcome> {
        self.refusal(item)?;
        if let Some(Value::Photo(Photo::Stored { hash, .. })) = item.contact.get(&Field::Photo)
            && !item.blobs.iter().any(|blob| blob.hash == *hash)
        {
            return Err(rejected(RefusalKind::Invalid, "a picture came without its bytes"));
        }
        item.contact = self.capabilities.project(&item.contact).0;
        for field in &self.faults.dropped {
            item.contact.remove(field);
        }
        if self.faults.rewrite {
            item.contact =
                item.contact.iter().map(|(field, value)| (field.clone(), rewritten(field, value))).collect();
        }
        Ok(())
    }

    fn applied(&mut self, item: Item, key: Option<&IntentKey>) -> WriteOutcome {
        let item = self.keep(item, key.cloned());
        let shown = self.habits.echo.then(|| Box::new(shown(&item, self.capabilities.uids)));
        WriteOutcome::Applied { id: item.id, version: item.version, item: shown }
    }
}

fn rejected(kind: RefusalKind, detail: &str) -> WriteOutcome {
    WriteOutcome::Rejected(Refusal::new(kind, detail))
}

fn guard_of(write: &Write) -> Option<&Version> {
    match write {
        Write::Create { .. } => None,
        Write::Update { guard, .. } | Write::Delete { guard, .. } | Write::Move { guard, .. } => {
            guard.as_ref()
        }
    }
}

fn kind_of(write: &Write) -> LoggedKind {
    match write {
        Write::Create { .. } => LoggedKind::Create,
        Write::Update { changed, marker: Some(_), .. } if changed.is_empty() => LoggedKind::Marker,
        Write::Update { .. } => LoggedKind::Update,
        Write::Delete { .. } => LoggedKind::Delete,
        Write::Move { .. } => LoggedKind::Move,
    }
}

/// The spelling that a server with its own taste gives to a value. Rewriting twice changes nothing more.
fn rewritten(field: &Field, value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.trim().to_owned()),
        Value::List(elements) if *field == Field::Phones => {
            let mut elements = elements.clone();
            for element in &mut elements {
                if let Content::Text(text) = &mut element.content {
                    *text = grouped(&phone_key(text));
                }
            }
            Value::List(elements)
        }
        other => other.clone(),
    }
}

/// Digits in groups of three from the left: `+14155550101` becomes `+141 555 501 01`.
fn grouped(number: &str) -> String {
    let mut text = String::with_capacity(number.len().saturating_mul(2));
    let mut digits = 0_usize;
    for c in number.chars() {
        if c.is_ascii_digit() {
            if digits > 0 && digits.is_multiple_of(3) {
                text.push(' ');
            }
            digits = digits.saturating_add(1);
        }
        text.push(c);
    }
    text
}
