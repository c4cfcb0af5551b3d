//! Generated contacts and edits for the property tests.
//!
//! Contacts are canonical: what a round trip is documented to lose is not in them (see the module's front page).

use super::full_name::Composition;
use acquaint_core::contact::{
    Address, Blob, Contact, Content, Element, Field, PartialDate, Photo, Property, Value,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A contact with the bytes of its picture.
#[derive(Clone, Debug)]
pub(super) struct Book {
    pub(super) contact: Contact,
    pub(super) blobs: Vec<Blob>,
}

/// Text made of what escapes, folding and encodings stumble over.
pub(super) fn text() -> impl Strategy<Value = String> {
    let parts = select(vec![
        "a",
        "Bo",
        "é",
        "ß",
        "伟",
        "😀",
        " ",
        "\n",
        ";",
        ",",
        "\\",
        "\\n",
        "\"",
        "'",
        ":",
        "=",
        "=0A",
        "^",
        "^n",
        ".",
        "BEGIN:VCARD",
        "item1",
        "http://x.org/a?b=c",
        "a rather long piece of text that will need folding soon",
    ]);
    prop_oneof![4 => vec(parts, 1..6).prop_map(|parts| parts.concat()), 1 => "[a-zA-Z ]{1,12}"]
}

fn trimmed() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.trim().to_owned()).prop_filter("blank", |text| !text.is_empty())
}

fn tag() -> impl Strategy<Value = &'static str> {
    select(vec![
        "home",
        "work",
        "cell",
        "fax",
        "voice",
        "other",
        "homepage",
        "boat",
        "ü-boot",
        "two words",
        "a;b",
    ])
}

pub(super) fn detailed(content: Content) -> impl Strategy<Value = Element> {
    let label =
        option::weighted(0.3, text().prop_filter("a label of Apple's own", |l| !l.starts_with("_$!<")));
    let pref = option::weighted(0.3, prop_oneof![Just(1_u8), 1_u8..=100]);
    (label, vec(tag(), 0..3), pref).prop_map(move |(label, tags, pref)| {
        let mut element = Element::new(content.clone()).tagged(tags);
        (element.label, element.pref) = (label, pref);
        element
    })
}

fn date() -> impl Strategy<Value = PartialDate> {
    let part = |range: std::ops::RangeInclusive<u8>| option::weighted(0.8, range);
    let time = option::weighted(0.2, select(vec!["10:00:00Z", "101500", "23:10:00-06:00"]));
    (option::weighted(0.8, 1_u16..=9999), part(1..=12), part(1..=28), time).prop_filter_map(
        "no date",
        |(y, m, d, time)| {
            let mut date = PartialDate::new(y, m, d)?;
            // A date that lacks its end has no time of day.
            date.time = time.filter(|_| date.day.is_some() && date.month.is_some()).map(str::to_owned);
            Some(date)
        },
    )
}

fn service() -> impl Strategy<Value = Content> {
    let name = select(vec!["", "aim", "xmpp", "gtalk", "skype", "twitter", "my net", "home", "qq", "pref"]);
    (name, text()).prop_filter_map("not canonical", |(service, user)| {
        let odd = (service.is_empty() && user.contains(':')) || user.starts_with("x-apple:");
        (!odd).then(|| Content::Service { service: service.to_owned(), user })
    })
}

fn address() -> impl Strategy<Value = Content> {
    vec(option::of(text()), 7).prop_filter_map("empty", |parts| {
        let mut address = Address::default();
        for (slot, part) in address.parts_mut().into_iter().zip(parts) {
            *slot = part.unwrap_or_default();
        }
        (address != Address::default()).then(|| Content::Address(Box::new(address)))
    })
}

