//! New content lines for the fields of a contact.

use super::label::Label;
use super::name::{CUSTOM, Name};
use super::photo::{self, Picture};
use super::render::Style;
use super::text::{Kind, escape, escaped};
use super::{CardVersion, date, decode, params, property, service};
use acquaint_core::contact::{Blob, Contact, Content, Element, Field, Photo, Property, Value};
use std::collections::BTreeSet;

/// A content line that is not written yet.
#[derive(Clone, Debug)]
pub(super) struct Fresh {
    /// The group that the property asks for; a label needs one anyway.
    pub(super) group: Option<String>,
    pub(super) name: String,
    /// Parameters but for types and preference, as they are written.
    pub(super) params: Vec<u8>,
    /// Types, in lower case.
    pub(super) types: Vec<String>,
    pub(super) pref: Option<u8>,
    /// The value with its escapes.
    pub(super) value: String,
    pub(super) label: Option<Label>,
}

impl Fresh {
    /// A line with nothing but a name and an escaped value.
    pub(super) fn plain(name: &str, value: String) -> Self {
        Self::new(name, value)
    }

    fn new(name: &str, value: String) -> Self {
        Self {
            group: None,
            name: name.to_owned(),
            params: Vec::new(),
            types: Vec::new(),
            pref: None,
            value,
            label: None,
        }
    }

    fn param(&mut self, name: &str, value: &str, version: CardVersion) {
        params::write(&mut self.params, name, value, version == CardVersion::V40);
    }

    /// All parameters, as they are written.
    pub(super) fn all_params(&self, version: CardVersion) -> Vec<u8> {
        let mut out = Vec::new();
        write_types(&mut out, self.types.iter().map(String::as_str), self.pref, version);
        out.extend_from_slice(&self.params);
        out
    }

    /// Appends the line, and the line of its label.
    pub(super) fn write(&self, out: &mut Vec<u8>, group: &str, style: Style) {
        let params = self.all_params(style.version);
        style.line(out, group.as_bytes(), self.name.as_bytes(), &params, &self.value);
        if let Some(label) = &self.label {
            write_label(out, group.as_bytes(), label, style);
        }
    }
}

/// Appends the line of a label.
pub(super) fn write_label(out: &mut Vec<u8>, group: &[u8], label: &Label, style: Style) {
    let value = escaped(&label.text(), Kind::Text, style.version);
    style.line(out, group, b"X-ABLabel", b"", &value);
}

/// Writes types and preference the way of the version.
pub(super) fn write_types<'a>(
    out: &mut Vec<u8>,
    types: impl Iterator<Item = &'a str>,
    pref: Option<u8>,
    version: CardVersion,
) {
    let preferred = pref == Some(1) && version != CardVersion::V40;
    let types = types.chain(preferred.then_some("pref"));
    for (place, value) in types.enumerate() {
        let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        match version {
            CardVersion::V21 if plain => {
                out.push(b';');
                out.extend(value.bytes().map(|b| b.to_ascii_uppercase()));
            }
            CardVersion::V30 if plain => {
                out.extend_from_slice(if place > 0 && out.ends_with_type() { b"," } else { b";TYPE=" });
                out.extend(value.bytes().map(|b| b.to_ascii_uppercase()));
            }
            CardVersion::V40 if plain => {
                out.extend_from_slice(b";TYPE=");
                out.extend_from_slice(value.as_bytes());
            }
            _ => params::write(out, "TYPE", value, version == CardVersion::V40),
        }
    }
    if let Some(pref) = pref.filter(|_| !preferred) {
        out.extend_from_slice(format!(";PREF={pref}").as_bytes());
    }
}

trait EndsWithType {
    fn ends_with_type(&self) -> bool;
}

impl EndsWithType for Vec<u8> {
    /// Whether the last byte belongs to a type that is not quoted.
    fn ends_with_type(&self) -> bool {
        self.last().is_some_and(|b| *b != b'"')
    }
}

