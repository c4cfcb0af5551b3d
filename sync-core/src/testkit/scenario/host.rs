//! What the runner needs of an engine with its library.

use super::field::{Detail, HubField, Key, Literal, blob_of, value_of};
use super::model::{Caller, Connection, Event, HubAssign};
use crate::contact::{Blob, Contact, Field, Value};
use crate::id::{ContactId, RemoteId, SourceId, UserId};
use crate::testkit::sim::{Clock, SimBox};
use std::collections::BTreeSet;

/// A step that the host could not carry out: a fault of the host or of the scenario. What a user would merely be told
/// (a refused edit, a failed sign-in) is an event or a state, not this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

impl From<String> for HostError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for HostError {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// What a [`Host`] answers.
pub type HostResult<T> = Result<T, HostError>;

/// How a scenario begins.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// The profile's name.
    pub profile: &'a str,
    /// The name of the account that folder templates insert.
    pub account: &'a str,
    /// Knobs that differ from it.
    pub settings: &'a [(String, String)],
    /// The clock of the world. The runner moves it before each step; [`Host::tick`] may move it on.
    pub clock: Clock,
}

/// An engine with its library, driven by the runner. Sources are [`SimBox`]es, which the runner keeps copies of: what
/// users do there needs no host. "Now" is always the clock of the [`Setup`].
pub trait Host {
    /// An empty library under a profile.
    ///
    /// # Errors
    /// When profile or settings are unknown or contradictory.
    fn begin(&mut self, setup: &Setup<'_>) -> HostResult<()>;

    /// The folder that the profile has of its own at a source (K2 `dedicated`), by name.
    fn own_folder(&self) -> Option<String>;

    /// A user's mailbox. `connected`: the sign-in has happened; else a `connect` step will follow.
    ///
    /// # Errors
    /// [`HostError`].
    fn add_source(
        &mut self,
        user: &UserId,
        name: &SourceId,
        mailbox: &SimBox,
        connected: bool,
    ) -> HostResult<()>;

    /// A company that contacts can be linked to, with the users who may see it.
    ///
    /// # Errors
    /// [`HostError`].
    fn add_account(&mut self, id: &str, name: &str, access: &[UserId]) -> HostResult<()>;

    /// A group of the company directory.
    ///
    /// # Errors
    /// [`HostError`].
    fn add_group(&mut self, members: &str) -> HostResult<()>;

    /// A contact that the library has from the beginning. An `audit` among the details is its stamp.
    ///
    /// # Errors
    /// [`HostError`].
    fn given_contact(&mut self, draft: &Draft) -> HostResult<ContactId>;

    /// The two are in sync as they stand. Under an opt-in profile the mailbox's user is subscribed; under a
    /// watermark the copy carries it ([`SimBox::mark`]).
    ///
    /// # Errors
    /// [`HostError`].
    fn given_link(&mut self, contact: ContactId, source: &SourceId, item: &RemoteId) -> HostResult<()>;

    /// A user adds a contact.
    ///
    /// # Errors
    /// [`HostError`].
    fn add(&mut self, by: &UserId, draft: &Draft) -> HostResult<ContactId>;

    /// A user edits a contact. A refusal is the event `edit refused`.
    ///
    /// # Errors
    /// [`HostError`].
    fn edit(&mut self, by: &UserId, contact: ContactId, draft: &Draft) -> HostResult<()>;

    /// A user deletes a contact.
    ///
    /// # Errors
    /// [`HostError`].
    fn delete(&mut self, by: &UserId, contact: ContactId) -> HostResult<()>;

    /// One cycle over all reachable sources, or over one.
    ///
    /// # Errors
    /// [`HostError`]; a source that cannot be reached is none.
    fn sync(&mut self, source: Option<&SourceId>) -> HostResult<()>;

    /// A user opens a contact to call or write; returns when its sync has ended.
    ///
    /// # Errors
    /// [`HostError`].
    fn open(&mut self, contact: ContactId) -> HostResult<()>;

    /// A user searches. Hits in the order shown.
    ///
    /// # Errors
    /// [`HostError`].
    fn search(&mut self, text: &str) -> HostResult<Vec<Hit>>;

    /// A call comes in; `None`: the number is withheld.
    ///
    /// # Errors
    /// [`HostError`].
    fn call(&mut self, number: Option<&str>) -> HostResult<Caller>;

    /// Time passes until the clock shows `minutes` more; whatever is due in between happens.
    ///
    /// # Errors
    /// [`HostError`].
    fn tick(&mut self, minutes: u32) -> HostResult<()>;

    /// The mailbox's user donates an item to the library; acts at once.
    ///
    /// # Errors
    /// [`HostError`].
    fn donate(&mut self, source: &SourceId, item: &RemoteId) -> HostResult<ContactId>;

    /// A user ticks the sync box of a contact (`on`), or unticks it; acts at once.
    ///
    /// # Errors
    /// [`HostError`].
    fn subscribe(&mut self, user: &UserId, contact: ContactId, on: bool) -> HostResult<()>;

    /// The user connects a source with these settings, and a cycle runs if that succeeds.
    ///
    /// # Errors
    /// [`HostError`]; a failed sign-in is a state and an event.
    fn connect(&mut self, source: &SourceId, settings: &[(String, String)]) -> HostResult<()>;

    /// The user disconnects a source.
    ///
    /// # Errors
    /// [`HostError`].
    fn disconnect(&mut self, source: &SourceId) -> HostResult<()>;

    /// Changes a knob.
    ///
    /// # Errors
    /// When knob or value is unknown.
    fn set(&mut self, key: &str, value: &str) -> HostResult<()>;

    /// The user answers what the guard holds: let it happen (`confirm`), or make the contacts again; acts at once.
    ///
    /// # Errors
    /// [`HostError`].
    fn answer_held(&mut self, confirm: bool) -> HostResult<()>;

    /// All contacts of the library, those of the directory too.
    ///
    /// # Errors
    /// [`HostError`].
    fn contacts(&self) -> HostResult<Vec<(ContactId, HubCard)>>;

    /// How many creates, changes and deletes of contacts the engine has made in the library; those of users do not
    /// count.
    ///
    /// # Errors
    /// [`HostError`].
    fn hub_writes(&self) -> HostResult<u64>;

    /// The state of a connection.
    ///
    /// # Errors
    /// [`HostError`].
    fn state(&self, source: &SourceId) -> HostResult<Connection>;

    /// Everything reported so far, in the words of [`EVENTS`](super::EVENTS).
    ///
    /// # Errors
    /// [`HostError`].
    fn events(&self) -> HostResult<Vec<Event>>;
}

/// A hit of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    /// A library contact.
    Contact(ContactId),
    /// An item of a source that is not linked.
    Item(SourceId, RemoteId),
    /// A group, by its members.
    Group(String),
}

