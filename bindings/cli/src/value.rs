//! Field values as people type them: `first=Ann`, `phones:work,cell=+49 30 1234`, `birthday=--04-12`.

use crate::errors::Failure;
use acquaint_core::contact::{Address, Blob, Contact, Content, Element, Field, PartialDate, Shape, Value};
use std::path::Path;

/// Something that `contact add` or `contact edit` is to do to one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Give the field this value; an empty one takes it away.
    Set(Field, String),
    /// Add an element to a list, with its tags.
    Add(Field, Vec<String>, String),
    /// Take the element with this value out of a list.
    Remove(Field, String),
}

/// What is wrong with `FIELD=VALUE`.
const FORM: &str = "write FIELD=VALUE, such as first=Ann or phones:work=+49301234";

fn split(text: &str) -> Result<(&str, &str), Failure> {
    text.split_once('=').ok_or_else(|| Failure::usage(format!("{text:?} has no value"), FORM))
}

impl Change {
    /// `FIELD=VALUE`.
    pub(crate) fn set(text: &str) -> Result<Self, Failure> {
        let (key, value) = split(text)?;
        let field: Field = key.parse()?;
        if field.is_list() && !value.is_empty() {
            return Err(Failure::usage(
                format!("{field} is a list"),
                format!("use --add {field}=… and --remove {field}=…; --set {field}= empties it"),
            ));
        }
        Ok(Self::Set(field, value.to_owned()))
    }

    /// `FIELD[:TAG,TAG]=VALUE`.
    pub(crate) fn add(text: &str) -> Result<Self, Failure> {
        let (key, value) = split(text)?;
        let (name, tags) = match key.split_once(':') {
            Some((name, tags)) if name != "custom" => (name, tags),
            _ => (key, ""),
        };
        let field = list(name)?;
        if value.trim().is_empty() {
            return Err(Failure::usage(format!("nothing is added to {field}"), FORM));
        }
        let tags = tags.split(',').map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty());
        Ok(Self::Add(field, tags.collect(), value.to_owned()))
    }

    /// `FIELD=VALUE`.
    pub(crate) fn remove(text: &str) -> Result<Self, Failure> {
        let (key, value) = split(text)?;
        Ok(Self::Remove(list(key)?, value.to_owned()))
    }

    /// Carries the change out on a contact, and gives the picture that it brings, if it brings one.
    pub(crate) fn apply(&self, contact: &mut Contact) -> Result<Option<Blob>, Failure> {
        match self {
            Self::Set(field, text) if text.is_empty() => {
                contact.remove(field);
                Ok(None)
            }
            Self::Set(field, text) if field.shape() == Shape::Photo => {
                let (value, blob) = photo(Path::new(text))?;
                contact.set(field.clone(), value);
                Ok(Some(blob))
            }
            Self::Set(field, text) => {
                contact.set(field.clone(), single(field, text)?);
                Ok(None)
            }
            Self::Add(field, tags, text) => {
                let mut element = Element::new(content(field, text)?);
                element.tags.extend(tags.iter().cloned());
                let key = element.key(field);
                if contact.list(field).iter().any(|other| other.key(field) == key) {
                    return Err(Failure::new(
                        "exists",
                        format!("{field} holds this value already"),
                        "`acquaint contact show ID` lists what is there",
                    ));
                }
                contact.push(field.clone(), element);
                Ok(None)
            }
            Self::Remove(field, text) => {
                let key = Element::new(content(field, text)?).key(field);
                let old = contact.list(field);
                let gone = |element: &Element| element.key(field) == key || element.content.show() == *text;
                let left: Vec<Element> = old.iter().filter(|element| !gone(element)).cloned().collect();
                if left.len() == old.len() {
                    return Err(Failure::new(
                        "no_value",
                        format!("{field} does not hold this value"),
                        "`acquaint contact show ID` lists what is there",
                    ));
                }
                contact.set(field.clone(), Value::List(left));
                Ok(None)
            }
        }
    }
}

fn list(key: &str) -> Result<Field, Failure> {
    let field: Field = key.parse()?;
    match field.is_list() {
        true => Ok(field),
        false => Err(Failure::usage(format!("{field} holds one value"), format!("use --set {field}=…"))),
    }
}

/// The value of a field that holds one, from text.
pub(crate) fn single(field: &Field, text: &str) -> Result<Value, Failure> {
    match field.shape() {
        Shape::Text => Ok(Value::Text(text.to_owned())),
        Shape::Date => PartialDate::parse(text).map(Value::Date).ok_or_else(|| {
            Failure::usage(
                format!("{field} is no date"),
                "write 1985-04-12, --04-12 for one without a year, or 1985",
            )
        }),
        Shape::List => {
            let elements: Result<Vec<Element>, Failure> =
                text.split(',').map(|part| Ok(Element::new(content(field, part.trim())?))).collect();
            elements.map(Value::List)
        }
        Shape::Photo => photo(Path::new(text)).map(|(value, _)| value),
    }
}

