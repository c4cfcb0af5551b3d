//! From content lines to a contact, and which line says what.

use super::error::CardError;
use super::full_name::Composition;
use super::label::Label;
use super::line::{Line, Transfer, lines};
use super::name::Name;
use super::params;
use super::photo::{self, Picture};
use super::text::{components, split, unescape};
use super::{CardVersion, Decoded, charset, date, property, quoted_printable, service};
use acquaint_core::contact::{Address, Contact, Content, Element, Field, Property, Value};
use acquaint_core::limits;
use acquaint_core::source::ItemKind;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Reads the first card in `bytes`, whatever stands before and after it.
///
/// A card without END ends where the next begins, or with the data. Values that are not UTF-8 and name no character
/// set are read as Windows-1252.
///
/// # Errors
/// When there is no card, or it is beyond the limits; see [`CardError`] for who can fix it.
pub fn decode(bytes: &[u8]) -> Result<Decoded, CardError> {
    let source = charset::Source::new(bytes);
    let card = Card::find(&source.text)?;
    Ok(card.read()?.decoded)
}

/// The lines of one card.
pub(super) struct Card<'a> {
    /// Where it starts in the text.
    pub(super) start: usize,
    /// From BEGIN to END.
    pub(super) lines: Vec<Line<'a>>,
    /// The property each line is.
    pub(super) names: Vec<Name>,
    /// The version it says.
    pub(super) version: CardVersion,
}

