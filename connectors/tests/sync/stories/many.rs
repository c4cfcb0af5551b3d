//! A book of the size that people have.

use super::Make;
use crate::cards::{card, edited};
use crate::world::{Side, World};

/// A thousand on either side.
pub fn two_thousand_cards(make: Make<'_>) {
    let mut world = World::new(make(), &[]);
    let now = world.now();
    let person = |n: usize| {
        let (phone, mail) = (format!("TEL;TYPE=CELL:+41 79 555 {n:04}"), format!("EMAIL:p{n}@example.org"));
        card(&format!("u-{n}"), &format!("P{n:04}"), now, &[&phone, &mail, "X-KEPT;X-A=b:c"])
    };
    for n in 0..1_000 {
        world.put(Side::Folder, &format!("p{n}.vcf"), &person(n));
        world.put(Side::Server, &format!("q{n}.vcf"), &person(1_000 + n));
    }
    world.sync();
    assert_eq!(world.contacts().len(), 2_000);
    world.check();
    let now = world.tick();
    let requests = world.dav().traffic().total();
    for n in (0..1_000).step_by(10) {
        world.put(Side::Folder, &format!("p{n}.vcf"), &edited(&person(n), now, &["NOTE:In the folder"]));
        let name = format!("q{n}.vcf");
        world.put(Side::Server, &name, &edited(&person(1_000 + n), now, &["NOTE:On the server"]));
    }
    world.sync();
    let requests = world.dav().traffic().total() - requests;
    eprintln!("100 and 100 edits: {requests} requests");
    world.check();
}

#[test]
#[ignore = "by hand: takes long without optimisation"]
fn two_thousand_cards_on_a_plain_server() {
    two_thousand_cards(&|| crate::accounts::preset("standard"));
}
