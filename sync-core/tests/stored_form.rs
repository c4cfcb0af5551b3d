//! The stored form of every row, byte for byte: a change here is a change of the format, and needs a new format number
//! with a migration, or a field with a default.
//!
//! `ACQUAINT_BLESS=1 cargo test --test stored_form` writes the files anew.

// A test may read its environment and files; the core may not.
#![allow(clippy::disallowed_methods)]

use acquaint_core::capability::{Capabilities, Room};
use acquaint_core::contact::{
    Address, Contact, Content, Element, Field, PartialDate, Photo, Property, Value,
};
use acquaint_core::id::{ContactId, PassId, SourceId, UserId};
use acquaint_core::library::codec::{decode, encode};
use acquaint_core::library::{
    Action, Actor, Conflict, Counts, Dirty, Entry, FieldWrite, Held, Intent, IntentKind, Lease, Link,
    LinkState, Meta, Parked, PassRow, Record, Ref, RemoteRow, SourceRow, SourceState, Stamp, Standing,
    Toward,
};
use acquaint_core::policy::Policy;
use acquaint_core::source::{ItemKind, Raw, Refusal, RefusalKind, SourceError};
use acquaint_core::store::{Revision, Row};
use acquaint_core::time::Time;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::Path;

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str, value: &T) {
    let bytes = encode(value);
    let hex: String = bytes
        .chunks(32)
        .map(|line| line.iter().map(|b| format!("{b:02x}")).collect::<String>() + "\n")
        .collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stored").join(format!("{name}.hex"));
    if std::env::var_os("ACQUAINT_BLESS").is_some() {
        fs::write(&file, &hex).expect("written");
    }
    let stored = fs::read_to_string(&file).expect("a snapshot");
    assert_eq!(hex, stored, "the stored form of {name} changed");
    let back: T = decode(&Row { revision: Revision(1), bytes }).expect("readable");
    assert_eq!(&back, value, "{name} does not come back");
}

fn id() -> ContactId {
    ContactId { epoch: 3, counter: 7 }
}

fn source() -> SourceId {
    SourceId::new("home").expect("a name")
}

fn stamp() -> Stamp {
    Stamp { time: Some(Time(1_700_000_000_000)), actor: Actor::Source(source()) }
}

fn contact() -> Contact {
    let date = PartialDate::parse("--04-12").expect("a date");
    let address = Address { street: "Low 1".into(), city: "Bern".into(), ..Address::default() };
    let property = Property {
        name: "X-A".into(),
        group: Some("item1".into()),
        parameters: vec![("p".into(), "v".into())],
        value: "x".into(),
    };
    let mut phone = Element::text("+1 2").tagged(["cell"]);
    (phone.label, phone.pref) = (Some("Boat".into()), Some(1));
    Contact::new()
        .with(Field::First, "Ann")
        .with(Field::Custom("industry".into()), "Steel")
        .with(Field::Birthday, Value::Date(date.clone()))
        .with(
            Field::Photo,
            Value::Photo(Photo::Stored { hash: "00".into(), media: "image/png".into(), size: 9 }),
        )
        .with_element(Field::Phones, phone)
        .with_element(Field::Addresses, Element::new(Content::Address(Box::new(address))))
        .with_element(
            Field::Services,
            Element::new(Content::Service { service: "skype".into(), user: "ann".into() }),
        )
        .with_element(Field::Dates, Element::new(Content::Date(date)))
        .with_element(Field::Relations, Element::new(Content::Relation("Bob".into())))
        .with_element(Field::Extra, Element::new(Content::Property(Box::new(property))))
}

