//! One sync of a library at a time on this machine, and what a sync that was killed has left behind.
//!
//! The engine guards a source with a lease in the library, which lapses after some minutes. A process that was killed
//! cannot give it back, and nobody wants to wait for minutes then. So a sync also holds a lock of the operating system
//! on a file beside the library; it ends with the process. Who has the lock may take over any lease. Another host that
//! does not know this lock loses nothing: its next commit fails, since it no longer holds the lease.

use crate::errors::{Failure, Who};
use acquaint_core::library::{Lease, Library, Writer, codec, key};
use acquaint_core::store::StoreError;
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

    /// Whether it is a real one.
    fn holds(&self) -> bool {
        self.0.is_some()
    }
}

fn beside(library: &Path) -> PathBuf {
    let mut name = library.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

/// Gives back the leases that a dead process left. To be called with the lock in hand.
///
/// # Errors
/// The store.
pub(crate) async fn drop_leases(library: &Library, lock: &Lock) -> Result<(), Failure> {
    if !lock.holds() {
        return Ok(());
    }
    let store = library.store();
    for source in library.sources().await?.into_keys() {
        let place = key::lease(&source);
        let Some(row) = store.get(vec![place.clone()]).await?.pop().flatten() else { continue };
        let lease: Lease = codec::decode(&row)?;
        if lease.epoch == 0 {
            continue;
        }
        let mut writer = Writer::new();
        writer.require(place.clone(), Some(row.revision));
        writer.put(place, &Lease { epoch: 0, ..lease });
        match store.apply(writer.finish()).await {
            // A living host renewed it meanwhile: it is not ours to take.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
