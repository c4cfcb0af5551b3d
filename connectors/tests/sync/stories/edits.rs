//! Edits on several sides at once.

use super::meeting::in_step;
use super::{Make, everywhere};
use crate::accounts::preset;
use crate::cards::edited;
use crate::world::{Side, World};
use acquaint_connectors::testserver::{Effect, Fault};
use acquaint_core::contact::{Element, Field, Value};
use std::sync::Arc;

/// Another program changes lines of a person's card.
pub fn change(world: &World, side: Side, name: &str, lines: &[&str]) {
    let (file, card) = world.find(side, name).expect("there");
    world.put(side, &file, &edited(&card, world.now(), lines));
}

/// The values of a field on all sides: library, server, folder.
pub fn values(world: &World, name: &str, field: &Field) -> [String; 3] {
    [
        world.contact(name).record.contact.text(field).to_owned(),
        world.text(Side::Server, name, field),
        world.text(Side::Folder, name, field),
    ]
}

pub fn different_fields_are_merged(make: Make<'_>) {
    let mut world = in_step(make(), &[]);
    world.tick();
    change(&world, Side::Server, "Ann", &["NOTE:Seen in Bern"]);
    world.tick();
    change(&world, Side::Folder, "Ann", &["TITLE:Judge"]);
    world.tick();
    world.edit("Ann", Field::Company, "Acme");
    change(&world, Side::Server, "Bob", &["EMAIL:bob@example.org", "EMAIL:bob@example.net"]);
    change(&world, Side::Folder, "Bob", &["TEL:+41 31 555 01 02"]);
    world.sync();
    for (field, value) in [(Field::Notes, "Seen in Bern"), (Field::Title, "Judge"), (Field::Company, "Acme")]
    {
        assert_eq!(values(&world, "Ann", &field), [value; 3]);
    }
    let bob = world.contact("Bob").record.contact;
    assert_eq!((bob.list(&Field::Emails).len(), bob.list(&Field::Phones).len()), (2, 1));
    world.check();
}

pub fn the_app_edits_too(make: Make<'_>) {
    let mut world = in_step(make(), &[]);
    world.tick();
    world.edit("Ann", Field::Notes, "Zeile eins\nZeile zwei; mit Komma, und Ümlaut");
    world.edit("Bob", Field::Title, "");
    world.edit("Cid", Field::Emails, Value::List(vec![Element::text("new@example.org")]));
    world.sync();
    assert_eq!(values(&world, "Ann", &Field::Notes), ["Zeile eins\nZeile zwei; mit Komma, und Ümlaut"; 3]);
    assert_eq!(values(&world, "Bob", &Field::Title), [""; 3]);
    assert_eq!(world.contact("Cid").record.contact.list(&Field::Emails).len(), 1);
    world.check();
}

/// The 412 of a guarded write: what the other client wrote is read and merged, never overwritten.
pub fn somebody_edits_while_we_write(make: Make<'_>) {
    let (account, meddler) = make().meddled("PUT");
    let guarded = !account.ignores_if_match;
    let mut world = in_step(account, &[]);
    world.tick();
    world.edit("Ann", Field::Title, "Judge");
    let (file, card) = world.find(Side::Server, "Ann").expect("there");
    let theirs = edited(&card, world.now(), &["NOTE:Written meanwhile"]);
    let other = Arc::clone(&world.account.other);
    meddler.plan(Box::new(move || other.put(&file, &theirs)));
    world.sync();
    assert!(meddler.done(), "nothing was written");
    assert_eq!(values(&world, "Ann", &Field::Title), ["Judge"; 3]);
    if guarded {
        assert_eq!(values(&world, "Ann", &Field::Notes), ["Written meanwhile"; 3]);
    }
    world.check();
}

pub fn the_server_forgets_our_position(make: Make<'_>) {
    let mut world = in_step(make(), &[]);
    world.tick();
    change(&world, Side::Server, "Ann", &["NOTE:Edited before"]);
    let (file, _) = world.find(Side::Server, "Dee").expect("there");
    world.remove(Side::Server, &file);
    world.edit("Bob", Field::Notes, "Waits for the server");
    world.account.other.forget_positions();
    world.sync();
    assert_eq!(values(&world, "Ann", &Field::Notes), ["Edited before"; 3]);
    assert_eq!(values(&world, "Bob", &Field::Notes), ["Waits for the server"; 3]);
    assert!(world.find(Side::Folder, "Dee").is_none(), "a delete went unseen");
    world.check();
    world.account.other.forget_positions();
    let report = world.sync();
    assert!(report.sources.values().all(|source| source.counts.writes() == (0, 0)), "{report:?}");
    world.check();
}

/// As Xandikos, which answers 423 while it carries another write out.
#[test]
fn a_server_that_takes_one_write_at_a_time() {
    for status in [423, 429] {
        let mut world = in_step(preset("xandikos"), &[]);
        let server = world.account.other.server().expect("in this process").clone();
        world.tick();
        for name in ["Ann", "Bob", "Cid", "Dee", "Odd"] {
            world.edit(name, Field::Company, format!("Acme {status}").as_str());
        }
        server.with(|server| server.fail(Fault::new(Effect::Status(status)).on("PUT").after(1).times(3)));
        world.sync();
        assert_eq!(
            values(&world, "Odd", &Field::Company),
            ["Acme", "Acme", "Acme"].map(|name| format!("{name} {status}"))
        );
    }
}

#[test]
fn different_fields_are_merged_everywhere() {
    everywhere(different_fields_are_merged);
}

#[test]
fn the_app_edits_too_everywhere() {
    everywhere(the_app_edits_too);
}

#[test]
fn somebody_edits_while_we_write_everywhere() {
    everywhere(somebody_edits_while_we_write);
}

#[test]
fn servers_forget_our_position_everywhere() {
    everywhere(the_server_forgets_our_position);
}
