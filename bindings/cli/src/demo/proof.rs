//! The proof at the end of the demo: computed from the cards on both sides and from what the library recorded.

use super::cards::TWIN_UIDS;
use super::world::{Side, World};
use crate::commands::each_contact;
use crate::errors::Failure;
use crate::host::Host;
use acquaint_connectors::wire::vcard::decode;
use acquaint_core::contact::{Contact, Value, uid_key, value_key};
use acquaint_core::id::ContactId;
use acquaint_core::library::{Library, Record, codec, key};
use futures::executor::block_on;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// Something that must hold.
pub(super) struct Proof {
    pub(super) what: &'static str,
    pub(super) holds: bool,
    pub(super) detail: String,
}

impl Proof {
    pub(super) fn new(what: &'static str, holds: bool, detail: impl Into<String>) -> Self {
        Self { what, holds, detail: detail.into() }
    }

    pub(super) fn json(&self) -> Json {
        json!({ "what": self.what, "holds": self.holds, "detail": self.detail })
    }
}

/// One value of one person: UID, field, and the value's key.
type Fact = (String, String, String);

/// Every value that was ever seen on either side.
#[derive(Default)]
pub(super) struct Ledger(BTreeSet<Fact>);

impl Ledger {
    /// Takes note of all that is on both sides now.
    pub(super) fn note(&mut self, world: &World) -> Result<(), Failure> {
        self.0.extend(facts(&world.server())?);
        self.0.extend(facts(&world.cards()?)?);
        Ok(())
    }

    /// Nothing is lost: each value is on both sides, or the library says what became of it.
    pub(super) fn nothing_lost(&self, world: &World, host: &Host) -> Result<Proof, Failure> {
        let (server, folder) = (facts(&world.server())?, facts(&world.cards()?)?);
        let recorded = recorded(&host.library)?;
        let (mut both, mut told, mut lost) = (0, 0, Vec::new());
        for fact in &self.0 {
            if server.contains(fact) && folder.contains(fact) {
                both += 1;
            } else if recorded.contains(fact) {
                told += 1;
            } else {
                lost.push(format!("{} of {}", fact.1, fact.0));
            }
        }
        let detail = match lost.is_empty() {
            true => format!("{both} values on both sides, {told} replaced or deleted ones in the history"),
            false => format!("lost: {}", lost.join(", ")),
        };
        Ok(Proof::new("no value is lost", lost.is_empty() && both > 0 && told > 0, detail))
    }
}

/// Both sides hold the same people with the same values.
pub(super) fn sides_agree(world: &World) -> Result<Proof, Failure> {
    let (server, folder) = (facts(&world.server())?, facts(&world.cards()?)?);
    let differ: Vec<String> =
        server.symmetric_difference(&folder).map(|f| format!("{} of {}", f.1, f.0)).collect();
    let detail = match differ.is_empty() {
        true => format!("{} values each", server.len()),
        false => format!("differ: {}", differ.join(", ")),
    };
    Ok(Proof::new("server and folder agree", differ.is_empty() && world.folder_is_sound(), detail))
}

/// Cards that nobody touched are what they were, byte for byte.
pub(super) fn bystanders(before: &Side, after: &Side, touched: &[&str], what: &'static str) -> Proof {
    let others: Vec<(&String, &Vec<u8>)> =
        before.iter().filter(|(name, _)| !touched.contains(&name.as_str())).collect();
    let changed: Vec<&str> = others
        .iter()
        .filter(|(name, card)| after.get(*name) != Some(*card))
        .map(|(name, _)| name.as_str())
        .collect();
    let detail = match changed.is_empty() {
        true => format!("{} cards", others.len()),
        false => format!("changed: {}", changed.join(", ")),
    };
    Proof::new(what, changed.is_empty() && !others.is_empty(), detail)
}

