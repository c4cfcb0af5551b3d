//! Both sides change the same field.

use super::edits::{change, values};
use super::meeting::in_step;
use super::{Make, everywhere};
use crate::world::{Side, World, folder, me};
use acquaint_core::contact::{Field, Value};
use acquaint_core::library::Choice;
use futures::executor::block_on;

/// Titles that lost, according to the history.
fn lost(world: &World, name: &str) -> Vec<String> {
    let history = block_on(world.library().history(world.id(name))).expect("a history");
    let writes = history.into_iter().flat_map(|entry| entry.fields);
    writes.filter(|write| write.field == Field::Title).filter_map(|write| Some(write.lost?.show())).collect()
}

pub fn the_later_edit_wins(make: Make<'_>) {
    let mut world = in_step(make(), &[]);
    world.tick();
    change(&world, Side::Server, "Ann", &["TITLE:Early"]);
    change(&world, Side::Folder, "Bob", &["TITLE:Early"]);
    world.tick();
    change(&world, Side::Folder, "Ann", &["TITLE:Late"]);
    change(&world, Side::Server, "Bob", &["TITLE:Late"]);
    world.sync();
    for name in ["Ann", "Bob"] {
        assert_eq!(values(&world, name, &Field::Title), ["Late"; 3], "{name}");
        assert_eq!(lost(&world, name), ["Early"], "{name}");
    }
    world.check();
}

pub fn a_conflict_waits_for_the_user(make: Make<'_>) {
    for (choice, expected) in [
        (Choice::Hub, "On the server"),
        (Choice::Source, "In the folder"),
        (Choice::Value(Some(Value::Text("Neither".into()))), "Neither"),
    ] {
        let mut world = in_step(make(), &[("conflict", "ask")]);
        world.tick();
        change(&world, Side::Server, "Ann", &["TITLE:On the server"]);
        change(&world, Side::Folder, "Ann", &["TITLE:In the folder", "NOTE:Goes through"]);
        world.sync();
        for _ in 0..2 {
            assert_eq!(
                values(&world, "Ann", &Field::Title),
                ["On the server", "On the server", "In the folder"]
            );
            assert_eq!(values(&world, "Ann", &Field::Notes), ["Goes through"; 3]);
            let open = block_on(world.library().conflicts()).expect("conflicts");
            let [conflict] = &open[..] else { panic!("{open:?}") };
            assert_eq!((&conflict.source, &conflict.field), (&folder(), &Field::Title));
            // Kept open, it is at rest.
            let report = world.sync();
            assert!(report.sources.values().all(|source| source.counts.writes() == (0, 0)), "{report:?}");
        }
        let id = world.id("Ann");
        let library = world.library();
        block_on(library.resolve(&folder(), id, &Field::Title, &choice, &me(), world.now()))
            .expect("resolved");
        world.sync();
        assert_eq!(values(&world, "Ann", &Field::Title), [expected; 3]);
        assert_eq!(block_on(world.library().conflicts()).expect("conflicts"), []);
        world.check();
    }
}

#[test]
fn the_later_edit_wins_everywhere() {
    everywhere(the_later_edit_wins);
}

#[test]
fn a_conflict_waits_for_the_user_everywhere() {
    everywhere(a_conflict_waits_for_the_user);
}
