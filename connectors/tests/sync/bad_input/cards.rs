//! Single cards that spoil things.

use super::{both, notices, with};
use crate::accounts::{preset, simulated};
use crate::cards::{card, edited};
use crate::stories::edits::change;
use crate::world::{Side, World};
use acquaint_connectors::testserver::{Poison, PoisonEffect, Quirks};
use acquaint_core::contact::Field;

/// Ann on the server and Bob in the folder.
fn small(quirks: Quirks) -> World {
    let world = World::new(simulated(quirks), &[]);
    world.put(Side::Server, "ann.vcf", &card("u-ann", "Ann", world.now(), &[]));
    world.put(Side::Folder, "bob.vcf", &card("u-bob", "Bob", world.now(), &[]));
    world
}

/// Asserts that Ann and Bob are everywhere, and that a further cycle says and does nothing.
fn rest(world: &mut World) {
    for name in ["Ann", "Bob"] {
        world.contact(name);
    }
    let before = both(world);
    let requests = world.dav().traffic().total();
    let report = world.sync();
    assert_eq!(notices(&report), [] as [&str; 0]);
    assert!(report.sources.values().all(|one| one.counts.writes() == (0, 0) && one.counts.refused == 0));
    assert!(world.dav().traffic().total() - requests <= 2);
    assert_eq!(both(world), before);
}

#[test]
fn a_card_of_twenty_megabytes_waits() {
    let photo = format!("PHOTO;ENCODING=b;TYPE=JPEG:{}", "QUJD".repeat(5 << 20));
    for side in [Side::Server, Side::Folder] {
        let mut world = small(Quirks::default());
        world.put(side, "big.vcf", &card("u-big", "Big", world.now(), &[&photo]));
        let report = world.sync();
        let source = if side == Side::Server { "account" } else { "folder" };
        assert_eq!(notices(&report), [format!("{source} unreadable reason=toolarge")]);
        assert_eq!(world.contacts().len(), 2);
        rest(&mut world);
        // Once it is smaller, it comes in.
        world.tick();
        world.put(side, "big.vcf", &card("u-big", "Big", world.now(), &[]));
        world.sync();
        world.check();
        assert_eq!(world.contacts().len(), 3);
    }
}

#[test]
fn text_that_is_no_utf8_is_kept_as_it_is() {
    let mut raw = card("u-jo", "Jo", acquaint_core::time::Time(0), &["NOTE:Z@rich"]);
    raw.iter_mut().filter(|byte| **byte == b'@').for_each(|byte| *byte = 0xfc);
    let mut world = small(Quirks::default());
    world.put(Side::Folder, "jo.vcf", &raw);
    world.sync();
    assert_eq!(world.contact("Jo").record.contact.text(&Field::Notes), "Zürich");
    assert_eq!(world.text(Side::Server, "Jo", &Field::Notes), "Zürich");
    assert_eq!(world.cards(Side::Folder)["jo.vcf"], raw);
    world.check();
}

#[test]
fn what_is_no_card_waits() {
    for side in [Side::Server, Side::Folder] {
        let mut world = small(Quirks::default());
        world.put(side, "junk.vcf", b"<html>not a card</html>");
        let report = world.sync();
        let source = if side == Side::Server { "account" } else { "folder" };
        assert_eq!(notices(&report), [format!("{source} unreadable reason=unreadable")]);
        rest(&mut world);
        assert_eq!(world.cards(side)["junk.vcf"], b"<html>not a card</html>");
    }
}

#[test]
fn a_card_that_the_server_refuses_is_not_sent_again() {
    for status in [400, 403, 415] {
        let quirks = Quirks { refuses: Some(("Evil".into(), status)), ..Quirks::default() };
        let mut world = small(quirks);
        world.put(Side::Folder, "evil.vcf", &card("u-evil", "Evil", world.now(), &["TITLE:Villain"]));
        let report = world.sync();
        let said = notices(&report);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("account refused reason="), "{said:?}");
        assert_eq!(world.cards(Side::Server).len(), 2);
        rest(&mut world);
        // An edit is a new chance.
        world.tick();
        world.edit("Evil", Field::Title, "Still a villain");
        assert_eq!(notices(&world.sync()).len(), 1);
        rest(&mut world);
        with(&world, |server| server.quirks.refuses = None);
        world.tick();
        change(&world, Side::Folder, "Evil", &["TITLE:Reformed"]);
        world.sync();
        assert_eq!(world.text(Side::Server, "Evil", &Field::Title), "Reformed");
        world.check();
    }
}

/// The same for a change of a card that is there.
#[test]
fn a_change_that_the_server_refuses_is_not_sent_again() {
    let quirks = Quirks { refuses: Some(("Villain".into(), 403)), ..Quirks::default() };
    let mut world = small(quirks);
    world.sync();
    world.tick();
    world.edit("Ann", Field::Title, "Villain");
    let report = world.sync();
    assert!(notices(&report)[0].starts_with("account refused reason="), "{:?}", notices(&report));
    assert_eq!(world.text(Side::Folder, "Ann", &Field::Title), "Villain");
    rest(&mut world);
    // What others change comes in meanwhile, and the refused value is not lost.
    world.tick();
    let (name, bytes) = world.find(Side::Server, "Ann").expect("there");
    world.put(Side::Server, &name, &edited(&bytes, world.now(), &["NOTE:From the server"]));
    world.sync();
    let ann = world.contact("Ann").record.contact;
    assert_eq!((ann.text(&Field::Title), ann.text(&Field::Notes)), ("Villain", "From the server"));
    with(&world, |server| server.quirks.refuses = None);
    world.tick();
    world.edit("Ann", Field::Title, "Hero");
    world.sync();
    assert_eq!(world.text(Side::Server, "Ann", &Field::Title), "Hero");
    world.check();
}

#[test]
fn a_poisoned_card_spoils_nothing() {
    for effect in [PoisonEffect::Fail, PoisonEffect::BreakXml] {
        let poison = Some(Poison { marker: "Poison".into(), effect });
        let mut world = small(Quirks { poison, ..Quirks::default() });
        let now = world.now();
        world.put(Side::Server, "poison.vcf", &card("u-poison", "Poison", now, &[]));
        for n in 0..20 {
            world.put(
                Side::Server,
                &format!("p{n}.vcf"),
                &card(&format!("u-{n}"), &format!("P{n}"), now, &[]),
            );
        }
        world.sync();
        assert_eq!(world.contacts().len(), 23);
        world.check();
    }
}

#[test]
fn an_account_that_cannot_be_written_gives_and_loses_nothing() {
    let mut world = World::new(preset("readonly"), &[]);
    world.put(Side::Server, "ann.vcf", &card("u-ann", "Ann", world.now(), &[]));
    world.put(Side::Folder, "bob.vcf", &card("u-bob", "Bob", world.now(), &[]));
    world.sync();
    assert_eq!((world.cards(Side::Server).len(), world.cards(Side::Folder).len()), (1, 2));
    rest(&mut world);
    world.tick();
    change(&world, Side::Folder, "Ann", &["TITLE:Only here"]);
    world.sync();
    assert_eq!(world.contact("Ann").record.contact.text(&Field::Title), "Only here");
    rest(&mut world);
}
