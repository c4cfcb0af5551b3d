//! From content lines to a contact, and which line says what.

mod details;
mod labels;
mod reader;

use super::charset::{self, Source};
use super::error::CardError;
use super::full_name::Composition;
use super::line::{Line, Transfer, lines};
use super::name::Name;
use super::{CardVersion, Decoded, photo, quoted_printable};
use acquaint_core::contact::Field;
use acquaint_core::limits;
use smallvec::SmallVec;
use std::borrow::Cow;

pub(super) use details::STANDARD_TYPES;
pub(super) use labels::Labels;
use reader::Reader;
pub(super) use reader::{UNIT_SEPARATOR, read_alone};

/// Reads the first card in `bytes`, whatever stands before and after it.
///
/// A card without END ends where the next begins, or with the data. Values that are not UTF-8 and name no character
/// set are read as Windows-1252.
///
/// # Errors
/// When there is no card, or it is beyond the limits; see [`CardError`] for who can fix it.
pub fn decode(bytes: &[u8]) -> Result<Decoded, CardError> {
    let source = Source::new(bytes);
    let mut card = Card::empty();
    card.fill(&source.text)?;
    Ok(card.read_lines(None)?.2)
}

/// Lines of an ordinary card, which need no memory of their own: allocating as much is slow, since allocators tidy up
/// at blocks of this size.
const ORDINARY: usize = 32;

/// The lines of one card.
pub(super) struct Card<'a> {
    /// Where it starts in the text.
    pub(super) start: usize,
    /// From BEGIN to END.
    pub(super) lines: SmallVec<[Line<'a>; ORDINARY]>,
    /// The property each line is.
    pub(super) names: SmallVec<[Name; ORDINARY]>,
    /// The version it says.
    pub(super) version: CardVersion,
    /// Whether it has labels, and members of a group.
    has_labels: bool,
    has_members: bool,
}

impl<'a> Card<'a> {
    /// Finds the first card of a text.
    pub(super) fn find(text: &'a [u8]) -> Result<Self, CardError> {
        let mut card = Self::empty();
        card.fill(text)?;
        Ok(card)
    }

    fn empty() -> Self {
        Self {
            start: 0,
            lines: SmallVec::new(),
            names: SmallVec::new(),
            version: CardVersion::V30,
            has_labels: false,
            has_members: false,
        }
    }

    /// Fills an empty card from a text; cards are large to move.
    fn fill(&mut self, text: &'a [u8]) -> Result<(), CardError> {
        let mut rest = lines(text);
        let begin = loop {
            let line = rest.next().ok_or(CardError::NotACard)?;
            if line.is_boundary(b"BEGIN") {
                break line;
            }
            self.start += line.raw.len();
        };
        let mut size = begin.raw.len();
        self.lines.push(begin);
        self.names.push(Name::Begin);
        for line in rest {
            let name = Name::of(line.name().trim_ascii());
            let ends = name == Name::End && line.is_boundary(b"END");
            if name == Name::Begin && line.is_boundary(b"BEGIN") {
                break;
            }
            size += line.raw.len();
            if size > limits::CARD_BYTES {
                return Err(CardError::TooLarge);
            }
            // BEGIN is in the count.
            if !ends && self.lines.len() > limits::CARD_PROPERTIES {
                return Err(CardError::TooManyProperties);
            }
            if line.parameters() as usize > limits::PROPERTY_PARAMETERS {
                return Err(CardError::TooManyParameters);
            }
            match name {
                Name::Version => {
                    self.version = match line.value().trim_ascii() {
                        b"2.1" => CardVersion::V21,
                        b"4.0" => CardVersion::V40,
                        _ => CardVersion::V30,
                    };
                }
                Name::Label => self.has_labels = true,
                Name::Member => self.has_members |= !line.value().is_empty(),
                _ => {}
            }
            self.lines.push(line);
            self.names.push(name);
            if ends {
                break;
            }
        }
        Ok(())
    }

    /// Reads all lines and keeps what each says.
    pub(super) fn read(&self) -> Result<Reading, CardError> {
        let mut claims = Vec::with_capacity(self.lines.len());
        let (labels, way, decoded) = self.read_lines(Some(&mut claims))?;
        Ok(Reading { decoded, claims, labels, way })
    }

    fn read_lines(
        &self,
        mut claims: Option<&mut Vec<Claim>>,
    ) -> Result<(Labels, Option<Composition>, Decoded), CardError> {
        let labels = Labels::of(self)?;
        let mut reader = Reader::new(self.version, self.has_members);
        for (index, (line, name)) in self.lines.iter().zip(&self.names).enumerate() {
            let label = labels.of_line(line);
            let claim = match label {
                // A label line stands for itself only where it names nothing.
                Some(entry) if entry.line == index && entry.uses > 0 => Claim::Label,
                _ => reader.line(line, *name, label.map(|entry| &entry.label))?,
            };
            if let Some(claims) = &mut claims {
                claims.push(claim);
            }
        }
        let (way, decoded) = reader.finish();
        Ok((labels, way, decoded))
    }
}

/// A card, read, with what each line says.
pub(super) struct Reading {
    /// The contact and the rest.
    pub(super) decoded: Decoded,
    /// What each line says.
    pub(super) claims: Vec<Claim>,
    /// The labels of groups.
    pub(super) labels: Labels,
    /// How the full name follows from the other names, if it does.
    pub(super) way: Option<Composition>,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Nothing of the contact: bookkeeping, a value that is empty.
    Silent,
    /// A field with one value.
    Single(Field),
    /// The same as another line: the anniversary by another name.
    Twin(Field),
    /// The parts of the name.
    Names,
    /// Company and department.
    Organization,
    /// Elements of a list field: the first's place in it, and how many.
    Elements(Field, usize, usize),
    /// The label of other lines.
    Label,
}

/// The text of a line's value: encodings resolved, escapes still in place.
pub(super) fn text<'l>(line: &'l Line<'_>) -> Result<Cow<'l, str>, CardError> {
    let charset = || line.params().filter(|p| p.is("CHARSET")).last().map(|param| param.value.trim_ascii());
    text_in(line, if line.parameters() == 0 { None } else { charset() })
}

fn text_in<'l>(line: &'l Line<'_>, charset: Option<&[u8]>) -> Result<Cow<'l, str>, CardError> {
    let bytes = match line.transfer {
        Transfer::Plain => return charset::decode(line.value(), charset),
        Transfer::Quoted => quoted_printable::decode(line.value()),
        Transfer::Base64 => match photo::decode(line.value()) {
            Some(bytes) => Cow::Owned(bytes),
            None => Cow::Borrowed(line.value()),
        },
    };
    let text = charset::decode(&bytes, charset)?;
    Ok(Cow::Owned(if text.contains('\r') { text.replace("\r\n", "\n") } else { text.into_owned() }))
}