/// The content of a list's element, from text.
fn content(field: &Field, text: &str) -> Result<Content, Failure> {
    Ok(match field {
        Field::Addresses => {
            let mut address = Address::default();
            if text.contains(';') {
                for (part, text) in address.parts_mut().into_iter().zip(text.split(';')) {
                    text.trim().clone_into(part);
                }
            } else {
                text.clone_into(&mut address.street);
            }
            Content::Address(Box::new(address))
        }
        Field::Services => {
            let (service, user) = text.split_once(':').unwrap_or(("", text));
            Content::Service { service: service.to_lowercase(), user: user.to_owned() }
        }
        Field::Dates => Content::Date(PartialDate::parse(text).ok_or_else(|| {
            Failure::usage("this is no date", "write 1985-04-12, --04-12 for one without a year, or 1985")
        })?),
        Field::Relations => Content::Relation(text.to_owned()),
        Field::Extra => {
            return Err(Failure::usage(
                "extra holds properties of other programs and cannot be edited here",
                "choose another field; `acquaint contact edit --help` lists them",
            ));
        }
        _ => Content::Text(text.to_owned()),
    })
}

/// Reads a picture from a file.
fn photo(path: &Path) -> Result<(Value, Blob), Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    let media = match bytes.as_slice() {
        [0xFF, 0xD8, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => {
            return Err(Failure::new(
                "file",
                format!("{} is no JPEG, PNG, GIF or WebP picture", path.display()),
                "name a picture file",
            ));
        }
    };
    let blob = Blob::new(bytes);
    Ok((Value::Photo(blob.photo(media)), blob))
}

/// A value as a person reads it, elements with their labels.
pub(crate) fn show(value: &Value) -> String {
    match value {
        Value::List(elements) => elements.iter().map(show_element).collect::<Vec<_>>().join(", "),
        _ => value.show(),
    }
}

/// An element with its label or tags.
pub(crate) fn show_element(element: &Element) -> String {
    let content = element.content.show();
    let tags: Vec<&str> = element.tags.iter().map(String::as_str).collect();
    match (&element.label, tags.is_empty()) {
        (Some(label), _) => format!("{content} ({label})"),
        (None, false) => format!("{content} ({})", tags.join(" ")),
        (None, true) => content,
    }
}

/// A value that may be absent, in quotes.
pub(crate) fn quoted(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| format!("“{}”", show(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(changes: &[Result<Change, Failure>]) -> Result<Contact, Failure> {
        let mut contact = Contact::new();
        for change in changes {
            change.clone()?.apply(&mut contact)?;
        }
        Ok(contact)
    }

    #[test]
    fn changes_are_read_as_people_write_them() {
        let contact = applied(&[
            Change::set("first=Ann"),
            Change::set("custom:industry=a=b"),
            Change::set("birthday=--04-12"),
            Change::add("phones:Work,cell=+49 30 1234"),
            Change::add("phones=+49 30 5678"),
            Change::remove("phones=+49305678"),
            Change::add("addresses:home=;;Main St 1;Berlin;;10115;Germany"),
            Change::add("services=Skype:ann.b"),
        ])
        .expect("a contact");
        assert_eq!(contact.text(&Field::Custom("industry".into())), "a=b");
        assert_eq!(show(contact.get(&Field::Phones).expect("phones")), "+49 30 1234 (cell work)");
        assert_eq!(
            show(contact.get(&Field::Addresses).expect("one")),
            "Main St 1, 10115, Berlin, Germany (home)"
        );
        assert_eq!(show(contact.get(&Field::Services).expect("one")), "skype:ann.b");
        assert_eq!(show(contact.get(&Field::Birthday).expect("a date")), "--04-12");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        for change in [
            Change::set("first"),
            Change::set("frist=Ann"),
            Change::set("phones=+1"),
            Change::set("birthday=soon"),
            Change::add("first=Ann"),
            Change::add("phones="),
            Change::add("extra=x"),
            Change::remove("phones=+1"),
            Change::set("photo=/nowhere/at/all.jpg"),
        ] {
            let failure = applied(&[change]).expect_err("refused");
            assert!(!failure.next.is_empty());
        }
        assert_eq!(
            applied(&[Change::add("emails=a@x.org"), Change::add("emails=A@X.org")]).expect_err("twice").code,
            "exists"
        );
    }
}
