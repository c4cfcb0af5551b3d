//! The state of a simulated source and its user's side.

use super::clock::Clock;
use super::edit::Edit;
use super::faults::Faults;
use super::shelf::Shelf;
use crate::capability::Capabilities;
use crate::contact::{Contact, Field};
use crate::id::{FolderId, IntentKey, RemoteId, Version};
use crate::redact::Redacted;
use crate::source::{Folder, Item, ItemKind, Raw, Removal};
use crate::time::Time;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A simulated source. Clones share one state, so that a test keeps one and the engine runs on another.
#[derive(Clone)]
pub struct SimBox(Arc<Mutex<State>>);

/// How a source answers when nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habits {
    /// It gives cursors; without them each listing is complete.
    pub cursors: bool,
    /// Listings carry whole items rather than ids and versions.
    pub whole_items: bool,
    /// Items have versions.
    pub versions: bool,
    /// Items have a time of change.
    pub times: bool,
    /// The answer to a write carries the item as it was accepted.
    pub echo: bool,
    /// Rows of one listing page.
    pub page_rows: usize,
}

impl Default for Habits {
    fn default() -> Self {
        Self { cursors: true, whole_items: true, versions: true, times: true, echo: true, page_rows: 100 }
    }
}

/// A write of the engine that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// What it was.
    pub kind: LoggedKind,
    /// The item, as far as it is known: a create that was refused has none.
    pub id: Option<RemoteId>,
    /// When.
    pub at: Time,
    /// Whether it was carried out.
    pub applied: bool,
}

/// Kinds of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoggedKind {
    /// A new item.
    Create,
    /// A change of fields, also one that changes nothing.
    Update,
    /// A removal.
    Delete,
    /// A move to another folder.
    Move,
    /// The marker alone; not counted as a write (semantics, decision 39).
    Marker,
}

/// A step of the user that cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimError {
    /// The test: there is no such item.
    #[error("the source has no item {0}")]
    NoSuchItem(RemoteId),
    /// The test: the item exists already.
    #[error("the source already has an item {0}")]
    ItemExists(RemoteId),
    /// The test: there is no such folder.
    #[error("the source has no folder {0:?}")]
    NoSuchFolder(String),
}

pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) shelf: Shelf,
    /// What lagging reads still show, and for how many reads.
    pub(super) old: Option<(Shelf, u32)>,
    pub(super) folders: Vec<Folder>,
    folders_made: u32,
    pub(super) items_made: u32,
    pub(super) capabilities: Capabilities,
    pub(super) habits: Habits,
    pub(super) faults: Faults,
    pub(super) online: bool,
    /// Settings without which a sign-in fails.
    pub(super) required: Vec<String>,
    /// The settings of the sign-in; `None` when nobody is signed in.
    pub(super) settings: Option<BTreeMap<String, String>>,
    pub(super) log: Vec<Logged>,
    pub(super) commands: u64,
}

impl SimBox {
    /// An empty address book with the folder `Contacts`; online and signed in.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let capabilities = Capabilities { format: "sim".into(), ..Capabilities::default() };
        let mut state = State {
            clock,
            shelf: Shelf::default(),
            old: None,
            folders: Vec::new(),
            folders_made: 0,
            items_made: 0,
            capabilities,
            habits: Habits::default(),
            faults: Faults::default(),
            online: true,
            required: Vec::new(),
            settings: Some(BTreeMap::new()),
            log: Vec::new(),
            commands: 0,
        };
        state.ensure_folder("Contacts");
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole, also if a caller panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user adds an item under this id.
    ///
    /// # Errors
    /// When the id is taken.
    pub fn add(&self, id: impl Into<RemoteId>, edit: &Edit) -> Result<(), SimError> {
        let id = id.into();
        let mut state = self.lock();
        if state.shelf.item(&id).is_some() {
            return Err(SimError::ItemExists(id));
        }
        let mut item = Item::new(id, Contact::new());
        item.folder = state.folders.first().map(|folder| folder.id.clone());
        state.apply_edit(&mut item, edit);
        state.keep(item, None);
        Ok(())
    }

    /// The user changes an item, or moves it.
    ///
    /// # Errors
    /// When there is no such item.
    pub fn edit(&self, id: impl Into<RemoteId>, edit: &Edit) -> Result<(), SimError> {
        let id = id.into();
        let mut state = self.lock();
        let Some(mut item) = state.shelf.item(&id).cloned() else { return Err(SimError::NoSuchItem(id)) };
        state.apply_edit(&mut item, edit);
        state.keep(item, None);
        Ok(())
    }

    /// The user deletes an item.
    ///
    /// # Errors
    /// When there is no such item.
    pub fn delete(&self, id: impl Into<RemoteId>) -> Result<(), SimError> {
        self.lose(id, Removal::Deleted)
    }

    /// An item is no longer there for the user, for this reason.
    ///
    /// # Errors
    /// When there is no such item.
    pub fn lose(&self, id: impl Into<RemoteId>, why: Removal) -> Result<(), SimError> {
        let id = id.into();
        if self.lock().shelf.remove(&id, why) { Ok(()) } else { Err(SimError::NoSuchItem(id)) }
    }

    /// Makes a folder for contacts, unless there is one of this name.
    pub fn add_folder(&self, name: &str) {
        self.lock().ensure_folder(name);
    }

