//! Writing a batch: everything is written beside the cards first, made durable, and only then put in place.
//!
//! Stage → sync → publish → sync the folder. A crash at any moment leaves each card as it was or as it shall be, and
//! at worst some hidden files, which [`super::recover`] clears away.

use super::atomic::{self, Temporary};
use super::cursor::Stat;
use super::name::{self, Digest};
use super::publish::publish;
use super::read::{self, Content, FORMAT, version};
use super::{ErrorContext, Vdir, local};
use crate::marker;
use crate::wire::vcard::{self, CardError, CardVersion, Draft};
use acquaint_core::contact::{Blob, Contact, Field};
use acquaint_core::id::{FolderId, IntentKey, RemoteId, Version};
use acquaint_core::limits::CARD_BYTES;
use acquaint_core::source::{Fetched, Item, Raw, Refusal, RefusalKind, Write, WriteOutcome};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// A write that has been prepared, or has already come to its end.
#[derive(Debug)]
pub(super) enum Step {
    Done(WriteOutcome),
    Create { temporary: Temporary, target: PathBuf, item: Box<Item> },
    Replace { temporary: Temporary, target: PathBuf, old: Digest, new: Digest, item: Box<Item> },
    Remove { target: PathBuf, old: Digest, id: RemoteId },
}

impl From<WriteOutcome> for Step {
    fn from(outcome: WriteOutcome) -> Self {
        Self::Done(outcome)
    }
}

/// Carries out a batch; one outcome each, in order.
pub(super) fn write(vdir: &Vdir, writes: Vec<Write>) -> Vec<WriteOutcome> {
    let in_bulk = atomic::in_bulk(writes.len());
    let mut steps: Vec<Step> = writes.into_iter().map(|write| stage(vdir, write, in_bulk)).collect();
    let staged = steps.iter().any(|step| matches!(step, Step::Create { .. } | Step::Replace { .. }));
    if in_bulk
        && staged
        && let Err(error) = atomic::sync_all_files(&vdir.folder)
    {
        for step in &mut steps {
            if !matches!(step, Step::Done(_)) {
                *step = not_sent(&error).into();
            }
        }
    }
    let publishing = steps.iter().any(|step| !matches!(step, Step::Done(_)));
    let mut outcomes = Vec::with_capacity(steps.len());
    let mut published = Vec::with_capacity(steps.len());
    for step in steps {
        published.push(!matches!(step, Step::Done(_)));
        outcomes.push(publish(&vdir.folder, step));
    }
    if publishing && atomic::sync_folder(&vdir.folder).is_err() {
        // In place, but perhaps not after a power cut.
        for (outcome, published) in outcomes.iter_mut().zip(published) {
            if published && matches!(outcome, WriteOutcome::Applied { .. }) {
                *outcome = WriteOutcome::Unknown;
            }
        }
    }
    outcomes
}

/// Prepares one write: nothing of it can be seen yet.
pub(super) fn stage(vdir: &Vdir, write: Write, in_bulk: bool) -> Step {
    if vdir.options.read_only {
        return rejected(RefusalKind::ReadOnly, "the source is set to read only").into();
    }
    let staged = match write {
        Write::Create { folder: Some(folder), .. } if folder != FolderId::from(super::FOLDER) => {
            Err(rejected(RefusalKind::Invalid, "a vdir source has one folder"))
        }
        Write::Create { key, uid, mut contact, blobs, template, marker, .. } => {
            if marker {
                marker::put(&mut contact);
            }
            let draft =
                Draft { contact: &contact, uid: &uid.0, blobs: &blobs, version: vdir.options.version };
            stage_create(&vdir.folder, &key, &draft, template.as_ref(), in_bulk)
        }
        Write::Update { id, guard, contact, changed, blobs, raw, marker } => {
            let guard = guard.unwrap_or_else(|| version(Digest::of(&raw.bytes)));
            stage_update(&vdir.folder, Edit { id, guard, contact, changed, blobs, marker }, in_bulk)
        }
        Write::Delete { id, guard } => stage_delete(&vdir.folder, id, guard),
        Write::Move { .. } => Err(rejected(RefusalKind::Invalid, "a vdir source has one folder")),
    };
    staged.unwrap_or_else(Step::Done)
}

/// An update, as the engine gives it.
struct Edit {
    id: RemoteId,
    guard: Version,
    contact: Contact,
    changed: Vec<Field>,
    blobs: Vec<Blob>,
    marker: Option<bool>,
}

impl Edit {
    /// The card with the changed fields, and with the marker as wanted or as it was.
    fn apply(&self, card: &[u8]) -> Result<Vec<u8>, WriteOutcome> {
        let refuse = |error: CardError| WriteOutcome::Rejected(error.refusal());
        read::check_single(card).map_err(WriteOutcome::Rejected)?;
        let was_marked = marker::take(&mut vcard::decode(card).map_err(refuse)?.contact);
        let mut contact = self.contact.clone();
        let mut changed = self.changed.clone();
        if self.marker.unwrap_or(was_marked) {
            marker::put(&mut contact);
        }
        if self.marker.is_some_and(|wanted| wanted != was_marked) && !changed.contains(&Field::Extra) {
            changed.push(Field::Extra);
        }
        within_limit(vcard::patch(card, &contact, &changed, &self.blobs).map_err(refuse)?)
    }
}