impl<'a> Card<'a> {
    /// Finds the first card of a text.
    pub(super) fn find(text: &'a [u8]) -> Result<Self, CardError> {
        let mut start = 0;
        let mut rest = lines(text);
        let begin = loop {
            let line = rest.next().ok_or(CardError::NotACard)?;
            if line.is_boundary(b"BEGIN") {
                break line;
            }
            start += line.raw.len();
        };
        let mut size = begin.raw.len();
        let mut card = Self {
            start,
            lines: Vec::with_capacity(32),
            names: Vec::with_capacity(32),
            version: CardVersion::V30,
        };
        card.lines.push(begin);
        card.names.push(Name::Begin);
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
            if !ends && card.lines.len() > limits::CARD_PROPERTIES {
                return Err(CardError::TooManyProperties);
            }
            if line.parameters as usize > limits::PROPERTY_PARAMETERS {
                return Err(CardError::TooManyParameters);
            }
            if name == Name::Version {
                card.version = match line.value().trim_ascii() {
                    b"2.1" => CardVersion::V21,
                    b"4.0" => CardVersion::V40,
                    _ => CardVersion::V30,
                };
            }
            card.lines.push(line);
            card.names.push(name);
            if ends {
                break;
            }
        }
        Ok(card)
    }

    /// Reads all lines.
    pub(super) fn read(&self) -> Result<Reading, CardError> {
        let mut reader = Reader {
            version: self.version,
            contact: Contact::new(),
            blobs: Vec::new(),
            full_name: None,
            names_seen: false,
            company_seen: false,
            uid: None,
            revised: None,
            blank: Vec::new(),
            group: false,
            empty_group: false,
        };
        let labels = Labels::of(self)?;
        let members = |(line, name): (&Line<'_>, &Name)| *name == Name::Member && !line.value().is_empty();
        reader.empty_group = !self.lines.iter().zip(&self.names).any(members);
        let mut claims = Vec::with_capacity(self.lines.len());
        for (index, (line, name)) in self.lines.iter().zip(&self.names).enumerate() {
            let label = labels.of_line(line);
            claims.push(match (name, label) {
                // A label line stands for itself only where it names nothing.
                (Name::Label, Some(entry)) if entry.line == index && entry.uses > 0 => Claim::Label,
                _ => reader.line(line, *name, label.map(|entry| &entry.label))?,
            });
        }
        let (way, decoded) = reader.finish();
        Ok(Reading { decoded, claims, labels, way })
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

/// The labels of a card by their groups.
#[derive(Default)]
pub(super) struct Labels {
    /// Sorted by group.
    entries: Vec<LabelEntry>,
}

/// The label of one group.
pub(super) struct LabelEntry {
    group: Vec<u8>,
    /// The line it stands in.
    pub(super) line: usize,
    /// What it says.
    pub(super) label: Label,
    /// How many lines it names.
    pub(super) uses: usize,
}

impl Labels {
    fn of(card: &Card<'_>) -> Result<Self, CardError> {
        let mut labels = Self::default();
        if !card.names.contains(&Name::Label) {
            return Ok(labels);
        }
        for (index, (line, name)) in card.lines.iter().zip(&card.names).enumerate() {
            if *name == Name::Label && !line.group().is_empty() {
                let text = text(line)?;
                if let Some(label) = Label::read(&unescape(&text)) {
                    let group = line.group().to_ascii_lowercase();
                    labels.entries.push(LabelEntry { group, line: index, label, uses: 0 });
                }
            }
        }
        labels.entries.sort_by(|a, b| a.group.cmp(&b.group).then(a.line.cmp(&b.line)));
        labels.entries.dedup_by(|later, first| later.group == first.group);
        for (line, name) in card.lines.iter().zip(&card.names) {
            if !name.takes_label() || line.group().is_empty() || line.value().is_empty() {
                continue;
            }
            let Some(entry) = labels.find(line.group()).and_then(|at| labels.entries.get_mut(at)) else {
                continue;
            };
            // A date that is none is a property like any other, unless it is the anniversary.
            let is_date =
                || text(line).is_ok_and(|t| matches!(date::read(line, &unescape(&t)), Value::Date(_)));
            if *name != Name::XAbDate || entry.label.is_anniversary() || is_date() {
                entry.uses += 1;
            }
        }
        Ok(labels)
    }

    /// The label of a line's group.
    pub(super) fn of_line(&self, line: &Line<'_>) -> Option<&LabelEntry> {
        if self.entries.is_empty() || line.group().is_empty() {
            return None;
        }
        self.entries.get(self.find(line.group())?)
    }

    fn find(&self, group: &[u8]) -> Option<usize> {
        let group = group.to_ascii_lowercase();
        self.entries.binary_search_by(|entry| entry.group.cmp(&group)).ok()
    }
}

/// What the parameters of a line say.
struct Details<'l> {
    tags: BTreeSet<String>,
    pref: Option<u8>,
    charset: Option<&'l [u8]>,
    uri: bool,
    service: Option<String>,
    user: Option<String>,
    first_type: Option<String>,
}

/// Reads lines into a contact.
pub(super) struct Reader {
    version: CardVersion,
    contact: Contact,
    blobs: Vec<acquaint_core::contact::Blob>,
    full_name: Option<String>,
    names_seen: bool,
    company_seen: bool,
    uid: Option<String>,
    revised: Option<acquaint_core::time::Time>,
    /// Fields whose first line is blank.
    blank: Vec<Field>,
    group: bool,
    empty_group: bool,
}

impl Reader {
    fn line(&mut self, line: &Line<'_>, name: Name, label: Option<&Label>) -> Result<Claim, CardError> {
        match name {
            Name::Begin | Name::End | Name::Version | Name::ProdId => Ok(Claim::Silent),
            Name::Uid => {
                let uid = unescape(&text(line)?).into_owned();
                self.uid = self.uid.take().or(Some(uid)).filter(|uid| !uid.is_empty());
                Ok(Claim::Silent)
            }
            Name::Rev => {
                self.revised = date::read_time(&text(line)?);
                Ok(Claim::Silent)
            }
            Name::Other if line.name().is_empty() => Ok(Claim::Silent),
            Name::Label | Name::Other => self.extra(line),
            Name::Fn => self.full_name(line),
            Name::N => self.names(line),
            Name::Org => self.organization(line),
            Name::Title => self.single(line, Field::Title),
            Name::Role => self.single(line, Field::Role),
            Name::Note => self.single(line, Field::Notes),
            Name::PhoneticFirst => self.single(line, Field::PhoneticFirst),
            Name::PhoneticLast => self.single(line, Field::PhoneticLast),
            Name::XGender | Name::Gender => self.gender(line, name),
            Name::Bday => self.date(line, Field::Birthday),
            Name::Anniversary => self.date(line, Field::Anniversary),
            Name::Photo => self.photo(line),
            Name::Kind => self.kind(line),
            Name::Custom => self.custom(line),
            Name::XAbDate => self.other_date(line, label),
            Name::Member => self.one(line, name, Field::Members, None),
            Name::Tel => self.one(line, name, Field::Phones, label),
            Name::Email => self.one(line, name, Field::Emails, label),
            Name::Adr => self.one(line, name, Field::Addresses, label),
            Name::Url => self.one(line, name, Field::Urls, label),
            Name::Impp | Name::XSocialProfile | Name::SocialProfile | Name::XService(_) => {
                self.one(line, name, Field::Services, label)
            }
            Name::Related | Name::XAbRelatedNames | Name::XRelation(_) => {
                self.one(line, name, Field::Relations, label)
            }
            Name::Nickname => self.many(line, Field::Nicknames, label),
            Name::Categories => self.many(line, Field::Categories, label),
        }
    }

    fn finish(self) -> (Option<Composition>, Decoded) {
        let Self { mut contact, full_name, .. } = self;
        let mut way = None;
        if let Some(full_name) = full_name.filter(|name| !name.is_empty()) {
            if self.group {
                // 3.0 wants N, so that producers write the name of a group there too.
                if contact.text(&Field::Last) == full_name {
                    contact.remove(&Field::Last);
                }
            } else {
                way = Composition::of(&full_name, &contact);
            }
            if way.is_none() {
                contact.set(Field::FullName, Value::Text(full_name));
            }
        }
        let kind = if self.group { ItemKind::Group } else { ItemKind::Contact };
        let (uid, blobs, version, revised) = (self.uid, self.blobs, self.version, self.revised);
        (way, Decoded { contact, uid, kind, blobs, version, revised })
    }

    fn extra(&mut self, line: &Line<'_>) -> Result<Claim, CardError> {
        let property = property::read(line, self.version)?;
        self.push(Field::Extra, Element::new(Content::Property(Box::new(property))))
    }

    /// Adds one element.
    fn push(&mut self, field: Field, element: Element) -> Result<Claim, CardError> {
        let first = self.contact.list(&field).len();
        if first >= limits::FIELD_VALUES {
            return Err(CardError::TooManyValues { field });
        }
        self.contact.push(field.clone(), element);
        Ok(Claim::Elements(field, first, 1))
    }

    /// Sets a field by its first line, even if that is blank; further lines are properties like any other.
    fn set(&mut self, line: &Line<'_>, field: Field, value: Value) -> Result<Claim, CardError> {
        if self.contact.get(&field).is_some() || self.blank.contains(&field) {
            return self.extra(line);
        }
        if value.is_empty() {
            self.blank.push(field.clone());
        }
        self.contact.set(field.clone(), value);
        Ok(Claim::Single(field))
    }

    fn single(&mut self, line: &Line<'_>, field: Field) -> Result<Claim, CardError> {
        let value = Value::Text(unescape(&text(line)?).into_owned());
        self.set(line, field, value)
    }

    fn gender(&mut self, line: &Line<'_>, name: Name) -> Result<Claim, CardError> {
        let raw = text(line)?;
        let text = unescape(&raw);
        // `GENDER:;text` has no sex component.
        let text = if name == Name::Gender { text.strip_prefix(';').unwrap_or(&text) } else { &text };
        self.set(line, Field::Gender, Value::Text(text.to_owned()))
    }

    fn full_name(&mut self, line: &Line<'_>) -> Result<Claim, CardError> {
        if self.full_name.is_some() {
            return self.extra(line);
        }
        self.full_name = Some(unescape(&text(line)?).into_owned());
        Ok(Claim::Single(Field::FullName))
    }

    fn names(&mut self, line: &Line<'_>) -> Result<Claim, CardError> {
        const PARTS: [Field; 5] = [Field::Last, Field::First, Field::Middle, Field::Prefix, Field::Suffix];
        if self.names_seen {
            return self.extra(line);
        }
        let text = text(line)?;
        let parts = components(&text)?;
        self.names_seen = true;
        for (field, part) in PARTS.into_iter().zip(parts) {
            self.contact.set(field, Value::Text(unescape(part).into_owned()));
        }
        Ok(Claim::Names)
    }

    fn organization(&mut self, line: &Line<'_>) -> Result<Claim, CardError> {
        if self.company_seen {
            return self.extra(line);
        }
        let text = text(line)?;
        let parts = components(&text)?;
        self.company_seen = true;
        let mut parts = parts.into_iter().map(unescape);
        let company = parts.next().unwrap_or_default().into_owned();
        self.contact.set(Field::Company, Value::Text(company));
        let units: Vec<Cow<'_, str>> = parts.collect();
        let last = units.iter().rposition(|unit| !unit.is_empty()).map_or(0, |at| at + 1);
        let department = units.get(..last).unwrap_or(&[]).join(UNIT_SEPARATOR);
        self.contact.set(Field::Department, Value::Text(department));
        Ok(Claim::Organization)
    }

    fn date(&mut self, line: &Line<'_>, field: Field) -> Result<Claim, CardError> {
        let value = date::read(line, &unescape(&text(line)?));
        if field == Field::Anniversary && self.contact.get(&field) == Some(&value) {
            return Ok(Claim::Twin(field));
        }
        self.set(line, field, value)
    }

    fn other_date(&mut self, line: &Line<'_>, label: Option<&Label>) -> Result<Claim, CardError> {
        let details = details(line, self.version);
        let value = date::read(line, &unescape(&text_in(line, details.charset)?));
        if label.is_some_and(Label::is_anniversary) && !value.is_empty() {
            match self.contact.get(&Field::Anniversary) {
                None => return self.set(line, Field::Anniversary, value),
                Some(known) if *known == value => return Ok(Claim::Twin(Field::Anniversary)),
                Some(_) => {}
            }
        }
        match value {
            Value::Date(date) => {
                let element = element(Content::Date(date), details, label);
                self.push(Field::Dates, element)
            }
            value if value.is_empty() => Ok(Claim::Silent),
            _ => self.extra(line),
        }
    }

    fn photo(&mut self, line: &Line<'_>) -> Result<Claim, CardError> {
        if self.contact.get(&Field::Photo).is_some() {
            return self.extra(line);
        }
        if line.value().trim_ascii().is_empty() {
            return self.set(line, Field::Photo, Value::Text(String::new()));
        }
        let Some(picture) = photo::read(line).filter(|_| !self.blank.contains(&Field::Photo)) else {
            return self.extra(line);
        };
        self.contact.set(Field::Photo, Value::Photo(picture.photo()));
        if let Picture::Bytes(blob, _) = picture {
            self.blobs.push(blob);
        }
        Ok(Claim::Single(Field::Photo))
    }

    fn kind(&mut self, line: &Line<'_>) -> Result<Claim, CardError> {
        if line.value().is_empty() {
            return Ok(Claim::Silent);
        }
        if !line.value().trim_ascii().eq_ignore_ascii_case(b"group") || self.group {
            return self.extra(line);
        }
        self.group = true;
        if !self.empty_group {
            return Ok(Claim::Silent);
        }
        // Nothing else says that a group without members is one.
        let kind =
            Property { name: "KIND".into(), group: None, parameters: Vec::new(), value: "group".into() };
        self.push(Field::Extra, Element::new(Content::Property(Box::new(kind))))
    }

    fn custom(&mut self, line: &Line<'_>) -> Result<Claim, CardError> {
        let text = text(line)?;
        let mut parts = split(&text, b';').map(unescape);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some(value), None) if !name.is_empty() => {
                self.set(line, Field::Custom(name.into_owned()), Value::Text(value.into_owned()))
            }
            _ => self.extra(line),
        }
    }

    /// A line with one element.
    fn one(
        &mut self,
        line: &Line<'_>,
        name: Name,
        field: Field,
        label: Option<&Label>,
    ) -> Result<Claim, CardError> {
        let mut details = details(line, self.version);
        let raw = text_in(line, details.charset)?;
        let content = match name {
            Name::Adr => {
                let mut address = Address::default();
                for (part, text) in address.parts_mut().into_iter().zip(components(&raw)?) {
                    *part = unescape(text).into_owned();
                }
                if address == Address::default() {
                    return Ok(Claim::Silent);
                }
                return self.push(field, element(Content::Address(Box::new(address)), details, label));
            }
            _ => unescape(&raw),
        };
        let content = match name {
            Name::Tel if details.uri => {
                Content::Text(content.strip_prefix("tel:").unwrap_or(&content).to_owned())
            }
            Name::Impp => service::read_impp(&content, details.service.take()),
            Name::SocialProfile => {
                service::read_profile(&content, details.service.take(), details.user.take())
            }
            Name::XSocialProfile => {
                if details.service.is_none() {
                    if let Some(first) = details.first_type.take() {
                        details.tags.remove(&first);
                        details.service = Some(service::canonical(&first));
                    }
                }
                service::read_profile(&content, details.service.take(), details.user.take())
            }
            Name::XService(service) => {
                Content::Service { service: service.to_owned(), user: content.into_owned() }
            }
            Name::Related | Name::XAbRelatedNames => Content::Relation(content.into_owned()),
            Name::XRelation(tag) => {
                details.tags.insert(tag.to_owned());
                Content::Relation(content.into_owned())
            }
            Name::Email => {
                details.tags.remove("internet");
                Content::Text(content.into_owned())
            }
            _ => Content::Text(content.into_owned()),
        };
        let empty = match &content {
            Content::Text(text) | Content::Relation(text) | Content::Service { user: text, .. } => {
                text.is_empty()
            }
            _ => false,
        };
        if empty {
            return Ok(Claim::Silent);
        }
        self.push(field, element(content, details, label))
    }

    /// A line with elements separated by commas.
    fn many(&mut self, line: &Line<'_>, field: Field, label: Option<&Label>) -> Result<Claim, CardError> {
        let details = details(line, self.version);
        let raw = text_in(line, details.charset)?;
        let pattern = element(Content::Text(String::new()), details, label);
        let first = self.contact.list(&field).len();
        let mut count = 0;
        for part in split(&raw, b',') {
            let text = unescape(part).trim().to_owned();
            if !text.is_empty() {
                self.push(field.clone(), Element { content: Content::Text(text), ..pattern.clone() })?;
                count += 1;
            }
        }
        Ok(if count == 0 { Claim::Silent } else { Claim::Elements(field, first, count) })
    }
}

