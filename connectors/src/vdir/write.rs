//! Writing a batch: everything is written beside the cards first, made durable, and only then put in place.
//!
//! Stage → sync → publish → sync the folder. A crash at any moment leaves each card as it was or as it shall be, and
//! at worst some hidden files, which [`super::recover`] clears away.

use super::atomic::{self, Temporary};
use super::cursor::Stat;
use super::name::{self, Digest};
use super::read::{self, Content, FORMAT, version};
use super::shim::{self as vcard, CardError, Draft};
use super::{ErrorContext, Vdir, local};
use crate::marker;
use acquaint_core::contact::{Blob, Contact, Field};
use acquaint_core::id::{FolderId, IntentKey, RemoteId, Version};
use acquaint_core::limits::CARD_BYTES;
use acquaint_core::source::{Fetched, Item, Raw, Refusal, RefusalKind, Write, WriteOutcome};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Rounds of putting back what another program saved while we replaced it, before it is left to the recovery.
const ROUNDS: u32 = 16;

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
        let unreadable = |error: CardError| rejected(RefusalKind::Unreadable, &error.to_string());
        read::check_single(card).map_err(WriteOutcome::Rejected)?;
        let was_marked = marker::take(&mut vcard::decode(card).map_err(unreadable)?.contact);
        let mut contact = self.contact.clone();
        let mut changed = self.changed.clone();
        if self.marker.unwrap_or(was_marked) {
            marker::put(&mut contact);
        }
        if self.marker.is_some_and(|wanted| wanted != was_marked) && !changed.contains(&Field::Extra) {
            changed.push(Field::Extra);
        }
        within_limit(vcard::patch(card, &contact, &changed, &self.blobs).map_err(unreadable)?)
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
        let version = vcard::decode(&raw.bytes).map_or(draft.version, |decoded| decoded.version);
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

/// Puts a prepared write in place.
pub(super) fn publish(folder: &Path, step: Step) -> WriteOutcome {
    match step {
        Step::Done(outcome) => outcome,
        Step::Create { mut temporary, target, item } => match temporary.publish(&target) {
            Ok(()) => applied(item),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => WriteOutcome::Unknown,
            Err(error) => not_sent(&error),
        },
        Step::Replace { temporary, target, old, new, item } => match replace(temporary, &target, old, new) {
            Ok(true) => applied(item),
            Ok(false) => WriteOutcome::Stale,
            Err(error) if error.kind() == io::ErrorKind::NotFound => WriteOutcome::Gone,
            Err(error) => not_sent(&error),
        },
        Step::Remove { target, old, id } => match remove(folder, &target, old) {
            Ok(true) => WriteOutcome::Applied { id, version: None, item: None },
            Ok(false) => WriteOutcome::Stale,
            Err(error) if error.kind() == io::ErrorKind::NotFound => WriteOutcome::Gone,
            Err(error) => not_sent(&error),
        },
    }
}

/// Replaces a card if it still is the `old` one: swaps the two, and looks at what came out.
fn replace(mut temporary: Temporary, target: &Path, old: Digest, new: Digest) -> io::Result<bool> {
    match temporary.exchange(target) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            return replace_after_look(&mut temporary, target, old);
        }
        Err(error) => return Err(error),
    }
    let found = Content::read(temporary.path(), 0).digest();
    if found != old {
        put_back(temporary, target, found, new);
    }
    Ok(found == old)
}

/// The same where files cannot be swapped: a look and a rename, between which another program has some microseconds.
fn replace_after_look(temporary: &mut Temporary, target: &Path, old: Digest) -> io::Result<bool> {
    match Content::read(target, 0) {
        Content::Gone => Err(io::ErrorKind::NotFound.into()),
        content if content.digest() != old => Ok(false),
        _ => temporary.replace(target).map(|()| true),
    }
}

/// Puts back what another program saved in the moment of the swap. If it saves once more meanwhile, what comes out is
/// newer than what went in, and goes back in its turn.
fn put_back(mut temporary: Temporary, target: &Path, mut held: Digest, mut placed: Digest) {
    for _ in 0..ROUNDS {
        if temporary.exchange(target).is_err() {
            break;
        }
        let out = Content::read(temporary.path(), 0).digest();
        if out == placed {
            return;
        }
        (placed, held) = (held, out);
    }
    // It stays under its hidden name, and the next start shows it again.
    temporary.keep();
}

