//! vCard 2.1, 3.0 and 4.0 without loss: cards are read as content lines over their own bytes, and written by
//! rewriting only the lines of what changed. Every other line stays as it is, byte for byte, known or not.
//!
//! [`decode`] reads a card into a [`Contact`], [`compose`] makes a new card of one, [`patch`] writes changed fields
//! into an existing card, [`compose_from`] makes a new card after the pattern of another.
//!
//! What a round trip `decode(compose(contact))` does not keep, for lack of a place in the format:
//! - line breaks become `\n`; types, services and media types are read in lower case; types cannot hold commas;
//! - the type `internet` of an email address is taken for granted and not read;
//! - in 3.0, quotes in types and parameters become apostrophes (older versions have no escape for them);
//! - names of services are read by one name each (`jabber` is `xmpp`, `googletalk` is `gtalk`);
//! - a date tagged `anniversary` is the anniversary, if the contact has no other;
//! - a full name that only says what the other names say is not read (see [`Contact::display_name`]), nor is the
//!   family name of a group that is its full name;
//! - blanks around nicknames and categories; the binding of a property that the model does not name to the line of
//!   its group.

mod cards;
mod charset;
mod compose;
mod date;
mod decode;
mod error;
mod fresh;
mod full_name;
#[cfg(test)]
mod generate;
mod label;
#[cfg(test)]
mod laws;
mod line;
mod meaning;
mod name;
mod params;
mod patch;
mod photo;
mod property;
mod quoted_printable;
mod render;
mod service;
mod text;

pub use cards::cards;
pub use compose::{compose, compose_from};
pub use decode::decode;
pub use error::CardError;
pub use meaning::same_meaning;
pub use patch::patch;

use acquaint_core::contact::{Blob, Contact};
use acquaint_core::source::ItemKind;
use acquaint_core::time::Time;
use std::fmt;

/// Version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CardVersion {
    /// vCard 2.1 (versit, 1996). Read and patched, never newly written.
    V21,
    /// vCard 3.0 (RFC 2426).
    V30,
    /// vCard 4.0 (RFC 6350).
    V40,
}

impl CardVersion {
    /// As the VERSION property says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V21 => "2.1",
            Self::V30 => "3.0",
            Self::V40 => "4.0",
        }
    }
}

/// A card, read.
#[derive(Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Its fields.
    pub contact: Contact,
    /// Its UID as written.
    pub uid: Option<String>,
    /// Whether it is a person or a group. A group keeps its name in the full name.
    pub kind: ItemKind,
    /// The picture that `contact` names, if the card contains it.
    pub blobs: Vec<Blob>,
    /// The version it is written in; 3.0 when it does not say.
    pub version: CardVersion,
    /// When it was last changed, as its producer says (REV).
    pub revised: Option<Time>,
}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoded({:?} {:?} {:?})", self.version, self.kind, self.contact)
    }
}

/// What a new card is made of.
#[derive(Clone, Copy)]
pub struct Draft<'a> {
    /// Its fields.
    pub contact: &'a Contact,
    /// Its UID, as it is to be written.
    pub uid: &'a str,
    /// The bytes of the picture that `contact` names.
    pub blobs: &'a [Blob],
    /// The version to write; 2.1 is written as 3.0.
    pub version: CardVersion,
}

impl fmt::Debug for Draft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({:?} {:?})", self.version, self.contact)
    }
}

/// The number of content lines, for measurements of the lexer alone.
#[doc(hidden)]
#[must_use]
pub fn count_lines(bytes: &[u8]) -> usize {
    line::lines(bytes).filter(|line| !line.name().is_empty()).count()
}
