//! A folder with one card a file: the vdir format that vdirsyncer, khard and others share.
//!
//! A card is a plain file `*.vcf` that is not hidden. Everything else in the folder (`displayname`, `color`, folders,
//! temporary files of other programs) is left alone. The id of an item is its file name, its version the hash of its
//! content: a file that was copied, touched or rewritten with the same bytes has not changed.
//!
//! [`Vdir`] carries out commands itself, in the caller's thread: a host with better things to do meanwhile runs it in
//! a thread of its own.

mod atomic;
mod changes;
mod cursor;
mod export;
mod import;
mod name;
mod publish;
mod read;
mod recover;
mod write;

pub use export::{Existing, export};
pub use import::{ImportError, ImportProblem, Imported, import};

use crate::wire::vcard::CardVersion;
use acquaint_core::capability::Capabilities;
use acquaint_core::contact::{Field, Photo, Value};
use acquaint_core::id::{FolderId, RemoteId};
use acquaint_core::source::{Command, Fetched, Folder, HostSource, Item, Outcome, SourceError, WriteOutcome};
use async_trait::async_trait;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The id of the only folder.
const FOLDER: &str = "cards";
/// The file in which vdirsyncer keeps the name of a collection.
const DISPLAY_NAME: &str = "displayname";
/// Longest name taken from it, in bytes.
const DISPLAY_NAME_BYTES: u64 = 1024;

/// How a folder is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VdirOptions {
    /// The vCard version of new cards. One made after a card of another source keeps that card's version.
    pub version: CardVersion,
    /// Whether nothing may be written.
    pub read_only: bool,
}

impl Default for VdirOptions {
    fn default() -> Self {
        Self { version: CardVersion::V30, read_only: false }
    }
}

/// A folder of cards as a source.
pub struct Vdir {
    folder: PathBuf,
    options: VdirOptions,
}

impl fmt::Debug for Vdir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path may hold the name of a person.
        f.debug_struct("Vdir").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Vdir {
    /// Takes a folder, and clears away what a crashed run of ours left in it. Creates nothing.
    ///
    /// # Errors
    /// [`SourceError::Settings`] when there is no such folder, [`SourceError::Local`] when it cannot be read.
    pub fn open(folder: impl Into<PathBuf>, options: VdirOptions) -> Result<Self, SourceError> {
        let vdir = Self { folder: folder.into(), options };
        vdir.check()?;
        if !options.read_only {
            // What cannot be cleared away is hidden and does no harm.
            let _ = recover::recover(&vdir.folder, recover::STALE);
        }
        Ok(vdir)
    }

    fn check(&self) -> Result<(), SourceError> {
        let settings = |detail: &str| SourceError::Settings { setting: "url".into(), detail: detail.into() };
        match fs::read_dir(&self.folder) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(settings("there is no such folder; create it, connect its disk, or correct the path"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(settings("the path leads to a file; a vdir is a folder with one card a file"))
            }
            Err(error) => Err(local(ErrorContext::List, &error)),
        }
    }

    fn describe(&self) -> Folder {
        let stored = read_display_name(&self.folder.join(DISPLAY_NAME));
        let own =
            || self.folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Folder {
            id: FolderId::from(FOLDER),
            name: stored.unwrap_or_else(own),
            writable: !self.options.read_only && may_write(&self.folder),
            shared: false,
            contacts: true,
        }
    }

    fn execute(&self, command: Command) -> Result<Outcome, SourceError> {
        match command {
            Command::Open => {
                self.check()?;
                let folder = self.describe();
                let capabilities = Capabilities { writable: folder.writable, ..self.capabilities() };
                Ok(Outcome::Opened { folders: vec![folder], capabilities: Box::new(capabilities) })
            }
            Command::EnsureFolder(name) => {
                let folder = self.describe();
                if folder.name == name {
                    return Ok(Outcome::Folder(folder));
                }
                let detail = "a vdir source is one folder; add another source for another folder".into();
                Err(SourceError::Settings { setting: "folder".into(), detail })
            }
            Command::Changes { folders, .. }
                if !folders.is_empty() && !folders.contains(&FolderId::from(FOLDER)) =>
            {
                let detail = "a vdir source has one folder, named cards".into();
                Err(SourceError::Settings { setting: "folder".into(), detail })
            }
            Command::Changes { cursor, page: None, .. } => {
                changes::changes(&self.folder, cursor.as_ref(), self.options.read_only).map(Outcome::Changes)
            }
            Command::Changes { page: Some(_), .. } => {
                Err(SourceError::Protocol { detail: "a folder is listed in one page".into() })
            }
            Command::Fetch(ids) => {
                self.present()?;
                Ok(Outcome::Items(ids.into_iter().map(|id| read::fetch(&self.folder, id)).collect()))
            }
            Command::FetchPhoto(id) => Ok(Outcome::Photo(self.item(id)?.and_then(|item| {
                let Some(Value::Photo(Photo::Stored { hash, .. })) = item.contact.get(&Field::Photo) else {
                    return None;
                };
                item.blobs.iter().find(|blob| blob.hash == *hash).cloned()
            }))),
            Command::Write(writes) => {
                let outcomes = match self.present() {
                    Ok(()) => write::write(self, writes),
                    Err(error) => writes.iter().map(|_| WriteOutcome::NotSent(error.clone())).collect(),
                };
                Ok(Outcome::Written(outcomes))
            }
            Command::FindByKey(key) => {
                let id = name::to_id(&name::of_key(&key));
                Ok(Outcome::Found(self.item(id)?.map(Box::new)))
            }
            Command::Search { .. } => Ok(Outcome::Hits(Vec::new())),
        }
    }

    /// The item of an id, `None` when it is not there or cannot be read.
    fn item(&self, id: RemoteId) -> Result<Option<Item>, SourceError> {
        self.present()?;
        match read::fetch(&self.folder, id) {
            Fetched::Item(item) => Ok(Some(*item)),
            Fetched::Gone(_) | Fetched::Failed(..) => Ok(None),
        }
    }

    /// Fails when the folder is gone: its cards have not been deleted one by one.
    fn present(&self) -> Result<(), SourceError> {
        match fs::metadata(&self.folder) {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(local(ErrorContext::List, &io::ErrorKind::NotADirectory.into())),
            Err(error) => Err(local(ErrorContext::List, &error)),
        }
    }
}

