//! The fields of the notation and their values: one table for parser, printer, checks and hosts.

use crate::contact::{Blob, Contact, Element, Field, Photo, Shape, Value};
use crate::testkit::sim::{picture, picture_name};
use std::fmt;

/// A value as the notation writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Literal {
    /// `f=text`, `f="two words"`; empty (`f=`) says that the field is absent.
    One(String),
    /// `f=[a,b]`; the order says nothing.
    Many(Vec<String>),
}

impl Literal {
    /// `yes` or `no`.
    #[must_use]
    pub fn yes(yes: bool) -> Self {
        Self::One(if yes { "yes" } else { "no" }.to_owned())
    }

    /// The text; `None` for a list.
    #[must_use]
    pub fn as_one(&self) -> Option<&str> {
        match self {
            Self::One(text) => Some(text),
            Self::Many(_) => None,
        }
    }

    /// The elements; none for a text.
    #[must_use]
    pub fn as_many(&self) -> &[String] {
        match self {
            Self::One(_) => &[],
            Self::Many(elements) => elements,
        }
    }
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A text.
    Text,
    /// A list of texts.
    List,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// A field that one side has, beside the fields of a contact.
pub trait Detail: Copy + Eq + fmt::Debug + Sized + 'static {
    /// All of them with their names and what they take.
    const TABLE: &'static [(Self, &'static str, Takes)];
}

/// A field of the notation: of the contact itself, or a detail of the side that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key<D> {
    /// A field of the contact.
    Card(Field),
    /// A detail of its side.
    Detail(D),
}

/// `key=value` of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assign<D> {
    /// The field.
    pub key: Key<D>,
    /// Its value, of a kind that the field takes.
    pub value: Literal,
}

/// Details of a library contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HubField {
    /// The user it belongs to.
    Owner,
    /// Users who may edit it.
    Editors,
    /// Users who may see it; absent means everyone.
    Readers,
    /// Its type, such as `employee`.
    Type,
    /// Its folder in the library.
    Folder,
    /// The account it is linked to, by the id of a `given account` line.
    Account,
    /// The user who last changed it.
    Audit,
    /// Whether it belongs to the company directory.
    Directory,
    /// Whether it is never exported.
    LocalOnly,
}

impl Detail for HubField {
    const TABLE: &'static [(Self, &'static str, Takes)] = &[
        (Self::Owner, "owner", Takes::Text),
        (Self::Editors, "editors", Takes::List),
        (Self::Readers, "readers", Takes::List),
        (Self::Type, "type", Takes::Text),
        (Self::Folder, "folder", Takes::Text),
        (Self::Account, "account", Takes::Text),
        (Self::Audit, "audit", Takes::Text),
        (Self::Directory, "dir", Takes::OneOf(&["yes", "no"])),
        (Self::LocalOnly, "local_only", Takes::OneOf(&["yes", "no"])),
    ];
}

/// Details of an item of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceField {
    /// Its folder, by name.
    Folder,
    /// Whether it belongs to somebody else.
    Shared,
    /// What it is.
    Kind,
    /// Whether it carries the engine's watermark.
    Watermark,
}

impl Detail for SourceField {
    const TABLE: &'static [(Self, &'static str, Takes)] = &[
        (Self::Folder, "folder", Takes::Text),
        (Self::Shared, "shared", Takes::OneOf(&["yes", "no"])),
        (Self::Kind, "kind", Takes::OneOf(&["contact", "group", "mail"])),
        (Self::Watermark, "wm", Takes::OneOf(&["on", "off"])),
    ];
}

/// The fields of a contact that the notation knows, by their names in it.
pub const CARD_FIELDS: &[&str] =
    &["first", "last", "middle", "title", "company", "phones", "emails", "photo", "notes", "industry"];

/// The field of the model behind a name of the notation. `industry` is the one field that no model names: it shows
/// that unmapped data survives.
fn card_field(name: &str) -> Option<Field> {
    match name {
        "industry" => Some(Field::Custom(name.to_owned())),
        _ if CARD_FIELDS.contains(&name) => name.parse().ok(),
        _ => None,
    }
}

impl<D: Detail> Key<D> {
    /// The field with this name on this side.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let detail = D::TABLE.iter().find(|(_, known, _)| *known == name);
        detail.map(|(detail, ..)| Self::Detail(*detail)).or_else(|| card_field(name).map(Self::Card))
    }

    /// All names of this side.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        CARD_FIELDS.iter().copied().chain(D::TABLE.iter().map(|(_, name, _)| *name)).collect()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Card(field) => field.name(),
            Self::Detail(detail) => {
                D::TABLE.iter().find(|(d, ..)| d == detail).map_or("", |(_, name, _)| name)
            }
        }
    }

    /// What it takes.
    #[must_use]
    pub fn takes(&self) -> Takes {
        match self {
            Self::Card(field) if field.is_list() => Takes::List,
            Self::Card(_) => Takes::Text,
            Self::Detail(detail) => {
                D::TABLE.iter().find(|(d, ..)| d == detail).map_or(Takes::Text, |(.., takes)| *takes)
            }
        }
    }
}

/// The value of a contact's field that a literal stands for; `None`: absent. Pictures stand for made-up bytes.
#[must_use]
pub fn value_of(field: &Field, literal: &Literal) -> Option<Value> {
    let value = match (literal, field.shape()) {
        (Literal::One(name), Shape::Photo) if !name.is_empty() => {
            Value::Photo(picture(name).photo("image/png"))
        }
        (Literal::One(text), _) => Value::Text(text.clone()),
        (Literal::Many(texts), _) => Value::List(texts.iter().map(Element::text).collect()),
    };
    Some(value).filter(|value| !value.is_empty())
}

/// The bytes of the picture that a literal names, if it names one.
#[must_use]
pub fn blob_of(field: &Field, literal: &Literal) -> Option<Blob> {
    match literal {
        Literal::One(name) if *field == Field::Photo && !name.is_empty() => Some(picture(name)),
        _ => None,
    }
}

/// A field of a contact as the notation writes it.
#[must_use]
pub fn literal_of(field: &Field, contact: &Contact) -> Literal {
    match contact.get(field) {
        None if field.is_list() => Literal::Many(Vec::new()),
        None => Literal::One(String::new()),
        Some(Value::List(elements)) => Literal::Many(elements.iter().map(|e| e.content.show()).collect()),
        Some(Value::Photo(photo @ (Photo::Stored { .. } | Photo::Link(_)))) => {
            Literal::One(picture_name(photo))
        }
        Some(value @ (Value::Text(_) | Value::Date(_))) => Literal::One(value.show()),
    }
}
