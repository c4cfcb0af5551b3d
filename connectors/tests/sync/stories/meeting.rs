//! A first sync: both sides have cards, some of the same people.

use super::{Make, everywhere};
use crate::accounts::{Account, preset};
use crate::cards::{APPLE, NEW, ODD, OLD, card};
use crate::world::{Side, World, folder, server};
use acquaint_connectors::testserver::FIRST_BOOK;
use acquaint_core::contact::Field;
use acquaint_core::time::Time;

/// A world in step: Ann came from the server, Bob from the folder, Cid and Dee were on both sides, and there are
/// bystanders on either.
pub fn in_step(account: Account, settings: &[(&str, &str)]) -> World {
    let mut world = World::new(account, settings);
    bring(&mut world);
    let report = world.sync();
    let count = |source| report.sources.get(&source).expect("a source of the cycle").counts.clone();
    let (account, files) = (count(server()), count(folder()));
    assert_eq!((account.hub_created, account.source_created), (5, 3), "{account:?}");
    assert_eq!((files.hub_created, files.linked, files.source_created), (3, 2, 3), "{files:?}");
    assert_eq!(world.contacts().len(), 8);
    world
}

/// Puts the cards in place.
pub fn bring(world: &mut World) {
    let now = world.now();
    world.put(Side::Server, "ann.vcf", &card("u-ann", "Ann", now, &["TEL;TYPE=CELL:+41 79 555 01 01"]));
    world.put(Side::Folder, "bob.vcf", &card("u-bob", "Bob", now, &["EMAIL:bob@example.org", "TITLE:Cook"]));
    // The same person, whom each side met on its own.
    world.put(
        Side::Server,
        "cid.vcf",
        &card("u-cid-1", "Cid", now, &["EMAIL:cid@example.org", "NOTE:From work"]),
    );
    world.put(Side::Folder, "c.vcf", &card("u-cid-2", "Cid", now, &["EMAIL:Cid@Example.org", "TITLE:Pilot"]));
    // The same card, copied by hand.
    for side in [Side::Server, Side::Folder] {
        world.put(side, "dee.vcf", &card("u-dee", "Dee", now, &["TEL;TYPE=HOME:+41 31 555 01 04"]));
    }
    world.put_bystander(Side::Server, "apple.vcf", APPLE);
    world.put_bystander(Side::Server, "odd.vcf", ODD);
    world.put_bystander(Side::Folder, "old.vcf", OLD);
    world.put_bystander(Side::Folder, "new.vcf", NEW);
}

pub fn both_sides_bring_cards(make: Make<'_>) {
    in_step(make(), &[]).check();
}

#[test]
fn both_sides_bring_cards_everywhere() {
    everywhere(both_sides_bring_cards);
}

#[test]
fn other_books_of_the_account_are_left_alone() {
    for book in [None, Some("Work"), Some("Contacts")] {
        let mut account = preset("standard");
        account.config.book = book.map(str::to_owned);
        let transport = account.other.server().expect("in this process").clone();
        let chosen = if book == Some("Work") { "work" } else { FIRST_BOOK };
        let left = if chosen == "work" { FIRST_BOOK } else { "work" };
        transport.with(|server| {
            server.add_book("work", "Work");
            server.put(left, "x.vcf", &card("u-x", "Xeno", Time(0), &[]));
            server.put(chosen, "y.vcf", &card("u-y", "Yves", Time(0), &[]));
        });
        let mut world = World::new(account, &[]);
        world.put(Side::Folder, "zoe.vcf", &card("u-zoe", "Zoe", world.now(), &[]));
        world.sync();
        world.edit("Yves", Field::Title, "Edited");
        world.sync();
        assert_eq!(world.contacts().len(), 2);
        transport.with(|server| assert_eq!((server.count_cards(left), server.count_cards(chosen)), (1, 2)));
    }
}