#[async_trait]
impl HostSource for Vdir {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            fields: None,
            writable: !self.options.read_only,
            fetch_batch: 500,
            write_batch: 200,
            in_flight: 1,
            lagging_reads: false,
            uids: true,
            format: read::FORMAT.to_owned(),
        }
    }

    async fn run(&self, command: Command) -> Result<Outcome, SourceError> {
        self.execute(command)
    }
}

fn read_display_name(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut text = String::new();
    if !path.symlink_metadata().ok()?.is_file() {
        return None;
    }
    fs::File::open(path).ok()?.take(DISPLAY_NAME_BYTES).read_to_string(&mut text).ok()?;
    let name = text.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(unix)]
fn may_write(folder: &Path) -> bool {
    use rustix::fs::Access;
    rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|metadata| !metadata.permissions().readonly())
}

/// What was being done when the file system failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorContext {
    List,
    Write,
}

/// A failure of the file system in words that say what to do. Names no path: it may hold the name of a person.
fn local(context: ErrorContext, error: &io::Error) -> SourceError {
    use io::ErrorKind as Kind;
    let doing = match context {
        ErrorContext::List => "read",
        ErrorContext::Write => "written",
    };
    let advice = match error.kind() {
        Kind::StorageFull => "the disk is full; free some space and sync again".into(),
        Kind::QuotaExceeded => "your quota on this disk is used up; free some space and sync again".into(),
        Kind::ReadOnlyFilesystem => {
            "its disk is mounted read-only; mount it for writing, or set the source to read only".into()
        }
        Kind::PermissionDenied => "permission is denied; give this user access to the folder".into(),
        Kind::NotFound => "it is gone; connect its disk, or correct the path".into(),
        Kind::NotADirectory => "there is a file in its place".into(),
        _ => format!("{error}; check the disk"),
    };
    SourceError::Local { detail: format!("the folder of cards cannot be {doing}: {advice}") }
}
