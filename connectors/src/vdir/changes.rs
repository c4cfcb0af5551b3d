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
    let mut rows = Vec::new();
    let mut files = Vec::with_capacity(entries.len());
    for Entry { id, stat } in entries {
        let before = known.binary_search_by(|file| file.id.as_str().cmp(id.as_str())).ok();
        let before = before.and_then(|at| known.get(at));
        let digest = match before {
            Some(file) if file.stat == stat && !file.racy => {
                files.push(file.clone());
                continue;
            }
            _ => match read(folder, &id, stat) {
                // Gone since it was listed; what that means the next listing says.
                Content::Gone => {
                    files.extend(before.map(|file| Known { racy: true, ..file.clone() }));
                    continue;
                }
                content => content.digest(),
            },
        };
        if before.is_none_or(|file| file.digest != digest) {
            rows.push(Change::Listed { id: id.clone(), version: Some(version(digest)) });
        }
        files.push(Known { id: id.0, stat, digest, racy: stat.latest().saturating_add(MARGIN) > clock });
    }
    let missing = known.into_iter().filter(|k| files.binary_search_by(|f| f.id.cmp(&k.id)).is_err());
    let mut unsettled = Vec::new();
    for file in missing {
        let id = RemoteId(file.id.clone());
        // A file that is replaced while the folder is read may be passed over: only what a second look confirms
        // has been deleted.
        if name::from_id(&id).is_some_and(|name| atomic::exists(folder, &name)) {
            unsettled.push(Known { racy: true, ..file });
        } else {
            rows.push(Change::Removed { id, why: Removal::Deleted });
        }
    }
    files.extend(unsettled);
    files.sort_by(|one, other| one.id.cmp(&other.id));
    let cursor_after = cursor::write(&files);
    Ok(Changes { rows, cursor: Some(cursor_after), next_page: None, complete: cursor.is_none() })
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