fn property() -> impl Strategy<Value = Content> {
    let name = select(vec!["X-FOO", "x-Bar", "KEY", "TZ", "GEO", "X-FOO BAR"]);
    let parameter = select(vec![("TYPE", "work"), ("X-P", "\"a;b:c\""), ("VALUE", "uri"), ("X-Q", "é,b")]);
    let group = option::weighted(0.2, select(vec!["item1", "Item7", "g.h"]));
    let value = "[a-z;,:\\\\ =\"é]{0,12}";
    (name, group, vec(parameter, 0..3), value).prop_map(|(name, group, parameters, value)| {
        let parameters = parameters.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let group = group.map(str::to_owned);
        Content::Property(Box::new(Property { name: name.to_owned(), group, parameters, value }))
    })
}

/// An element of a list field.
pub(super) fn element(field: &Field) -> BoxedStrategy<Element> {
    match field {
        Field::Addresses => address().prop_flat_map(detailed).boxed(),
        Field::Services => service().prop_flat_map(detailed).boxed(),
        Field::Relations => text().prop_map(Content::Relation).prop_flat_map(detailed).boxed(),
        Field::Dates => date().prop_map(Content::Date).prop_flat_map(detailed).boxed(),
        Field::Extra => property().prop_map(Element::new).boxed(),
        Field::Nicknames | Field::Categories => {
            let plain = trimmed().prop_map(|text| Element::new(Content::Text(text)));
            prop_oneof![3 => plain, 1 => trimmed().prop_map(Content::Text).prop_flat_map(detailed)].boxed()
        }
        Field::Members => "urn:uuid:[a-f0-9-]{1,9}".prop_map(Element::text).boxed(),
        _ => text().prop_map(Content::Text).prop_flat_map(detailed).boxed(),
    }
}

/// A value of any field.
pub(super) fn value(field: &Field) -> BoxedStrategy<(Value, Vec<Blob>)> {
    let alone = |value| (value, Vec::new());
    match field {
        field if field.is_list() => vec(element(field), 1..5).prop_map(Value::List).prop_map(alone).boxed(),
        Field::Birthday | Field::Anniversary => {
            prop_oneof![4 => date().prop_map(Value::Date), 1 => text().prop_map(Value::Text)]
                .prop_map(alone)
                .boxed()
        }
        Field::Photo => {
            let stored = (vec(any::<u8>(), 1..200), select(vec!["image/jpeg", "image/png", "image/x-odd"]))
                .prop_map(|(bytes, media)| {
                    let blob = Blob::new(bytes);
                    (Value::Photo(blob.photo(media)), vec![blob])
                });
            let link = "https://[a-z]{1,9}\\.example/[a-z,;]{0,99}";
            prop_oneof![stored, link.prop_map(|uri| (Value::Photo(Photo::Link(uri)), Vec::new()))].boxed()
        }
        Field::Department => {
            let unit = text().prop_filter("separator", |unit| !unit.contains("; "));
            vec(unit, 1..4).prop_map(move |units| alone(Value::Text(units.join("; ")))).boxed()
        }
        _ => text().prop_map(Value::Text).prop_map(alone).boxed(),
    }
}

/// A contact without what a round trip is documented to lose.
pub(super) fn book() -> impl Strategy<Value = Book> {
    let fields: Vec<Field> = Field::NAMED
        .iter()
        .cloned()
        .chain([Field::Custom("industry".into()), Field::Custom("a;b, \"c\"".into())])
        .filter(|field| *field != Field::Members)
        .collect();
    let one = select(fields).prop_flat_map(|field| value(&field).prop_map(move |v| (field.clone(), v)));
    let members = option::weighted(0.1, vec(element(&Field::Members), 1..4));
    (vec(one, 0..9), members).prop_map(|(values, members)| {
        let mut book = Book { contact: Contact::new(), blobs: Vec::new() };
        for (field, (value, blobs)) in values {
            book.contact.set(field, value);
            book.blobs.extend(blobs);
        }
        if let Some(members) = members {
            book.contact.set(Field::Members, Value::List(members));
        }
        book.contact = canonical(book.contact);
        book
    })
}

