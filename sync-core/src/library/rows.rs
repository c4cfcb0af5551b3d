//! The stored types beside records and links.

use crate::capability::Capabilities;
use crate::contact::{Contact, Element, Field, Value, email_key, phone_key, uid_key};
use crate::id::{ContactId, FolderId, IntentKey, PassId, RemoteId, SourceId, UserId, Version};
use crate::identity::{name_key, name_words};
use crate::library::record::Actor;
use crate::policy::Policy;
use crate::source::{Refusal, SourceError};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Marks a library, and gives it an identity of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Random bytes from the host: the root of UIDs and intent keys.
    pub seed: [u8; 16],
}

/// How a source stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceState {
    /// Syncs.
    #[default]
    Connected,
    /// The user has to mend the settings; nothing syncs, edits queue.
    NeedsSettings(SourceError),
    /// Let go by the user: credentials forgotten, links remembered.
    Disconnected,
}

/// A source of the library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceRow {
    /// The kind of connector (`carddav`, `vdir`), for the host.
    pub connector: String,
    /// Settings that the connector needs, without secrets: URL, user name, name of the secret.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Whose it is.
    pub user: UserId,
    /// The rules.
    pub policy: Policy,
    /// How it stands.
    #[serde(default)]
    pub state: SourceState,
    /// What it can do, as last found.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// The folder that new contacts go to, once known.
    #[serde(default)]
    pub home: Option<FolderId>,
    /// The folders that are read, once known; empty: the source's default.
    #[serde(default)]
    pub folders: Vec<FolderId>,
    /// Whether folders and capabilities are known.
    #[serde(default)]
    pub opened: bool,
    /// The rules changed: list completely, and try parked items again.
    #[serde(default)]
    pub recheck: bool,
    /// When it is due again; `None`: only when asked for.
    #[serde(default)]
    pub due: Option<Time>,
    /// Failures in a row, for the back-off.
    #[serde(default)]
    pub failures: u32,
    /// Why the last pass failed.
    #[serde(default)]
    pub last_error: Option<SourceError>,
    /// When the last pass ended well.
    #[serde(default)]
    pub last_success: Option<Time>,
}

impl SourceRow {
    /// A source that has never synced.
    #[must_use]
    pub fn new(connector: impl Into<String>, user: UserId, policy: Policy) -> Self {
        Self {
            connector: connector.into(),
            settings: BTreeMap::new(),
            user,
            policy,
            state: SourceState::Connected,
            capabilities: Capabilities::default(),
            home: None,
            folders: Vec::new(),
            opened: false,
            recheck: false,
            due: None,
            failures: 0,
            last_error: None,
            last_success: None,
        }
    }

    /// When the source is due by its schedule: at once where it never was; `None` without a schedule, or while it
    /// cannot sync.
    #[must_use]
    pub fn due_at(&self, now: Time) -> Option<Time> {
        let scheduled = self.state == SourceState::Connected && self.policy.trigger.schedule().is_some();
        scheduled.then(|| self.due.unwrap_or(now))
    }
}

/// Who works on a source. Every batch of a job requires the lease it took, so that of two processes one stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The epoch of the job; 0 when nobody holds it.
    pub epoch: u32,
    /// When it lapses, should the process die.
    pub until: Time,
}

/// A link as found by its remote id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteRow {
    /// The contact.
    #[serde(rename = "c")]
    pub contact: ContactId,
    /// The version last seen.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Whether the link is active: counted by the guard, missed when it is not listed.
    #[serde(rename = "a", default)]
    pub active: bool,
}

/// A contact changed and a source has not heard of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dirty {
    /// Whether the contact was deleted; such deletes are counted before any is sent.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// The key of a create that did not arrive: the next attempt bears it too, so that a late arrival is recognised.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IntentKey>,
}

/// What an intent is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntentKind {
    /// Make the copy.
    Create,
    /// Change it.
    Update,
    /// Remove it.
    Delete,
}

/// A write that is stored before it is sent, so that a lost answer never makes a second contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// What it does.
    pub kind: IntentKind,
    /// The key that finds a created item again.
    pub key: IntentKey,
    /// The item, for an update or delete.
    #[serde(default)]
    pub remote: Option<RemoteId>,
    /// The hub's values that were sent: they become the hub's base when the source has accepted them.
    pub hub: Contact,
    /// The fields that were sent.
    pub fields: Vec<Field>,
    /// The source has said yes, but what it holds now could not be read back yet.
    #[serde(default)]
    pub accepted: bool,
    /// The version that the accepted write made, if the source told it.
    #[serde(default)]
    pub version: Option<Version>,
}

/// A delete, or an emptying of values, that the guard holds until the user answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Seen at the source (`true`), or about to be sent to it.
    pub inbound: bool,
    /// Since when.
    pub since: Time,
    /// Not a delete: the source no longer shows values that the contact holds. Always inbound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emptied: bool,
}

/// Two values of one field that wait for the user's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The hub's value.
    pub hub: Option<Value>,
    /// The source's value.
    pub source: Option<Value>,
    /// Since when.
    pub since: Time,
}

/// An item that cannot be read, or that the policy keeps out for a lasting reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The version that was tried; another one is tried anew.
    #[serde(default)]
    pub version: Option<Version>,
    /// The rule or the kind of refusal (`required:industry`, `no_name`, `unreadable`).
    pub reason: String,
    /// The refusal, where a source or a connector gave one.
    #[serde(default)]
    pub refusal: Option<Refusal>,
}

