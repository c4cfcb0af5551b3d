//! Clears away what a crashed run left behind, without losing a card.

use super::atomic::{self, Temporary};
use super::cursor::Stat;
use super::name;
use super::read::{self, Content};
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// Age from which a temporary file is no longer in use; a batch takes seconds.
pub(super) const STALE: Duration = Duration::from_secs(600);

/// Removes our temporary files that have not been touched for `age`.
///
/// The name of each says which contents may go: what was to be written (the engine writes it again) and what was to
/// be replaced or deleted. A whole card with another content was saved by somebody in the very moment of the crash;
/// it comes back as a card of its own.
///
/// # Errors
/// When the folder cannot be listed or written. Nothing depends on the result.
pub(super) fn recover(folder: &Path, age: Duration) -> io::Result<()> {
    let mut clock = None;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(disposable) = name::disposable(&entry.file_name()) else { continue };
        let now = match clock {
            Some(now) => now,
            None => *clock.insert(atomic::clock(folder)?),
        };
        let limit = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
        let path = entry.path();
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if Stat::of(&metadata).latest().saturating_add(limit) > now {
            continue;
        }
        match Content::read(&path, metadata.len()) {
            Content::Bytes(bytes) => {
                let digest = name::Digest::of(&bytes);
                if disposable.contains(&digest) || !read::is_whole(&bytes) {
                    fs::remove_file(&path)?;
                } else {
                    // A card of that name has the same content.
                    let _ = Temporary::adopt(path).publish(&folder.join(format!("{digest}.vcf")));
                }
            }
            // Not ours to judge.
            Content::TooLarge | Content::NotAFile | Content::Unreadable | Content::Gone => {}
        }
    }
    Ok(())
}
