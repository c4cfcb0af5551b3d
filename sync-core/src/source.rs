//! What the engine asks of a source and what a source answers: commands, outcomes, errors.
//!
//! The engine knows no protocol. A connector turns a [`Command`] into requests (sans-IO, in `acquaint-connectors`),
//! a [`HostSource`] carries it out itself (a folder of files, the device's own address book).

use crate::capability::Capabilities;
use crate::contact::{Blob, Contact, Field};
use crate::id::{FolderId, IntentKey, RemoteId, Version};
use crate::redact::Redacted;
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A request of the engine to one source. Every command may be repeated without harm, except [`Command::Write`],
/// whose creates carry a key and whose updates and deletes carry a guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Sign in and find the account's folders. Writes nothing.
    Open,
    /// Find the folder with this name, or make it.
    EnsureFolder(String),
    /// What changed since a cursor; without one, a complete listing.
    Changes {
        /// The folders in scope; empty means the source's default.
        folders: Vec<FolderId>,
        /// The cursor of the last complete answer.
        cursor: Option<Cursor>,
        /// The continuation an answer with more pages gave.
        page: Option<String>,
    },
    /// The items with these ids, in any order; one [`Fetched`] each.
    Fetch(Vec<RemoteId>),
    /// The picture of one item, where listings leave it out.
    FetchPhoto(RemoteId),
    /// Writes in order; one [`WriteOutcome`] each, in the same order.
    Write(Vec<Write>),
    /// The item that a create with this key made, if it exists.
    FindByKey(IntentKey),
    /// Live directory search.
    Search {
        /// What the user typed.
        text: Redacted<String>,
        /// The most hits wanted.
        limit: u32,
    },
}

/// An opaque position in a source's changes. Stored as it is and sent back unchanged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({} bytes)", self.0.len())
    }
}

/// The item as its source wrote it, returned to the connector on an update so that nothing unknown is lost.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raw {
    /// The family, such as `text/vcard`: a raw item of the same family can serve as the pattern of a copy.
    pub format: String,
    /// The bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({}, {} bytes)", self.format, self.bytes.len())
    }
}

/// What kind of thing an item is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ItemKind {
    /// A person or an organization.
    #[default]
    Contact,
    /// A list of members. Synced as a whole, never shown as a person.
    Group,
    /// Something that is no contact (an item of a mail folder). Never read into the library.
    Other,
}

/// One item of a source, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: RemoteId,
    /// Its version; `None` where the source has none.
    pub version: Option<Version>,
    /// The UID that it carries in its content, as written.
    pub uid: Option<Redacted<String>>,
    /// The fields.
    pub contact: Contact,
    /// The bytes of the pictures that `contact` names, where the source sent them along.
    pub blobs: Vec<Blob>,
    /// When it was last changed, by the source's own clock.
    pub modified: Option<Time>,
    /// The folder it lies in, where the source has several.
    pub folder: Option<FolderId>,
    /// What it is.
    pub kind: ItemKind,
    /// Whether it belongs to somebody else and is only shared with the user.
    pub shared: bool,
    /// Whether it carries the engine's marker (K20).
    pub marked: bool,
    /// The item as its source wrote it.
    pub raw: Raw,
}

impl Item {
    /// A contact without version, UID or raw form.
    #[must_use]
    pub fn new(id: impl Into<RemoteId>, contact: Contact) -> Self {
        Self {
            id: id.into(),
            version: None,
            uid: None,
            contact,
            blobs: Vec::new(),
            modified: None,
            folder: None,
            kind: ItemKind::Contact,
            shared: false,
            marked: false,
            raw: Raw::default(),
        }
    }
}

/// One row of a change listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The item exists; its content has to be fetched if the version is new to us.
    Listed {
        /// Its id.
        id: RemoteId,
        /// Its version; `None` means unknown: fetch to see.
        version: Option<Version>,
    },
    /// The item exists and here it is.
    Item(Box<Item>),
    /// The item is no longer there for us.
    Removed {
        /// Its id.
        id: RemoteId,
        /// Why.
        why: Removal,
    },
}