/// The tie of a contact to a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ref {
    /// Whether there is a link.
    #[serde(rename = "l", default, skip_serializing_if = "std::ops::Not::not")]
    pub linked: bool,
    /// Whether the user of the source wants the contact there (K12); `None`: never asked.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub subscribed: Option<bool>,
}

/// Which side a write goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Toward {
    /// Into the library.
    Hub,
    /// To the source.
    Source,
}

/// What a write does to a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Action {
    /// A new contact or copy.
    Create,
    /// Fields change.
    Update,
    /// The contact or copy goes.
    Delete,
    /// An existing contact is tied to an existing item.
    Link,
    /// A tie is cut; both copies stay.
    Unlink,
    /// A deleted contact or copy comes back.
    Restore,
}

/// One field of a write: what it was, what it becomes, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldWrite {
    /// The field.
    pub field: Field,
    /// What it held.
    pub old: Option<Value>,
    /// What it holds from now on.
    pub new: Option<Value>,
    /// Where the new value came from.
    pub origin: Actor,
    /// When that was made, if known.
    pub at: Option<Time>,
    /// The rule that let it through, or that decided a conflict.
    pub rule: String,
    /// The value that lost, where both sides had changed the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Value>,
}

/// One write, planned or done (E-08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The pass.
    pub pass: PassId,
    /// When.
    pub time: Time,
    /// The source it came from or goes to; `None` for an edit in the hub.
    pub source: Option<SourceId>,
    /// Which side it writes.
    pub toward: Toward,
    /// What it does.
    pub action: Action,
    /// The rule behind it.
    pub rule: String,
    /// Who made the change that it carries.
    pub actor: Actor,
    /// The fields, for an update.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldWrite>,
}

/// Counts of one source in one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Contacts made in the hub.
    pub hub_created: u64,
    /// Contacts changed in the hub.
    pub hub_updated: u64,
    /// Contacts deleted in the hub.
    pub hub_deleted: u64,
    /// Copies made at the source.
    pub source_created: u64,
    /// Copies changed at the source.
    pub source_updated: u64,
    /// Copies deleted at the source.
    pub source_deleted: u64,
    /// Contacts tied to items that existed on both sides.
    pub linked: u64,
    /// Fields changed on both sides and decided by rule.
    pub conflicts: u64,
    /// Conflicts that wait for the user.
    pub open: u64,
    /// Deletes and emptyings that the guard holds.
    pub held: u64,
    /// Items that cannot be read or brought in.
    pub parked: u64,
    /// Writes that the source refused.
    pub refused: u64,
    /// Fields that the source cannot hold.
    pub losses: u64,
}

impl Counts {
    /// Adds other counts.
    pub fn add(&mut self, other: &Counts) {
        for (mine, theirs) in self.all_mut().into_iter().zip(other.clone().all_mut()) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    fn all_mut(&mut self) -> [&mut u64; 13] {
        let Self {
            hub_created,
            hub_updated,
            hub_deleted,
            source_created,
            source_updated,
            source_deleted,
            linked,
            conflicts,
            open,
            held,
            parked,
            refused,
            losses,
        } = self;
        [
            hub_created,
            hub_updated,
            hub_deleted,
            source_created,
            source_updated,
            source_deleted,
            linked,
            conflicts,
            open,
            held,
            parked,
            refused,
            losses,
        ]
    }

    /// Writes to the hub and to the source.
    #[must_use]
    pub fn writes(&self) -> (u64, u64) {
        (
            self.hub_created + self.hub_updated + self.hub_deleted,
            self.source_created + self.source_updated + self.source_deleted,
        )
    }
}

/// A pass, as remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassRow {
    /// When it began.
    pub began: Time,
    /// Why: `sync`, `open`, `edit`, `undo`.
    pub reason: String,
    /// Counts by source.
    #[serde(default)]
    pub counts: BTreeMap<SourceId, Counts>,
}

/// The longest match key that is indexed, in bytes.
const KEY_BYTES: usize = 512;

/// The digits of a number from the last to the first, so that an ending is found as a beginning.
fn backwards(number: &str) -> String {
    let key = phone_key(number);
    let number = key.split('x').next().unwrap_or_default();
    number.chars().rev().filter(char::is_ascii_digit).collect()
}

/// The keys under which a contact is found: kind and key.
#[must_use]
pub fn match_keys(uid: &str, contact: &Contact) -> Vec<(&'static str, String)> {
    let mut keys = vec![("uid", uid_key(uid)), ("name", name_key(contact))];
    let text = |e: &Element| e.content.show();
    keys.extend(contact.list(&Field::Emails).iter().map(|e| ("email", email_key(&text(e)))));
    keys.extend(contact.list(&Field::Phones).iter().map(|e| ("phone", phone_key(&text(e)))));
    keys.extend(contact.list(&Field::Phones).iter().map(|e| ("digits", backwards(&text(e)))));
    keys.extend(name_words(contact).into_iter().map(|word| ("word", word)));
    keys.retain(|(_, key)| !key.is_empty() && key.len() <= KEY_BYTES);
    keys.sort();
    keys.dedup();
    keys
}
