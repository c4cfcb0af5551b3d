//! What a user does to one item, and the pictures of the simulated world.

use crate::contact::{Blob, Contact, Field, Photo, Value};
use crate::source::ItemKind;

/// New values for some parts of an item; what is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// Fields to set, or to remove (`None`).
    pub values: Vec<(Field, Option<Value>)>,
    /// The bytes of the pictures among `values`.
    pub blobs: Vec<Blob>,
    /// The folder, by name; it is made if it is missing.
    pub folder: Option<String>,
    /// Whether it belongs to somebody else.
    pub shared: Option<bool>,
    /// What it is.
    pub kind: Option<ItemKind>,
    /// Whether it carries the engine's marker.
    pub marked: Option<bool>,
    /// The UID in its content.
    pub uid: Option<String>,
}

impl Edit {
    /// An edit that changes nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one field set.
    #[must_use]
    pub fn set(mut self, field: Field, value: impl Into<Value>) -> Self {
        self.values.push((field, Some(value.into())));
        self
    }

    /// The same with one field removed.
    #[must_use]
    pub fn clear(mut self, field: Field) -> Self {
        self.values.push((field, None));
        self
    }

    /// The same in this folder.
    #[must_use]
    pub fn folder(mut self, name: impl Into<String>) -> Self {
        self.folder = Some(name.into());
        self
    }

    /// Every field of a contact, as an edit.
    #[must_use]
    pub fn from_contact(contact: &Contact) -> Self {
        let values = contact.iter().map(|(field, value)| (field.clone(), Some(value.clone())));
        Self { values: values.collect(), ..Self::default() }
    }

    /// Applies the fields to a contact.
    pub fn apply_to(&self, contact: &mut Contact) {
        for (field, value) in &self.values {
            contact.put(field.clone(), value.clone());
        }
    }
}

/// The bytes of the picture with this name: not an image, but distinct for every name.
#[must_use]
pub fn picture(name: &str) -> Blob {
    Blob::new(format!("picture {name}").into_bytes())
}

/// The name of a picture, if it is one of `P0` to `P99`; else its hash or address.
#[must_use]
pub fn picture_name(photo: &Photo) -> String {
    match photo {
        Photo::Link(uri) => uri.clone(),
        Photo::Stored { hash, .. } => {
            let mut names = (0..100).map(|number| format!("P{number}"));
            names.find(|name| picture(name).hash == *hash).unwrap_or_else(|| format!("picture-{hash}"))
        }
    }
}
