//! The position in a folder's changes: what each file looked like when it was last read.

use super::name::Digest;
use acquaint_core::source::{Cursor, SourceError};
use std::fs::Metadata;

/// Names the layout below; another first byte is a cursor of another release.
const FORMAT: u8 = 1;

/// What the file system says about a file without reading it. Times are nanoseconds since 1970 by the clock of the
/// file system, zero where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) size: u64,
    pub(super) modified: i64,
    pub(super) changed: i64,
    pub(super) inode: u64,
}

impl Stat {
    #[cfg(unix)]
    pub(super) fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let nanos = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
        Self {
            size: metadata.size(),
            modified: nanos(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanos(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn of(metadata: &Metadata) -> Self {
        let since = metadata.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        let modified = since.and_then(|d| i64::try_from(d.as_nanos()).ok()).unwrap_or_default();
        Self { size: metadata.len(), modified, ..Self::default() }
    }

    /// The later of the two times.
    pub(super) fn latest(&self) -> i64 {
        self.modified.max(self.changed)
    }
}

/// One file as it was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) stat: Stat,
    pub(super) digest: Digest,
    /// Whether the file had been touched so recently that a later edit might leave `stat` as it is: it is read
    /// again whatever `stat` says.
    pub(super) racy: bool,
}

/// Writes files, sorted by id, as a cursor: about 50 bytes and the name for each.
pub(super) fn write(files: &[Known]) -> Cursor {
    let mut bytes = Vec::with_capacity(1 + files.iter().map(|f| f.id.len() + 53).sum::<usize>());
    bytes.push(FORMAT);
    for Known { id, stat, digest, racy } in files {
        // File systems allow far fewer than 4 GiB in a name.
        bytes.extend(u32::try_from(id.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(id.as_bytes());
        bytes.extend(stat.size.to_le_bytes());
        bytes.extend(stat.modified.to_le_bytes());
        bytes.extend(stat.changed.to_le_bytes());
        bytes.extend(stat.inode.to_le_bytes());
        bytes.extend(digest.0.to_le_bytes());
        bytes.push(u8::from(*racy));
    }
    Cursor(bytes)
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// [`SourceError::CursorExpired`] for anything else: the folder is then listed completely.
pub(super) fn read(cursor: &Cursor) -> Result<Vec<Known>, SourceError> {
    parse(&cursor.0).ok_or(SourceError::CursorExpired)
}

fn parse(bytes: &[u8]) -> Option<Vec<Known>> {
    let (&format, mut rest) = bytes.split_first()?;
    if format != FORMAT {
        return None;
    }
    let mut files: Vec<Known> = Vec::new();
    while !rest.is_empty() {
        let length = usize::try_from(u32::from_le_bytes(take(&mut rest)?)).ok()?;
        let (id, tail) = rest.split_at_checked(length)?;
        rest = tail;
        let stat = Stat {
            size: u64::from_le_bytes(take(&mut rest)?),
            modified: i64::from_le_bytes(take(&mut rest)?),
            changed: i64::from_le_bytes(take(&mut rest)?),
            inode: u64::from_le_bytes(take(&mut rest)?),
        };
        let digest = Digest(u128::from_le_bytes(take(&mut rest)?));
        let [racy] = take(&mut rest)?;
        let id = std::str::from_utf8(id).ok()?.to_owned();
        if racy > 1 || files.last().is_some_and(|last| last.id >= id) {
            return None;
        }
        files.push(Known { id, stat, digest, racy: racy == 1 });
    }
    Some(files)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<Known> {
        let known = |id: &str, racy| Known {
            id: id.to_owned(),
            stat: Stat { size: 7, modified: -1, changed: i64::MAX, inode: u64::MAX },
            digest: Digest::of(id.as_bytes()),
            racy,
        };
        vec![known("a.vcf", false), known("ü.vcf", true)]
    }

    #[test]
    fn cursors_round_trip() {
        assert_eq!(read(&write(&files())), Ok(files()));
        assert_eq!(read(&write(&[])), Ok(Vec::new()));
    }

    #[test]
    fn the_layout_is_stored_and_must_not_change_unseen() {
        let hash = acquaint_core::contact::content_hash(&write(&files()).0);
        assert_eq!(hash, "ded98bda80ea7e539137987004b3e0ce");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_cursor_or_have_expired(mut bytes: Vec<u8>, cut in 0_usize..200, flip: u8) {
            let mut near = write(&files()).0;
            near.truncate(cut);
            near.push(flip);
            bytes.insert(0, FORMAT);
            for bytes in [bytes, near] {
                let cursor = Cursor(bytes);
                if let Ok(files) = read(&cursor) {
                    proptest::prop_assert_eq!(write(&files), cursor);
                }
            }
        }
    }

    #[test]
    fn a_damaged_cursor_has_expired() {
        let whole = write(&files()).0;
        for cut in (0..whole.len()).filter(|cut| ![1, 1 + 4 + 5 + 49].contains(cut)) {
            assert_eq!(read(&Cursor(whole[..cut].to_vec())), Err(SourceError::CursorExpired), "{cut}");
        }
        let mut other = whole.clone();
        other[0] = 2;
        assert_eq!(read(&Cursor(other)), Err(SourceError::CursorExpired));
        let mut reversed = files();
        reversed.reverse();
        assert_eq!(read(&write(&reversed)), Err(SourceError::CursorExpired));
        assert_eq!(read(&Cursor(vec![1, 255, 255, 255, 255])), Err(SourceError::CursorExpired));
    }
}
