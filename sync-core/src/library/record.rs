//! A contact as the library keeps it.

use crate::contact::{Contact, Element, Field, Value};
use crate::id::{PassId, SourceId, UserId};
use crate::source::ItemKind;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Actor {
    /// A user, in the hub.
    #[serde(rename = "u")]
    User(UserId),
    /// A source (its user, through it).
    #[serde(rename = "s")]
    Source(SourceId),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::User(user) => write!(f, "user {user}"),
            Actor::Source(source) => write!(f, "source {source}"),
        }
    }
}

/// When a value was made, and by whom. A time a source did not give is absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// When.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// By whom.
    #[serde(rename = "a")]
    pub actor: Actor,
}

/// A contact of the library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The fields.
    #[serde(rename = "c")]
    pub contact: Contact,
    /// The UID that its copies carry.
    #[serde(rename = "u")]
    pub uid: String,
    /// What it is.
    #[serde(rename = "k", default)]
    pub kind: ItemKind,
    /// Who made it, and when.
    #[serde(rename = "m")]
    pub created: Stamp,
    /// Stamps of fields that changed since.
    #[serde(rename = "s", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stamps: BTreeMap<Field, Stamp>,
    /// Per list field, the elements (by key) whose last change, an addition or a removal, came from a source.
    #[serde(rename = "r", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relayed: BTreeMap<Field, BTreeSet<String>>,
    /// Set when the contact was deleted; the record stays as a tombstone.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Stamp>,
    /// What the hub knows beside the card.
    #[serde(rename = "h", default, skip_serializing_if = "Standing::is_plain")]
    pub standing: Standing,
    /// The last pass or edit that wrote the record.
    #[serde(rename = "p")]
    pub pass: PassId,
    /// The last handle given to a list element.
    #[serde(rename = "n", default)]
    pub last_value: u32,
}

/// Whose a contact is and who may see it: the hub's own data, never sent to a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// The owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// Users who may edit.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub editors: BTreeSet<UserId>,
    /// Users who may read; `None` is everyone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readers: Option<BTreeSet<UserId>>,
    /// A type such as `employee`, `customer`, `trash`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// A folder of the hub.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub folder: String,
    /// The account (company) it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether a relation rule set the account (a user's choice is never replaced).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub account_by_rule: bool,
    /// A contact of the company directory: read-only, never exported.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub directory: bool,
    /// Never exported (an unknown caller saved in the hub only).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub local_only: bool,
}

impl Standing {
    fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the user may see the contact. Where readers are named, they alone do: neither owner nor editors are
    /// readers by themselves.
    #[must_use]
    pub fn readable_by(&self, user: &UserId) -> bool {
        self.readers.as_ref().is_none_or(|readers| readers.contains(user))
    }
}

impl Record {
    /// A new record.
    #[must_use]
    pub fn new(contact: Contact, uid: String, created: Stamp, pass: PassId) -> Self {
        let mut record = Self {
            contact: Contact::new(),
            uid,
            kind: ItemKind::Contact,
            created,
            stamps: BTreeMap::new(),
            relayed: BTreeMap::new(),
            deleted: None,
            standing: Standing::default(),
            pass,
            last_value: 0,
        };
        for (field, value) in contact {
            record.put(&field, Some(value));
        }
        record
    }

