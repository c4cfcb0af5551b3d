//! Deletes, also against edits.

use super::edits::{change, values};
use super::meeting::in_step;
use super::{Make, everywhere};
use crate::world::{Side, World};
use acquaint_core::contact::Field;
use std::sync::Arc;

fn remove(world: &World, side: Side, name: &str) {
    let (file, _) = world.find(side, name).expect("there");
    world.remove(side, &file);
}

fn is_gone(world: &World, name: &str) -> bool {
    let here = world.contacts().iter().any(|c| c.record.contact.display_name().starts_with(name));
    !here && world.find(Side::Server, name).is_none() && world.find(Side::Folder, name).is_none()
}

pub fn deletes_go_both_ways(make: Make<'_>) {
    let mut world = in_step(make(), &[]);
    world.tick();
    remove(&world, Side::Server, "Ann");
    remove(&world, Side::Folder, "Bob");
    world.delete("Cid");
    // Somebody else was faster.
    remove(&world, Side::Server, "Dee");
    remove(&world, Side::Folder, "Dee");
    world.sync();
    for name in ["Ann", "Bob", "Cid", "Dee"] {
        assert!(is_gone(&world, name), "{name}");
    }
    world.check();
    assert_eq!(world.contacts().len(), 4);
}

pub fn an_edit_beats_a_delete(make: Make<'_>) {
    let mut world = in_step(make(), &[]);
    world.tick();
    remove(&world, Side::Server, "Ann");
    change(&world, Side::Folder, "Ann", &["TITLE:Edited"]);
    remove(&world, Side::Folder, "Bob");
    change(&world, Side::Server, "Bob", &["TITLE:Edited"]);
    world.delete("Cid");
    change(&world, Side::Server, "Cid", &["TITLE:Edited"]);
    remove(&world, Side::Server, "Dee");
    world.edit("Dee", Field::Title, "Edited");
    world.sync();
    for name in ["Ann", "Bob", "Cid", "Dee"] {
        assert_eq!(values(&world, name, &Field::Title), ["Edited"; 3], "{name}");
    }
    world.check();
}

/// The card is gone when our write arrives.
pub fn somebody_deletes_while_we_write(make: Make<'_>) {
    let (account, meddler) = make().meddled("PUT");
    let mut world = in_step(account, &[]);
    world.tick();
    world.edit("Ann", Field::Title, "Edited");
    let (file, _) = world.find(Side::Server, "Ann").expect("there");
    let other = Arc::clone(&world.account.other);
    meddler.plan(Box::new(move || other.delete(&file)));
    world.sync();
    assert!(meddler.done(), "nothing was written");
    assert_eq!(values(&world, "Ann", &Field::Title), ["Edited"; 3]);
    world.check();
}

#[test]
fn deletes_go_both_ways_everywhere() {
    everywhere(deletes_go_both_ways);
}

#[test]
fn an_edit_beats_a_delete_everywhere() {
    everywhere(an_edit_beats_a_delete);
}

#[test]
fn somebody_deletes_while_we_write_everywhere() {
    everywhere(somebody_deletes_while_we_write);
}