/// The lines of a field with one value; none if the contact does not have it. Names and organization are separate.
pub(super) fn single(
    field: &Field,
    contact: &Contact,
    blobs: &[Blob],
    version: CardVersion,
) -> Option<Fresh> {
    let value = contact.get(field)?;
    let old = version != CardVersion::V40;
    let text = || escaped(value.as_text().unwrap_or(""), Kind::Text, version);
    Some(match field {
        Field::Title => Fresh::new("TITLE", text()),
        Field::Role => Fresh::new("ROLE", text()),
        Field::Notes => Fresh::new("NOTE", text()),
        Field::PhoneticFirst => Fresh::new("X-PHONETIC-FIRST-NAME", text()),
        Field::PhoneticLast => Fresh::new("X-PHONETIC-LAST-NAME", text()),
        Field::Gender => Fresh::new(if old { "X-GENDER" } else { "GENDER" }, gender(value, !old, version)),
        Field::Birthday => dated("BDAY", value, version),
        Field::Anniversary => match version {
            CardVersion::V21 => dated("X-ANNIVERSARY", value, version),
            CardVersion::V30 => Fresh {
                label: Some(Label::Builtin("anniversary".into())),
                ..dated("X-ABDATE", value, version)
            },
            CardVersion::V40 => dated("ANNIVERSARY", value, version),
        },
        Field::Photo => picture(value, blobs, version)?,
        Field::Custom(name) => {
            let mut custom = escaped(name, Kind::Text, version);
            custom.push(';');
            escape(&mut custom, value.as_text().unwrap_or(""), Kind::Text, version);
            Fresh::new(CUSTOM, custom)
        }
        _ => return None,
    })
}

/// The value of GENDER, or of `X-GENDER` without its components.
pub(super) fn gender(value: &Value, structured: bool, version: CardVersion) -> String {
    let text = value.as_text().unwrap_or("");
    let sex = text.split(';').next().unwrap_or("");
    let known = matches!(sex, "M" | "F" | "O" | "N" | "U");
    let mut out = String::new();
    if structured && !known {
        out.push(';');
    }
    escape(&mut out, text, Kind::Uri, version);
    out
}

/// A line with a date, under a name.
pub(super) fn dated(name: &str, value: &Value, version: CardVersion) -> Fresh {
    match value {
        Value::Date(day) => {
            let (text, parameter) = date::write(day, version);
            let mut fresh = Fresh::new(name, escaped(&text, Kind::Text, version));
            if let Some((name, value)) = parameter {
                fresh.param(name, &value, version);
            }
            fresh
        }
        other => {
            let mut fresh = Fresh::new(name, escaped(other.as_text().unwrap_or(""), Kind::Text, version));
            fresh.param("VALUE", "text", version);
            fresh
        }
    }
}

/// The picture of a value, with its bytes; `None` when they are not there.
pub(super) fn find_picture(value: &Value, blobs: &[Blob]) -> Option<Picture> {
    match value {
        Value::Photo(Photo::Link(uri)) => Some(Picture::Link(uri.clone())),
        Value::Photo(Photo::Stored { hash, media, .. }) => {
            blobs.iter().find(|b| b.hash == *hash).map(|b| Picture::Bytes(b.clone(), media.clone()))
        }
        _ => None,
    }
}

fn picture(value: &Value, blobs: &[Blob], version: CardVersion) -> Option<Fresh> {
    let (parameters, value) = photo::write(&find_picture(value, blobs)?, version);
    let mut fresh = Fresh::new("PHOTO", String::new());
    for (name, value) in parameters {
        fresh.param(name, &value, version);
    }
    fresh.value = value;
    if fresh.value.contains(['\\', '\n', '\r']) {
        fresh.value = escaped(&fresh.value, Kind::Uri, version);
    }
    Some(fresh)
}