    /// The user gives a folder another name; it stays the same folder.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn rename_folder(&self, from: &str, to: &str) -> Result<(), SimError> {
        let mut state = self.lock();
        let folder = state.folders.iter_mut().find(|folder| folder.name == from);
        folder.ok_or_else(|| SimError::NoSuchFolder(from.to_owned()))?.name = to.to_owned();
        Ok(())
    }

    /// The user deletes a folder with everything in it.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn delete_folder(&self, name: &str) -> Result<(), SimError> {
        let mut state = self.lock();
        let place = state.folders.iter().position(|folder| folder.name == name);
        let place = place.ok_or_else(|| SimError::NoSuchFolder(name.to_owned()))?;
        let folder = Some(state.folders.remove(place).id);
        let within = state.shelf.items().filter(|item| item.folder == folder);
        let ids: Vec<RemoteId> = within.map(|item| item.id.clone()).collect();
        for id in ids {
            state.shelf.remove(&id, Removal::Deleted);
        }
        Ok(())
    }

    /// Puts the marker on an item or takes it off, as if the engine had done so before the scenario.
    ///
    /// # Errors
    /// When there is no such item.
    pub fn mark(&self, id: impl Into<RemoteId>, marked: bool) -> Result<(), SimError> {
        self.edit(id, &Edit { marked: Some(marked), ..Edit::new() })
    }

    /// Cuts the connection, or restores it.
    pub fn set_online(&self, online: bool) {
        self.lock().online = online;
    }

    /// A sign-in needs these settings from now on; whoever is signed in is signed out.
    pub fn require(&self, settings: &[String]) {
        let mut state = self.lock();
        state.required = settings.to_vec();
        state.settings = None;
    }

    /// The user signs in with these settings. Whether they suffice shows at the next command.
    pub fn sign_in(&self, settings: &[(String, String)]) {
        self.lock().settings = Some(settings.iter().cloned().collect());
    }

    /// The credentials become invalid: they expired, or were forgotten.
    pub fn sign_out(&self) {
        self.lock().settings = None;
    }

    /// Forgets every cursor given so far: the next listing must be complete.
    pub fn forget_cursors(&self) {
        let mut state = self.lock();
        state.shelf.horizon = state.shelf.next();
    }

    /// Changes what the source can hold.
    pub fn set_capabilities(&self, capabilities: Capabilities) {
        self.lock().capabilities = capabilities;
    }

    /// Changes how it answers.
    pub fn set_habits(&self, habits: Habits) {
        self.lock().habits = habits;
    }

    /// Changes what it does wrong.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// The faults that are still to strike.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    /// Whether the connection stands.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.lock().online
    }

    /// Every item of every folder as it is now, in the order of ids.
    #[must_use]
    pub fn items(&self) -> Vec<Item> {
        self.lock().shelf.items().cloned().collect()
    }

    /// One item as it is now.
    #[must_use]
    pub fn item(&self, id: &RemoteId) -> Option<Item> {
        self.lock().shelf.item(id).cloned()
    }

    /// The folders, the default first.
    #[must_use]
    pub fn folders(&self) -> Vec<Folder> {
        self.lock().folders.clone()
    }

    /// Every write of the engine that arrived, in order.
    #[must_use]
    pub fn log(&self) -> Vec<Logged> {
        self.lock().log.clone()
    }

    /// How many writes the engine issued; a marker alone is none.
    #[must_use]
    pub fn writes(&self) -> usize {
        self.lock().log.iter().filter(|write| write.kind != LoggedKind::Marker).count()
    }

    /// How many commands arrived.
    #[must_use]
    pub fn commands(&self) -> u64 {
        self.lock().commands
    }
}

impl fmt::Debug for SimBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        write!(f, "SimBox({} items, {} writes)", state.shelf.items().count(), state.log.len())
    }
}

impl State {
    pub(super) fn ensure_folder(&mut self, name: &str) -> Folder {
        if let Some(folder) = self.folders.iter().find(|folder| folder.name == name) {
            return folder.clone();
        }
        self.folders_made = self.folders_made.saturating_add(1);
        let id = FolderId(format!("folder-{}", self.folders_made));
        let folder = Folder { id, name: name.to_owned(), writable: true, shared: false, contacts: true };
        self.folders.push(folder.clone());
        folder
    }

    fn apply_edit(&mut self, item: &mut Item, edit: &Edit) {
        edit.apply_to(&mut item.contact);
        if !edit.blobs.is_empty() {
            item.blobs.clone_from(&edit.blobs);
        }
        item.kind = edit.kind.unwrap_or(item.kind);
        item.shared = edit.shared.unwrap_or(item.shared);
        item.marked = edit.marked.unwrap_or(item.marked);
        item.uid = edit.uid.clone().map(Redacted).or_else(|| item.uid.clone());
        if let Some(name) = &edit.folder {
            item.folder = Some(self.ensure_folder(name).id);
        }
        // A folder that holds something else than contacts is no contact folder.
        if item.kind == ItemKind::Other {
            let folder = self.folders.iter_mut().find(|folder| Some(&folder.id) == item.folder.as_ref());
            folder.into_iter().for_each(|folder| folder.contacts = false);
        }
    }

    /// Stores an item under a new version, with the time of now.
    pub(super) fn keep(&mut self, mut item: Item, key: Option<IntentKey>) -> Item {
        let seq = self.shelf.next();
        item.version = self.habits.versions.then(|| Version(format!("v{seq}")));
        item.modified = self.habits.times.then(|| self.clock.now());
        item.raw = Raw {
            format: self.capabilities.format.clone(),
            bytes: format!("{}@{seq}", item.id).into_bytes(),
        };
        if item.contact.get(&Field::Photo).is_none() {
            item.blobs.clear();
        }
        self.shelf.put(item.clone(), seq, key);
        item
    }
}
