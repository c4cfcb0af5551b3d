//! The durable tie between a contact of the library and one item of a source.

use crate::contact::{Contact, Field, Value};
use crate::id::{FolderId, RemoteId, Version};
use crate::library::codec::FORMAT;
use crate::source::{Item, Raw, Refusal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where a link stands (semantics, section 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkState {
    /// Both copies exist and are kept in step.
    Active,
    /// The source's copy is gone, the hub's stays and is never pushed again.
    Detached,
    /// The hub's copy is gone, the source's stays and is never imported again.
    Suppressed,
    /// Out of scope, unsubscribed or disconnected: remembered, nothing travels.
    Off,
}

/// A link with its bases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The item.
    #[serde(rename = "i")]
    pub remote: RemoteId,
    /// The version last seen; `None`: look again.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The version that our last write replaced, where reads may still show it: it is no news.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub superseded: Option<Version>,
    /// Where it stands.
    #[serde(rename = "s")]
    pub state: LinkState,
    /// The source's values when last in step: what it accepted, in its own wording.
    #[serde(rename = "b")]
    base_source: Contact,
    /// The hub's values when last in step, where they differ from the source's (`None`: empty there).
    #[serde(rename = "h", default, skip_serializing_if = "BTreeMap::is_empty")]
    hub_differs: BTreeMap<Field, Option<Value>>,
    /// Fields of the source's copy that its user pinned (K10 on a source that only receives).
    #[serde(rename = "p", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pins: BTreeSet<Field>,
    /// Fields in open conflict: nothing of them travels until the user decides.
    #[serde(rename = "c", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub open: BTreeSet<Field>,
    /// The last refusal of a write; tried again only when either side changes.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// The folder it lies in.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<FolderId>,
    /// Whether the engine's marker is on the source's copy.
    #[serde(rename = "m", default, skip_serializing_if = "std::ops::Not::not")]
    pub marked: bool,
    /// The item as last read.
    #[serde(rename = "w")]
    pub raw: Raw,
}

impl Link {
    /// A link to an item, with empty bases: everything on either side counts as new.
    #[must_use]
    pub fn new(remote: RemoteId) -> Self {
        // The stored format is one for all rows; a change of this type is a change of it.
        const { assert!(FORMAT == 1) };
        Self {
            remote,
            version: None,
            superseded: None,
            state: LinkState::Active,
            base_source: Contact::new(),
            hub_differs: BTreeMap::new(),
            pins: BTreeSet::new(),
            open: BTreeSet::new(),
            refusal: None,
            folder: None,
            marked: false,
            raw: Raw::default(),
        }
    }

    /// The same link in another state.
    #[must_use]
    pub fn in_state(self, state: LinkState) -> Self {
        Self { state, ..self }
    }

    /// Takes note of how the item is now, so that it is not read again and a write finds it, and of nothing in it.
    pub fn note(&mut self, item: &Item) {
        self.remote.clone_from(&item.id);
        self.version.clone_from(&item.version);
        self.folder.clone_from(&item.folder);
        self.marked = item.marked;
        self.raw = item.raw.clone();
    }

    /// The source's side of the base.
    #[must_use]
    pub fn base_source(&self) -> &Contact {
        &self.base_source
    }

    /// The source's base of one field.
    #[must_use]
    pub fn source_base(&self, field: &Field) -> Option<&Value> {
        self.base_source.get(field)
    }

    /// The hub's base of one field.
    #[must_use]
    pub fn hub_base(&self, field: &Field) -> Option<&Value> {
        match self.hub_differs.get(field) {
            Some(value) => value.as_ref(),
            None => self.base_source.get(field),
        }
    }

    /// Moves both bases of a field.
    pub fn set_bases(&mut self, field: &Field, hub: Option<Value>, source: Option<Value>) {
        if hub == source {
            self.hub_differs.remove(field);
        } else {
            self.hub_differs.insert(field.clone(), hub);
        }
        self.base_source.put(field.clone(), source);
    }

    /// Moves both bases of a field to one value.
    pub fn set_base(&mut self, field: &Field, value: Option<&Value>) {
        self.hub_differs.remove(field);
        if self.base_source.get(field) != value {
            self.base_source.put(field.clone(), value.cloned());
        }
    }

    /// Every field that either base holds.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<Field> {
        self.base_source.fields().chain(self.hub_differs.keys()).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bases_are_kept_once_where_they_agree() {
        let mut link = Link::new("1".into());
        link.set_bases(&Field::First, Some("Ann".into()), Some("Ann".into()));
        assert!(link.hub_differs.is_empty());
        assert_eq!(link.hub_base(&Field::First), Some(&"Ann".into()));
        link.set_bases(&Field::First, None, Some("Ann".into()));
        assert_eq!(link.hub_base(&Field::First), None);
        assert_eq!(link.source_base(&Field::First), Some(&"Ann".into()));
        link.set_bases(&Field::First, None, None);
        assert_eq!(link, Link::new("1".into()));
    }
}