/// The line of one element of a list, or of several that share one line.
///
/// With `dialect` it is written as the property of this name, where that can say it; otherwise as the version does.
pub(super) fn element(
    field: &Field,
    elements: &[&Element],
    dialect: Option<Name>,
    version: CardVersion,
) -> Option<Fresh> {
    let first = *elements.first()?;
    let old = version != CardVersion::V40;
    let text = |kind| escaped(&first.content.show(), kind, version);
    let mut fresh = match (field, &first.content) {
        (_, Content::Property(property)) => return Some(extra(property, version)),
        (Field::Nicknames, _) => Fresh::new("NICKNAME", list(elements, version)),
        (Field::Categories, _) => Fresh::new("CATEGORIES", list(elements, version)),
        (Field::Phones, _) => Fresh::new("TEL", text(Kind::Text)),
        (Field::Emails, _) => Fresh::new("EMAIL", text(Kind::Text)),
        (Field::Urls, _) => Fresh::new("URL", text(Kind::Uri)),
        (Field::Members, _) => {
            let name = if old { "X-ADDRESSBOOKSERVER-MEMBER" } else { "MEMBER" };
            Fresh::new(name, text(Kind::Uri))
        }
        (Field::Addresses, Content::Address(address)) => {
            let mut value = String::new();
            for (place, part) in address.parts().into_iter().enumerate() {
                if place > 0 {
                    value.push(';');
                }
                escape(&mut value, part, Kind::Text, version);
            }
            Fresh::new("ADR", value)
        }
        (Field::Services, Content::Service { service, user }) => {
            account(first, service, user, dialect, version)
        }
        (Field::Dates, Content::Date(day)) => dated("X-ABDATE", &Value::Date(day.clone()), version),
        (Field::Relations, _) => relation(first, dialect, version),
        (Field::Addresses, _) => Fresh::new("LABEL", text(Kind::Text)),
        (_, content) => {
            // A list of a kind this format does not know: kept as a property of ours.
            let mut value = escaped(&field.key(), Kind::Text, version);
            value.push(';');
            escape(&mut value, &content.show(), Kind::Text, version);
            Fresh::new(CUSTOM, value)
        }
    };
    fresh.pref = first.pref;
    if fresh.name == "X-SOCIALPROFILE" {
        // The first type is the service.
        fresh.types.extend(first.tags.iter().cloned());
        fresh.label = first.label.clone().map(Label::Custom);
    } else {
        let implied = fresh.types.first().cloned();
        let (types, label) = types_and_label(&fresh.name, first, implied.as_deref());
        (fresh.types, fresh.label) = (types, label);
    }
    Some(fresh)
}

fn list(elements: &[&Element], version: CardVersion) -> String {
    let mut value = String::new();
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            value.push(',');
        }
        let text = element.content.show();
        if version == CardVersion::V21 {
            value.push_str(&escaped(&text, Kind::Text, version).replace(',', "\\,"));
        } else {
            escape(&mut value, &text, Kind::Text, version);
        }
    }
    value
}

fn account(
    element: &Element,
    service: &str,
    user: &str,
    dialect: Option<Name>,
    version: CardVersion,
) -> Fresh {
    let text = |user: &str| escaped(user, Kind::Uri, version);
    let standard = |tag: &str| decode::STANDARD_TYPES.contains(&tag);
    match dialect {
        Some(Name::XService(own)) if own == service => return Fresh::new("X-SERVICE", text(user)),
        Some(Name::Impp | Name::XSocialProfile | Name::SocialProfile) => {}
        _ => {}
    }
    let name = match dialect {
        Some(name @ (Name::Impp | Name::XSocialProfile | Name::SocialProfile)) => name,
        _ if service::is_messaging(service) => Name::Impp,
        _ if version == CardVersion::V40 => Name::SocialProfile,
        _ => Name::XSocialProfile,
    };
    match name {
        Name::Impp => {
            let mut fresh = Fresh::new("IMPP", text(&service::impp(service, user)));
            if !service.is_empty() {
                let name = if version == CardVersion::V40 { "SERVICE-TYPE" } else { "X-SERVICE-TYPE" };
                fresh.param(name, service, version);
            }
            fresh
        }
        Name::SocialProfile => {
            let mut fresh = Fresh::new("SOCIALPROFILE", text(user));
            fresh.param("SERVICE-TYPE", service, version);
            if !service::is_uri(user) {
                fresh.param("VALUE", "text", version);
            }
            fresh
        }
        _ => {
            let mut fresh = Fresh::new("X-SOCIALPROFILE", text(user));
            let plain = !service.is_empty()
                && !standard(service)
                && !service.contains([',', '"'])
                && service != "pref";
            if plain && element.tags.iter().all(|tag| standard(tag)) {
                fresh.types.push(service.to_owned());
            } else {
                fresh.param("X-SERVICE-TYPE", service, version);
            }
            fresh
        }
    }
}

