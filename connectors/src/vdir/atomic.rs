//! File operations that leave a folder whole at every moment: nothing half written is ever seen under a card's name.

use super::cursor::Stat;
use super::name::{self, Digest};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// From this many files on, one sync of the file system is cheaper than a sync of each file.
const BULK: usize = 8;

/// A temporary file; removed on drop unless it was renamed or is to be kept.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    kept: bool,
}

impl Temporary {
    /// Writes a new hidden file in `folder`; `disposable` goes into its name.
    pub(super) fn write(folder: &Path, disposable: &[Digest], bytes: &[u8]) -> io::Result<(Self, File)> {
        let path = folder.join(name::temporary(disposable));
        let mut file = File::create_new(&path)?;
        let temporary = Self { path, kept: false };
        file.write_all(bytes)?;
        Ok((temporary, file))
    }

    /// Moves a file aside, under a hidden name.
    pub(super) fn aside(path: &Path, folder: &Path, disposable: &[Digest]) -> io::Result<Self> {
        let aside = folder.join(name::temporary(disposable));
        fs::rename(path, &aside)?;
        Ok(Self { path: aside, kept: true })
    }

    /// Takes over a file that an earlier run left.
    pub(super) fn adopt(path: PathBuf) -> Self {
        Self { path, kept: true }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the file where it is, for the recovery of the next start.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }

    /// Gives the file its name, unless a file has that name already ([`io::ErrorKind::AlreadyExists`]).
    pub(super) fn publish(&mut self, target: &Path) -> io::Result<()> {
        rename_new(&self.path, target)?;
        self.kept = true;
        Ok(())
    }

    /// Gives the file its name, in place of what has that name.
    pub(super) fn replace(&mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.kept = true;
        Ok(())
    }

    /// Swaps the file with another, in one step.
    ///
    /// # Errors
    /// Of kind `Unsupported` where the system or the file system cannot.
    pub(super) fn exchange(&self, target: &Path) -> io::Result<()> {
        exchange(&self.path, target)
    }

    /// Removes the file now.
    pub(super) fn remove(mut self) -> io::Result<()> {
        self.kept = true;
        fs::remove_file(&self.path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed now is removed by the recovery of the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a batch of this many files is synced at its end, in one go, rather than file by file.
pub(super) fn in_bulk(files: usize) -> bool {
    cfg!(target_os = "linux") && files >= BULK
}

/// Syncs all files of the file system that holds `folder`.
#[cfg(target_os = "linux")]
pub(super) fn sync_all_files(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sync_all_files(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes creations, renames and removals in `folder` durable.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Renames without replacing.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rename_no_replace(from, to) {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        done => return done,
    }
    match rename_by_link(from, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => rename_after_look(from, to),
        done => done,
    }
}

/// For systems without a rename that does not replace.
fn rename_by_link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

/// For file systems without links (FAT): between the look and the rename another program has some microseconds.
fn rename_after_look(from: &Path, to: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(from, to)
}

// Android's filter of system calls may end a process that uses the newer ones, so it takes the ways around them.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn rename_no_replace(from: &Path, to: &Path) -> io::Result<()> {
    rename_with(from, to, rustix::fs::RenameFlags::NOREPLACE)
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    rename_with(one, other, rustix::fs::RenameFlags::EXCHANGE)
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn rename_with(from: &Path, to: &Path, flags: rustix::fs::RenameFlags) -> io::Result<()> {
    use rustix::fs::CWD;
    rustix::fs::renameat_with(CWD, from, CWD, to, flags).map_err(|error| match io::Error::from(error) {
        // A file system that does not know the flags calls them invalid.
        error if error.kind() == io::ErrorKind::InvalidInput => io::ErrorKind::Unsupported.into(),
        error => error,
    })
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn rename_no_replace(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(_one: &Path, _other: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The time now, by the clock of the file system that holds `folder`: what it stamps on a file written now.
pub(super) fn clock(folder: &Path) -> io::Result<i64> {
    let (temporary, file) = Temporary::write(folder, &[], b"")?;
    let stat = Stat::of(&file.metadata()?);
    temporary.remove()?;
    Ok(stat.modified)
}

/// Whether a file lies there (a link counts, wherever it leads).
pub(super) fn exists(folder: &Path, name: &OsStr) -> bool {
    folder.join(name).symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_way_of_renaming_replaces_a_file() {
        for rename in [rename_new, rename_by_link, rename_after_look] {
            let folder = tempfile::tempdir().unwrap();
            let [from, to] = ["from", "to"].map(|name| folder.path().join(name));
            fs::write(&from, "new").unwrap();
            rename(&from, &to).unwrap();
            assert!(!from.exists() && fs::read(&to).unwrap() == b"new");
            fs::write(&from, "newer").unwrap();
            assert_eq!(rename(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(
                (fs::read(&from).unwrap(), fs::read(&to).unwrap()),
                (b"newer".to_vec(), b"new".to_vec())
            );
            fs::remove_file(&from).unwrap();
            assert!(rename(&from, &folder.path().join("other")).is_err());
        }
    }

    #[test]
    fn a_dropped_temporary_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (temporary, _) = Temporary::write(folder.path(), &[], b"x").unwrap();
        assert!(exists(folder.path(), temporary.path().file_name().unwrap()));
        drop(temporary);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