/// What a user writes into a library contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Fields to set, or to remove (`None`).
    pub values: Vec<(Field, Option<Value>)>,
    /// The bytes of the pictures among them.
    pub blobs: Vec<Blob>,
    /// Details to set.
    pub details: Vec<(HubField, Literal)>,
}

impl Draft {
    /// The draft that assignments of the notation make.
    #[must_use]
    pub fn new(fields: &[HubAssign]) -> Self {
        let mut draft = Self::default();
        for assign in fields {
            match &assign.key {
                Key::Card(field) => {
                    draft.values.push((field.clone(), value_of(field, &assign.value)));
                    draft.blobs.extend(blob_of(field, &assign.value));
                }
                Key::Detail(detail) => draft.details.push((*detail, assign.value.clone())),
            }
        }
        draft
    }

    /// The same with an owner, unless it names one.
    #[must_use]
    pub fn owned_by(mut self, user: &UserId) -> Self {
        if !self.details.iter().any(|(detail, _)| *detail == HubField::Owner) {
            self.details.push((HubField::Owner, Literal::One(user.as_str().to_owned())));
        }
        self
    }

    /// Writes it into a card.
    pub fn apply_to(&self, card: &mut HubCard) {
        for (field, value) in &self.values {
            card.contact.put(field.clone(), value.clone());
        }
        for (detail, literal) in &self.details {
            card.details.set(*detail, literal);
        }
    }
}

/// A library contact with its details.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubCard {
    /// Its fields.
    pub contact: Contact,
    /// Its details.
    pub details: HubDetails,
}

/// Details of a library contact; see [`HubField`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubDetails {
    /// The user it belongs to.
    pub owner: Option<String>,
    /// Users who may edit it.
    pub editors: BTreeSet<String>,
    /// Users who may see it; `None` is everyone.
    pub readers: Option<BTreeSet<String>>,
    /// Its type.
    pub kind: String,
    /// Its folder.
    pub folder: String,
    /// The account it is linked to.
    pub account: Option<String>,
    /// The user who last changed it.
    pub audit: Option<String>,
    /// Whether it belongs to the company directory.
    pub directory: bool,
    /// Whether it is never exported.
    pub local_only: bool,
}

impl HubDetails {
    /// Sets a detail as the notation writes it.
    pub fn set(&mut self, field: HubField, literal: &Literal) {
        let text = || literal.as_one().unwrap_or_default().to_owned();
        let name = || Some(text()).filter(|text| !text.is_empty());
        let users = || literal.as_many().iter().cloned().collect();
        match field {
            HubField::Owner => self.owner = name(),
            HubField::Editors => self.editors = users(),
            HubField::Readers => self.readers = Some(users()),
            HubField::Type => self.kind = text(),
            HubField::Folder => self.folder = text(),
            HubField::Account => self.account = name(),
            HubField::Audit => self.audit = name(),
            HubField::Directory => self.directory = text() == "yes",
            HubField::LocalOnly => self.local_only = text() == "yes",
        }
    }

    /// A detail as the notation writes it.
    #[must_use]
    pub fn literal(&self, field: HubField) -> Literal {
        let name = |name: &Option<String>| Literal::One(name.clone().unwrap_or_default());
        let users = |users: &BTreeSet<String>| Literal::Many(users.iter().cloned().collect());
        match field {
            HubField::Owner => name(&self.owner),
            HubField::Editors => users(&self.editors),
            HubField::Readers => users(self.readers.as_ref().unwrap_or(&BTreeSet::new())),
            HubField::Type => Literal::One(self.kind.clone()),
            HubField::Folder => Literal::One(self.folder.clone()),
            HubField::Account => name(&self.account),
            HubField::Audit => name(&self.audit),
            HubField::Directory => Literal::yes(self.directory),
            HubField::LocalOnly => Literal::yes(self.local_only),
        }
    }

    /// All of them.
    #[must_use]
    pub fn literals(&self) -> Vec<(HubField, Literal)> {
        HubField::TABLE.iter().map(|(field, ..)| (*field, self.literal(*field))).collect()
    }
}
