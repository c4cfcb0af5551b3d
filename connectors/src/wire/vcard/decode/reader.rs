//! Reads content lines into a contact, one by one.

use super::super::error::CardError;
use super::super::full_name::Composition;
use super::super::label::Label;
use super::super::line::Line;
use super::super::name::Name;
use super::super::photo::{self, Picture};
use super::super::text::{self as value, split, unescape};
use super::super::{CardVersion, Decoded, date, property, service};
use super::details::Details;
use super::{Claim, text, text_in};
use acquaint_core::contact::{Address, Blob, Contact, Content, Element, Field, Property, Value};
use acquaint_core::limits;
use acquaint_core::source::ItemKind;
use acquaint_core::time::Time;
use smallvec::SmallVec;

/// What joins the units of an organization in the field `department`.
pub(in super::super) const UNIT_SEPARATOR: &str = "; ";

/// What has been read so far.
pub(super) struct Reader {
    version: CardVersion,
    contact: Contact,
    /// The list fields, which come into the contact at the end.
    lists: SmallVec<[(Field, Vec<Element>); 8]>,
    blobs: Vec<Blob>,
    full_name: Option<String>,
    names_seen: bool,
    company_seen: bool,
    uid: Option<String>,
    revised: Option<Time>,
    /// Fields whose first line is blank.
    blank: Vec<Field>,
    group: bool,
    has_members: bool,
}

impl Reader {
    pub(super) fn new(version: CardVersion, has_members: bool) -> Self {
        Self {
            version,
            contact: Contact::new(),
            lists: SmallVec::new(),
            blobs: Vec::new(),
            full_name: None,
            names_seen: false,
            company_seen: false,
            uid: None,
            revised: None,
            blank: Vec::new(),
            group: false,
            has_members,
        }
    }

    /// Reads one line; says what it says.
    pub(super) fn line(
        &mut self,
        line: &Line<'_>,
        name: Name,
        label: Option<&Label>,
    ) -> Result<Claim, CardError> {
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

    /// All that was read, and how the full name follows from the other names, if it does.
    pub(super) fn finish(self) -> (Option<Composition>, Decoded) {
        let Self { mut contact, full_name, .. } = self;
        for (field, elements) in self.lists {
            contact.set(field, Value::List(elements));
        }
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

    /// The elements of a list field.
    fn list(&mut self, field: &Field) -> &mut Vec<Element> {
        let found = self.lists.iter().position(|(of, _)| of == field);
        let at = found.unwrap_or(self.lists.len());
        if found.is_none() {
            self.lists.push((field.clone(), Vec::new()));
        }
        // Found, or added at the end just now.
        &mut self.lists[at].1
    }

    /// Adds one element.
    fn push(&mut self, field: Field, element: Element) -> Result<Claim, CardError> {
        let list = self.list(&field);
        let first = list.len();
        if first >= limits::FIELD_VALUES {
            return Err(CardError::TooManyValues { field });
        }
        list.push(element);
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
        self.names_seen = true;
        let text = text(line)?;
        let mut parts = value::components(&text);
        for (field, part) in PARTS.into_iter().zip(&mut parts) {
            if !part.is_empty() {
                self.contact.set(field, Value::Text(part.into_owned()));
            }
        }
        parts.end()?;
        Ok(Claim::Names)
    }

    fn organization(&mut self, line: &Line<'_>) -> Result<Claim, CardError> {
        if self.company_seen {
            return self.extra(line);
        }
        self.company_seen = true;
        let text = text(line)?;
        let mut parts = value::components(&text);
        let company = parts.next().unwrap_or_default().into_owned();
        let mut department = String::new();
        let mut used = 0;
        for (place, unit) in (&mut parts).enumerate() {
            if place > 0 {
                department.push_str(UNIT_SEPARATOR);
            }
            department.push_str(&unit);
            if !unit.is_empty() {
                used = department.len();
            }
        }
        parts.end()?;
        department.truncate(used);
        self.contact.set(Field::Company, Value::Text(company));
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
        let details = Details::of(line, b"", self.version);
        let value = date::read(line, &unescape(&text_in(line, details.charset)?));
        if label.is_some_and(Label::is_anniversary) {
            match self.contact.get(&Field::Anniversary) {
                None if !self.blank.contains(&Field::Anniversary) => {
                    return self.set(line, Field::Anniversary, value);
                }
                Some(known) if *known == value => return Ok(Claim::Twin(Field::Anniversary)),
                _ => {}
            }
        }
        match value {
            Value::Date(date) => {
                let element = details.element(Content::Date(date), label);
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
        if self.has_members {
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
        // An address is an internet address unless something else is said.
        let hidden: &[u8] = if name == Name::Email { b"internet" } else { b"" };
        let mut details = Details::of(line, hidden, self.version);
        let raw = text_in(line, details.charset)?;
        let content = match name {
            Name::Adr => {
                let mut address = Address::default();
                let mut parts = value::components(&raw);
                for (part, text) in address.parts_mut().into_iter().zip(&mut parts) {
                    if !text.is_empty() {
                        *part = text.into_owned();
                    }
                }
                parts.end()?;
                if address.parts().iter().all(|part| part.is_empty()) {
                    return Ok(Claim::Silent);
                }
                return self.push(field, details.element(Content::Address(Box::new(address)), label));
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
                    details.service_by_type(line, self.version);
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
        self.push(field, details.element(content, label))
    }

    /// A line with elements separated by commas.
    fn many(&mut self, line: &Line<'_>, field: Field, label: Option<&Label>) -> Result<Claim, CardError> {
        let details = Details::of(line, b"", self.version);
        let raw = text_in(line, details.charset)?;
        let pattern = details.element(Content::Text(String::new()), label);
        let first = self.list(&field).len();
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

/// Reads one line by itself into a contact that has nothing else; what it then says is what a card with it would.
pub(in super::super) fn read_alone(
    line: &Line<'_>,
    label: Option<&Label>,
    version: CardVersion,
) -> Result<Contact, CardError> {
    let mut reader = Reader::new(version, false);
    reader.line(line, Name::of(line.name().trim_ascii()), label)?;
    Ok(reader.finish().1.contact)
}
