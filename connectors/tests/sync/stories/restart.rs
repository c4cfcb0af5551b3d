//! The process is killed in the middle, at chosen moments: before or after a request, a commit, a write into the
//! folder. A new one over the same file ends where a calm run would have ended.

use super::edits::change;
use super::meeting::{bring, in_step};
use super::{Make, everywhere};
use crate::accounts::preset;
use crate::cards::card;
use crate::world::{Side, World, me};
use acquaint_core::contact::{Contact, Element, Field};
use acquaint_core::library::NewContact;
use futures::executor::block_on;

/// A world that has much to do.
fn busy(make: Make<'_>) -> World {
    let world = in_step(make(), &[]);
    let now = world.tick();
    change(&world, Side::Server, "Ann", &["NOTE:From the server"]);
    change(&world, Side::Folder, "Ann", &["TITLE:From the folder"]);
    world.edit("Bob", Field::Company, "Acme");
    world.delete("Cid");
    let (file, _) = world.find(Side::Server, "Dee").expect("there");
    world.remove(Side::Server, &file);
    world.put(Side::Server, "eve.vcf", &card("u-eve", "Eve", now, &["NOTE:New on the server"]));
    world.put(Side::Folder, "fay.vcf", &card("u-fay", "Fay", now, &["EMAIL:fay@example.org"]));
    // With a number: where a server keeps neither the UID nor the name of a new card (Google), nothing else finds a copy
    // again whose answer was lost.
    let gus = Contact::new()
        .with(Field::First, "Gus")
        .with(Field::Last, "Stone")
        .with_element(Field::Phones, Element::text("+41 31 555 01 07"));
    let gus = NewContact { contact: gus, ..NewContact::default() };
    block_on(world.library().add(vec![gus], &me(), now)).expect("added");
    world
}

/// A world before its first sync.
fn strangers(make: Make<'_>) -> World {
    let mut world = World::new(make(), &[]);
    bring(&mut world);
    world
}

/// Kills the process at every `step`-th moment of a cycle.
fn kill(begin: impl Fn() -> World, step: usize) {
    let mut calm = begin();
    calm.fuse.set(0);
    calm.sync();
    let moments = calm.fuse.passed();
    let expected = calm.sides();
    calm.check();
    assert!(moments > 20, "{moments} moments are no life");
    for moment in (1..=moments).step_by(step) {
        let mut world = begin();
        world.fuse.set(moment);
        if let Some(report) = world.try_sync() {
            // Another order of things; it was not so long.
            assert!(world.fuse.passed() < moment, "{report:?}");
        }
        world.fuse.set(0);
        world.start();
        world.sync();
        assert_eq!(world.sides(), expected, "killed at {moment} of {moments}");
        world.check();
    }
}

pub fn killed_now_and_then(make: Make<'_>) {
    kill(|| busy(make), 9);
    kill(|| strangers(make), 9);
}

#[test]
fn killed_at_every_moment() {
    kill(|| busy(&|| preset("standard")), 1);
    kill(|| strangers(&|| preset("standard")), 1);
}

#[test]
fn killed_now_and_then_everywhere() {
    everywhere(|make| {
        kill(|| busy(make), 17);
        kill(|| strangers(make), 13);
    });
}