/// Why an item is no longer listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Removal {
    /// Deleted at the source.
    Deleted,
    /// Moved to a folder out of scope.
    Moved,
    /// The user may no longer see it.
    LostAccess,
    /// The source does not say.
    Unknown,
}

/// A page of a change listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// The rows, in any order; an id may come twice, the last counts.
    pub rows: Vec<Change>,
    /// The position after this listing; only the last page carries one. `None` there means the source cannot
    /// resume: the next listing is complete again.
    pub cursor: Option<Cursor>,
    /// The continuation, if there are more pages.
    pub next_page: Option<String>,
    /// Whether all pages together enumerate every item: what is not listed is gone. A connector says so only when
    /// the source gave a complete, well-formed listing.
    pub complete: bool,
}

/// What fetching one id gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The item.
    Item(Box<Item>),
    /// It is not there (any more).
    Gone(RemoteId),
    /// The source cannot deliver it, or it cannot be read: it is parked and reported, the rest goes on.
    Failed(RemoteId, Refusal),
}

/// One write. A batch holds at most `Capabilities::write_batch` of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Make a new item.
    Create {
        /// The folder; `None` is the source's default.
        folder: Option<FolderId>,
        /// The key by which [`Command::FindByKey`] finds it again.
        key: IntentKey,
        /// The UID that the item must carry, where the format has one.
        uid: Redacted<String>,
        /// The fields, already projected onto the capabilities.
        contact: Contact,
        /// The bytes of its pictures.
        blobs: Vec<Blob>,
        /// The same contact as another source of the same family wrote it, as a pattern for what the model does
        /// not name.
        template: Option<Raw>,
        /// Whether the engine's marker is to be put on it.
        marker: bool,
    },
    /// Change fields of an item; everything else must survive.
    Update {
        /// The item.
        id: RemoteId,
        /// The version it must still have; `None` where the source has no versions.
        guard: Option<Version>,
        /// The contact as it shall be, already projected.
        contact: Contact,
        /// The fields that changed. Nothing else may be touched.
        changed: Vec<Field>,
        /// The bytes of its pictures, when the photo changed.
        blobs: Vec<Blob>,
        /// The item as last read.
        raw: Raw,
        /// Put the marker on (`true`), take it off (`false`), or leave it as it is.
        marker: Option<bool>,
    },
    /// Remove an item.
    Delete {
        /// The item.
        id: RemoteId,
        /// The version it must still have.
        guard: Option<Version>,
    },
    /// Move an item to another folder.
    Move {
        /// The item.
        id: RemoteId,
        /// The version it must still have.
        guard: Option<Version>,
        /// Where to.
        folder: FolderId,
    },
}

/// What became of one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    /// Done. For a delete, `id` is the removed item.
    Applied {
        /// The item's id (a create may be given another than asked for).
        id: RemoteId,
        /// Its version now.
        version: Option<Version>,
        /// The item as the source accepted it; `None`: fetch it before the base moves.
        item: Option<Box<Item>>,
    },
    /// The guard failed: the item changed meanwhile, or the item to be created exists. Read again, never force.
    Stale,
    /// The item is not there (any more).
    Gone,
    /// The source will not do this.
    Rejected(Refusal),
    /// It certainly did not happen (no connection, throttled).
    NotSent(SourceError),
    /// It may or may not have happened (time-out after sending, connection lost, host exception).
    Unknown,
}

/// A lasting refusal of one item: reported, and tried again only when either side changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind, which tells who can act.
    pub kind: RefusalKind,
    /// What the source or connector said, without personal data.
    pub detail: String,
}