fn stage_create(
    folder: &Path,
    key: &IntentKey,
    draft: &Draft<'_>,
    template: Option<&Raw>,
    in_bulk: bool,
) -> Result<Step, WriteOutcome> {
    let name = name::of_key(key);
    let id = name::to_id(&name);
    let from_template = template.filter(|raw| raw.format == FORMAT).map(|raw| {
        let version = match vcard::decode(&raw.bytes)?.version {
            // Read, but never newly written.
            CardVersion::V21 => draft.version,
            version => version,
        };
        vcard::compose_from(&Draft { version, ..*draft }, &raw.bytes)
    });
    let bytes = match from_template {
        Some(Ok(bytes)) => bytes,
        // A template is a help, not a condition.
        Some(Err(_)) | None => vcard::compose(draft),
    };
    let bytes = within_limit(bytes)?;
    let new = Digest::of(&bytes);
    let target = folder.join(name);
    match Content::read(&target, 0) {
        Content::Gone => {}
        // The create of this key, done before and its answer lost.
        Content::Bytes(found) if found == bytes => {
            let stat = fs::metadata(&target).map(|m| Stat::of(&m)).unwrap_or_default();
            return Ok(Step::Done(applied(Box::new(read_back(id, found, stat)?))));
        }
        Content::Bytes(found) => {
            return Err(match read::item(&id, found, Stat::default()) {
                // The same, edited since: the engine finds it by its key.
                Ok(_) => WriteOutcome::Unknown,
                Err(refusal) => WriteOutcome::Rejected(refusal),
            });
        }
        _ => return Err(rejected(RefusalKind::Unreadable, "a file of this name exists and may not be read")),
    }
    let (temporary, file) = Temporary::write(folder, &[new], &bytes).map_err(|e| not_sent(&e))?;
    let stat = finish(&file, in_bulk).map_err(|e| not_sent(&e))?;
    Ok(Step::Create { temporary, target, item: Box::new(read_back(id, bytes, stat)?) })
}

fn stage_update(folder: &Path, edit: Edit, in_bulk: bool) -> Result<Step, WriteOutcome> {
    let card = current(folder, &edit.id)?;
    let old = Digest::of(&card.bytes);
    if version(old) != edit.guard {
        return Err(WriteOutcome::Stale);
    }
    let bytes = edit.apply(&card.bytes)?;
    let id = &edit.id;
    if bytes == card.bytes {
        let item = read_back(id.clone(), bytes, Stat::of(&card.metadata))?;
        return Ok(Step::Done(applied(Box::new(item))));
    }
    let new = Digest::of(&bytes);
    let Some(name) = name::from_id(id) else { return Err(WriteOutcome::Gone) };
    let staged = Temporary::write(folder, &[old, new], &bytes).and_then(|(temporary, file)| {
        keep_attributes(&file, &card.metadata)?;
        Ok((temporary, finish(&file, in_bulk)?))
    });
    let (temporary, stat) = staged.map_err(|e| not_sent(&e))?;
    let item = Box::new(read_back(id.clone(), bytes, stat)?);
    Ok(Step::Replace { temporary, target: folder.join(name), old, new, item })
}

fn stage_delete(folder: &Path, id: RemoteId, guard: Option<Version>) -> Result<Step, WriteOutcome> {
    let card = current(folder, &id)?;
    let old = Digest::of(&card.bytes);
    if guard.is_some_and(|guard| guard != version(old)) {
        return Err(WriteOutcome::Stale);
    }
    let Some(name) = name::from_id(&id) else { return Err(WriteOutcome::Gone) };
    Ok(Step::Remove { target: folder.join(name), old, id })
}

/// What we could not read again is not written.
fn within_limit(card: Vec<u8>) -> Result<Vec<u8>, WriteOutcome> {
    if card.len() > CARD_BYTES {
        return Err(rejected(RefusalKind::TooLarge, &format!("the card is larger than {CARD_BYTES} bytes")));
    }
    Ok(card)
}

/// The card as it lies on the disk now.
fn current(folder: &Path, id: &RemoteId) -> Result<read::Card, WriteOutcome> {
    let card = read::card(folder, id).map_err(|answer| match *answer {
        Fetched::Failed(_, refusal) => WriteOutcome::Rejected(refusal),
        Fetched::Gone(_) | Fetched::Item(_) => WriteOutcome::Gone,
    })?;
    if card.metadata.permissions().readonly() {
        return Err(rejected(RefusalKind::ReadOnly, "the file is write-protected"));
    }
    Ok(card)
}

/// The item that is answered for what was written.
fn read_back(id: RemoteId, bytes: Vec<u8>, stat: Stat) -> Result<Item, WriteOutcome> {
    read::item(&id, bytes, stat).map_err(|refusal| {
        rejected(RefusalKind::Invalid, &format!("the card could not be read back: {}", refusal.detail))
    })
}

/// Makes one file durable, unless the whole batch is synced later.
fn finish(file: &File, in_bulk: bool) -> io::Result<Stat> {
    if !in_bulk {
        file.sync_all()?;
    }
    Ok(Stat::of(&file.metadata()?))
}

/// Gives a file the permissions, and where allowed the owner, of the one that it replaces.
fn keep_attributes(file: &File, before: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let now = file.metadata()?;
        if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
            // Only a privileged program may give files away; for others the file becomes their own.
            let _ = fchown(file, Some(before.uid()), Some(before.gid()));
        }
    }
    file.set_permissions(before.permissions())
}

pub(super) fn applied(item: Box<Item>) -> WriteOutcome {
    WriteOutcome::Applied { id: item.id.clone(), version: item.version.clone(), item: Some(item) }
}

fn rejected(kind: RefusalKind, detail: &str) -> WriteOutcome {
    WriteOutcome::Rejected(Refusal::new(kind, detail))
}

pub(super) fn not_sent(error: &io::Error) -> WriteOutcome {
    WriteOutcome::NotSent(local(ErrorContext::Write, error))
}
