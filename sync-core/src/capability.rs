//! What a source can hold, and the projection of a contact onto it.

use crate::contact::{Contact, Element, Field, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a source can do. Data: the engine branches on it, never on the name of a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Fields that the source can hold; `None` means all of them without limits.
    pub fields: Option<BTreeMap<Field, Room>>,
    /// Whether items can be created, changed and deleted.
    pub writable: bool,
    /// Ids that one `Fetch` may name.
    pub fetch_batch: u32,
    /// Writes that one `Write` may hold.
    pub write_batch: u32,
    /// Commands that may be under way at once.
    pub in_flight: u32,
    /// Whether a read may show a state older than a write that was already confirmed.
    pub lagging_reads: bool,
    /// Whether items carry a UID of their own that another source may share.
    pub uids: bool,
    /// Family of the raw items (`text/vcard`), for patterns between sources.
    pub format: String,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            fields: None,
            writable: true,
            fetch_batch: 100,
            write_batch: 25,
            in_flight: 1,
            lagging_reads: false,
            uids: false,
            format: String::new(),
        }
    }
}

/// How much of one field a source can hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Most characters of a text.
    #[serde(default)]
    pub characters: Option<u32>,
    /// Most elements of a list.
    #[serde(default)]
    pub elements: Option<u32>,
    /// Places by tag (`home` → 2); elements that find no place are lost there. Empty: any tags.
    #[serde(default)]
    pub slots: Vec<(String, u32)>,
}

/// Something a source cannot hold, kept in the link's shadow and reported (E-10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The field.
    pub field: Field,
    /// Why.
    pub why: LossReason,
}

/// Why a value finds no place at a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LossReason {
    /// The source has no such field.
    NoField,
    /// A text is too long.
    TooLong,
    /// More elements than places.
    NoSlot,
}

impl Capabilities {
    /// Whether the source can hold something of this field.
    #[must_use]
    pub fn holds(&self, field: &Field) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.contains_key(field))
    }

    /// The part of a contact that the source can hold, and what it cannot.
    ///
    /// A text that is too long is not cut: it is left out whole and reported.
    #[must_use]
    pub fn project(&self, contact: &Contact) -> (Contact, Vec<Loss>) {
        let Some(fields) = &self.fields else { return (contact.clone(), Vec::new()) };
        let mut kept = Contact::new();
        let mut losses = Vec::new();
        for (field, value) in contact.iter() {
            let mut lose = |why| losses.push(Loss { field: field.clone(), why });
            match (fields.get(field), value) {
                (None, _) => lose(LossReason::NoField),
                (Some(room), Value::List(elements)) => {
                    let held = room.fill(elements);
                    if held.len() < elements.len() {
                        lose(LossReason::NoSlot);
                    }
                    kept.set(field.clone(), Value::List(held));
                }
                (Some(room), value) if room.fits(value) => kept.set(field.clone(), value.clone()),
                (Some(_), _) => lose(LossReason::TooLong),
            }
        }
        (kept, losses)
    }
}

impl Room {
    fn fits(&self, value: &Value) -> bool {
        let Some(most) = self.characters else { return true };
        value.as_text().is_none_or(|text| text.chars().count() <= most as usize)
    }

    fn fill(&self, elements: &[Element]) -> Vec<Element> {
        let mut places = self.slots.clone();
        let mut held = Vec::new();
        for element in elements {
            if self.elements.is_some_and(|most| held.len() >= most as usize) {
                break;
            }
            if !self.slots.is_empty() {
                let place = places.iter_mut().find(|(tag, left)| *left > 0 && element.tags.contains(tag));
                match place {
                    Some((_, left)) => *left -= 1,
                    None => continue,
                }
            }
            if self.fits(&Value::Text(element.content.show())) {
                held.push(element.clone());
            }
        }
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phones(rooms: Room) -> Capabilities {
        Capabilities { fields: Some(BTreeMap::from([(Field::Phones, rooms)])), ..Capabilities::default() }
    }

    #[test]
    fn what_finds_no_place_is_named() {
        let contact = Contact::new()
            .with(Field::First, "Ida")
            .with_element(Field::Phones, Element::text("1").tagged(["work"]))
            .with_element(Field::Phones, Element::text("2").tagged(["home"]))
            .with_element(Field::Phones, Element::text("3").tagged(["work"]));
        let slots = Room { slots: vec![("work".into(), 1), ("home".into(), 2)], ..Room::default() };
        let (kept, losses) = phones(slots).project(&contact);
        let numbers: Vec<String> = kept.list(&Field::Phones).iter().map(|e| e.content.show()).collect();
        assert_eq!(numbers, ["1", "2"]);
        let why: Vec<LossReason> = losses.iter().map(|l| l.why).collect();
        assert_eq!(why, [LossReason::NoField, LossReason::NoSlot]);

        let (kept, losses) = phones(Room { elements: Some(3), ..Room::default() }).project(&contact);
        assert_eq!((kept.list(&Field::Phones).len(), losses.len()), (3, 1));
        let (kept, _) = phones(Room { elements: Some(2), ..Room::default() }).project(&contact);
        assert_eq!(kept.list(&Field::Phones).len(), 2);
    }
}