    /// Whether it is a live contact.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.deleted.is_none()
    }

    /// When a field was last changed, and by whom.
    #[must_use]
    pub fn stamp(&self, field: &Field) -> &Stamp {
        self.stamps.get(field).unwrap_or(&self.created)
    }

    /// Who changed the record last.
    #[must_use]
    pub fn last_change(&self) -> &Stamp {
        let stamps = self.stamps.values().chain(&self.deleted);
        stamps.fold(&self.created, |latest, stamp| if stamp.time >= latest.time { stamp } else { latest })
    }

    /// Changes a field and stamps it. List elements keep their handles by key; new ones are given one.
    pub fn change(&mut self, field: &Field, value: Option<Value>, stamp: Stamp) {
        if field.is_list() {
            self.note_relay(field, value.as_ref(), &stamp.actor);
        }
        self.put(field, value);
        self.stamps.insert(field.clone(), stamp);
    }

    fn put(&mut self, field: &Field, value: Option<Value>) {
        let value = match value {
            Some(Value::List(elements)) => {
                let old = self.contact.list(field).to_vec();
                Some(Value::List(self.with_handles(field, &old, elements)))
            }
            other => other,
        };
        self.contact.put(field.clone(), value);
    }

    fn with_handles(&mut self, field: &Field, old: &[Element], mut elements: Vec<Element>) -> Vec<Element> {
        let mut free: Vec<(String, u32)> = old.iter().map(|e| (e.key(field), e.id)).collect();
        for element in &mut elements {
            if let Some(at) = free.iter().position(|(_, id)| *id == element.id && element.id != 0) {
                free.swap_remove(at);
            } else {
                element.id = 0;
            }
        }
        for element in elements.iter_mut().filter(|e| e.id == 0) {
            let key = element.key(field);
            element.id = match free.iter().position(|(k, _)| *k == key) {
                Some(at) => free.swap_remove(at).1,
                None => {
                    self.last_value = self.last_value.saturating_add(1);
                    self.last_value
                }
            };
        }
        elements
    }

    fn note_relay(&mut self, field: &Field, value: Option<&Value>, actor: &Actor) {
        let keys = |elements: &[Element]| elements.iter().map(|e| e.key(field)).collect::<BTreeSet<_>>();
        let (old, new) = (keys(self.contact.list(field)), keys(value.map(Value::elements).unwrap_or(&[])));
        let moved = old.symmetric_difference(&new).cloned();
        let mut relayed = self.relayed.remove(field).unwrap_or_default();
        match actor {
            Actor::Source(_) => relayed.extend(moved),
            Actor::User(_) => moved.for_each(|key| {
                relayed.remove(&key);
            }),
        }
        if !relayed.is_empty() {
            self.relayed.insert(field.clone(), relayed);
        }
    }

    /// Whether a list differs from a base only by elements that other sources brought or took.
    #[must_use]
    pub fn differs_by_relay_only(&self, field: &Field, base: Option<&Value>) -> bool {
        let relayed = self.relayed.get(field);
        let keys = |elements: &[Element]| elements.iter().map(|e| e.key(field)).collect::<BTreeSet<_>>();
        let (now, base) = (keys(self.contact.list(field)), keys(base.map(Value::elements).unwrap_or(&[])));
        let by_relay = |key: &String| relayed.is_some_and(|r| r.contains(key));
        now.symmetric_difference(&base).all(by_relay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(user: &str) -> Stamp {
        Stamp { time: Some(Time(1)), actor: Actor::User(user.into()) }
    }

    #[test]
    fn handles_survive_edits() {
        let contact = Contact::new()
            .with_element(Field::Phones, Element::text("+1 1"))
            .with_element(Field::Phones, Element::text("+1 2"));
        let mut record = Record::new(contact, "uid".into(), by("u"), PassId(1));
        let ids = |r: &Record| r.contact.list(&Field::Phones).iter().map(|e| e.id).collect::<Vec<_>>();
        assert_eq!(ids(&record), [1, 2]);
        let next = vec![Element::text("+1 2"), Element::text("+1 3")];
        record.change(&Field::Phones, Some(Value::List(next)), by("u"));
        assert_eq!(ids(&record), [2, 3]);
        // An edit by handle keeps it although the number is another one.
        let edited =
            vec![Element { id: 2, ..Element::text("+1 9") }, Element { id: 3, ..Element::text("+1 3") }];
        record.change(&Field::Phones, Some(Value::List(edited)), by("u"));
        assert_eq!(ids(&record), [2, 3]);
    }

    #[test]
    fn relayed_elements_are_told_from_edits() {
        let mut record = Record::new(Contact::new(), "uid".into(), by("u"), PassId(1));
        let list = |numbers: &[&str]| Some(Value::List(numbers.iter().map(|n| Element::text(*n)).collect()));
        let source = Stamp { time: None, actor: Actor::Source(SourceId::new("a").expect("a name")) };
        record.change(&Field::Phones, list(&["1"]), source);
        assert!(record.differs_by_relay_only(&Field::Phones, None));
        record.change(&Field::Phones, list(&["1", "2"]), by("u"));
        assert!(!record.differs_by_relay_only(&Field::Phones, None));
        assert!(record.differs_by_relay_only(&Field::Phones, list(&["2"]).as_ref()));
    }
}