/// Removes a card if it still is the `old` one: moves it aside, and looks at what was moved.
fn remove(folder: &Path, target: &Path, old: Digest) -> io::Result<bool> {
    let mut aside = Temporary::aside(target, folder, &[old])?;
    let same = Content::read(aside.path(), 0).digest() == old;
    if !same {
        // Should a newer file have taken the place, the one aside is older than it and stays for the recovery.
        let _ = aside.publish(target);
        return Ok(false);
    }
    let path = aside.path().to_owned();
    if let Err(error) = aside.remove() {
        let _ = fs::rename(path, target);
        return Err(error);
    }
    Ok(true)
}

fn applied(item: Box<Item>) -> WriteOutcome {
    WriteOutcome::Applied { id: item.id.clone(), version: item.version.clone(), item: Some(item) }
}

fn rejected(kind: RefusalKind, detail: &str) -> WriteOutcome {
    WriteOutcome::Rejected(Refusal::new(kind, detail))
}

fn not_sent(error: &io::Error) -> WriteOutcome {
    WriteOutcome::NotSent(local(ErrorContext::Write, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vdir::VdirOptions;
    use crate::vdir::recover::recover;
    use std::time::Duration;

    fn card(name: &str) -> Vec<u8> {
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:{name}\r\nEND:VCARD\r\n").into_bytes()
    }

    /// A folder with one card, `a.vcf`.
    fn world() -> (tempfile::TempDir, Vdir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.vcf");
        fs::write(&path, card("old")).unwrap();
        let vdir = Vdir::open(folder.path(), VdirOptions::default()).unwrap();
        (folder, vdir, path)
    }

    fn update() -> Write {
        Write::Update {
            id: "a.vcf".into(),
            guard: Some(version(Digest::of(&card("old")))),
            contact: Contact::new().with(Field::FullName, "ours"),
            changed: vec![Field::FullName],
            blobs: Vec::new(),
            raw: Raw::default(),
            marker: None,
        }
    }

    fn delete() -> Write {
        Write::Delete { id: "a.vcf".into(), guard: Some(version(Digest::of(&card("old")))) }
    }

    fn create() -> Write {
        Write::Create {
            folder: None,
            key: "a".into(),
            uid: "u".to_owned().into(),
            contact: Contact::new().with(Field::FullName, "ours"),
            blobs: Vec::new(),
            template: None,
            marker: false,
        }
    }

    fn contents(folder: &Path) -> Vec<Vec<u8>> {
        fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
    }

    #[test]
    fn an_edit_between_reading_and_writing_survives() {
        for write in [update(), delete()] {
            for in_place in [true, false] {
                let (folder, vdir, path) = world();
                let step = stage(&vdir, write.clone(), true);
                assert!(!matches!(step, Step::Done(_)));
                if in_place {
                    fs::write(&path, card("theirs")).unwrap();
                } else {
                    fs::write(folder.path().join("new"), card("theirs")).unwrap();
                    fs::rename(folder.path().join("new"), &path).unwrap();
                }
                assert_eq!(publish(folder.path(), step), WriteOutcome::Stale);
                assert_eq!(contents(folder.path()), [card("theirs")]);
            }
        }
    }

    #[test]
    fn a_card_deleted_between_reading_and_writing_stays_deleted() {
        for write in [update(), delete()] {
            let (folder, vdir, path) = world();
            let step = stage(&vdir, write, true);
            fs::remove_file(&path).unwrap();
            assert_eq!(publish(folder.path(), step), WriteOutcome::Gone);
            assert_eq!(contents(folder.path()).len(), 0);
        }
    }

    #[test]
    fn a_create_never_replaces_a_file() {
        let (folder, vdir, path) = world();
        fs::remove_file(&path).unwrap();
        let step = stage(&vdir, create(), true);
        assert!(matches!(step, Step::Create { .. }));
        fs::write(&path, card("theirs")).unwrap();
        assert_eq!(publish(folder.path(), step), WriteOutcome::Unknown);
        assert_eq!(contents(folder.path()), [card("theirs")]);
    }

    #[test]
    fn without_a_swap_the_card_is_looked_at_first() {
        let (folder, _vdir, path) = world();
        let old = Digest::of(&card("old"));
        let attempt = || {
            let (mut temporary, _) = Temporary::write(folder.path(), &[], &card("ours")).unwrap();
            replace_after_look(&mut temporary, &path, old).map_err(|error| error.kind())
        };
        assert_eq!(attempt(), Ok(true));
        assert_eq!(contents(folder.path()), [card("ours")]);
        assert_eq!(attempt(), Ok(false));
        assert_eq!(contents(folder.path()), [card("ours")]);
        fs::remove_file(&path).unwrap();
        assert_eq!(attempt(), Err(io::ErrorKind::NotFound));
        assert_eq!(contents(folder.path()).len(), 0);
    }

    #[test]
    fn of_two_saves_during_the_swap_the_last_stays() {
        let (folder, _vdir, path) = world();
        // Our card was swapped in for `first`; then `second` was saved over ours.
        let (temporary, _) = Temporary::write(folder.path(), &[], &card("first")).unwrap();
        fs::write(&path, card("second")).unwrap();
        put_back(temporary, &path, Digest::of(&card("first")), Digest::of(&card("ours")));
        assert_eq!(contents(folder.path()), [card("second")]);
    }

    #[test]
    fn a_crash_before_the_end_leaves_the_card_and_no_litter() {
        for write in [update(), delete(), create()] {
            let (folder, vdir, path) = world();
            let creates = matches!(write, Write::Create { .. });
            if creates {
                fs::remove_file(&path).unwrap();
            }
            // The process dies: nothing is dropped.
            std::mem::forget(stage(&vdir, write, false));
            recover(folder.path(), Duration::ZERO).unwrap();
            let left = contents(folder.path());
            assert_eq!(left, if creates { Vec::new() } else { vec![card("old")] });
        }
    }

    #[test]
    fn a_crash_after_the_swap_loses_no_edit_of_others() {
        // What the swap took out, by who saved it last before the crash, and what the folder holds afterwards.
        for (taken, cards) in [("old", 1), ("theirs", 2)] {
            let (folder, vdir, path) = world();
            let Step::Replace { mut temporary, .. } = stage(&vdir, update(), false) else { panic!() };
            fs::write(&path, card(taken)).unwrap();
            temporary.exchange(&path).unwrap();
            temporary.keep();
            recover(folder.path(), Duration::ZERO).unwrap();
            assert_eq!(fs::read(&path).unwrap(), card("ours"));
            let visible = fs::read_dir(folder.path())
                .unwrap()
                .filter(|e| name::is_card(&e.as_ref().unwrap().file_name()));
            assert_eq!((visible.count(), contents(folder.path()).len()), (cards, cards), "{taken}");
            assert_eq!(contents(folder.path()).contains(&card("theirs")), taken == "theirs");
        }
    }

    #[test]
    fn a_crash_in_a_delete_loses_no_edit_of_others() {
        for (moved, cards) in [("old", 0), ("theirs", 1)] {
            let (folder, _vdir, path) = world();
            fs::write(&path, card(moved)).unwrap();
            drop(Temporary::aside(&path, folder.path(), &[Digest::of(&card("old"))]).unwrap());
            recover(folder.path(), Duration::ZERO).unwrap();
            assert_eq!(contents(folder.path()).len(), cards, "{moved}");
        }
    }

    #[test]
    fn recovery_leaves_young_files_and_those_of_others() {
        let (folder, _vdir, _) = world();
        let ours = folder.path().join(name::temporary(&[]));
        let other = folder.path().join(".other.tmp");
        fs::write(&ours, "BEGIN:VCARD\r\nFN:torn").unwrap();
        fs::write(&other, "x").unwrap();
        recover(folder.path(), crate::vdir::recover::STALE).unwrap();
        assert!(ours.exists());
        recover(folder.path(), Duration::ZERO).unwrap();
        assert!(!ours.exists() && other.exists());
        assert_eq!(contents(folder.path()).len(), 2);
    }
}