impl Refusal {
    /// A refusal with its explanation.
    #[must_use]
    pub fn new(kind: RefusalKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

/// Kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RefusalKind {
    /// The user may not write here (user, administrator).
    ReadOnly,
    /// The source finds the content invalid (us, or the user by editing).
    Invalid,
    /// Too large for the source or for us (user).
    TooLarge,
    /// Another item of the source already has this UID (user).
    DuplicateUid,
    /// The account is full (user).
    Quota,
    /// The content cannot be read (source).
    Unreadable,
}

/// A failure of a whole command. Each variant says who can act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum SourceError {
    /// The user: the credentials were refused. `offer` names settings that may be missing.
    #[error("the sign-in was refused; check user name and password")]
    Auth {
        /// Advanced settings worth asking for.
        offer: Vec<String>,
    },
    /// The user: the settings are incomplete or malformed; found before any network use.
    #[error("the setting {setting} is missing or wrong: {detail}")]
    Settings {
        /// The setting's key.
        setting: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The user: what answers is not what was asked for (a web page, another service).
    #[error("the address does not lead to an address book: {detail}; check the URL")]
    NotASource {
        /// What was found.
        detail: String,
    },
    /// The user or administrator: the account may not do this.
    #[error("the account may not do this: {detail}")]
    Forbidden {
        /// What was refused.
        detail: String,
    },
    /// Passing, or the network's: no connection, time-out, server error.
    #[error("the source cannot be reached: {detail}; it is tried again later")]
    Unreachable {
        /// What happened.
        detail: String,
    },
    /// The user or administrator: the connection is not trustworthy (certificate, redirect to another host).
    #[error("the connection is not safe: {detail}")]
    Unsafe {
        /// What is wrong.
        detail: String,
    },
    /// Passing: the source asks for patience.
    #[error("the source asks to wait{}", .seconds.map(|s| format!(" {s} s")).unwrap_or_default())]
    Throttled {
        /// How long, if it says so.
        seconds: Option<u32>,
    },
    /// Us, at once: the cursor is no longer valid; list completely.
    #[error("the source has forgotten our position; it is listed completely")]
    CursorExpired,
    /// The source: it answered against its protocol, or with more than the limits allow.
    #[error("the source gave an answer that cannot be used: {detail}")]
    Protocol {
        /// What is wrong with the answer.
        detail: String,
    },
    /// The user: the local side failed (read-only folder, full disk).
    #[error("{detail}")]
    Local {
        /// What failed and what to do.
        detail: String,
    },
    /// The host's own code failed.
    #[error("the host failed: {reason}")]
    Host {
        /// The first line of its explanation.
        reason: String,
    },
    /// The user or host cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl SourceError {
    /// Whether waiting alone may mend it.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Throttled { .. })
    }

    /// Whether the user has to act on the account's settings before the source can sync again.
    #[must_use]
    pub fn needs_settings(&self) -> bool {
        matches!(self, Self::Auth { .. } | Self::Settings { .. } | Self::NotASource { .. })
    }
}

/// A folder of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Its name, as shown to people.
    pub name: String,
    /// Whether items can be written to it.
    pub writable: bool,
    /// Whether it belongs to somebody else.
    pub shared: bool,
    /// Whether it holds contacts.
    pub contacts: bool,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// To [`Command::Open`]: the folders, the default first, and what the source can do.
    Opened {
        /// Folders of the account.
        folders: Vec<Folder>,
        /// Capabilities as found now.
        capabilities: Box<Capabilities>,
    },
    /// To [`Command::EnsureFolder`].
    Folder(Folder),
    /// To [`Command::Changes`].
    Changes(Changes),
    /// To [`Command::Fetch`].
    Items(Vec<Fetched>),
    /// To [`Command::FetchPhoto`].
    Photo(Option<Blob>),
    /// To [`Command::Write`].
    Written(Vec<WriteOutcome>),
    /// To [`Command::FindByKey`].
    Found(Option<Box<Item>>),
    /// To [`Command::Search`].
    Hits(Vec<Item>),
}

/// A source that carries out commands itself.
///
/// Implemented by the driver for sans-IO connectors and by hosts for their own address books. A write that ends in
/// an exception of the host must be answered [`WriteOutcome::Unknown`], never `NotSent`.
#[async_trait]
pub trait HostSource: Send + Sync {
    /// What the source can do, as far as known without asking it.
    fn capabilities(&self) -> Capabilities;

    /// Carries out one command.
    ///
    /// # Errors
    /// [`SourceError`], which says who can act.
    async fn run(&self, command: Command) -> Result<Outcome, SourceError>;
}