/// Cards that were deleted and put back are there once each. One in vCard 3.0 is the same byte for byte; a server is
/// given no other version unless it says that it takes it, so the others are the same in every value.
pub(super) fn put_back(before: &Side, after: &Side, gone: &[&str]) -> Result<Proof, Failure> {
    let (mut same_bytes, mut same_values) = (0, 0);
    for card in gone.iter().filter_map(|name| before.get(*name)) {
        let whole = Side::from([("before".to_owned(), card.clone())]);
        let person = facts(&whole)?;
        let uids: BTreeSet<&String> = person.iter().map(|(uid, _, _)| uid).collect();
        let mut now: Vec<BTreeSet<Fact>> = Vec::new();
        for other in after.values() {
            let other = facts(&Side::from([("after".to_owned(), other.clone())]))?;
            now.extend(other.iter().any(|(uid, _, _)| uids.contains(uid)).then_some(other));
        }
        let is_v3 = card.windows(11).any(|part| part == b"VERSION:3.0");
        if after.values().filter(|other| *other == card).count() == 1 {
            same_bytes += 1;
        } else if !is_v3 && now == [person] {
            same_values += 1;
        }
    }
    let all = same_bytes + same_values == gone.len() && before.len() == after.len() && same_bytes > 0;
    let detail = format!(
        "{same_bytes} byte-identical, {same_values} in another vCard version, {} in all",
        after.len()
    );
    Ok(Proof::new("the cards put back are the same, each once", all, detail))
}

fn facts(side: &Side) -> Result<BTreeSet<Fact>, Failure> {
    let mut facts = BTreeSet::new();
    for (name, bytes) in side {
        let card = decode(bytes)
            .map_err(|error| Failure::new("demo", format!("{name}: {error}"), "please report this"))?;
        add(&mut facts, &card.uid.unwrap_or_default(), &card.contact);
    }
    Ok(facts)
}

fn add(facts: &mut BTreeSet<Fact>, uid: &str, contact: &Contact) {
    for (field, value) in contact.iter() {
        for key in keys(field, value) {
            facts.insert((person(uid), field.key(), key));
        }
    }
}

/// The two cards of one person count as one.
fn person(uid: &str) -> String {
    let (twin, main) = TWIN_UIDS;
    if uid == twin { main.to_owned() } else { uid_key(uid) }
}

fn keys(field: &acquaint_core::contact::Field, value: &Value) -> Vec<String> {
    match value {
        Value::List(elements) => elements.iter().map(|element| element.key(field)).collect(),
        single => vec![value_key(single)],
    }
}

/// Every value that the library's history, conflicts and deleted contacts name.
fn recorded(library: &Library) -> Result<BTreeSet<Fact>, Failure> {
    let mut facts = BTreeSet::new();
    let mut people: BTreeMap<ContactId, String> = BTreeMap::new();
    each_contact(library, |listed| {
        people.insert(listed.id, listed.record.uid.clone());
        Ok(())
    })?;
    for (id, record) in deleted(library)? {
        add(&mut facts, &record.uid, &record.contact);
        people.insert(id, record.uid);
    }
    for (id, uid) in &people {
        for write in block_on(library.history(*id))?.into_iter().flat_map(|entry| entry.fields) {
            for value in [&write.old, &write.new, &write.lost].into_iter().flatten() {
                for key in keys(&write.field, value) {
                    facts.insert((person(uid), write.field.key(), key));
                }
            }
        }
    }
    for open in block_on(library.conflicts())? {
        let uid = people.get(&open.contact).cloned().unwrap_or_default();
        for value in [&open.conflict.hub, &open.conflict.source].into_iter().flatten() {
            for key in keys(&open.field, value) {
                facts.insert((person(&uid), open.field.key(), key));
            }
        }
    }
    Ok(facts)
}

fn deleted(library: &Library) -> Result<Vec<(ContactId, Record)>, Failure> {
    const MORE_THAN_THE_DEMO_HAS: u32 = 1_000;
    let rows = block_on(library.store().scan(vec![key::contacts()], MORE_THAN_THE_DEMO_HAS))?;
    let mut found = Vec::new();
    for (place, row) in rows.iter().flatten() {
        let record: Record = codec::decode(row)?;
        if let (Some(id), false) = (key::contact_of(place), record.is_live()) {
            found.push((id, record));
        }
    }
    Ok(found)
}