/// Without a full name that only says what the other names say; a group has one, and no other names.
pub(super) fn canonical(mut contact: Contact) -> Contact {
    let is_group = !contact.list(&Field::Members).is_empty();
    if is_group {
        for field in [Field::First, Field::Middle, Field::Last, Field::Prefix, Field::Suffix] {
            contact.remove(&field);
        }
        if contact.text(&Field::FullName).is_empty() {
            contact.set(Field::FullName, "The group".into());
        }
    }
    if is_group { contact } else { without_repeated_name(contact) }
}

/// Without a full name that only says what the other names say.
pub(super) fn without_repeated_name(mut contact: Contact) -> Contact {
    if Composition::of(contact.text(&Field::FullName), &contact).is_some() {
        contact.remove(&Field::FullName);
    }
    contact
}

/// An edit of one field.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Remove,
    Set(Value, Vec<Blob>),
    /// On lists: takes an element out.
    Drop(Index),
    /// On lists: another element in the place of one.
    Change(Index, Element),
    /// On lists: other label, tags and preference.
    Detail(Index, Element),
    /// On lists: a new element.
    Add(Index, Element),
    /// On lists: the same element once more.
    Double(Index),
    /// On lists: two elements change places.
    Swap(Index, Index),
}

/// A field and what is done to it.
pub(super) fn edit() -> impl Strategy<Value = (Field, Edit)> {
    let named = Field::NAMED.iter().filter(|field| **field != Field::Members).cloned();
    let fields: Vec<Field> =
        named.chain([Field::Custom("industry".into()), Field::Custom("a".into())]).collect();
    select(fields).prop_flat_map(|field| {
        let set = value(&field).prop_map(|(value, blobs)| Edit::Set(value, blobs));
        let edit = if field.is_list() {
            prop_oneof![
                1 => Just(Edit::Remove),
                1 => set,
                2 => any::<Index>().prop_map(Edit::Drop),
                2 => (any::<Index>(), element(&field)).prop_map(|(at, element)| Edit::Change(at, element)),
                3 => (any::<Index>(), element(&field)).prop_map(|(at, element)| Edit::Detail(at, element)),
                2 => (any::<Index>(), element(&field)).prop_map(|(at, element)| Edit::Add(at, element)),
                1 => any::<Index>().prop_map(Edit::Double),
                2 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Edit::Swap(a, b)),
            ]
            .boxed()
        } else {
            prop_oneof![1 => Just(Edit::Remove), 3 => set].boxed()
        };
        edit.prop_map(move |edit| (field.clone(), edit))
    })
}

/// Makes the edits.
pub(super) fn apply(contact: &Contact, edits: &[(Field, Edit)]) -> Book {
    let mut book = Book { contact: contact.clone(), blobs: Vec::new() };
    for (field, edit) in edits {
        let mut elements = book.contact.list(field).to_vec();
        let place = |index: &Index| (!elements.is_empty()).then(|| index.index(elements.len()));
        match edit {
            Edit::Remove => elements.clear(),
            Edit::Set(value, blobs) => {
                book.contact.set(field.clone(), value.clone());
                book.blobs.extend(blobs.iter().cloned());
                continue;
            }
            Edit::Drop(at) => drop(place(at).map(|at| elements.remove(at))),
            Edit::Change(at, element) => {
                if let Some(at) = place(at) {
                    elements[at] = element.clone();
                }
            }
            Edit::Detail(at, element) => {
                if let Some(at) = place(at) {
                    let content = elements[at].content.clone();
                    elements[at] = Element { content, ..element.clone() };
                }
            }
            Edit::Add(at, element) => elements.insert(at.index(elements.len() + 1), element.clone()),
            Edit::Double(at) => {
                if let Some(at) = place(at) {
                    elements.push(elements[at].clone());
                }
            }
            Edit::Swap(a, b) => {
                if let (Some(a), Some(b)) = (place(a), place(b)) {
                    elements.swap(a, b);
                }
            }
        }
        book.contact.put(field.clone(), field.is_list().then_some(Value::List(elements)));
    }
    book
}
