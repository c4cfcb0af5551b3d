//! The user's own machine: folder, disk, library file.

use super::both;
use crate::accounts::preset;
use crate::cards::card;
use crate::stories::meeting::{bring, in_step};
use crate::world::{Side, World, folder};
use acquaint_connectors::store::SqliteStore;
use acquaint_core::contact::Field;

#[test]
fn a_folder_that_cannot_be_written_gives_and_loses_nothing() {
    let mut world = World::new(preset("standard"), &[]);
    world.set_read_only(true);
    world.put(Side::Server, "ann.vcf", &card("u-ann", "Ann", world.now(), &[]));
    world.put(Side::Folder, "bob.vcf", &card("u-bob", "Bob", world.now(), &[]));
    world.sync();
    assert_eq!((world.cards(Side::Server).len(), world.cards(Side::Folder).len()), (2, 1));
    world.tick();
    world.edit("Bob", Field::Title, "Not here");
    world.sync();
    assert_eq!(world.text(Side::Server, "Bob", &Field::Title), "Not here");
    assert_eq!(world.text(Side::Folder, "Bob", &Field::Title), "");
    let before = both(&world);
    let report = world.sync();
    assert_eq!((both(&world), report.notices), (before, Vec::new()));
}

#[test]
fn a_folder_that_is_gone_is_not_an_empty_one() {
    let mut world = in_step(preset("standard"), &[]);
    let hidden = world.path().with_extension("away");
    std::fs::rename(world.path(), &hidden).expect("moved");
    let report = world.try_sync().expect("a report");
    let error = report.sources[&folder()].error.clone().expect("told").to_string();
    assert_eq!(
        error,
        "the folder of cards cannot be read: it is gone; connect its disk, or correct the path"
    );
    assert_eq!((world.contacts().len(), world.cards(Side::Server).len()), (8, 8));
    std::fs::rename(&hidden, world.path()).expect("moved back");
    world.sync();
    world.check();
}

#[test]
fn a_disk_that_is_full_stops_a_first_sync_and_no_more() {
    let mut stopped = 0;
    for commits in 0..24 {
        let mut world = World::new(preset("standard"), &[]);
        bring(&mut world);
        world.fuse.fill(Some(commits));
        let report = world.try_sync().expect("a report");
        let Some(error) = report.store_error else { break };
        stopped += 1;
        assert_eq!(error.to_string(), "the disk is full; free some space and run again: nothing was lost");
        world.fuse.fill(None);
        if commits % 2 == 0 {
            world.start();
        }
        world.sync();
        assert_eq!(world.contacts().len(), 8, "after {commits} commits");
        world.check();
    }
    assert!(stopped > 5, "only {stopped} stops");
}

#[test]
fn a_library_that_is_none_is_left_as_it_is() {
    let mut world = in_step(preset("standard"), &[]);
    let before = both(&world);
    world.stop();
    let file = world.library_file();
    let whole = std::fs::read(&file).expect("a library");
    let mut torn = whole.clone();
    torn.iter_mut().skip(4_096).for_each(|byte| *byte = !*byte);
    for (content, expected) in [
        (b"this is no library".repeat(100), "this is not a usable library: "),
        (torn, "this is not a usable library: "),
    ] {
        std::fs::write(&file, &content).expect("written");
        let error = SqliteStore::open(&file).expect_err("no library").to_string();
        assert!(error.starts_with(expected), "{error}");
        assert_eq!(std::fs::read(&file).expect("there"), content);
        assert_eq!(both(&world), before);
    }
    std::fs::write(&file, &whole).expect("written");
    world.start();
    world.check();
}

#[test]
fn a_library_from_the_future_is_left_as_it_is() {
    let mut world = in_step(preset("standard"), &[]);
    world.stop();
    let file = world.library_file();
    let version = |version: Option<i64>| {
        let connection = rusqlite::Connection::open(&file).expect("a database");
        if let Some(version) = version {
            connection.pragma_update(None, "user_version", version).expect("written");
        }
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).expect("read")
    };
    let ours = version(None);
    version(Some(ours + 1));
    let error = SqliteStore::open(&file).expect_err("too new").to_string();
    let (found, supported) = (ours + 1, ours);
    assert_eq!(
        error,
        format!("the library has format {found}, this release reads up to {supported}: use a newer release")
    );
    assert_eq!(version(None), ours + 1);
    version(Some(ours));
    world.start();
    world.check();
}
