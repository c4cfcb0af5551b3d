//! A first sync: both sides have cards, some of the same people.

use super::{Make, everywhere};
use crate::accounts::Account;
use crate::cards::{APPLE, NEW, ODD, OLD, card};
use crate::world::{Side, World, folder, server};

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
