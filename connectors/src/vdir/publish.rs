//! Putting prepared writes in place, so that nothing another program saves meanwhile is lost.
//!
//! No program that edits a vdir locks it. A look before a rename leaves a gap in which an edit can be overwritten, so
//! an update swaps the two files in one step and a delete moves the card aside, and both look at what came out.
//! One gap remains that no rename can close: a program that holds the old file open and writes to it afterwards.

use super::atomic::Temporary;
use super::name::Digest;
use super::read::Content;
use super::write::{Step, applied, not_sent};
use acquaint_core::source::WriteOutcome;
use std::fs;
use std::io;
use std::path::Path;

/// Rounds of putting back what another program saved while we replaced it, before it is left to the recovery.
const ROUNDS: u32 = 16;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vdir::VdirOptions;
    use crate::vdir::read::version;
    use crate::vdir::recover::recover;
    use crate::vdir::write::stage;
    use crate::vdir::{Vdir, name};
    use acquaint_core::contact::{Contact, Field};
    use acquaint_core::source::{Raw, Write};
    use std::path::PathBuf;
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
                assert_eq!(fs::read(&path).unwrap(), card("theirs"));
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
