//! Writing one file with many cards.

use super::atomic::{self, Temporary};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// What to do when the file exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and fail.
    Keep,
    /// Put the new file in its place.
    Replace,
}

/// Writes cards, one after the other, to a file, and returns how many. The file appears whole or not at all.
///
/// # Errors
/// The user: the folder cannot be written, the disk is full, or the file exists and is to be kept
/// ([`io::ErrorKind::AlreadyExists`]).
pub fn export<I>(path: &Path, cards: I, existing: Existing) -> io::Result<u64>
where
    I: IntoIterator,
    I::Item: AsRef<[u8]>,
{
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let (mut temporary, file) = Temporary::write(folder, &[], b"")?;
    let mut writer = BufWriter::new(file);
    let mut count: u64 = 0;
    for card in cards {
        let card = card.as_ref();
        writer.write_all(card)?;
        if !card.ends_with(b"\n") {
            writer.write_all(b"\r\n")?;
        }
        count = count.saturating_add(1);
    }
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    match existing {
        Existing::Keep => temporary.publish(path)?,
        Existing::Replace => temporary.replace(path)?,
    }
    atomic::sync_folder(folder)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("all.vcf");
        assert_eq!(export(&path, ["one\r\n", "two"], Existing::Keep).unwrap(), 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\r\ntwo\r\n");
        let error = export(&path, ["three"], Existing::Keep).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(export(&path, ["three\n"], Existing::Replace).unwrap(), 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(export(&folder.path().join("none/all.vcf"), ["x"], Existing::Keep).is_err());
    }
}