fn relation(element: &Element, dialect: Option<Name>, version: CardVersion) -> Fresh {
    let text = element.content.show();
    match dialect {
        Some(Name::XRelation(tag)) if element.tags.contains(tag) => {
            let mut fresh = Fresh::new("X-RELATION", escaped(&text, Kind::Text, version));
            fresh.types.push(tag.to_owned());
            return fresh;
        }
        Some(Name::Related) => {}
        Some(Name::XAbRelatedNames) => {
            return Fresh::new("X-ABRELATEDNAMES", escaped(&text, Kind::Text, version));
        }
        _ if version != CardVersion::V40 => {
            return Fresh::new("X-ABRELATEDNAMES", escaped(&text, Kind::Text, version));
        }
        _ => {}
    }
    let uri = service::is_uri(&text);
    let mut fresh = Fresh::new("RELATED", escaped(&text, if uri { Kind::Uri } else { Kind::Text }, version));
    if !uri {
        fresh.param("VALUE", "text", version);
    }
    fresh
}

fn extra(property: &Property, version: CardVersion) -> Fresh {
    let is_kind = property.name.eq_ignore_ascii_case("KIND") && property.value.eq_ignore_ascii_case("group");
    let name = match version {
        CardVersion::V21 | CardVersion::V30 if is_kind => "X-ADDRESSBOOKSERVER-KIND".to_owned(),
        _ => property::name(&property.name),
    };
    let mut fresh = Fresh::new(&name, property::value(&property.value).into_owned());
    fresh.group = property.group.as_deref().map(property::name);
    property::write_params(&mut fresh.params, &property.parameters, version);
    fresh
}

/// Which tags of an element are types, and which label it takes; `implied` is the tag that the property's name says.
///
/// One tag that is no type of the property becomes one of the labels that every client knows: some servers refuse
/// types they do not know.
pub(super) fn types_and_label(
    property: &str,
    element: &Element,
    implied: Option<&str>,
) -> (Vec<String>, Option<Label>) {
    let tags: BTreeSet<&String> = element.tags.iter().filter(|tag| Some(tag.as_str()) != implied).collect();
    let all = || tags.iter().map(|tag| (*tag).clone()).collect();
    if let Some(label) = &element.label {
        return (all(), Some(Label::Custom(label.clone())));
    }
    let Some(known) = types_of(property) else { return (all(), None) };
    let mut odd = tags.iter().filter(|tag| !known.contains(&tag.as_str()));
    match (odd.next(), odd.next()) {
        (Some(tag), None) => {
            let types = tags.iter().filter(|other| *other != tag).map(|t| (*t).clone()).collect();
            (types, Some(Label::Builtin((*tag).clone())))
        }
        _ => (all(), None),
    }
}

/// The types a property may have; `None` where a label cannot stand for another.
fn types_of(property: &str) -> Option<&'static [&'static str]> {
    Some(match property {
        "TEL" => &[
            "home",
            "work",
            "cell",
            "voice",
            "fax",
            "pager",
            "msg",
            "car",
            "isdn",
            "video",
            "pcs",
            "bbs",
            "modem",
            "text",
            "textphone",
            "main",
            "other",
        ],
        "EMAIL" => &["home", "work", "x400", "other"],
        "ADR" => &["home", "work", "dom", "intl", "postal", "parcel", "other"],
        "URL" | "IMPP" => &["home", "work", "other"],
        "X-ABDATE" | "X-ABRELATEDNAMES" => &[],
        _ => return None,
    })
}
