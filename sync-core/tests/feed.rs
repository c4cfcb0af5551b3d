//! The feed of changes for a host's screens: in pages of any size it names every contact that changed.

use acquaint_core::contact::{Contact, Field};
use acquaint_core::id::{ContactId, UserId};
use acquaint_core::library::{Library, NewContact, Position};
use acquaint_core::store::MemoryStore;
use acquaint_core::time::Time;
use futures::executor::block_on;
use std::sync::Arc;

fn read(library: &Library, mut since: Position, limit: u32) -> (Vec<ContactId>, Position) {
    let mut ids = Vec::new();
    loop {
        let feed = block_on(library.changes(since, limit)).expect("a page");
        ids.extend(feed.contacts.iter().map(|listed| listed.id));
        since = feed.next;
        if !feed.more {
            return (ids, since);
        }
    }
}

#[test]
fn pages_of_any_size_name_every_change_once() {
    let library = block_on(Library::open(Arc::new(MemoryStore::new()), [1; 16])).expect("a library");
    let user = UserId::from("u");
    // Several contacts in one batch: a page may end within it.
    for batch in 0..3 {
        let new = (0..4).map(|n| NewContact {
            contact: Contact::new().with(Field::First, format!("{batch}-{n}").as_str()),
            ..NewContact::default()
        });
        block_on(library.add(new.collect(), &user, Time(1))).expect("added");
    }
    let all: Vec<ContactId> =
        block_on(library.contacts(None, 100)).expect("contacts").iter().map(|listed| listed.id).collect();
    assert_eq!(all.len(), 12);
    for limit in 1..=13 {
        let (ids, end) = read(&library, Position::default(), limit);
        assert_eq!(ids, all, "pages of {limit}");
        assert_eq!(read(&library, end, limit).0, [], "nothing new after the end");
    }
    let (_, end) = read(&library, Position::default(), 5);
    block_on(library.delete(all[1], &user, Time(2))).expect("deleted");
    let feed = block_on(library.changes(end, 10)).expect("a page");
    assert_eq!(feed.contacts.len(), 1);
    assert!(!feed.contacts[0].record.is_live());
}
