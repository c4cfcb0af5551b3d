//! One sync of a library at a time on this machine, and what a sync that was killed has left behind.
//!
//! The engine guards a source with a lease in the library, which lapses after some minutes. A process that was killed
//! cannot give it back, and nobody wants to wait for minutes then. So a sync also holds a lock of the operating system
//! on a file beside the library; it ends with the process. Who has the lock may take over any lease (see
//! [`Driver::alone`](acquaint_core::driver::Driver::alone)). Another host that does not know this lock loses nothing:
//! its next commit fails, since it no longer holds the lease.

use crate::errors::{Failure, Who};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The lock; given back when dropped.
pub(crate) struct Lock(#[allow(dead_code)] Option<File>);

impl Lock {
    /// Takes the lock of the library in this file.
    ///
    /// # Errors
    /// When another process has it.
    pub(crate) fn take(library: &Path) -> Result<Self, Failure> {
        let path = beside(library);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|error| Failure::file("written", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(Some(file))),
            Err(TryLockError::WouldBlock) => Err(Failure::new(
                "busy",
                "another acquaint syncs this library now",
                "wait until it is done and run the command again",
            )
            .by(Who::Passing)),
            // A file system without locks (some network shares): the leases alone guard the sources.
            Err(TryLockError::Error(_)) => Ok(Self(None)),
        }
    }

    /// Whether it is a real one, so that no other process of this program can be at work.
    pub(crate) fn is_real(&self) -> bool {
        self.0.is_some()
    }
}

fn beside(library: &Path) -> PathBuf {
    let mut name = library.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}
