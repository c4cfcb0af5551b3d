//! What changed in a folder: a listing with the file system's word, reading only what that word leaves open.

use super::atomic;
use super::cursor::{self, Known, Stat};
use super::name;
use super::read::{Content, version};
use super::{ErrorContext, local};
use acquaint_core::id::RemoteId;
use acquaint_core::source::{Change, Changes, Cursor, Removal, SourceError};
use std::fs;
use std::io;
use std::path::Path;

/// How much older than the listing a file's times must be, in nanoseconds, before they are trusted to change with
/// its content. Two seconds is the coarsest stamp in use (FAT).
const MARGIN: i64 = 2_000_000_000;
/// Listings of a folder that changes meanwhile, before we come back later.
const ATTEMPTS: u32 = 3;

/// One card file, not yet read.
#[derive(Debug)]
struct Entry {
    id: RemoteId,
    stat: Stat,
}

/// The rows since `cursor`, or all of them.
///
/// # Errors
/// [`SourceError::Local`] when the folder cannot be listed to its end, `CursorExpired` for a cursor that is none.
pub(super) fn changes(
    folder: &Path,
    cursor: Option<&Cursor>,
    read_only: bool,
) -> Result<Changes, SourceError> {
    let known = cursor.map(cursor::read).transpose()?.unwrap_or_default();
    let entries = list(folder)?;
    if let Some(cursor) = cursor
        && known.iter().all(|file| !file.racy)
        && known.iter().map(|k| (k.id.as_str(), k.stat)).eq(entries.iter().map(|e| (e.id.as_str(), e.stat)))
    {
        return Ok(Changes { cursor: Some(cursor.clone()), ..Changes::default() });
    }
    // The clock is read before the files: a file that is old by it, and is edited after it is read, gets new times.
    let clock = clock(folder, read_only, &entries);
    let (rows, files) = compare(folder, known, entries, clock);
    Ok(Changes { rows, cursor: Some(cursor::write(&files)), next_page: None, complete: cursor.is_none() })
}

/// What differs between the files as last read and as listed now, and the files as they are read now.
fn compare(folder: &Path, known: Vec<Known>, entries: Vec<Entry>, clock: i64) -> (Vec<Change>, Vec<Known>) {
    let mut rows = Vec::new();
    let mut files: Vec<Known> = Vec::with_capacity(entries.len());
    for Entry { id, stat } in entries {
        let before = known.binary_search_by(|file| file.id.as_str().cmp(id.as_str())).ok();
        let before = before.and_then(|at| known.get(at));
        if let Some(file) = before.filter(|file| file.stat == stat && !file.racy) {
            files.push(file.clone());
            continue;
        }
        let digest = match read(folder, &id, stat) {
            // Gone since it was listed; what that means the next listing says.
            Content::Gone => {
                files.extend(before.map(|file| Known { racy: true, ..file.clone() }));
                continue;
            }
            content => content.digest(),
        };
        if before.is_none_or(|file| file.digest != digest) {
            rows.push(Change::Listed { id: id.clone(), version: Some(version(digest)) });
        }
        files.push(Known { id: id.0, stat, digest, racy: stat.latest().saturating_add(MARGIN) > clock });
    }
    let listed = files.len();
    for file in known {
        let known_now = files.get(..listed).unwrap_or_default();
        if known_now.binary_search_by(|other| other.id.cmp(&file.id)).is_ok() {
            continue;
        }
        let id = RemoteId(file.id.clone());
        // A file that is replaced while the folder is read may be passed over: only what a second look confirms has
        // been deleted.
        if name::from_id(&id).is_some_and(|name| atomic::exists(folder, &name)) {
            files.push(Known { racy: true, ..file });
        } else {
            rows.push(Change::Removed { id, why: Removal::Deleted });
        }
    }
    files.sort_by(|one, other| one.id.cmp(&other.id));
    (rows, files)
}

fn read(folder: &Path, id: &RemoteId, stat: Stat) -> Content {
    match name::from_id(id) {
        Some(name) => Content::read(&folder.join(name), stat.size),
        // A name that this system cannot give back as it was.
        None => Content::Unreadable,
    }
}

/// The card files of a folder, sorted by id.
fn list(folder: &Path) -> Result<Vec<Entry>, SourceError> {
    let failed = |error: io::Error| local(ErrorContext::List, &error);
    for _ in 0..ATTEMPTS {
        let before = Stat::of(&fs::metadata(folder).map_err(failed)?);
        let entries = list_once(folder).map_err(failed)?;
        if before == Stat::of(&fs::metadata(folder).map_err(failed)?) {
            return Ok(entries);
        }
    }
    Err(SourceError::Unreachable { detail: "the folder is being changed by another program".into() })
}

