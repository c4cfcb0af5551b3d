//! The names of a contact's fields: one table serves the model, the policies, the scenarios and the stored form.

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How the value of a field is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One text.
    Text,
    /// One date (or free text where the source has no date).
    Date,
    /// One picture.
    Photo,
    /// A list of elements, matched by key.
    List,
}

macro_rules! fields {
    ($( $(#[$doc:meta])* $variant:ident = $name:literal : $shape:ident ),* $(,)?) => {
        /// A field of a contact. The text form (`first`, `phones`, `custom:industry`) is the flat key that
        /// policies, scenarios and the command line use.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {
            $( $(#[$doc])* $variant, )*
            /// A text field of the host's own, by its name.
            Custom(String),
        }

        impl Field {
            /// Every field with a fixed name, in order.
            pub const NAMED: &'static [Field] = &[$(Field::$variant),*];

            /// The flat key of a field with a fixed name; the bare name of a custom one.
            #[must_use]
            pub fn name(&self) -> &str {
                match self {
                    $(Field::$variant => $name,)*
                    Field::Custom(name) => name,
                }
            }

            /// How its value is made up.
            #[must_use]
            pub fn shape(&self) -> Shape {
                match self {
                    $(Field::$variant => Shape::$shape,)*
                    Field::Custom(_) => Shape::Text,
                }
            }

            fn named(name: &str) -> Option<Field> {
                match name {
                    $($name => Some(Field::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

fields! {
    /// The name as one text, as the person or the source wrote it (vCard FN).
    FullName = "full_name": Text,
    /// Given name.
    First = "first": Text,
    /// Family name.
    Last = "last": Text,
    /// Additional names.
    Middle = "middle": Text,
    /// Honorific prefixes.
    Prefix = "prefix": Text,
    /// Honorific suffixes and generation.
    Suffix = "suffix": Text,
    /// How the given name is pronounced.
    PhoneticFirst = "phonetic_first": Text,
    /// How the family name is pronounced.
    PhoneticLast = "phonetic_last": Text,
    /// Nicknames.
    Nicknames = "nicknames": List,
    /// Organization.
    Company = "company": Text,
    /// Units of the organization, outermost first; several are separated by `; `.
    Department = "department": Text,
    /// Job title.
    Title = "title": Text,
    /// Role or occupation.
    Role = "role": Text,
    /// Phone numbers.
    Phones = "phones": List,
    /// Email addresses.
    Emails = "emails": List,
    /// Postal addresses.
    Addresses = "addresses": List,
    /// Web pages.
    Urls = "urls": List,
    /// Messaging accounts and social profiles.
    Services = "services": List,
    /// Birthday.
    Birthday = "birthday": Date,
    /// Wedding anniversary.
    Anniversary = "anniversary": Date,
    /// Other dates, with their labels.
    Dates = "dates": List,
    /// Related people.
    Relations = "relations": List,
    /// Gender, as the source wrote it.
    Gender = "gender": Text,
    /// Categories.
    Categories = "categories": List,
    /// Notes.
    Notes = "notes": Text,
    /// The picture.
    Photo = "photo": Photo,
    /// Members of a group card.
    Members = "members": List,
    /// Properties that the model does not name, kept with their parameters.
    Extra = "extra": List,
}

impl Field {
    /// The flat key: `custom:NAME` for a custom field, the name for every other.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Field::Custom(name) => format!("custom:{name}"),
            _ => self.name().to_owned(),
        }
    }

    /// Whether the value is a list of elements.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.shape() == Shape::List
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}

/// A text that names no field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no field is named {0:?}; custom fields are written custom:NAME")]
pub struct UnknownField(pub String);

impl FromStr for Field {
    type Err = UnknownField;
    fn from_str(key: &str) -> Result<Self, UnknownField> {
        match key.strip_prefix("custom:") {
            Some(name) if !name.is_empty() => Ok(Field::Custom(name.to_owned())),
            _ => Field::named(key).ok_or_else(|| UnknownField(key.to_owned())),
        }
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Field::Custom(_) => serializer.serialize_str(&self.key()),
            named => serializer.serialize_str(named.name()),
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the key of a field")
            }
            fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Field, E> {
                key.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_names_its_field() {
        for field in Field::NAMED.iter().cloned().chain([Field::Custom("industry".into())]) {
            assert_eq!(field.key().parse(), Ok(field));
        }
        assert!("custom:".parse::<Field>().is_err());
        assert!("nothing".parse::<Field>().is_err());
    }
}
