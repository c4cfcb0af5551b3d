//! What a contact is: fields and values, how they are named and compared.
//!
//! The shape follows JSContact (RFC 9553): single fields for the parts of the name and the like, lists whose
//! elements carry label, tags and preference. Everything that works on contacts (merge, projection, plan, policy)
//! works on fields, so a new field is a line in the table of [`Field`].

mod date;
mod field;
mod key;
mod value;

pub use date::PartialDate;
pub use field::{Field, Shape, UnknownField};
pub use key::{content_hash, element_key, email_key, phone_key, uid_key, value_key};
pub use value::{Address, Blob, Content, Element, Photo, Property, Value, ValueId};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A contact: its fields, each with a value that is not empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contact {
    fields: BTreeMap<Field, Value>,
}

impl Contact {
    /// A contact without any field.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one field set; for building contacts in one expression.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.set(field, value.into());
        self
    }

    /// The same with one element added to a list field.
    #[must_use]
    pub fn with_element(mut self, field: Field, element: Element) -> Self {
        self.push(field, element);
        self
    }

    /// Sets a field; an empty value removes it.
    pub fn set(&mut self, field: Field, value: Value) {
        if value.is_empty() {
            self.fields.remove(&field);
        } else {
            self.fields.insert(field, value);
        }
    }

    /// Sets or removes a field.
    pub fn put(&mut self, field: Field, value: Option<Value>) {
        match value {
            Some(value) => self.set(field, value),
            None => drop(self.fields.remove(&field)),
        }
    }

    /// Adds an element at the end of a list field.
    pub fn push(&mut self, field: Field, element: Element) {
        match self.fields.get_mut(&field) {
            Some(Value::List(elements)) => elements.push(element),
            _ => drop(self.fields.insert(field, Value::List(vec![element]))),
        }
    }

    /// Removes a field and returns what it held.
    pub fn remove(&mut self, field: &Field) -> Option<Value> {
        self.fields.remove(field)
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, field: &Field) -> Option<&Value> {
        self.fields.get(field)
    }

    /// The text of a field; empty when absent.
    #[must_use]
    pub fn text(&self, field: &Field) -> &str {
        self.get(field).and_then(Value::as_text).unwrap_or("")
    }

    /// The elements of a list field; none when absent.
    #[must_use]
    pub fn list(&self, field: &Field) -> &[Element] {
        self.get(field).map(Value::elements).unwrap_or(&[])
    }

    /// Fields with their values, in the order of [`Field`].
    pub fn iter(&self) -> impl Iterator<Item = (&Field, &Value)> {
        self.fields.iter()
    }

    /// The fields that hold something.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.keys()
    }

    /// Whether no field holds anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields whose values differ between the two, in order.
    #[must_use]
    pub fn changed_fields(&self, other: &Contact) -> Vec<Field> {
        let mut fields: Vec<Field> = self.fields.keys().chain(other.fields.keys()).cloned().collect();
        fields.sort();
        fields.dedup();
        fields.retain(|field| self.get(field) != other.get(field));
        fields
    }

    /// The name to show: the full name, else its parts, else company, first email, first phone.
    #[must_use]
    pub fn display_name(&self) -> String {
        let parts = [Field::Prefix, Field::First, Field::Middle, Field::Last, Field::Suffix];
        let joined: Vec<&str> = parts.iter().map(|f| self.text(f)).filter(|t| !t.is_empty()).collect();
        if !self.text(&Field::FullName).is_empty() {
            return self.text(&Field::FullName).to_owned();
        }
        if !joined.is_empty() {
            return joined.join(" ");
        }
        if !self.text(&Field::Company).is_empty() {
            return self.text(&Field::Company).to_owned();
        }
        let first = self.list(&Field::Emails).first().or_else(|| self.list(&Field::Phones).first());
        first.map(|e| e.content.show()).unwrap_or_default()
    }
}

impl IntoIterator for Contact {
    type Item = (Field, Value);
    type IntoIter = std::collections::btree_map::IntoIter<Field, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.fields.into_iter()
    }
}

impl FromIterator<(Field, Value)> for Contact {
    fn from_iter<I: IntoIterator<Item = (Field, Value)>>(fields: I) -> Self {
        let mut contact = Contact::new();
        for (field, value) in fields {
            contact.set(field, value);
        }
        contact
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .fields
            .keys()
            .map(|k| if matches!(k, Field::Custom(_)) { "custom" } else { k.name() })
            .collect();
        write!(f, "Contact({})", names.join(" "))
    }
}