/// What joins the units of an organization in the field `department`.
pub(super) const UNIT_SEPARATOR: &str = "; ";

fn element(content: Content, details: Details<'_>, label: Option<&Label>) -> Element {
    let Details { mut tags, pref, .. } = details;
    let label = match label {
        Some(Label::Custom(text)) => Some(text.clone()),
        Some(Label::Builtin(tag)) => {
            tags.insert(tag.clone());
            None
        }
        None => None,
    };
    Element { id: 0, content, label, tags, pref }
}

fn details<'l>(line: &'l Line<'_>, version: CardVersion) -> Details<'l> {
    let caret = version == CardVersion::V40;
    let mut details = Details {
        tags: BTreeSet::new(),
        pref: None,
        charset: None,
        uri: false,
        service: None,
        user: None,
        first_type: None,
    };
    let mut preferred = false;
    for param in line.params() {
        if param.is_type() {
            for value in param.values() {
                if value.eq_ignore_ascii_case(b"pref") {
                    preferred = true;
                    continue;
                }
                let mut tag = params::decode(value, caret).into_owned();
                if tag.is_ascii() {
                    tag.make_ascii_lowercase()
                } else {
                    tag = tag.to_lowercase()
                }
                if details.first_type.is_none() && !STANDARD_TYPES.contains(&tag.as_str()) {
                    details.first_type = Some(tag.clone());
                }
                details.tags.insert(tag);
            }
        } else if param.is("PREF") {
            details.pref = param.text(caret).parse().ok().filter(|p| (1..=100).contains(p)).or(details.pref);
        } else if param.is("CHARSET") {
            details.charset = Some(param.value.trim_ascii());
        } else if param.is("VALUE") {
            details.uri = param.value.trim_ascii().eq_ignore_ascii_case(b"uri");
        } else if param.is("X-SERVICE-TYPE") || param.is("SERVICE-TYPE") {
            details.service = Some(service::canonical(&param.text(caret)));
        } else if param.is("X-USER") || param.is("USERNAME") {
            details.user = Some(param.text(caret).into_owned());
        }
    }
    if preferred && details.pref.is_none() {
        details.pref = Some(1);
    }
    details
}

/// Types that never name the service of a social profile.
pub(super) const STANDARD_TYPES: [&str; 4] = ["home", "work", "other", "internet"];

/// The text of a line's value: encodings resolved, escapes still in place.
pub(super) fn text<'l>(line: &'l Line<'_>) -> Result<Cow<'l, str>, CardError> {
    let charset = || line.params().filter(|p| p.is("CHARSET")).last().map(|param| param.value.trim_ascii());
    text_in(line, if line.parameters == 0 { None } else { charset() })
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

/// Reads one line by itself into a contact that has nothing else; what it then says is what a card with it would.
pub(super) fn read_alone(
    line: &Line<'_>,
    label: Option<&Label>,
    version: CardVersion,
) -> Result<Contact, CardError> {
    let mut reader = Reader {
        version,
        contact: Contact::new(),
        blobs: Vec::new(),
        full_name: None,
        names_seen: false,
        company_seen: false,
        uid: None,
        revised: None,
        blank: Vec::new(),
        group: false,
        empty_group: true,
    };
    reader.line(line, Name::of(line.name().trim_ascii()), label)?;
    Ok(reader.contact)
}