#[test]
fn stored_forms_stay_as_they_are() {
    let mut record = Record::new(contact(), "uid-1".into(), stamp(), PassId(4));
    record.kind = ItemKind::Group;
    record.change(&Field::First, Some("Anna".into()), Stamp { time: None, actor: Actor::User("u".into()) });
    record.change(&Field::Emails, Some(Value::List(vec![Element::text("a@x.org")])), stamp());
    record.deleted = Some(stamp());
    record.standing = Standing {
        owner: Some("u".into()),
        editors: BTreeSet::from([UserId::from("v")]),
        readers: Some(BTreeSet::from([UserId::from("w")])),
        kind: "customer".into(),
        folder: "VIP".into(),
        account: Some("A1".into()),
        account_by_rule: true,
        directory: true,
        local_only: true,
    };
    check("record", &record);

    let mut link = Link::new("a.vcf".into());
    link.version = Some("v1".into());
    link.set_bases(&Field::First, Some("Ann".into()), Some("ANN".into()));
    link.set_bases(&Field::Last, Some("Stone".into()), Some("Stone".into()));
    link.pins.insert(Field::Title);
    link.open.insert(Field::Notes);
    link.refusal = Some(Refusal::new(RefusalKind::TooLarge, "too large"));
    link.folder = Some("f".into());
    link.marked = true;
    link.raw = Raw { format: "text/vcard".into(), bytes: b"BEGIN:VCARD".to_vec() };
    check("link", &link.in_state(LinkState::Detached));

    let mut row = SourceRow::new("carddav", "u".into(), Policy::default());
    row.settings.insert("url".into(), "https://dav.example.org".into());
    row.state = SourceState::NeedsSettings(SourceError::Auth { offer: vec!["username".into()] });
    let room = Room { characters: Some(10), elements: Some(3), slots: vec![("work".into(), 2)] };
    row.capabilities =
        Capabilities { fields: Some(BTreeMap::from([(Field::Phones, room)])), ..Capabilities::default() };
    row.home = Some("f".into());
    row.due = Some(Time(5));
    row.last_error = Some(SourceError::Throttled { seconds: Some(3) });
    check("source", &row);

    let intent = Intent {
        kind: IntentKind::Create,
        key: "key".to_owned().into(),
        remote: Some("a.vcf".into()),
        hub: Contact::new().with(Field::First, "Ann"),
        fields: vec![Field::First],
        accepted: true,
        version: Some("v1".into()),
    };
    check("intent", &intent);
    let write = FieldWrite {
        field: Field::Title,
        old: None,
        new: Some("CEO".into()),
        origin: Actor::User("u".into()),
        at: Some(Time(1)),
        rule: "in_update".into(),
        lost: Some("CTO".into()),
    };
    let entry = Entry {
        pass: PassId(4),
        time: Time(2),
        source: Some(source()),
        toward: Toward::Source,
        action: Action::Update,
        rule: "out_update".into(),
        actor: Actor::User("u".into()),
        fields: vec![write],
    };
    check("entry", &entry);
    check("meta", &Meta { seed: [7; 16] });
    check("lease", &Lease { epoch: 3, until: Time(9) });
    check("remote", &RemoteRow { contact: id(), version: Some("v1".into()), active: true });
    check("dirty", &Dirty { deleted: true, key: Some("key".to_owned().into()) });
    check("held", &Held { inbound: true, since: Time(1), emptied: false });
    check("held_emptied", &Held { inbound: true, since: Time(1), emptied: true });
    check("conflict", &Conflict { hub: Some("a".into()), source: None, since: Time(1) });
    let refusal = Some(Refusal::new(RefusalKind::Unreadable, "no END"));
    check("parked", &Parked { version: Some("v1".into()), reason: "unreadable".into(), refusal });
    check("ref", &Ref { linked: true, subscribed: Some(false) });
    let counts = BTreeMap::from([(source(), Counts { hub_created: 1, ..Counts::default() })]);
    check("pass", &PassRow { began: Time(1), reason: "sync".into(), counts });
}

#[test]
fn rows_of_another_format_are_refused() {
    let row = |bytes: &[u8]| Row { revision: Revision(1), bytes: bytes.to_vec() };
    let future = decode::<Lease>(&row(&[2, 0x80])).expect_err("a newer format");
    assert_eq!(
        future.to_string(),
        "the library has format 2, this release reads up to 1: use a newer release"
    );
    for bytes in [&[][..], &[0], &[1], &[1, 0xc1], &[1, 0xff, 0xff]] {
        assert!(decode::<Lease>(&row(bytes)).is_err());
    }
}
