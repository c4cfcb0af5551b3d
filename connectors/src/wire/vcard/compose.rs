//! A new card from a contact.

use super::decode::{Card, UNIT_SEPARATOR};
use super::error::CardError;
use super::fresh::{self, Fresh};
use super::full_name::{Composition, full_name};
use super::render::Style;
use super::text::{Kind, escape, escaped};
use super::{CardVersion, Draft, charset, patch};
use acquaint_core::contact::{Contact, Content, Element, Field};
use std::collections::BTreeSet;

/// The producer, as new cards name it (PRODID).
const PRODUCER: &str = "-//Acquaint//Acquaint//EN";

/// A new card: UTF-8, lines ended by CRLF and folded at 75 octets.
///
/// A picture whose bytes are not in the draft is left out.
#[must_use]
pub fn compose(draft: &Draft<'_>) -> Vec<u8> {
    let version = if draft.version == CardVersion::V40 { CardVersion::V40 } else { CardVersion::V30 };
    let style = Style { version, line_end: b"\r\n" };
    let contact = draft.contact;
    let mut out = Vec::with_capacity(1024);
    let mut groups = Groups::of_contact(contact);
    let line = |out: &mut Vec<u8>, name: &str, value: &str| style.line(out, b"", name.as_bytes(), b"", value);
    line(&mut out, "BEGIN", "VCARD");
    line(&mut out, "VERSION", version.as_str());
    line(&mut out, "PRODID", PRODUCER);
    if !draft.uid.is_empty() {
        line(&mut out, "UID", &escaped(draft.uid, Kind::Uri, version));
    }
    if !contact.list(&Field::Members).is_empty() && !says_kind(contact) {
        let name = if version == CardVersion::V40 { "KIND" } else { "X-ADDRESSBOOKSERVER-KIND" };
        line(&mut out, name, "group");
    }
    if let Some(names) = names(contact, version) {
        line(&mut out, "N", &names);
    }
    line(&mut out, "FN", &escaped(&full_name(contact, Composition::Full), Kind::Text, version));
    if let Some(organization) = organization(contact, version) {
        line(&mut out, "ORG", &organization);
    }
    // What the model does not name comes last: a second TITLE must not get in front of the first.
    let fields = contact.fields().filter(|field| **field != Field::Extra).chain([&Field::Extra]);
    for field in fields {
        if let Some(fresh) = fresh::single(field, contact, draft.blobs, version) {
            groups.write(&mut out, &fresh, style);
        }
        for elements in shared_lines(field, contact.list(field)) {
            if let Some(fresh) = fresh::element(field, &elements, None, version) {
                groups.write(&mut out, &fresh, style);
            }
        }
    }
    line(&mut out, "END", "VCARD");
    out
}

/// A new card that keeps the lines of `template` wherever they already say what the contact says.
///
/// With the template's own contact and UID it is the template, byte for byte. A template of another version than
/// the draft's gives only what the contact holds.
///
/// # Errors
/// When the template cannot be decoded, or the picture's bytes are missing.
pub fn compose_from(draft: &Draft<'_>, template: &[u8]) -> Result<Vec<u8>, CardError> {
    let source = charset::Source::new(template);
    let card = Card::find(&source.text)?;
    if card.version != draft.version {
        return Ok(compose(draft));
    }
    let decoded = card.read()?.decoded;
    let changed = draft.contact.changed_fields(&decoded.contact);
    patch::rewrite(template, draft.contact, &changed, draft.blobs, Some(draft.uid))
}

fn says_kind(contact: &Contact) -> bool {
    contact.list(&Field::Extra).iter().any(|element| match &element.content {
        Content::Property(property) => property.name.eq_ignore_ascii_case("KIND"),
        _ => false,
    })
}

/// The value of N; 4.0 does not need one without parts. A group has its name there too.
pub(super) fn names(contact: &Contact, version: CardVersion) -> Option<String> {
    let fields = [Field::Last, Field::First, Field::Middle, Field::Prefix, Field::Suffix];
    let mut value = String::new();
    let none = fields.iter().all(|field| contact.text(field).is_empty());
    if none && version == CardVersion::V40 {
        return None;
    }
    let is_group = !contact.list(&Field::Members).is_empty() || says_kind(contact);
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            value.push(';');
        }
        let group_name = none && place == 0 && is_group;
        let text = if group_name { contact.text(&Field::FullName) } else { contact.text(field) };
        escape(&mut value, text, Kind::Text, version);
    }
    Some(value)
}

/// The value of ORG.
pub(super) fn organization(contact: &Contact, version: CardVersion) -> Option<String> {
    let (company, department) = (contact.text(&Field::Company), contact.text(&Field::Department));
    if company.is_empty() && department.is_empty() {
        return None;
    }
    let mut value = escaped(company, Kind::Text, version);
    for unit in department.split(UNIT_SEPARATOR).filter(|_| !department.is_empty()) {
        value.push(';');
        escape(&mut value, unit, Kind::Text, version);
    }
    Some(value)
}

/// The elements of a list by the lines they take: only plain nicknames and categories share one.
pub(super) fn shared_lines<'e>(field: &Field, elements: &'e [Element]) -> Vec<Vec<&'e Element>> {
    let shares = matches!(field, Field::Nicknames | Field::Categories);
    let mut rows: Vec<Vec<&Element>> = Vec::new();
    for element in elements {
        match rows.last_mut() {
            Some(row) if shares && row.last().is_some_and(|last| !last.differs_in_detail(element)) => {
                row.push(element);
            }
            _ => rows.push(vec![element]),
        }
    }
    rows
}

/// Groups that are taken, and the next free `itemN`.
pub(super) struct Groups {
    taken: BTreeSet<Vec<u8>>,
    next: u32,
}

impl Groups {
    /// The groups that properties of a contact ask for.
    fn of_contact(contact: &Contact) -> Self {
        let groups = contact.list(&Field::Extra).iter().filter_map(|element| match &element.content {
            Content::Property(property) => property.group.as_deref(),
            _ => None,
        });
        Self::new(groups.map(|group| super::property::name(group).into_bytes()))
    }

    /// With these groups taken.
    pub(super) fn new(groups: impl Iterator<Item = Vec<u8>>) -> Self {
        let taken = groups.map(|mut group| {
            group.make_ascii_lowercase();
            group
        });
        Self { taken: taken.collect(), next: 1 }
    }

    /// A group that no line has.
    pub(super) fn free(&mut self) -> String {
        loop {
            let group = format!("item{}", self.next);
            self.next = self.next.saturating_add(1);
            if !self.taken.contains(group.as_bytes()) {
                return group;
            }
        }
    }

    /// Appends a line, in a group of its own if it has a label.
    pub(super) fn write(&mut self, out: &mut Vec<u8>, fresh: &Fresh, style: Style) {
        let group = match (&fresh.group, &fresh.label) {
            (Some(group), _) => group.clone(),
            (None, Some(_)) => self.free(),
            (None, None) => String::new(),
        };
        fresh.write(out, &group, style);
    }
}