fn list_once(folder: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name::is_card(&name) {
            continue;
        }
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) => entries.push(Entry { id: name::to_id(&name), stat: Stat::of(&metadata) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    entries.dedup_by(|one, other| one.id == other.id);
    Ok(entries)
}

/// The time now by the file system's clock, which need not be ours. Where no file can be written, the newest change
/// seen stands for it: it is never later than now, so more files count as racy, never fewer.
fn clock(folder: &Path, read_only: bool, entries: &[Entry]) -> i64 {
    let written = if read_only { None } else { atomic::clock(folder).ok() };
    written.unwrap_or_else(|| entries.iter().map(|e| e.stat.changed).max().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vdir::name::Digest;

    const NEVER: i64 = i64::MIN;
    const LONG_AFTER: i64 = i64::MAX;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            fs::write(folder.path().join(name), name).unwrap();
        }
        folder
    }

    fn scan(folder: &tempfile::TempDir, known: Vec<Known>, clock: i64) -> (Vec<Change>, Vec<Known>) {
        compare(folder.path(), known, list(folder.path()).unwrap(), clock)
    }

    fn listed(id: &str, content: &str) -> Change {
        Change::Listed { id: id.into(), version: Some(version(Digest::of(content.as_bytes()))) }
    }

    #[test]
    fn a_racy_file_is_read_whatever_its_stamps_say() {
        let folder = folder(&["a.vcf"]);
        let (_, mut files) = scan(&folder, Vec::new(), NEVER);
        assert!(files[0].racy);
        // As if the content had been another when these very stamps were taken.
        files[0].digest = Digest::of(b"before");
        assert_eq!(scan(&folder, files.clone(), NEVER).0, [listed("a.vcf", "a.vcf")]);
        let row = changes(folder.path(), Some(&cursor::write(&files)), false).unwrap().rows;
        assert_eq!(row, [listed("a.vcf", "a.vcf")]);
        files[0].racy = false;
        assert_eq!(changes(folder.path(), Some(&cursor::write(&files)), false).unwrap().rows, []);
        assert_eq!(scan(&folder, files, NEVER).0, []);
    }

    #[test]
    fn files_are_racy_until_the_margin_has_passed() {
        let folder = folder(&["a.vcf"]);
        let stat = list(folder.path()).unwrap()[0].stat;
        for (clock, racy) in
            [(stat.latest(), true), (stat.latest() + MARGIN - 1, true), (stat.latest() + MARGIN, false)]
        {
            assert_eq!(scan(&folder, Vec::new(), clock).1[0].racy, racy);
        }
        // Once trusted, always trusted: a clock that cannot be read makes no work.
        let (_, trusted) = scan(&folder, Vec::new(), LONG_AFTER);
        assert_eq!(scan(&folder, trusted.clone(), NEVER).1, trusted);
    }

    #[test]
    fn a_file_dated_in_the_future_stays_racy() {
        let folder = folder(&["a.vcf"]);
        let future = std::time::SystemTime::now() + std::time::Duration::from_secs(3_600);
        let file = fs::File::options().write(true).open(folder.path().join("a.vcf")).unwrap();
        file.set_modified(future).unwrap();
        let stat = list(folder.path()).unwrap()[0].stat;
        assert!(stat.modified > stat.changed + MARGIN);
        assert!(scan(&folder, Vec::new(), stat.changed + MARGIN).1[0].racy);
        assert!(!scan(&folder, Vec::new(), stat.modified + MARGIN).1[0].racy);
    }

    #[test]
    fn a_file_that_the_listing_passed_over_is_not_deleted() {
        let folder = folder(&["a.vcf", "b.vcf"]);
        let (_, files) = scan(&folder, Vec::new(), LONG_AFTER);
        let mut entries = list(folder.path()).unwrap();
        entries.remove(0);
        let (rows, after) = compare(folder.path(), files.clone(), entries, LONG_AFTER);
        assert_eq!(rows, []);
        assert!(after[0].racy && after[0].id == "a.vcf" && after.len() == 2);
        // The other way round: listed, and gone when it is read.
        let mut files = files;
        files[0].racy = true;
        let entries = list(folder.path()).unwrap();
        fs::remove_file(folder.path().join("a.vcf")).unwrap();
        let (rows, after) = compare(folder.path(), files, entries, LONG_AFTER);
        assert_eq!(rows, []);
        assert_eq!(
            scan(&folder, after, LONG_AFTER).0,
            [Change::Removed { id: "a.vcf".into(), why: Removal::Deleted }]
        );
    }

    #[test]
    fn the_clock_is_the_one_of_the_file_system() {
        let folder = folder(&["a.vcf"]);
        let newest = list(folder.path()).unwrap()[0].stat.changed;
        assert!(clock(folder.path(), false, &[]) >= newest);
        let entries = list(folder.path()).unwrap();
        assert_eq!(clock(folder.path(), true, &entries), newest);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
