//! Values of fields and the elements of lists.

use super::date::PartialDate;
use super::field::Field;
use super::key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// The value of one field. An empty value is never stored: the field is then absent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// One text.
    #[serde(rename = "t")]
    Text(String),
    /// One date.
    #[serde(rename = "d")]
    Date(PartialDate),
    /// One picture.
    #[serde(rename = "p")]
    Photo(Photo),
    /// Elements in order.
    #[serde(rename = "l")]
    List(Vec<Element>),
}

impl Value {
    /// Whether the value says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Text(text) => text.is_empty(),
            Value::Date(date) => date.year.is_none() && date.month.is_none() && date.day.is_none(),
            Value::Photo(_) => false,
            Value::List(elements) => elements.is_empty(),
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements; none for a single value.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        match self {
            Value::List(elements) => elements,
            _ => &[],
        }
    }

    /// The value as a person reads it; list elements are joined with commas.
    #[must_use]
    pub fn show(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Date(date) => date.to_string(),
            Value::Photo(Photo::Stored { hash, .. }) => format!("picture {hash}"),
            Value::Photo(Photo::Link(uri)) => uri.clone(),
            Value::List(elements) => elements.iter().map(|e| e.content.show()).collect::<Vec<_>>().join(", "),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Value::Date(_) => f.write_str("Date"),
            Value::Photo(_) => f.write_str("Photo"),
            Value::List(elements) => write!(f, "List({})", elements.len()),
        }
    }
}

/// A picture. Its bytes lie outside the contact, under their hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Photo {
    /// Bytes kept in the store.
    #[serde(rename = "s")]
    Stored {
        /// SHA-256 of the bytes, first 16 bytes, in hexadecimal.
        hash: String,
        /// Media type, such as `image/jpeg`; empty when unknown.
        media: String,
        /// Length in bytes.
        size: u32,
    },
    /// A picture that stays where it is. Never followed.
    #[serde(rename = "u")]
    Link(String),
}

/// The bytes of a picture on their way between a source and the store.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// The hash that [`Photo::Stored`] names.
    pub hash: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Blob {
    /// Hashes the bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { hash: key::content_hash(&bytes), bytes }
    }

    /// The photo value that names these bytes.
    #[must_use]
    pub fn photo(&self, media: impl Into<String>) -> Photo {
        let size = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        Photo::Stored { hash: self.hash.clone(), media: media.into(), size }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.bytes.len())
    }
}

/// The engine's own handle of a list element; 0 until the library gives one. Survives edits.
pub type ValueId = u32;

/// One element of a list field.
///
/// Equality ignores the handle: a source knows none.
#[derive(Clone, Serialize, Deserialize)]
pub struct Element {
    /// Handle within the contact; 0 when not yet given.
    #[serde(default, rename = "i", skip_serializing_if = "is_zero")]
    pub id: ValueId,
    /// The value itself.
    #[serde(rename = "c")]
    pub content: Content,
    /// A label of the user's own wording (`X-ABLabel`, a custom type).
    #[serde(default, rename = "l", skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it is for and what it can do: `home`, `work`, `cell`, `fax`, … in lower case.
    #[serde(default, rename = "g", skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// Preference, 1 is first, up to 100.
    #[serde(default, rename = "p", skip_serializing_if = "Option::is_none")]
    pub pref: Option<u8>,
}

fn is_zero(id: &ValueId) -> bool {
    *id == 0
}

impl Element {
    /// An element with nothing but its content.
    #[must_use]
    pub fn new(content: Content) -> Self {
        Self { id: 0, content, label: None, tags: BTreeSet::new(), pref: None }
    }

    /// A plain text element (a phone number, an email address, a web page).
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into()))
    }

    /// The same with tags added.
    #[must_use]
    pub fn tagged<'a>(mut self, tags: impl IntoIterator<Item = &'a str>) -> Self {
        self.tags.extend(tags.into_iter().map(str::to_owned));
        self
    }

    /// The canonical key that says whether two elements of a field are the same value (semantics, section 1).
    #[must_use]
    pub fn key(&self, field: &Field) -> String {
        key::element_key(field, &self.content)
    }

    /// Whether label, tags or preference differ (the value being the same).
    #[must_use]
    pub fn differs_in_detail(&self, other: &Self) -> bool {
        self.label != other.label || self.tags != other.tags || self.pref != other.pref
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content && !self.differs_in_detail(other)
    }
}

impl Eq for Element {}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Element({})", self.id)
    }
}

/// What an element holds.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// A phone number, email address, web page, nickname, category or member reference, as written.
    #[serde(rename = "t")]
    Text(String),
    /// A postal address.
    #[serde(rename = "a")]
    Address(Box<Address>),
    /// A messaging account or social profile.
    #[serde(rename = "s")]
    Service {
        /// Name of the service (`skype`, `twitter`); empty when unknown.
        service: String,
        /// Account name or URI, as written.
        user: String,
    },
    /// A dated event; the element's label says which.
    #[serde(rename = "d")]
    Date(PartialDate),
    /// A related person; the element's tags or label say how.
    #[serde(rename = "r")]
    Relation(String),
    /// A property that the model does not name.
    #[serde(rename = "x")]
    Property(Box<Property>),
}

impl Content {
    /// The content as a person reads it.
    #[must_use]
    pub fn show(&self) -> String {
        match self {
            Content::Text(text) | Content::Relation(text) => text.clone(),
            Content::Address(address) => address.show(),
            Content::Service { service, user } if service.is_empty() => user.clone(),
            Content::Service { service, user } => format!("{service}:{user}"),
            Content::Date(date) => date.to_string(),
            Content::Property(property) => format!("{}:{}", property.name, property.value),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content(…)")
    }
}

/// A postal address in its parts (JSContact address components, vCard ADR).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Post office box.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub po_box: String,
    /// Apartment, suite or other extension.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub extended: String,
    /// Street with number; lines separated by `\n`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub street: String,
    /// City.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// State, province or region.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Postal code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postcode: String,
    /// Country by name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub country: String,
}

impl Address {
    /// The parts in the order of vCard's ADR.
    #[must_use]
    pub fn parts(&self) -> [&String; 7] {
        let Self { po_box, extended, street, city, region, postcode, country } = self;
        [po_box, extended, street, city, region, postcode, country]
    }

    /// The parts in the order of vCard's ADR, to be changed.
    pub fn parts_mut(&mut self) -> [&mut String; 7] {
        let Self { po_box, extended, street, city, region, postcode, country } = self;
        [po_box, extended, street, city, region, postcode, country]
    }

    fn show(&self) -> String {
        let order = [
            &self.street,
            &self.extended,
            &self.po_box,
            &self.postcode,
            &self.city,
            &self.region,
            &self.country,
        ];
        let parts = order.into_iter().filter(|p| !p.is_empty());
        parts.map(|p| p.replace('\n', " ")).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// A property that the model does not name, as its format wrote it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Name as written.
    #[serde(rename = "n")]
    pub name: String,
    /// Property group (`item1`), if any; lines of one group belong together.
    #[serde(default, rename = "g", skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Parameters in order, each with the text of its value as written.
    #[serde(default, rename = "a", skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<(String, String)>,
    /// The value as written (escapes kept), unfolded.
    #[serde(rename = "v")]
    pub value: String,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Property(…)")
    }
}
